#!/bin/bash
# SPDX-License-Identifier: ISC
#
# The service of many owners by a clock that runs 60 times as fast (hasty.c): a flusher, or smtp, that
# ends at once again and again, and owners with mail that hangs, who give way to others.
. "${0%/*}/lib.sh"
need_root
need setpriv pgrep cc
[ -x "$B/t/hasty-flush" ] || give_up "needs $B/t/hasty-flush (make $B/t/hasty-flush)"
scratch
mkdir "$S/prefix"
cp -r "$B/sbin" "$B/bin" "$B/libexec" "$S/prefix"
cp "$B/t/hasty-flush" "$S/prefix/libexec/pillarbox/flush"
PATH=$S/prefix/sbin:$S/prefix/bin:$PATH
smtp=$S/prefix/libexec/pillarbox/smtp
chmod 711 "$S"

as() { setpriv --reuid "$1" --regid "$1" --clear-groups "${@:2}"; }
post_as() { as "$1" sendmail -f "u$1@x.example" "${@:2}" <<<"from $1" 2>"$S/err"; }
# The watchdog's time is of the fast clock, too: no machine is so slow.
settings() {
	config "relay.url=smtp://127.0.0.1:$SINK_PORT" log.to=stderr queue.watchdog=12h queue.linger=1 "$@"
	chmod 644 "$PILLARBOX_CONFIG"
}
service_start() {
	: >"$S/service.log"
	began=${EPOCHREALTIME/./}
	setsid sendmail -bD 2>>"$S/service.log" &
	service=$!
	eventually 10 test -S "$S/run/socket"
}
no_children() { [ -z "$(pgrep -P "$service" -x flush)" ]; }
service_stop() { eventually 20 no_children && kill "$service" && wait "$service"; }
said() { grep -qE "$1" "$S/service.log"; }
# passed SECONDS: at least these have, by the fast clock.
passed() { [ $(((${EPOCHREALTIME/./} - began) * 60 / 1000000)) -ge "$1" ]; }
# once UID...: a message from each of these is there, and none twice.
once() { [ "$(sed -n 's/^mail <u\([0-9]*\)@.*/\1/p' "$SINK"/*.env 2>/dev/null | sort | xargs)" = "$*" ]; }

# An owner who makes of the lock what cannot be one.
sink_start
settings queue.deliver=queue
post_as 12003 r@x.example
spoil() { rm -rf "$S/spool/12003/lock"; as 12003 mkdir "$S/spool/12003/lock"; }
spoil
settings
pauses() { sed -n "s/.*the flusher of uid 12003 ended with status 75; starting it again in \([0-9]*\) seconds/\1/p" "$S/service.log" | head -n 5 | xargs; }
ok 'the service starts' service_start
ok 'a flusher ends at once' eventually 20 said 'starting it again in 20 seconds'
for uid in 12001 12002; do post_as $uid r@x.example; done
ok "others' mail arrives" eventually 20 once 12001 12002
kill -USR1 "$service"
ok 'it ends again and again' eventually 20 said 'starting it again in 160 seconds'
ok 'the pauses between were true' passed 150
is 'and each twice as long' "$(pauses)" '10 20 40 80 160'
for uid in 12001 12002; do post_as $uid r@x.example; done
ok "others' mail goes on" eventually 20 once 12001 12001 12002 12002
rmdir "$S/spool/12003/lock"
ok 'the lock is mended, and the mail arrives' eventually 30 once 12001 12001 12002 12002 12003
ok 'the flushers leave' eventually 20 no_children
spoil
: >"$S/service.log"
post_as 12003 r@x.example
ok 'it ends at once again' eventually 20 said 'uid 12003 ended'
like 'the pause is as at first' "$(pauses)" '^10'
rmdir "$S/spool/12003/lock"
ok 'and its mail arrives after it' eventually 30 once 12001 12001 12002 12002 12003 12003
service_stop

# An smtp that ends before it says a word.
sink_stop
rm -rf "$SINK"
sink_start
mv "$smtp" "$S/prefix/smtp"
cc -x c -o "$smtp" - <<<'#include <stdlib.h>
int main(void) { abort(); }' || give_up 'cannot compile'
settings queue.retry=1s
ok 'the service starts' service_start
for uid in 12001 12002 12003; do post_as $uid r@x.example; done
ok 'smtp ends again and again' eventually 60 said 'smtp ended with signal 6; it is started again in 60 seconds'
ok 'the pauses between were true' passed 63
pauses=$(sed -n 's/.*smtp ended with .* again in \([0-9]*\) seconds.*/\1/p' "$S/service.log" | head -n 7 | xargs)
is 'and each twice as long' "$pauses" '1 2 4 8 16 32 60'
deferred() { [ "$(find "$S"/spool/*/cur -type f -exec grep -l '4\.3\.0 .*dies again and again' {} + | wc -l)" -eq 3 ]; }
ok 'the mail is deferred, and says why' eventually 60 deferred
is 'none of it is taken for the cause' "$(find "$S"/spool/*/failed -type f)" ''
mv "$S/prefix/smtp" "$smtp"
ok 'smtp is mended, and all arrives' eventually 60 once 12001 12002 12003
service_stop

# Two may run, and their mail hangs: others have their turn.
sink_stop
rm -rf "$SINK"
sink_start -r 'conn 1-2 rcpt slow@* stall'
settings queue.flushers=2 queue.retry=1s
ok 'the service starts' service_start
for uid in 12001 12002; do post_as $uid slow@x.example; done
hang() { grep -q 'RCPT TO:<slow@' "$SINK/commands.log" && [ "$(pgrep -c -P "$service" -x flush)" -eq 2 ]; }
ok 'the mail of two hangs' eventually 20 hang
for uid in 12003 12004 12005 12006; do post_as $uid r@x.example; done
others() { [ "$(sed -n 's/^mail <u\(1200[3-6]\)@.*/\1/p' "$SINK"/*.env 2>/dev/null | sort -u | wc -l)" -eq 4 ]; }
ok 'they give way: the mail of four others arrives' eventually 30 others
ok 'after their time' passed 30
ok 'what hung arrives when it no longer does, and all once' eventually 30 once 12001 12002 12003 12004 12005 12006
ok 'without a process killed' eval '! said "killed|ended with"'
service_stop
ok 'no violations' sink_content
done_testing
