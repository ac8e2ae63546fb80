#!/bin/bash
# SPDX-License-Identifier: ISC
#
# More messages for one destination than can be parked in memory: a queue run ends when each had its
# attempt, and each has one. The destination takes a connection and says nothing until all the mail was
# looked at; then it is gone.
. "${0%/*}/lib.sh"
need_root
need ip perl unshare
if [ -z "${INSIDE:-}" ]; then INSIDE=1 exec unshare --net --mount "$0"; fi
. "$T/bench/fill.sh"
scratch
ip link set lo up
printf 'nameserver 127.0.0.1\n' >"$S/resolv.conf"
mount --bind "$S/resolv.conf" /etc/resolv.conf || give_up "cannot mount"
echo 'dest.example A 127.0.0.1' >"$S/zone"
dns_start "$S/zone"
sink_start -p 25 -r 'greeting stall'

# LANES_PARKED, and some.
all=18000
fill_body=$'Subject: one of many\r\n\r\n.\r\n'
fill_spool "$S/spool" $all new
config queue.deliver=queue queue.retry=1h
in_cur() { [ "$(find "$S"/spool/*/cur -type f "$@" | wc -l)" -ge $((all - 16384 - 64)) ]; }
gone() { ! kill -0 "$1" 2>/dev/null; }

sendmail -q 2>"$S/errors" &
run=$!
ok "what cannot be parked is set aside" eventually 30 in_cur
ok "  until a little later" in_cur -newermt now ! -newermt '+2 minutes'
sink_stop
ok "the destination is gone: the run ends" eventually 30 gone "$run"
is "  when each message had its attempt" "$(find "$S"/spool/*/cur -type f -newermt '+30 minutes' | wc -l)" $all
is "  and not two" "$(grep -c 'status=deferred' "$S/log")" $all
is "  the asker was told of nothing else" "$(<"$S/errors")" ''
done_testing
