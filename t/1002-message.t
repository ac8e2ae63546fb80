#!/bin/bash
# SPDX-License-Identifier: ISC
#
# What becomes of a message on its way into the spool.
. "${0%/*}/lib.sh"
scratch
config queue.deliver=queue

queued() { find "$S/spool" -path '*/new/*' -type f; }
# message: the one queued message in wire form, without what we added.
message() {
	local f size head
	f=$(queued)
	size=$((10#$(sed -n 's/^size //p;/^$/q' "$f")))
	head=$(sed '/^$/q' "$f" | wc -c)
	tail -c "+$((head + 1))" "$f" | head -c "$size"
}
ours='^Received: by client.example \(Pillarbox, from userid [0-9]+\)'
# becomes NAME INPUT OUTPUT [ARGS...]: with printf escapes; Received, Date and Message-ID of ours left out.
becomes() {
	find "$S/spool" -path '*/new/*' -type f -delete
	# shellcheck disable=SC2059
	printf "$2" | try sendmail -i -f s@x.example "${@:4}" r@x.example
	message >"$S/whole"
	sed -E "/$ours/,/^\t.*;/d; /^Message-ID: <[0-9A-Z]+\.[^>]*@client.example>\r\$/d; /^Date: .*[+-][0-9]{4}\r\$/d" "$S/whole" >"$S/got"
	# shellcheck disable=SC2059
	printf "$3" >"$S/wanted"
	same_file "$1" "$S/got" "$S/wanted"
	like "  Received is first" "$(head -1 "$S/whole")" "$ours"
}
F='From: s@x.example\r\n'
becomes "LF becomes CRLF" "${F//\\r/}To: r@x.example\n\nhello\n" "${F}To: r@x.example\r\n\r\nhello\r\n"
becomes "CRLF stays" "${F}To: r@x.example\r\n\r\nhello\r\n" "${F}To: r@x.example\r\n\r\nhello\r\n"
becomes "mixed line ends" "${F}To: r@x.example\r\n\r\na\nb\r\nc\n" "${F}To: r@x.example\r\n\r\na\r\nb\r\nc\r\n"
becomes "CR CR LF" "${F}To: r@x.example\r\n\r\na\r\r\nb\n" "${F}To: r@x.example\r\n\r\na\r\nb\r\n"
becomes "a bare CR becomes a space" "${F}To: r@x.example\n\na\rb\r.\rc\n" "${F}To: r@x.example\r\n\r\na b . c\r\n"
becomes "NUL is taken out" "${F}To: r@x.example\n\na\\0b\n" "${F}To: r@x.example\r\n\r\nab\r\n"
becomes "an unfinished last line" "${F}To: r@x.example\n\nhello" "${F}To: r@x.example\r\n\r\nhello\r\n"
becomes "a lone dot is data with -i" "${F}To: r@x.example\n\na\n.\nb\n" "${F}To: r@x.example\r\n\r\na\r\n.\r\nb\r\n"
becomes "Bcc goes, folded too" "${F}To: r@x.example\nBcc: x@y.example,\n\tz@y.example\nSubject: s\n\nb\n" \
	"${F}To: r@x.example\r\nSubject: s\r\n\r\nb\r\n"
becomes "Resent-Bcc goes, and Resent-From is added" \
	"Resent-Date: x\nResent-Message-ID: <r@x>\nResent-Bcc: x@y.example\n${F}To: r@x.example\n\nb\n" \
	"Resent-Date: x\r\nResent-Message-ID: <r@x>\r\n${F}To: r@x.example\r\nResent-From: s@x.example\r\n\r\nb\r\n" -F ''
becomes "Return-Path goes" "Return-Path: <x@y>\n${F}To: r@x.example\n\nb\n" "${F}To: r@x.example\r\n\r\nb\r\n"
becomes "a leading From line goes" "From x Thu Jan 1 00:00:00 1970\n${F}To: r@x.example\n\nb\n" "${F}To: r@x.example\r\n\r\nb\r\n"
becomes "a From with a blank before its colon is one" "From : s@x.example\nTo: r@x.example\n\nb\n" \
	"From : s@x.example\r\nTo: r@x.example\r\n\r\nb\r\n"
becomes "bare addresses are completed, comments kept" \
	"From: root (Cron Daemon)\nTo: root, \"A B\" <bob>\n\nb\n" \
	"From: root@example.org (Cron Daemon)\r\nTo: root@example.org, \"A B\" <bob@example.org>\r\n\r\nb\r\n"
becomes "From is added, with -F" "To: r@x.example\n\nb\n" \
	"To: r@x.example\r\nFrom: Cron Daemon <s@x.example>\r\n\r\nb\r\n" -F 'Cron Daemon'
becomes "-F ''" "To: r@x.example\n\nb\n" "To: r@x.example\r\nFrom: s@x.example\r\n\r\nb\r\n" -F ''
becomes "-F cannot inject" "To: r@x.example\n\nb\n" \
	"To: r@x.example\r\nFrom: \"xBcc: evil@x.example\" <s@x.example>\r\n\r\nb\r\n" -F $'x\r\nBcc: evil@x.example'
becomes "no header" "hello\nworld\n" \
	"From: s@x.example\r\nTo: undisclosed-recipients:;\r\n\r\nhello\r\nworld\r\n" -F ''
becomes "no empty line" "${F}To: r@x.example\nhello\n" "${F}To: r@x.example\r\n\r\nhello\r\n"
becomes "only a header" "${F}To: r@x.example\n" "${F}To: r@x.example\r\n\r\n"
becomes "nothing at all" "" "From: s@x.example\r\nTo: undisclosed-recipients:;\r\n\r\n" -F ''
becomes "8-bit text stays" "${F}To: r@x.example\n\n\303\274ber\n" "${F}To: r@x.example\r\n\r\n\303\274ber\r\n"
like "  and is noted" "$(cat "$(queued)")" 'body 8BITMIME'

# Date, Message-ID and From that are there stay as they are, once.
becomes "Date and Message-ID stay" \
	"Date: yesterday\nMessage-ID: <1@x>\n${F}To: r@x.example\n\nb\n" \
	"Date: yesterday\r\nMessage-ID: <1@x>\r\n${F}To: r@x.example\r\n\r\nb\r\n"
becomes "a second From, Date, Message-ID goes" \
	"Date: yesterday\nMessage-ID: <1@x>\n${F}To: r@x.example\nDate: x\nMessage-ID: <2@x>\nFrom: t@x.example\n\nb\n" \
	"Date: yesterday\r\nMessage-ID: <1@x>\r\n${F}To: r@x.example\r\n\r\nb\r\n"

# Without -i a lone dot ends the message, whatever follows.
find "$S/spool" -path '*/new/*' -type f -delete
printf 'To: r@x.example\n\na\n.\nb\n' | sendmail r@x.example
like "a lone dot ends the message" "$(message | tail -c 3 | od -An -c)" 'a +\\r +\\n'

# An injector that is killed half way queues nothing.
find "$S/spool" -path '*/new/*' -type f -delete
mkfifo "$S/slow"
sendmail r@x.example <"$S/slow" &
exec 5>"$S/slow"
printf 'To: r@x.example\n\nhalf' >&5
half() { [ -n "$(find "$S"/spool/*/tmp -type f)" ]; }
ok "a message half way is in tmp/" eventually 5 half
kill -9 $!
{ wait $!; } 2>/dev/null
exec 5>&-
is "killed there, it is not queued" "$(queued)" ""

# A header that is too much, a loop.
(printf 'X: '; head -c 9000000 /dev/zero | tr '\0' 'a'; printf '\n\nb\n') >"$S/huge"
refuses 65 sendmail r@x.example <"$S/huge"
(for _ in {1..60}; do echo 'Received: by x'; done; echo; echo b) >"$S/loop"
refuses 69 sendmail r@x.example <"$S/loop"

done_testing
