#!/bin/bash
# SPDX-License-Identifier: ISC
#
# What the injector accepts and refuses, and with which status. -odq: nothing is delivered.
. "${0%/*}/lib.sh"
scratch
config queue.deliver=queue

queued() { find "$S/spool" -path '*/new/*' -type f; }
count() { queued | wc -l; }
clear_queue() { find "$S/spool" -path '*/new/*' -type f -delete; }
# envelope: the lines of the one queued message's head that speak of addresses.
envelope() { sed -n '/^$/q; /^from\|^rcpt/p' "$(queued)" | tr '\n' ' '; }

# posts NAME ENVELOPE ARGS...: exit 0, silent, one message with this envelope.
posts() {
	clear_queue
	try sendmail "${@:3}" <<<$'To: to@x.example, "A, B" <to2@x.example>\nCc: login\nBcc: bcc@x.example\n\nhello'
	[ "$rc" -eq 0 ] && [ ! -s "$S/out" ] && [ ! -s "$S/err" ] && [ "$(count)" -eq 1 ]
	result "posts: $1" || diag "status $rc" "$(cat "$S/out" "$S/err")"
	is "  envelope" "$(envelope)" "$2 "
}
me=$(id -un)@example.org

posts "a recipient" "from <$me> rcpt <a@x.example>" a@x.example
posts "two recipients" "from <$me> rcpt <a@x.example> rcpt <b@x.example>" a@x.example b@x.example
posts "a list in one argument" "from <$me> rcpt <a@x.example> rcpt <b@x.example>" 'a@x.example,b@x.example'
posts "a list with names" "from <$me> rcpt <a@b.example> rcpt <c@d.example>" 'A <a@b.example>, c@d.example'
posts "a login" "from <$me> rcpt <root@example.org>" root
posts "the same one twice" "from <$me> rcpt <a@x.example>" a@x.example a@X.example
posts "a login and its address" "from <$me> rcpt <joe@example.org> rcpt <a@x.example>" joe joe@example.org a@x.example joe@Example.Org
posts "an address and its login" "from <$me> rcpt <joe@example.org> rcpt <a@x.example>" joe@example.org a@x.example joe
posts "-t" "from <$me> rcpt <to@x.example> rcpt <to2@x.example> rcpt <login@example.org> rcpt <bcc@x.example>" -t
posts "-t with an argument adds" \
	"from <$me> rcpt <a@x.example> rcpt <to@x.example> rcpt <to2@x.example> rcpt <login@example.org> rcpt <bcc@x.example>" -t a@x.example
posts "-ti bundled" "from <s@x.example> rcpt <to@x.example> rcpt <to2@x.example> rcpt <login@example.org> rcpt <bcc@x.example>" -ti -f s@x.example
posts "-f apart" "from <s@x.example> rcpt <a@x.example>" -f s@x.example a@x.example
posts "-f attached" "from <s@x.example> rcpt <a@x.example>" -fs@x.example a@x.example
posts "-f login" "from <alice@example.org> rcpt <a@x.example>" -f alice a@x.example
posts "-r" "from <s@x.example> rcpt <a@x.example>" -r s@x.example a@x.example
posts "-f ''" "from <> rcpt <a@x.example>" -f '' a@x.example
posts "-f <>" "from <> rcpt <a@x.example>" -f '<>' -- a@x.example
posts "-f <a@b>" "from <s@x.example> rcpt <a@x.example>" -f '<s@x.example>' a@x.example
posts "an option behind operands" "from <s@x.example> rcpt <a@x.example>" a@x.example -f s@x.example -i
posts "-- and a dash" "from <$me> rcpt <-oQ/tmp@x.example>" -- -oQ/tmp@x.example
posts "cron" "from <$me> rcpt <ops@x.example>" -FCronDaemon -i -B8BITMIME -oem ops@x.example
posts "cronie" "from <jobs@x.example> rcpt <ops@x.example>" -FCronDaemon -i -odq -oem -oi -f jobs@x.example ops@x.example
posts "mutt" "from <a@x.example> rcpt <r1@x.example> NOTIFY=FAILURE,DELAY rcpt <r2@x.example> NOTIFY=FAILURE,DELAY" -oem -oi -B8BITMIME -f a@x.example -N failure,delay -R hdrs -- r1@x.example r2@x.example
posts "rmail" "from <far!a@x.example> rcpt <r@x.example>" -G -oee -odq -oi -pUUCP:far.UUCP '-ffar!a@x.example' r@x.example
posts "rss2email" "from <a@x.example> rcpt <r@x.example>" -F '' -f a@x.example r@x.example
for option in "-A c" -Am "-B 7BIT" "-C /etc/passwd" -C/etc/passwd -c "-D $S/trace" -d0.1 -em "-h 3" -G \
	"-L tag" -m -n "-O DeliveryMode=b" -OErrorMode=m -oem -or0s -o7 -oQ/tmp/x "-p SMTP:x" -U -v -x \
	"-X $S/trace" "-V ENV1" "-N sometimes" "-R full"; do
	# shellcheck disable=SC2086
	posts "$option" "from <$me> rcpt <a@x.example>" $option a@x.example
done
ok "-X and -D open nothing" test ! -e "$S/trace"

clear_queue
refuses 64 sendmail </dev/null
refuses 64 sendmail -i </dev/null
refuses 64 sendmail -t <<<$'Subject: x\n\nno recipients'
refuses 64 sendmail -F </dev/null
refuses 64 sendmail -f </dev/null
refuses 64 sendmail -Z a@x.example </dev/null
refuses 64 sendmail -bz a@x.example </dev/null
refuses 65 sendmail 'a b c@' </dev/null
refuses 65 sendmail -f $'evil@x>\r\nRCPT TO:<b@c' a@x.example </dev/null
refuses 65 sendmail $'a@x.example\nrcpt <b@c>' </dev/null
refuses 65 sendmail "$(printf 'a%.0s' {1..400})@x.example" </dev/null
refuses 75 sendmail a@x.example </
is "nothing of all that was queued" "$(count)" 0
is "and nothing is left in tmp/" "$(find "$S"/spool/*/tmp -type f)" ""

try sendmail -bi
is "newaliases: 0 and silent" "$rc$(cat "$S/out" "$S/err")" 0
try sendmail -bp
is "-bp lists" "$(cat "$S/out")" "Mail queue is empty"
ln -s "$B/sbin/sendmail" "$S/mailq"
is "the name mailq" "$("$S/mailq" 2>&1)" "Mail queue is empty"

# The environment of the worst callers.
cd "$S" && mkdir gone && cd gone && rmdir ../gone
try sh -c 'umask 0777; trap "" PIPE CHLD; exec sendmail a@x.example </dev/null >&- 2>&-'
is "a deleted directory, umask 0777, ignored signals, closed descriptors" "$rc $(count)" "0 1"
clear_queue
try env -i PILLARBOX_CONFIG="$PILLARBOX_CONFIG" "$B/sbin/sendmail" a@x.example <<<hello
is "no environment" "$rc $(count)" "0 1"
clear_queue
try sh -c 'exec sendmail a@x.example <&-'
is "no standard input: an empty message" "$rc $(count)" "0 1"

done_testing
