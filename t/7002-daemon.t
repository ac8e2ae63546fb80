#!/bin/bash
# SPDX-License-Identifier: ISC
#
# -bd, -bD and -q15m of an ordinary user and of root: the start, the pidfile, signals, intervals.
. "${0%/*}/lib.sh"
need_root
need setpriv pgrep
scratch
mkdir "$S/prefix" "$S/logs"
chmod 1777 "$S/logs"
cp -r "$B/sbin" "$B/bin" "$B/libexec" "$S/prefix"
user=12001
as() { setpriv --reuid $user --regid $user --clear-groups "$@"; }
sendmail() { as "$S/prefix/sbin/sendmail" "$@"; }
root() { "$S/prefix/sbin/sendmail" "$@"; }
post() { sendmail -f s@x.example "$@" <<<hello; }
settings() {
	config "relay.url=smtp://127.0.0.1:$SINK_PORT" log.to="$S/logs/log" "$@"
	chmod 644 "$PILLARBOX_CONFIG"
}
fresh_sink() {
	[ -z "$sink_pid" ] || sink_stop
	rm -rf "$SINK"
	sink_start "$@"
}
logged() { grep -sqE "$1" "$S/logs/log"; }
gone() { ! kill -0 "$1" 2>/dev/null; }
fresh_sink
settings

# The user's own.
pidfile=$S/spool/$user/pillarbox.pid
try sendmail -bd
is "-bd returns 0" "$rc" 0
is "and says nothing" "$(cat "$S/out" "$S/err")" ""
ok "it listens by then" test -S "$S/spool/$user/socket"
first=$(running flush $user)
is "one process, whose pid is in the pidfile" "$(cat "$pidfile")" "$first"
is "in a session of its own" "$(ps -o sid= -p "$first" | tr -d ' ')" "$first"
ok "a post" post r@x.example
ok "is delivered" sink_wait 1
eventually 15 logged 'status=sent'
is "by the one that stays" "$(running flush $user)" "$first"

old=$SINK_PORT
fresh_sink
settings
mv "$S/logs/log" "$S/logs/log.1"
ok "SIGHUP" kill -HUP "$first"
ok "opens a new log" eventually 15 logged 'reading the settings again'
ok "a post after it" post r2@x.example
like "goes to the new relay ($SINK_PORT, not $old)" "$(sink_wait 1 && cat "$SINK"/*.env)" 'rcpt <r2@x.example>'
ok "and is in the new log" eventually 15 logged 'to=<r2@x.example>.*status=sent'
unlike "not in the old one" "$(cat "$S/logs/log.1")" 'r2@x.example'

refuses 75 sendmail -bd
like "since it runs already" "$(cat "$S/err")" "another service runs: process $first"
refuses 75 sendmail -bD
like "-bD says so, too" "$(cat "$S/err")" "another service runs: process $first"
is "the first is left alone" "$(running flush $user)" "$first"

fresh_sink -p "$SINK_PORT" -r 'count 1 rcpt late@* reply 450 4.2.0 later'
ok "a post that has to wait" post late@x.example
ok "waits" eventually 15 logged 'to=<late@x.example>.*status=deferred'
ok "SIGUSR1" kill -USR1 "$first"
ok "tries it at once" sink_wait 1

ok "SIGTERM" kill "$first"
ok "ends it" eventually 15 gone "$first"
is "the pidfile and the socket are gone" "$(ls "$S/spool/$user" | grep -E 'pid|socket')" ""

# A flusher that lingers with mail makes room for a service.
sink_stop
ok "a post to nobody" post -odb waits@x.example
ok "waits" eventually 15 logged 'to=<waits@x.example>.*status=deferred'
lingers=$(running flush $user)
ok "a flusher with it" test -n "$lingers"
ok "-bd" sendmail -bd
service=$(cat "$pidfile")
unlike "is another one" "$service" "^$lingers$"
is "and the only one" "$(running flush $user)" "$service"
fresh_sink -p "$SINK_PORT"
kill -USR1 "$service"
ok "that has the mail" sink_wait 1
kill "$service"
eventually 15 gone "$service"

# Intervals.
fresh_sink -r 'count 1-3 rcpt late@* reply 450 4.2.0 later'
settings
ok "-q1s alone is a service" sendmail -q1s
service=$(cat "$pidfile")
ok "a post that has to wait thrice" post late@x.example
ok "is tried every second, not after a minute" sink_wait 1
kill "$service"
eventually 15 gone "$service"
for option in -q15x -qp1 -q1h5 -q0 -qp0 -q99999w -q10m5s -q2w -q1h30m5; do
	case $option in
	-q15x | -q99999w) refuses 64 sendmail -bP $option ;;
	*) ok "$option is a time" sendmail -bP $option ;;
	esac
done
ok "-q0 is a run" sendmail -q0
ok "and no service" test ! -e "$pidfile"

# What fails is seen by whoever starts it.
echo >"$S/file"
settings queue.dir="$S/file/spool"
HOME=$S/file refuses 75 sendmail -bd
like "with the reason" "$(cat "$S/err")" "$S/file"
is "in few lines" "$(wc -l <"$S/err")" 2
settings queue.socket="$S/file/socket"
refuses 71 root -bd
like "root's socket cannot be made" "$(cat "$S/err")" "cannot listen on $S/file/socket"
settings relay.ulr=x
try sendmail -bd
is "a mistake in the settings" "$rc" 0
like "is told, and the service runs" "$(cat "$S/err")" 'relay.ulr: unknown key'
kill "$(cat "$pidfile")"
none() { [ -z "$(running flush)$(running smtp)" ]; }
ok "none is left" eventually 15 none

# The system's, of root.
pidfile=$S/run/pillarbox.pid
fresh_sink
settings
ok "root: -bd" root -bd
ok "it listens" test -S "$S/run/socket"
service=$(cat "$pidfile")
is "its pid is in the pidfile" "$(ps -o comm= -p "$service")" flush
is "which anybody may read" "$(stat -c %a "$pidfile")" 644
refuses 75 root -bd
like "a second one is refused" "$(cat "$S/err")" "another service runs: process $service"
ok "the first listens still" test -S "$S/run/socket"
ok "a user's post" post r@x.example
ok "is delivered" sink_wait 1
fresh_sink -r 'count 1 rcpt late@* reply 450 4.2.0 later'
settings queue.pidfile="$S/run/other"
rm -f "$S/logs/log.1"
mv "$S/logs/log" "$S/logs/log.1"
chmod 755 "$S/logs"
ok "SIGHUP" kill -HUP "$service"
ok "opens a new log" eventually 15 logged 'settings read again'
ok "a post" post late@x.example
ok "goes to the new relay and is logged, though its user could not open the file" \
	eventually 15 logged 'to=<late@x.example>.*status=deferred'
ok "SIGUSR1" kill -USR1 "$service"
ok "tries it at once" sink_wait 1
ok "SIGTERM" kill "$service"
ok "ends it" eventually 15 gone "$service"
is "pidfile and socket are gone" "$(ls "$S/run")" ""
ok "nothing is left" eventually 15 none

# Killed, it leaves its pidfile, and children that go on.
settings
ok "root: -bd" root -bd
service=$(cat "$pidfile")
fresh_sink -r 'data stall'
settings
kill -HUP "$service"
post stalls@x.example
on_the_wire() { grep -q 'DATA\|BDAT' "$SINK/commands.log"; }
ok "a post is on the wire" eventually 15 on_the_wire
ok "killed" kill -KILL "$service"
eventually 15 gone "$service"
ok "its pidfile is left" test -s "$pidfile"
ok "another starts at once" root -bd
unlike "and is another" "$(cat "$pidfile")" "^$service$"
kill "$(cat "$pidfile")"
for p in $(running flush) $(running smtp); do kill -KILL "$p"; done
rm -rf "$S/spool/$user"/*/*
ok "the end" eventually 15 none

fresh_sink -r 'count 1-3 rcpt late@* reply 450 4.2.0 later'
settings queue.pidfile="$S/run/other" queue.deliver=queue
ok "root: -bd -q1s" root -bd -q1s
ok "with another pidfile" test -s "$S/run/other"
ok "a post without a poke, that has to wait thrice" post late@x.example
ok "is found and tried every second" sink_wait 1
kill "$(cat "$S/run/other")"
ok "the end" eventually 15 none
ok "no violations" sink_content
done_testing
