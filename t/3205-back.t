#!/bin/bash
# SPDX-License-Identifier: ISC
#
# Back from the relay of second choice to the first, while mail goes all the time: by smtp's clock, which
# runs 60 times as fast (hasty.c), a relay that failed is passed by for five seconds.
. "${0%/*}/lib.sh"
scratch
hasty "$S/hasty"
PATH=$S/hasty/sbin:$PATH

got() { find "$S/$1" -name '*.env' | wc -l; }
n=0
post() { sendmail -i -f s@x.example "r$((++n))@x.example" <<<hello; }
post_on() { post && [ "$(got first)" -gt 0 ]; }
all_came() { [ $(($(got first) + $(got second))) -eq "$n" ]; }

sink_named first
sink_stop
sink_named second
config queue.linger=60 "relay.url=smtp://127.0.0.1:$first smtp://127.0.0.1:$second"
post
ok 'the first is down: the second takes it' eventually 10 all_came
SINK=$S/first sink_start -p "$first"
ok 'mail goes on, and to the first again' eventually 30 post_on
ok 'all of it arrives' eventually 10 all_came
is '  once' "$(cat "$S"/{first,second}/*.env | grep -c '^rcpt')" "$n"
ok 'by more than one message, the second was in use' test "$(got second)" -gt 10
done_testing
