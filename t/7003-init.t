#!/bin/bash
# SPDX-License-Identifier: ISC
#
# The service and who looks after it: a service manager's notifications and watchdog, and being
# process 1 of a container.
. "${0%/*}/lib.sh"
need_root
need setpriv pgrep unshare nsenter perl
scratch
mkdir "$S/prefix"
cp -r "$B/sbin" "$B/bin" "$B/libexec" "$S/prefix"
PATH=$S/prefix/sbin:$S/prefix/bin:$PATH
sink_start
settings() {
	config "relay.url=smtp://127.0.0.1:$SINK_PORT" queue.deliver=queue "$@"
	chmod 644 "$PILLARBOX_CONFIG"
}
settings
gone() { ! kill -0 "$1" 2>/dev/null; }
none() { [ -z "$(running flush)$(running smtp)" ]; }
as() { setpriv --reuid "$1" --regid "$1" --clear-groups "${@:2}"; }
post() { as 12001 sendmail -f s@x.example "$@" <<<hello; }

# listen SOCKET WITNESS: what is said is in $S/said.
listener=
listen() {
	[ -z "$listener" ] || kill "$listener"
	rm -f "$S/said"
	"$T/notify" "$1" "$S/said" "$2" &
	listener=$!
	eventually 15 test -e "$S/said"
}
said() { grep -qE "$1" "$S/said"; }
times() { [ "$(grep -cE "$1" "$S/said")" -ge "$2" ]; }
but_pings() { grep -vE 'WATCHDOG=1|STATUS=' "$S/said" | sed 's/\(PID\|USEC\)=[0-9]*/\1=n/; s/^.STOP/STOP/'; }

# The system's, in the foreground; its password command tells what environment it has.
# A shell would have no signal blocked in any case.
cat >"$S/token" <<EOF
#!/usr/bin/perl
open(my \$status, '<', '/proc/self/status');
open(my \$out, '>', '$S/env');
print \$out grep(/^SigBlk/, <\$status>), map {"\$_=\$ENV{\$_}\n"} keys %ENV;
print "secret\n";
EOF
chmod 755 "$S/token"
settings relay.url="smtp+notls://u@127.0.0.1:$SINK_PORT" relay.password_command="$S/token"
ok "a manager listens" listen "$S/notify" "$S/run/socket"
NOTIFY_SOCKET=$S/notify WATCHDOG_USEC=100000 PILLARBOX_LOG_TO=$S/log sendmail -bD &
service=$!
ok "READY comes" eventually 15 said READY=1
ok "with the main process" said "MAINPID=$service\b"
ok "the watchdog is fed" eventually 15 times WATCHDOG=1 5
ok "STATUS: nobody has mail" eventually 15 said '^.STATUS=Owners with mail: 0$'
post r@x.example
ok "SIGHUP" kill -HUP $service
ok "RELOADING and READY again" eventually 15 times READY=1 2
ok "SIGUSR1" kill -USR1 $service
ok "STATUS: somebody has mail" eventually 15 said '^.STATUS=Owners with mail: 1$'
ok "a program is started" eventually 15 test -s "$S/env"
unlike "without the manager's variables" "$(cat "$S/env")" 'NOTIFY_SOCKET|WATCHDOG'
like "and no signal blocked" "$(grep SigBlk "$S/env")" '^SigBlk:.0*$'
ok "and has the others" grep -q ^PILLARBOX_CONFIG= "$S/env"
ok "SIGTERM" kill $service
wait $service
is "a clean end" $? 0
ok "STOPPING comes" eventually 15 said STOPPING=1
is "in this order, and READY not before it listens" "$(but_pings)" "+READY=1 MAINPID=n
+RELOADING=1 MONOTONIC_USEC=n
+READY=1 MAINPID=n
STOPPING=1"

# A user's, in the background, with a server that is gone, and a watchdog that waits for somebody else.
sink_stop
settings queue.deliver=background
listen "@pillarbox-test-$$" "$S/spool/12002/socket"
export NOTIFY_SOCKET=@pillarbox-test-$$ WATCHDOG_USEC=1000 WATCHDOG_PID=1
ok "-bd" as 12002 sendmail -bd
unset NOTIFY_SOCKET WATCHDOG_USEC WATCHDOG_PID
service=$(cat "$S/spool/12002/pillarbox.pid")
ok "has told the manager, in the abstract space" eventually 15 said "^\+READY=1 MAINPID=$service\$"
ok "STATUS: no mail" eventually 15 said 'STATUS=No mail'
as 12002 sendmail -f s@x.example r2@x.example <<<hello
ok "STATUS: mail that cannot be delivered" eventually 15 said 'STATUS=Mail waits to be tried again'
kill "$service"
ok "and tells it of its end" eventually 15 said STOPPING=1
unlike "no watchdog, which was another's" "$(cat "$S/said")" WATCHDOG=1

# Without a manager, and with one that is gone, or named strangely.
for socket in '' /nonexistent/notify @nobody-there relative vsock:2:1 "/$(printf '%0200d' 0)"; do
	NOTIFY_SOCKET=$socket as 12002 sendmail -bd
	result "starts with NOTIFY_SOCKET=${socket:0:20}"
	kill "$(cat "$S/spool/12002/pillarbox.pid")"
	eventually 15 none
done

# Process 1: orphans are reaped, and SIGTERM ends it with a message on the wire.
sink_start -p "$SINK_PORT" -r 'dot stall'
settings
rm -f "$S/spool"/1200[12]/*/*
unshare --pid --fork --mount-proc --kill-child sendmail -bD 2>"$S/err" &
unshare=$!
ok "a service as process 1" eventually 15 test -s "$S/run/pillarbox.pid"
is "it is that" "$(cat "$S/run/pillarbox.pid")" 1
one=$(pgrep -P $unshare)
ended() { [ ! -e "/proc/$1" ]; }
# reaps PID: of a process 1.
reaps() {
	nsenter -t "$1" -p -m sh -c 'exec 2>/dev/null; setsid sleep 3 & exit'
	eventually 2 orphaned "$1" && eventually 15 ended "$orphan"
}
orphaned() { orphan=$(pgrep -P "$1" -x sleep); [ -n "$orphan" ]; }
ok "it reaps an orphan" reaps "$one"
ok "a message" post -odb wire@x.example
on_the_wire() { grep -q '= dot\|DATA\|BDAT' "$SINK/commands.log"; }
ok "is on the wire" eventually 15 on_the_wire
ok "SIGTERM" kill "$one"
ok "ends it, though the server stalls" eventually 15 ended "$one"
wait $unshare
is "with status 0" $? 0
is "nothing arrived" "$(messages)" 0
like "the message is still there" "$(as 12001 mailq)" 'wire@x.example'
sink_stop
sink_start -p "$SINK_PORT"
ok "sendmail -q" as 12001 sendmail -q
ok "delivers it" sink_wait 1
is "once" "$(messages)" 1
unshare --pid --fork --mount-proc --kill-child setpriv --reuid 12002 --regid 12002 --clear-groups \
	sendmail -bD 2>"$S/err" &
unshare=$!
ok "a user's service as process 1" eventually 15 test -s "$S/spool/12002/pillarbox.pid"
one=$(pgrep -P $unshare)
ok "reaps an orphan" reaps "$one"
kill "$one"
wait $unshare
is "and ends with status 0" $? 0
ok "no violations" sink_content
eventually 15 none
done_testing
