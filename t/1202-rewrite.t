#!/bin/bash
# SPDX-License-Identifier: ISC
#
# Rewriting, for relays that accept one sender only; and what -bv says of addresses.
. "${0%/*}/lib.sh"
scratch
sink_start -r 'mail only@x.example pass' -r 'mail *@* reply 553 5.7.1 sender not yours'
printf 'root: ops@x.example\nnobody: /dev/null\npipe: |/x\n' >"$S/aliases"
chmod 644 "$S/aliases"
config "relay.url=smtp://127.0.0.1:$SINK_PORT" queue.deliver=foreground "mail.aliases=$S/aliases" \
	rewrite.envelope_from=only@x.example rewrite.header_from=only@x.example

try sendmail -FCronDaemon -i -oem root <<<$'From: root (Cron Daemon)\nTo: root\nSubject: Cron\n\nhello'
is "cron's mail is accepted" "$rc $(messages)" "0 1"
like "by the one sender" "$(cat "$SINK/0001.env")" 'mail <only@x.example>.*rcpt <ops@x.example>'
text=$(tr -d '\r' <"$SINK/0001.eml")
like "From is the one" "$text" $'\nFrom: only@x.example \\(Cron Daemon\\)\n'
like "the original is kept" "$text" $'\nReply-To: root@example.org \\(Cron Daemon\\)\n'
like "the log knows who it was for" "$(cat "$S/log")" 'to=<ops@x.example>, orig_to=<root@example.org>'
try sendmail -f '<>' ops@x.example <<<$'From: x@y.example\n\nhello'
is "the null reverse-path stays" "$(sed -n 's/^mail \(<[^>]*>\).*/\1/p' "$SINK/0002.env")" "<>"

config "relay.url=smtp://127.0.0.1:$SINK_PORT" queue.deliver=queue 'rewrite.envelope_from=one bad rule @'
try sendmail a@x.example <<<hello
like "a bad rule is said, the message queued" "$rc $(cat "$S/err")" "^0 sendmail: .*rewrite.envelope_from"

# -bv
config "relay.url=smtp+tls://me@relay.example" "mail.aliases=$S/aliases" rewrite.envelope_from=only@x.example
verify() { try sendmail -bv "$@"; }
verify root 'Some One <a@b.example>' login
is "-bv: 0" "$rc" 0
is "an alias, an address, a login" "$(cat "$S/out")" "root... deliverable: <ops@x.example> by the relay relay.example port 587
a@b.example... deliverable: <a@b.example> by the relay relay.example port 587
login... deliverable: <login@example.org> by the relay relay.example port 587"
verify nobody
like "/dev/null" "$rc $(cat "$S/out")" "^0 nobody... discarded"
verify pipe
like "a program: 67" "$rc $(cat "$S/out")" "^67 pipe... leads to nobody"
verify 'a b@c d'
is "no address: 67" "$rc" 67
config "relay.url=smtp://127.0.0.1:$SINK_PORT" "mail.aliases=$S/aliases" rewrite.envelope_from=only@x.example
verify -v a@b.example
like "-v tells the sender" "$(cat "$S/out")" "mail from here is sent as <only@x.example>"
config "mail.aliases=$S/aliases"
verify a@b.example
like "straight to MX" "$(cat "$S/out")" "to the mail exchangers of b.example"
done_testing
