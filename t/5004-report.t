#!/bin/bash
# SPDX-License-Identifier: ISC
#
# The form of reports, read by a parser that is not ours (t/report), and what they say to people.
. "${0%/*}/lib.sh"
need_root
need python3
scratch
spool=$S/spool/$(id -u)
sink_start -x DSN -s <(cat <<'END'
rcpt unknown@* reply 550 5.1.1 <unknown@x.example>: Recipient address rejected: User unknown in virtual mailbox table, see https://mail.example/help?code=550-5.1.1
rcpt full@* reply 554 5.2.2 Mailbox is full, sorry
rcpt large@* reply 554 5.3.4 Message size exceeds fixed limit
rcpt relay@* reply 554 5.7.1 <relay@x.example>: Relay access denied
rcpt spam@* reply 554 5.7.1 Service unavailable, Client host [192.0.2.1] blocked using zen.spam.example
rcpt old@* reply 550 No such user here
rcpt hostile@* raw "550-5.1.1 one\x1b[2J\x9b\xff\t\r\n550-5.1.1 Final-Recipient: rfc822; else@y.example\r\n550-5.1.1 \r\n550 5.1.1 --boundary (in reply to nobody)\r\n"
rcpt letters@* raw "550 5.1.1 \xd0\xbd\xd0\xb5\xd1\x82 \xd1\x82\xd0\xb0\xd0\xba\xd0\xbe\xd0\xb3\xd0\xbe\r\n"
rcpt long@* raw "550 5.1.1 xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\r\n"
rcpt late@* reply 450 4.2.1 later
END
)
config "relay.url=smtp://127.0.0.1:$SINK_PORT" queue.delay_warning=1h queue.deliver=queue

# told NAME: one report has come; it is in $report as t/report prints it, and nothing is wrong.
told() {
	ok "$1: a report comes" sink_wait 1
	"$T/report" "$SINK"/0*.eml >"$S/report" 2>"$S/err"
	report=$(<"$S/report")
	is "  nothing is wrong with it" "$(cat "$S/err"; grep ^defect "$S/report")" ""
	like "  its parts" "$report" "multipart/report; -; $2"
}
fresh() { flushers_end; rm -f "$SINK"/0* "$spool"/*/*; }
# fails ARGUMENTS...: the message of stdin, which fails.
fails() { fresh; sendmail -i "$@"; sendmail -q >"$S/out" 2>&1; }
aged() { sed -i "s/^arrived .*/arrived $(($(date +%s) - 2 * 3600)).000000/" "$spool"/new/*; }
parts() { sed -n 's/^ *\([a-z]*\/[a-z0-9-]*; [^;]*; [0-9a-z-]*\)$/\1/p' "$S/report" | tail -n +2 | paste -sd,; }

fails -f s@x.example -R hdrs -V 'id=1' {unknown,full,large,relay,spam,old}@x.example <<-'END'
	Subject: Minutes of the meeting
	From: s@x.example
	Message-ID: <minutes@x.example>

	the body
END
told failure 7bit
is "  three" "$(parts)" 'text/plain; us-ascii; 7bit,message/delivery-status; -; 7bit,text/rfc822-headers; -; 7bit'
like "  its header" "$report" 'header From: Mail Delivery System <MAILER-DAEMON@example.org>
header To: s@x.example
header Subject: Undelivered mail returned to sender
header Message-ID: <[0-9A-Z]{12}.dsn@client.example>
header References: <minutes@x.example>
header Auto-Submitted: auto-replied
header MIME-Version: 1.0'
like "  what was sent" "$report" '\|     Subject:  Minutes of the meeting'
while IFS='|' read -r address meaning; do
	like "  $address" "$report" "\\| <$address@x.example>: failed
\\|     $meaning"
done <<-'END'
	unknown|There is no such mailbox. Look for a typing error
	full|The mailbox is full. Send it again when the recipient
	large|The message is too large for the server. Send a smaller
	relay|The server does not pass on mail from here: it wants
	spam|The server takes the message, or this machine, for a
	old|There is probably no such mailbox.
END
like "  the fields of the message" "$report" '
Reporting-MTA: dns; client.example
Original-Envelope-Id: id=1
X-Pillarbox-Queue-ID: [0-9A-Z]{12}
Arrival-Date: [A-Z][a-z]{2}, [0-9]+ [A-Z][a-z]{2} 20[0-9]{2} [0-9:]{8} \+0000
'
like "  and of a recipient, unfolded" "$report" '
Final-Recipient: rfc822; unknown@x.example
Action: failed
Status: 5.1.1
Remote-MTA: dns; 127.0.0.1
Diagnostic-Code: smtp; 550 5.1.1 <unknown@x.example>: Recipient address rejected: User unknown in virtual mailbox table, see https://mail.example/help\?code=550-5.1.1
Last-Attempt-Date: '
is "  six of them" "$(grep -c ^Final-Recipient "$S/report")" 6
is "  no line of the first parts is long" "$(sed '/rfc822-headers/q' "$SINK"/0*.eml | tr -d '\r' |
	grep -c '.\{79\}')" 0

# What hostile servers say. The letters of others are shown as they are.
fails -f s@x.example {hostile,letters,long}@x.example <<<$'Subject: x\n\nbody'
told 'hostile replies' 8bit
is "  in UTF-8" "$(parts)" \
	'text/plain; utf-8; 8bit,message/delivery-status; -; 7bit,message/rfc822; -; 7bit,text/plain; -; 7bit'
is "  no recipient more than there were" "$(grep -c '^Final-Recipient' "$S/report")" 3
like "  letters" "$report" $'\\|       550 5.1.1 \320\275\320\265\321\202 \321\202\320\260\320\272\320\276\320\263\320\276'

# 8-bit headers; SMTPUTF8.
fails -f s@x.example -R hdrs unknown@x.example <<<$'Subject: gr\303\274n\n\nbody'
told 'an 8-bit header' 8bit
is "  it is announced" "$(parts)" \
	'text/plain; utf-8; 8bit,message/delivery-status; -; 7bit,text/rfc822-headers; -; 8bit'
like "  the subject" "$report" $'Subject:  gr\303\274n'
fails -f s@x.example -R hdrs unknown@x.example <<<$'Subject: green\n\ngr\303\274n'
told 'an 8-bit body that does not come back' 7bit
fails -f s@x.example -R full unknown@x.example <<<$'Subject: gr\303\274n\n\ngr\303\274n'
told 'a whole message with an 8-bit header' 8bit
like "  is message/global" "$(parts)" 'message/global; -; 8bit'
fails -f s@x.example -R full unknown@x.example <<<$'Subject: green\nTo: gr\303\274n@x.example\n\ngr\303\274n'
told 'a message with an address of SMTPUTF8' 8bit
like "  is message/global" "$(parts)" 'message/global; -; 8bit'
fails -f s@x.example -R hdrs $'unknown@gr\303\274n.example' <<<$'Subject: green\n\nbody'
told 'an address of SMTPUTF8' 8bit
like "  in RFC 6533's form" "$(parts)" 'message/global-delivery-status; -; 8bit'
like "  as it is" "$report" $'Final-Recipient: utf-8; unknown@gr\303\274n.example\nAction: failed'

fails -f $'s\303\266nder@x.example' unknown@x.example <<<$'Subject: =?iso-8859-1?q?gr=FCn?=\n\nbody'
told 'a sender with an address of SMTPUTF8' 8bit
like "  is told by it" "$(cat "$SINK"/0*.env)" $'mail <>.* SMTPUTF8.*rcpt <s\303\266nder@x.example>'
like "  the subject, decoded" "$report" $'Subject:  gr\303\274n\n'

# Large ones come back as their header, unless it was asked for otherwise; with RET=FULL as a whole.
big() { printf 'Subject: big\n\n'; yes 'a line of a large message that is to come back' | head -c 60000; }
fails -f s@x.example unknown@x.example < <(big)
told 'a large message' 7bit
like "  its header comes back" "$(parts)" 'text/rfc822-headers; -; 7bit$'
fails -f s@x.example -R full unknown@x.example < <(big)
told 'a large message with RET=FULL' 7bit
like "  it comes back" "$(parts)" 'message/rfc822; -; 7bit,'
is "  all of it" "$(grep -c '^| a line of a large' "$S/report")" "$(big | grep -c '^a line')"

# Success and delay.
fails -f s@x.example -N success r@x.example <<<$'Subject: x\n\nbody'
ok "success: the message and a report" sink_wait 2
rm "$(grep -l '<r@x.example>' "$SINK"/0*.env | sed 's/env$/eml/')"
told success 7bit
like "  its fields" "$report" 'Final-Recipient: rfc822; r@x.example
Action: relayed
Status: 2.0.0
Diagnostic-Code: smtp; 250 2.0.0'
fresh
sendmail -i -f s@x.example late@x.example <<<$'Subject: x\n\nbody'
aged
sendmail -q >"$S/out" 2>&1
told delay 7bit
like "  its fields" "$report" 'Action: delayed
Status: 4.2.1
Remote-MTA: dns; 127.0.0.1
Diagnostic-Code: smtp; 450 4.2.1 later
Last-Attempt-Date: [^
]*
Will-Retry-Until: '

# To a server that is 7-bit only.
fresh
sink_stop
sink_start -x 8BITMIME -x SMTPUTF8 -x DSN -r 'rcpt letters@* raw "550 5.1.1 \xd0\xbd\xd0\xb5\xd1\x82\r\n"'
config "relay.url=smtp://127.0.0.1:$SINK_PORT" queue.deliver=queue
fails -f s@x.example letters@x.example $'unknown@gr\303\274n.example' <<<$'Subject: gr\303\274n\n\ngr\303\274n'
told 'a 7-bit server' 7bit
like "  gets it encoded" "$(parts)" "^text/plain; utf-8; quoted-printable,\
message/global-delivery-status; -; quoted-printable,message/global; -; (quoted-printable|base64),"
like "  and finds what it was" "$report" $'Final-Recipient: utf-8; unknown@gr\303\274n.example
.*\n[|] gr\303\274n$'
ok "the sink has nothing to complain of" sink_content
done_testing
