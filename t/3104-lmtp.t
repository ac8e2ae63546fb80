#!/bin/bash
# SPDX-License-Identifier: ISC
#
# LMTP: a fate of its own for each recipient behind the dot, and what a lost line leaves.
. "${0%/*}/lib.sh"
need_root
scratch

# start [SINK OPTIONS]: an empty spool and a sink
start() {
	[ -z "$sink_pid" ] || sink_stop
	eventually 5 nobody
	rm -rf "$SINK" "$S"/spool/*/{new,cur,failed}/* "$S/log"
	sink_start -l "$@"
	config "relay.url=lmtp://127.0.0.1:$SINK_PORT" queue.deliver=queue queue.retry=1h
}
nobody() { for p in $(running flush); do kill "$p" 2>/dev/null; done; [ -z "$(running flush)" ]; }
post() { sendmail -i -f s@x.example "$@" <<<'hello'; }
kept() { cat "$SINK"/*.env | grep -c "^kept <$1"; }
fates() { grep -o "to=<$1>.* status=[a-z]*" "$S/log" | sed 's/.*status=//' | xargs; }

start -r 'dot full@* reply 552 5.2.2 over quota' -r 'dot busy@* reply 450 4.2.0 busy' \
	-r 'rcpt no@* reply 550 5.1.1 no such user'
post a@x.example full@x.example no@x.example busy@x.example b@x.example
post c@x.example
ok "two messages" timeout 20 sendmail -q
is "over quota" "$(fates full@x.example)" bounced
is "unknown" "$(fates no@x.example)" bounced
is "busy" "$(fates busy@x.example)" deferred
is "the others got it" "$(fates '[abc]@x.example')" "sent sent sent"
is "once" "$(kept '[abc]@x')" 3
like "busy waits" "$(mailq)" '450 4.2.0 busy'
unlike "alone" "$(mailq)" '[abc]@x.example'
like "by LHLO" "$(cat "$SINK/commands.log")" 'LHLO client.example'
ok "the bounces arrive" eventually 10 grep -q 'rcpt <s@x.example>' "$SINK"/*.env
ok "nothing to complain of" sink_content

# The line drops between the replies.
start -r 'dot b@* close'
post a@x.example b@x.example c@x.example
ok "lost in the middle" timeout 20 sendmail -q
is "who has a reply has it" "$(fates a@x.example)" sent
is "the others wait" "$(fates '[bc]@x.example')" "deferred deferred"
like "… and may get it twice" "$(mailq)" 'may arrive twice'

# Something else that speaks SMTP.
sink_stop
sink_start
config "relay.url=lmtp://127.0.0.1:$SINK_PORT" queue.deliver=queue
rm -f "$S"/spool/*/{new,cur}/*
post a@x.example
timeout 20 sendmail -q
like "an SMTP server: the mail waits" "$(mailq)" '500 5.5.2 unknown command \(in reply to EHLO command\)'
done_testing
