#!/bin/bash
# SPDX-License-Identifier: ISC
#
# Aliases: who gets the mail of local names. In the envelope only; before any routing.
. "${0%/*}/lib.sh"
scratch
umask 022
cat >"$S/aliases" <<X
# comment
root:	ops@x.example, "On Call" <oncall@x.example>
postmaster: root
Webmaster: postmaster
team: a@x.example,
	b@x.example
everybody: :include:$S/list
nobody: /dev/null
pipe: |/bin/cat
file: /var/mail/x
loop: pool
pool: loop
X
printf '# people\nc@x.example\nd@x.example\n' >"$S/list"
config queue.deliver=queue "mail.aliases=$S/aliases"

queued() { find "$S"/spool/*/new -type f 2>/dev/null; }
recipients() { sed -n 's/^rcpt <\([^>]*\)>.*/\1/p;/^$/q' "$(queued)" | tr '\n' ' '; }
# goes TO RECIPIENTS ARGS...
goes() {
	find "$S/spool" -path '*/new/*' -type f -delete
	try sendmail -i -f s@x.example "${@:3}" "$1" <<<$'Subject: x\n\nbody'
	is "$1 -> $2" "$rc $(recipients)" "0 $2 "
}
goes root "ops@x.example oncall@x.example"
goes ROOT "ops@x.example oncall@x.example"
goes webmaster "ops@x.example oncall@x.example"
goes root@localhost "ops@x.example oncall@x.example"
goes root@client.example "ops@x.example oncall@x.example"
goes root@example.org "root@example.org"
goes team "a@x.example b@x.example"
goes everybody "c@x.example d@x.example"
goes alice "alice@example.org"
goes root,a@x.example,team "ops@x.example oncall@x.example a@x.example b@x.example"
goes r@elsewhere.example "r@elsewhere.example"
find "$S/spool" -path '*/new/*' -type f -delete
sendmail -t <<<$'To: root\n\nbody'
is "-t" "$(recipients)" "ops@x.example oncall@x.example "
like "the header is completed, not changed" "$(cat "$(queued)")" $'\nTo: root@example.org\r'
find "$S/spool" -path '*/new/*' -type f -delete
try sendmail nobody <<<hello
is "/dev/null: 0 and nothing is queued" "$rc $(queued)" "0 "
like "said in the log" "$(cat "$S/log")" 'discarded'
refuses 67 sendmail pipe <<<hello
like "a program is refused, with its line" "$(cat "$S/err")" "$S/aliases:[0-9]+: pipe: .*programs"
refuses 67 sendmail file <<<hello
refuses 67 sendmail loop <<<hello
is "nothing is queued of these" "$(queued)" ""
like "cron's mail to root reaches a person, and the log knows" \
	"$(sendmail -FCronDaemon -i -B8BITMIME -oem root <<<hello; cat "$(queued)")" 'rcpt <ops@x.example> ORCPT=rfc822;root@'

goes root root@example.org -n
is "-bs to /dev/null is told so" "$(printf 'EHLO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<nobody>\r\nDATA\r\n.\r\nQUIT\r\n' | sendmail -bs | grep -c '^250 2.0.0 Ok: discarded')" 1

# The checker.
try sendmail -bi
is "newaliases finds what is wrong" "$rc" 65
for line in 9:\ pipe: 10:\ file: 11:\ loop: 12:\ pool:; do
	like "with line numbers" "$(cat "$S/err")" "$S/aliases:$line"
done
sed -i '/^pipe/d;/^file/d;/loop/d' "$S/aliases"
try sendmail -bi
is "and is silent when all is well" "$rc$(cat "$S/out" "$S/err")" 0

# A file that others may write is not trusted; mail goes on.
chmod 666 "$S/aliases"
find "$S/spool" -path '*/new/*' -type f -delete
try sendmail root <<<hello
is "an open file is not used" "$rc $(recipients)" "0 root@example.org "
like "and that is said" "$(cat "$S/err")" "$S/aliases.*writable"
rm "$S/aliases"
goes root root@example.org
done_testing
