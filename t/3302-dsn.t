#!/bin/bash
# SPDX-License-Identifier: ISC
#
# Delivery status notifications (RFC 3461): asked of servers that have them, made by us for others.
. "${0%/*}/lib.sh"
need_root
need pgrep
scratch

# What came for an address, with LF: $S/eml; how many they are is the status' matter.
mail_for() {
	local env
	env=$(grep -l "^rcpt <$1>" "$SINK"/0*.env) && [ "$(wc -l <<<"$env")" = 1 ] || return 1
	tr -d '\r' <"${env%.env}.eml" >"$S/eml"
}
fresh() { rm -f "$SINK"/0*; }
post() { sendmail -i -odi -f s@x.example "$@" <<<$'Subject: told?\n\nthe body'; }
spool=$S/spool/$(id -u)
tried() { find "$spool/cur" -type f; }
# One message is there, and it was tried.
one_waits() { [ "$(mail_in "$spool"/{new,cur}) $(tried | wc -l)" = "1 1" ]; }

sink_start -r 'rcpt no@* reply 550 5.1.1 unknown'
config "relay.url=smtp://127.0.0.1:$SINK_PORT"
post -N success,delay -V id+1 -R hdrs r@x.example
ok "to a server with DSN" sink_wait 1
like "  its parameters go along" "$(cat "$SINK"/0*.env)" \
	$'\nmail <s@x.example> .*RET=HDRS ENVID=id\\+2B1.*\nrcpt <r@x.example> NOTIFY=SUCCESS,DELAY'
post -N success,failure r@x.example no@x.example
ok "  a failure there is ours to report" sink_wait 3
ok "  once" mail_for s@x.example
unlike "  success is not" "$(<"$S/eml")" 'r@x.example'
ok "the queue is empty" eventually 5 queue_is_empty
ok "the sink has nothing to complain of" sink_content
sink_stop
fresh

sink_start -x DSN -r 'rcpt no@* reply 550 5.1.1 unknown'
config "relay.url=smtp://127.0.0.1:$SINK_PORT"
ok "the flusher leaves" eventually 10 test ! -e "$spool/socket"
post -N success -V id+1 -R full r@x.example also@x.example
ok "to a server without DSN, the message and a report" sink_wait 2
unlike "  nobody hears of NOTIFY" "$(cat "$SINK"/0*.env)" 'NOTIFY|RET|ENVID'
ok "  the report" mail_for s@x.example
text=$(<"$S/eml")
like "  null reverse-path" "$(cat "$SINK"/0*.env)" 'mail <>'
like "  its subject" "$text" 'Subject: Successful mail delivery report'
like "  for a person" "$text" 'r@x.example>: relayed.*also@x.example>: relayed'
like "  for a program" "$text" 'Original-Envelope-Id: id\+1.*Final-Recipient: rfc822; r@x.example
Action: relayed
Status: 2.0.0
Diagnostic-Code: smtp; 250 2.0.0'
like "  the header comes back" "$text" 'text/rfc822-headers.*Subject: told\?'
unlike "  but not the body" "$text" 'the body'
like "  the log" "$(<"$S/log")" 'sender delivery status notification: [0-9A-Z]{12}'
ok "the queue is empty" eventually 5 queue_is_empty
fresh

post -N success,failure r@x.example no@x.example
ok "one fails: the message and two reports" sink_wait 3
like "  of the one" "$(cat "$SINK"/0*.eml)" 'no@x.example'$'\r''.Action: failed'
like "  and the other" "$(cat "$SINK"/0*.eml)" 'r@x.example'$'\r''.Action: relayed'
ok "the queue is empty" eventually 5 queue_is_empty
fresh

sent=$(grep -c notification: "$S/log")
post -N never no@x.example
post -N success no@x.example
post -N failure r@x.example
sendmail -i -odi -f '' -N success r@x.example <<<$'Subject: to nobody\n\nx'
ok "what was not asked for" sink_wait 2
ok "the queue is empty" eventually 5 queue_is_empty
is "  is not told" "$(messages) $(grep -c notification: "$S/log")" "2 $sent"
fresh

# LMTP delivers itself.
sink_stop
sink_start -l -x DSN
config "relay.url=lmtp://127.0.0.1:$SINK_PORT"
ok "the flusher leaves" eventually 10 test ! -e "$spool/socket"
post -N success r@x.example
ok "by LMTP, the message and a report" sink_wait 2
ok "  the report" mail_for s@x.example
like "  that it was delivered" "$(<"$S/eml")" 'Final-Recipient: rfc822; r@x.example
Action: delivered'
ok "the queue is empty" eventually 5 queue_is_empty
ok "the sink has nothing to complain of" sink_content
fresh

# A crash behind the journal's line, and another behind the report's commit: one report, no second
# delivery. The report waits, so that it can be seen.
sink_stop
sink_start -x DSN -r 'rcpt s@* reply 450 4.2.0 later'
config "relay.url=smtp://127.0.0.1:$SINK_PORT" queue.deliver=queue
ok "the flusher leaves" eventually 10 test ! -e "$spool/socket"
sendmail -i -f s@x.example -N success r@x.example <<<$'Subject: crash\n\nbody'
file=$(find "$spool/new" -type f)
echo "@$(date +%s) 0 2.0.0 250 2.0.0 Ok" >>"$file"
cp -p "$file" "$S/copy"
sendmail -q 2>/dev/null
ok "after a crash the report is made" eventually 10 one_waits
report=$(tried)
like "  in place of the message" "$(<"$report")" 'Final-Recipient: rfc822; r@x.example'
cp -p "$S/copy" "$spool/cur/${file##*/}"
sendmail -q 2>/dev/null
ok "after another, again one is left" eventually 10 one_waits
is "  it is the same" "$(tried)" "$report"
is "the message is not sent again" "$(messages)" 0
ok "the sink has nothing to complain of" sink_content
sink_stop
rm -f "$spool"/*/*

# flush is killed again and again: no report that was due is lost.
sink_start -x DSN
config "relay.url=smtp://127.0.0.1:$SINK_PORT" queue.retry=1s
for i in {1..60}; do
	sendmail -i -f s@x.example -N success -V "id$i" r@x.example <<<$'Subject: kill\n\nbody'
done & posting=$!
kills=0
while kill -0 $posting 2>/dev/null; do
	for p in $(running flush); do
		kill -9 "$p" 2>/dev/null && kills=$((kills + 1))
	done
	sleep 0.03
done
drained() { sendmail -q 2>/dev/null; queue_is_empty; }
ok "the queue drains" eventually 60 drained
ok "flush was killed" test "$kills" -ge 2
is "each success is reported" "$(cat "$SINK"/0*.eml | sed -n 's/^Original-Envelope-Id: //p' | sort -u | wc -l)" 60
diag "$kills kills, $(cat "$SINK"/0*.eml | grep -c '^Original-Envelope-Id') reports"
ok "the sink has nothing to complain of" sink_content
done_testing
