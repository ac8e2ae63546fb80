#!/bin/bash
# SPDX-License-Identifier: ISC
#
# What is too large, and owners who have too much in the spool.
. "${0%/*}/lib.sh"
need strace
scratch
uid=$(id -u)
spool=$S/spool/$uid
post() { sendmail -i -f s@x.example r@x.example; }
octets() { head -c "$1" /dev/zero | tr '\0' a | fold -w 70; }
queued() { mail_in "$spool"/{new,cur,hold,failed}; }
writing() { find "$spool/tmp" -type f | wc -l; }
smtp() { printf '%s\r\n' 'EHLO x' "$@" 'QUIT' | sendmail -bs >"$S/replies"; }

# A message's own size.
config queue.deliver=queue queue.message_size=20k
ok "a message that is not too large" post < <(octets 10000)
refuses 65 post < <(octets 30000)
like "says which setting, and how much" "$(<"$S/err")" 'queue.message_size .*20480 octets'
refuses 65 post < <(octets 1000000)
refuses 65 post < <(printf 'X-Long: %s\n' "$(octets 30000 | tr -d '\n')"; echo; echo small)
is "one is queued, and nothing is left of the others" "$(queued) $(writing)" "1 0"
timeout 60 sendmail r@x.example < <(yes) 2>"$S/err"
is "without an end" $? 65
# Lines that are encoded grow.
refuses 65 post < <(head -c 18000 /dev/zero | tr '\0' '\377')
smtp
like "SMTP says it" "$(<"$S/replies")" '250[- ]SIZE 20480'
smtp 'MAIL FROM:<a@x.example> SIZE=20481'
like "and refuses what is declared" "$(<"$S/replies")" '552 5\.3\.4'
smtp 'MAIL FROM:<a@x.example>' 'RCPT TO:<b@x.example>' DATA "$(octets 30000 | sed 's/$/\r/')" .
like "and what comes" "$(<"$S/replies")" '552 5\.3\.4'
config queue.deliver=queue queue.message_size=0
smtp
unlike "0: no limit that is felt" "$(<"$S/replies")" 'SIZE 20480'
ok "0: a large one" post < <(octets 3000000)

# How many an owner may have, wherever they wait.
rm -rf "$spool"
config queue.deliver=queue queue.owner_messages=3
for state in new cur failed; do
	ok "posted" post <<<hello
	[ $state = new ] || mv "$spool"/new/* "$spool/$state"
done
refuses 75 post <<<hello
like "says how many, and which setting" "$(<"$S/err")" "uid $uid has 3 messages .*queue.owner_messages allows 3"
smtp 'MAIL FROM:<a@x.example>' 'RCPT TO:<b@x.example>' DATA hello .
like "SMTP: come again" "$(<"$S/replies")" '452 4\.3\.1 .*queue.owner_messages'
is "three are queued" "$(queued) $(writing)" "3 0"
rm "$spool"/failed/*
ok "room again" post <<<hello
touch "$spool/new/README" "$spool/new/junk"
rm "$spool"/cur/*
ok "what is no message does not count" post <<<hello

# How much.
rm -rf "$spool"
config queue.deliver=queue queue.owner_octets=30k
ok "ten thousand octets" post < <(octets 10000)
ok "twenty" post < <(octets 10000)
refuses 75 post < <(octets 10000)
like "says how much, and which setting" "$(<"$S/err")" "uid $uid has 2[0-9]* octets .*queue.owner_octets allows .30720."
ok "a small one has room" post <<<hello
timeout 60 sendmail r@x.example < <(yes) 2>"$S/err"
is "without an end" $? 75
smtp 'MAIL FROM:<a@x.example>' 'RCPT TO:<b@x.example>' DATA "$(octets 30000 | sed 's/$/\r/')" .
like "SMTP: come again" "$(<"$S/replies")" '452 4\.3\.1 .*queue.owner_octets'
is "three are queued" "$(queued) $(writing)" "3 0"
config queue.deliver=queue queue.owner_octets=30k queue.message_size=1k
refuses 65 post < <(octets 2000)

# A report of failure is never refused, and what waits is delivered.
sink_start -r 'rcpt bad@* reply 550 5.1.1 no such user'
rm -rf "$spool"
config "relay.url=smtp://127.0.0.1:$SINK_PORT" queue.owner_messages=1 queue.owner_octets=1k queue.message_size=1k
sendmail -odq -f s@x.example bad@x.example <<<hello
ok "-q" sendmail -q
ok "the report arrives" sink_wait 1
like "it is one" "$(cat "$SINK"/*.eml)" 'no such user'

# Nothing is looked at where there is no limit.
config queue.deliver=queue
ok "posted without limits" strace -f -o "$S/trace" -e trace=getdents64,openat sendmail r@x.example <<<hello
unlike "no directory is read" "$(<"$S/trace")" 'getdents64|/cur|/failed'
ok 'no violations' sink_content
done_testing
