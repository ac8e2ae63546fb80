#!/bin/bash
# SPDX-License-Identifier: ISC
#
# The sink itself: what other tests rely on. The client is bash.

. "${0%/*}/lib.sh"
scratch

# In one write: bash itself makes one a line.
send() { cat >"$S/line" && cat "$S/line" >&3; }

# said LINE...: send these in one go, "\r\n" behind each; the replies, blanks for line ends. Escapes
# as in printf %b; the connection ends when the sink ends it or a second passes without a word.
said() {
	local line
	exec 3<>"/dev/tcp/127.0.0.1/$SINK_PORT"
	printf '%b\r\n' "$@" | send
	while IFS= read -r -t 1 line <&3; do printf '%s ' "${line%$'\r'}"; done
	exec 3>&-
}

# The same, one after another as replies come.
asked() {
	local line
	exec 3<>"/dev/tcp/127.0.0.1/$SINK_PORT"
	reply
	for line; do
		printf '%b\r\n' "$line" | send
		reply
	done
	exec 3>&-
}

reply() {
	local line
	while IFS= read -r -t 2 line <&3; do
		[[ $line =~ ^[0-9]{3}- ]] || break
	done
	printf '%.3s ' "$line"
}

# breaks NAME REGEX LINE...: that is a violation.
breaks() {
	rm -f "$SINK/violations"
	asked "${@:3}" >/dev/null
	eventually 2 test -e "$SINK/violations"
	like "a violation: $1" "$(cat "$SINK/violations" 2>&1)" "$2"
}

sink_start -r 'rcpt bad@* reply 550 5.1.1 no such user' -r 'count 2 mail late@* pass' \
	-r 'mail late@* reply 451 4.3.0 later'
is 'a dialogue' "$(asked 'EHLO me' 'MAIL FROM:<a@b> SIZE=9 BODY=8BITMIME' 'RCPT TO:<c@d> NOTIFY=NEVER' \
	'RCPT TO:<bad@d>' DATA 'x: y\r\n\r\n..\r\n\0303\0251\r\n.' QUIT)" '220 250 250 250 550 354 250 221 '
ok 'it arrives' sink_wait 1
ok 'no violations' sink_content
printf 'x: y\r\n\r\n.\r\n\303\251\r\n' >"$S/wanted"
same_file 'dots are unstuffed' "$SINK/0001.eml" "$S/wanted"
is 'the envelope' "$(<"$SINK/0001.env")" 'conn 1
msg 1
helo me
mail <a@b> SIZE=9 BODY=8BITMIME
rcpt <c@d> NOTIFY=NEVER
size 15'
is 'a group is no violation' "$(asked 'EHLO me' 'MAIL FROM:<>\r\nRCPT TO:<bad@d>\r\nDATA' 'QUIT')" '220 250 250 550 '
ok 'no violations' sink_content
like 'groups are marked in the log' "$(<"$SINK/commands.log")" $'2 - MAIL FROM:<>\n2 \\+ RCPT TO:<bad@d>\n2 \\+ DATA'
is 'counts' "$(asked 'EHLO me' 'MAIL FROM:<late@x>' 'MAIL FROM:<late@x>' 'RSET' 'MAIL FROM:<late@x>')" '220 250 451 250 250 451 '
is 'connections' "$(<"$SINK/connections")" 3

to_rcpt=('EHLO me' 'MAIL FROM:<a@b>' 'RCPT TO:<c@d>')
breaks 'a bare LF in a command' 'bare CR or LF' 'NOOP\nNOOP'
breaks 'a NUL in a command' 'a NUL' 'NOOP \0000'
breaks 'a long command' 'of 1207 octets' "NOOP $(printf '%01200d' 0)"
breaks 'RCPT first' 'RCPT out of its place' 'EHLO me' 'RCPT TO:<a@b>'
breaks 'MAIL before EHLO' 'MAIL out of its place' 'MAIL FROM:<a@b>'
breaks 'MAIL twice' 'MAIL out of its place' 'EHLO me' 'MAIL FROM:<a@b>' 'MAIL FROM:<a@b>'
breaks 'DATA without recipients' 'DATA out of its place' 'EHLO me' 'MAIL FROM:<a@b>' 'DATA'
breaks 'a blank in MAIL' 'wrong syntax' 'EHLO me' 'MAIL FROM: <a@b>'
breaks 'no brackets' 'wrong syntax' 'EHLO me' 'MAIL FROM:a@b'
breaks '8-bit octets in an address' '8-bit octets in mail' 'EHLO me' 'MAIL FROM:<\0303\0251@b>'
breaks 'a parameter after HELO' 'SIZE was not offered' 'HELO me' 'MAIL FROM:<a@b> SIZE=1'
breaks 'an unknown parameter' 'unknown parameter: X=1' 'EHLO me' 'MAIL FROM:<a@b> X=1'
breaks 'an unknown command' 'unknown command' 'HELP'
breaks 'AUTH not offered' 'AUTH was not offered' 'EHLO me' 'AUTH PLAIN AHUAcA=='
breaks 'STARTTLS not offered' 'STARTTLS was not offered' 'EHLO me' 'STARTTLS'
breaks 'a bare LF' 'bare LF in the message, at octet 1' "${to_rcpt[@]}" DATA 'x\ny\r\n.'
breaks 'a bare CR' 'bare CR in the message' "${to_rcpt[@]}" DATA 'x\ry\r\n.'
breaks 'a NUL' 'NUL in the message' "${to_rcpt[@]}" DATA 'x\0000y\r\n.'
breaks '8-bit octets' '8-bit octet without BODY' "${to_rcpt[@]}" DATA '\0303\r\n.'
breaks 'a dot not doubled' 'dot not doubled' "${to_rcpt[@]}" DATA '.x\r\n.'
breaks 'a long line' 'over 1000 octets' "${to_rcpt[@]}" DATA "$(printf '%0999d' 0)\r\n."
breaks 'not waiting after DATA' 'wait for the reply to data' "${to_rcpt[@]}" 'DATA\r\nx\r\n.'
breaks 'not waiting after EHLO' 'wait for the reply to ehlo' 'EHLO me\r\nNOOP'
breaks 'half a line' 'ended in the middle' 'EHLO me' 'NOOP\c'
sink_stop

sink_start -x PIPELINING,SIZE -r 'dot drop' -r 'vrfy reset' \
	-r 'noop dribble 1ms; inject "250 more\r\n"' -r 'ehlo old* reply 502 no; close' \
	-r 'body after 4 reply 452 early' -r 'rset repeat 3 "250-x\r\n"; raw "250 \x79\r\n"; delay 10ms' \
	-r 'data quiet'
breaks 'a group, not offered' 'pipelined behind mail' 'EHLO me' 'MAIL FROM:<a@b>\r\nRCPT TO:<c@d>'
rm "$SINK/violations"
is 'close' "$(said 'EHLO older')" '220 localhost ESMTP sink 502 no '
is 'inject' "$(said NOOP QUIT)" '220 localhost ESMTP sink 250 2.0.0 Ok 250 more 221 2.0.0 Bye '
is 'repeat and raw' "$(said RSET QUIT)" '220 localhost ESMTP sink 250-x 250-x 250-x 250 y 221 2.0.0 Bye '
is 'reset' "$(said VRFY QUIT 2>/dev/null)" '220 localhost ESMTP sink '
before=$(messages)
is 'quiet, early reply, drop' "$(said 'HELO x' 'MAIL FROM:<a@b>' 'RCPT TO:<c@d>' DATA 123456 .)" \
	'220 localhost ESMTP sink 250 localhost 250 2.1.0 Ok 250 2.1.5 Ok 452 early '
is 'dropped but kept' "$(messages)" $((before + 1))
sink_stop

refuses 64 "$B/t/sink" -r 'nonsense reply 250'
refuses 64 "$B/t/sink" -r 'dot reply "250'
refuses 64 "$B/t/sink" -r 'dot'
# CHUNKING: octets are counted, dots are dots; a refused BDAT wants RSET.
sink_stop
rm -f "$SINK"/*.e* "$SINK/violations"
sink_start -o CHUNKING -r 'count 2 dot reply 452 4.3.1 full'
is 'BDAT' "$(asked 'EHLO me' 'MAIL FROM:<a@b>' 'RCPT TO:<c@d>' 'BDAT 12 LAST\r\n.\r\n..\r\n.a.' NOOP QUIT)" \
	'220 250 250 250 250 250 221 '
ok 'it arrives' sink_wait 1
printf '.\r\n..\r\n.a.\r\n' >"$S/wanted"
same_file 'octet for octet' "$SINK"/*.eml "$S/wanted"
is 'refused' "$(asked 'EHLO me' 'MAIL FROM:<a@b>' 'RCPT TO:<c@d>' 'BDAT 3 LAST\r\na' RSET 'MAIL FROM:<a@b>' QUIT)" \
	'220 250 250 250 452 250 250 221 '
ok 'no violations' sink_content
breaks 'no recipient' 'BDAT out of its place' 'EHLO me' 'BDAT 3 LAST\r\na'
breaks 'a piece' 'in pieces: BDAT 3' 'EHLO me' 'MAIL FROM:<a@b>' 'RCPT TO:<c@d>' 'BDAT 3\r\na'
breaks 'an 8-bit octet' '8-bit' 'EHLO me' 'MAIL FROM:<a@b>' 'RCPT TO:<c@d>' 'BDAT 3 LAST\r\n\0303'
sink_stop
sink_start -r 'dot reply 452 4.3.1 full'
breaks 'BDAT that was not offered' 'BDAT was not offered' 'EHLO me' 'MAIL FROM:<a@b>' 'RCPT TO:<c@d>' 'BDAT 3 LAST\r\na'
breaks 'MAIL without RSET' 'refused BDAT without RSET' 'EHLO me' 'MAIL FROM:<a@b>' 'RCPT TO:<c@d>' 'BDAT 3 LAST\r\na' 'MAIL FROM:<a@b>'

# LIMITS.
sink_stop
sink_start -L 'MAILMAX=1 RCPTMAX=3 RCPTDOMAINMAX=2'
breaks 'RCPTDOMAINMAX' 'RCPTDOMAINMAX domains' 'EHLO me' 'MAIL FROM:<a@b>' 'RCPT TO:<c@d>' 'RCPT TO:<c@e>' 'RCPT TO:<c@f>'
breaks 'RCPTMAX' 'RCPTMAX recipients' 'EHLO me' 'MAIL FROM:<a@b>' 'RCPT TO:<c@d>' 'RCPT TO:<c@e>' 'RCPT TO:<g@e>' 'RCPT TO:<h@e>'
breaks 'MAILMAX' 'MAILMAX transactions' 'EHLO me' 'MAIL FROM:<a@b>' RSET 'MAIL FROM:<a@b>'

# LMTP.
sink_stop
rm -f "$SINK"/*.env "$SINK/violations"
sink_start -l -r 'dot full@* reply 552 5.2.2 full'
is 'LMTP: a reply for each recipient that was accepted' \
	"$(asked 'LHLO me' 'MAIL FROM:<a@b>' 'RCPT TO:<c@d>' 'RCPT TO:<full@d>' DATA 'x: y\r\n\r\nz\r\n.' NOOP QUIT)" \
	'220 250 250 250 250 354 250 552 250 '
ok 'it is kept' sink_wait 1
like 'the envelope says for whom' "$(cat "$SINK"/*.env)" 'rcpt <c@d>.rcpt <full@d>.kept <c@d>.size'
ok 'no violations' sink_content
breaks 'EHLO in LMTP' 'unknown command: EHLO' 'EHLO me'
sink_stop
sink_start
breaks 'LHLO in SMTP' 'unknown command: LHLO' 'LHLO me'
done_testing
