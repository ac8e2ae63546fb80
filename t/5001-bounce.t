#!/bin/bash
# SPDX-License-Identifier: ISC
#
# What failed for good: the sender is told, once, by a proper report; bounces never bounce.
. "${0%/*}/lib.sh"
need_root
scratch
sink_start -r 'rcpt no@* reply 550 5.1.1 <no@x.example>: unknown \x1b[31m user'
config "relay.url=smtp://127.0.0.1:$SINK_PORT"

states() { (cd "$S/spool/$(id -u)" && find new cur hold failed -type f | cut -d/ -f1 | sort | uniq -c | tr -s ' \n' ' '); }

sendmail -i -f s@x.example no@x.example <<<$'Subject: lost\n\nthe body'
ok "the bounce arrives" sink_wait 1
ok "nothing is left" eventually 5 queue_is_empty
bounce=$SINK/0001
like "null reverse-path, to the sender" "$(cat "$bounce.env")" 'mail <>[^<]*rcpt <s@x.example>'
text=$(tr -d '\r' <"$bounce.eml")
like "report" "$text" 'Content-Type: multipart/report; report-type=delivery-status'
like "auto-submitted" "$text" 'Auto-Submitted: auto-replied'
like "a person can read it" "$text" 'could not be delivered.*<no@x.example>'
like "Final-Recipient" "$text" 'Final-Recipient: rfc822; no@x.example'
like "Status" "$text" 'Status: 5.1.1'
like "Diagnostic-Code" "$text" 'Diagnostic-Code: smtp; 550 5.1.1 <no@x.example>: unknown'
like "the original" "$text" 'Subject: lost'
unlike "no escape of the server's" "$text" $'\x1b'
like "the log" "$(cat "$S/log")" 'status=bounced \(host 127.0.0.1\[127.0.0.1\].* said: 550 5.1.1'
like "notification" "$(cat "$S/log")" 'sender non-delivery notification: [0-9A-Z]{12}'

# From nobody: kept for a person.
sendmail -i -f '<>' no@x.example <<<$'Subject: nobody\n\nbody'
eventually 10 eval '[ "$(states)" = " 1 failed " ]'
is "in failed/" "$(states)" " 1 failed "
is "and nobody is told" "$(messages)" 1
rm -f "$S"/spool/*/failed/*

# A bounce that fails does not make another.
sendmail -i -f no@x.example no@x.example <<<$'Subject: both\n\nbody'
eventually 10 eval '[ "$(states)" = " 1 failed " ]'
is "a bounce that bounces is kept" "$(states)" " 1 failed "
is "and nobody is told" "$(messages)" 1
rm -f "$S"/spool/*/failed/*

# An address that is none: the others get it, its sender is told.
sendmail -i -f s@x.example -t <<<$'To: good@x.example\nCc: undisclosed recipients\nSubject: partly\n\nbody'
ok "the message and the bounce" sink_wait 3
like "the good one gets it" "$(cat "$SINK"/*.env)" 'rcpt <good@x.example>'
like "the bounce names the bad one" "$(cat "$SINK"/*.eml)" 'this is not an address: undisclosed recipients'
rm -f "$SINK"/000[23]*

# Too old: given up.
sink_stop
config "relay.url=smtp://127.0.0.1:$SINK_PORT" queue.lifetime=1s queue.retry=10m
ok "the flusher leaves" eventually 10 test ! -e "$S/spool/$(id -u)/socket"
sendmail -i -odq -f old@x.example r@x.example <<<$'Subject: old\n\nbody'
sleep 2
sink_start -p "$SINK_PORT" -r 'rcpt r@* reply 450 4.2.1 busy'
sendmail -q
ok "what is too old comes back" sink_wait 2 20
old=$(grep -l "rcpt <old@x" "$SINK"/*.env)
old=${old%.env}
like "with the reason" "$(cat "$old.eml")" 'Status: 5.4.7'
like "and the last failure" "$(tr -d '\r' <"$old.eml")" 'given up. What stood in the way:
    The mailbox takes no mail..*The server 127.0.0.1 said:
      450 4.2.1 busy'
like "for programs too" "$(tr -d '\r' <"$old.eml")" 'Diagnostic-Code: smtp; 450 4.2.1 busy'
like "the log has both" "$(cat "$S/log")" 'delivery time expired; last: 4.2.1 host 127.0.0.1.* said: 450 4.2.1 busy'
like "the log says expired" "$(cat "$S/log")" 'status=expired'
# A crash left a failure untold, and another recipient waits: first it is told, then that one is tried.
sink_stop
flushers_end
rm -rf "$SINK" "$S/log" "$S"/spool/*/*/*
sink_start -r 'rcpt late@* reply 450 4.2.1 busy'
config "relay.url=smtp://127.0.0.1:$SINK_PORT" queue.deliver=queue
sendmail -i -f s@x.example no@x.example late@x.example <<<$'Subject: left\n\nbody'
file=$(find "$S"/spool/*/new -type f)
echo "@$(date +%s) 0 5.1.1 host mx.example[192.0.2.1] said: 550 5.1.1 gone (in reply to RCPT TO command)" >>"$file"
mv "$file" "$S/spool/$(id -u)/cur/"
sendmail -q 2>/dev/null
ok "what a crash left is told" sink_wait 1
like "before the others are tried" "$(grep -oE 'notification|status=deferred' "$S/log" | paste -sd' ')" \
	'^notification status=deferred'
like "by the server's name, with what it said" "$(tr -d '\r' <"$SINK/0001.eml")" 'Remote-MTA: dns; mx.example
Diagnostic-Code: smtp; 550 5.1.1 gone
'
sendmail -q 2>/dev/null
is "once" "$(grep -c notification "$S/log")" 1

# A crash behind the commit of two reports, in the first attempt. They are delivered before that of the
# others is over, on another way, and are known to have been there all the same.
sink_stop
sink_start -r 'rcpt s@* reply 450 4.2.1 not yet' -r 'rcpt no@* reply 550 5.1.1 no' -r 'rcpt late@* reply 450 4.2.1 busy'
flushers_end
rm -f "$S"/spool/*/*/*
use() { config queue.deliver=queue queue.delay_warning=1h "relay.url=smtp://127.0.0.1:$SINK_PORT" \
	'relay.slow.from=s@x.example' "relay.slow.url=smtp://localhost:$SINK_PORT"; }
use
sendmail -i -f s@x.example no@x.example late@x.example <<<$'Subject: left\n\nbody'
cd "$S/spool/$(id -u)" || exit
sed -i "s/^arrived .*/arrived $(($(date +%s) - 7200)).000000/" new/*
id=$(ls new)
cp -p "new/$id" "$S/before"
sendmail -q 2>/dev/null
both_tried() { [ "$(grep -c 'said: 450 4.2.1 not yet' "$S/log")" -eq 2 ]; }
ok "both reports are tried" eventually 10 both_tried
is "and wait" "$(mail_in new cur)" 3
flushers_end
sed 's/^@\(.* told .*\|.* warned .*\)//' "cur/$id" >"$S/after"
mv cur/* new/ 2>/dev/null
cat "$S/after" >"new/$id"
cd - >/dev/null || exit
sink_stop
rm -rf "$SINK" "$S/log"
sink_start -r 'rcpt late@* delay 500ms; reply 450 4.2.1 busy'
use
sendmail -q 2>/dev/null
ok "both are delivered" sink_wait 2
sendmail -q 2>/dev/null
is "and no others are made" "$(messages) $(mail_in "$S/spool/$(id -u)"/{new,cur})" "2 1"

# A message that says of itself that it is automatic is reported like any other (RFC 3834 is about
# answers of people's programs; loops end at the null sender).
rm -f "$S"/spool/*/*/* "$S/log"
sendmail -i -f s@x.example -t <<<$'To: good@x.example\nCc: no one at all\nAuto-Submitted: auto-generated\nPrecedence: bulk\n\nx'
sendmail -q 2>/dev/null
is "an automatic message is reported as well" "$(grep -c notification "$S/log")" 1
ok "the sink has nothing to complain of" sink_content
done_testing
