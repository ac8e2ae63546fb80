#!/bin/bash
# SPDX-License-Identifier: ISC
#
# The system flusher: root, every owner's mail by a child that has become the owner.
. "${0%/*}/lib.sh"
need_root
[ "$(id -u)" -eq 0 ]; result "runs as root" || done_testing
need setpriv pgrep
scratch
# Other users run the programs, and may not be able to reach the build folder.
mkdir "$S/prefix"
cp -r "$B/sbin" "$B/bin" "$B/libexec" "$S/prefix"
PATH=$S/prefix/sbin:$S/prefix/bin:$PATH
sink_start
chmod 711 "$S"
echo 'postmaster: admin@x.example' >"$S/aliases"
config "relay.url=smtp://127.0.0.1:$SINK_PORT" queue.deliver=queue log.to=stderr "mail.aliases=$S/aliases"
chmod 644 "$PILLARBOX_CONFIG"
as() { setpriv --reuid "$1" --regid "$1" --clear-groups "${@:2}"; }
post_as() { as "$1" sendmail -f "u$1@x.example" "${@:2}" r@x.example <<<"from $1" 2>"$S/err"; }

for uid in 12001 12002; do ok "uid $uid posts" post_as $uid -odq; done
is "each has a directory of its own" "$(stat -c '%n %u %a' "$S"/spool/1200* | sed 's,.*/,,' | tr '\n' ' ')" \
	"12001 12001 700 12002 12002 700 "
sendmail -bD 2>"$S/service.log" &
service=$!
ok "both are delivered" sink_wait 2
ok "the service listens" eventually 5 test -S "$S/run/socket"

# While it runs, a post is passed on at once, to a child of that user.
sed -i 's/deliver = queue/deliver = background/' "$PILLARBOX_CONFIG"
ok "another user" post_as 12003
ok "is served by the service" sink_wait 3
is "by a flusher of that user, a child of the service" \
	"$(for p in $(running flush 12003); do ps -o ppid= -p "$p"; done | sort -u | tr -d ' \n')" "$service"
like "the log says who" "$(cat "$S/service.log")" 'uid=12003|from=<u12003@x.example>'
is "smtp is nobody's, or _pillarbox's" \
	"$(for p in $(pgrep -P "$service" -x smtp); do ps -o uid= -p "$p"; done | sort -u | tr -d ' \n')" \
	"$(id -u _pillarbox 2>/dev/null || echo 65534)"

# -q of a user while the service runs.
sink_stop
post_as 12001
post_as 12001
sink_start -p "$SINK_PORT"
ok "-q of a user" as 12001 sendmail -q
ok "both are there" sink_wait 5

# What a user's flusher, in its sandbox, cannot tell anybody else, it tells the postmaster.
sink_stop
sink_start -p "$SINK_PORT" -r 'rcpt r@* reply 550 5.1.1 no'
as 12001 sendmail -i -f '<>' r@x.example <<<'from nobody'
ok "the postmaster gets a copy" sink_wait 6
like "from the user's flusher" "$(grep -l 'rcpt <admin@x.example>' "$SINK"/*.env | sed 's/env$/eml/' | xargs cat)" \
	'Postmaster copy.*from nobody'

# A container may share the socket and have a queue of its own, which the service does not see.
mkdir -m 1777 "$S/elsewhere"
ok "a post to another queue" as 12004 env "PILLARBOX_QUEUE_DIR=$S/elsewhere" \
	sendmail -f u12004@x.example other@x.example <<<'from elsewhere'
ok "is not left to the service" sink_wait 7
gone() { [ -z "$(running flush 12004)" ]; }
ok "but to a flusher of its own" eventually 10 gone

# Stop: within a second, nothing lost.
start=${EPOCHREALTIME/./}
kill -TERM $service
wait $service
is "SIGTERM: a clean end" $? 0 || diag "$(tail -5 "$S/service.log")"
ok "soon" test $((${EPOCHREALTIME/./} - start)) -lt 5000000
is "no process is left" "$(running flush; running smtp)" ""
done_testing
