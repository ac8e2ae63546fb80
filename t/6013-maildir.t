#!/bin/bash
# SPDX-License-Identifier: ISC
# mailq --import of a Maildir: whose mail it becomes, what is left there, and killed before each call.
. "${0%/*}/lib.sh"
. "$T/crash.sh"
scratch
need jq
# shellcheck source=t/queue.sh
. "$T/queue.sh"
sink_start
settings() {
	config queue.deliver=queue "relay.url=smtp://127.0.0.1:$SINK_PORT" queue.linger=0 "mail.aliases=$S/aliases" "$@"
}
settings
printf 'root: admin@example.net\nnobody: /dev/null\n' >"$S/aliases"
chmod 600 "$S/aliases"
M=$S/Maildir
fill() {
	empty_queue
	rm -rf "$M" "$S/log"
	mkdir -m 700 "$M" "$M"/{cur,new,tmp}
}
put() { cat >"$M/$1" && chmod 600 "$M/$1"; } # NAME
files() { (cd "$M" && find . -type f | sort | sed 's:^\./::' | xargs); }
queued() { mailq -j | jq -r '"\(.queue_name) \(.sender) \([.recipients[].address] | join(","))"' | sort; }
me=$(id -un)@example.org

# NAME|MESSAGE|ENVELOPE, as SENDER RECIPIENTS
while IFS='|' read -r name message wanted; do
	fill
	printf "$message" | put "new/1700000000.M1P2.host"
	try mailq --import "$M"
	is "$name" "$rc $(queued)|$(files)" "0 incoming $wanted|"
done <<END
To, Cc and Bcc, and the caller|To: A <a@x.example>\nCc: b@x.example\nBcc: c@x.example\n\nhello\n|$me a@x.example,b@x.example,c@x.example
a Return-Path|Return-Path: <s@y.example>\nDelivered-To: z@z.example\nTo: a@x.example\n\nhello\n|s@y.example a@x.example
the topmost one|Delivered-To: z@z.example\nReturn-Path:\n <s@y.example>\nReturn-Path: <t@y.example>\nTo: a@x.example\n\n|s@y.example a@x.example
the null one|Return-Path: <>\nTo: a@x.example\n\n|MAILER-DAEMON a@x.example
one that is none|Return-Path: nonsense here\nTo: a@x.example\n\n|$me a@x.example
Resent|Resent-From: r@y.example\nResent-To: b@x.example\nFrom: s@y.example\nTo: a@x.example\n\n|$me b@x.example
lines with CR|Return-Path: <s@y.example>\r\nTo: a@x.example\r\n\r\nhello\r\n|s@y.example a@x.example
a dot is no end|To: a@x.example\n\n.\nhello\n|$me a@x.example
an alias|To: root\n\n|$me admin@example.net
X-Envelope-To of somebody else|Return-Path: <s@y.example>\nX-Envelope-To: <v@x.example>\nTo: a@x.example\n\n|s@y.example a@x.example
END
is 'all of it' "$(mailq -c "$(mailq -j | jq -r .queue_id)" | sed -n 's/^\(X.*\|To:.*\|[A-Z][A-Za-z-]*:\).*/\1/p' | xargs)" \
	'Received: X-Envelope-To: <v@x.example> To: a@x.example From: Date: Message-ID:'
fill
printf 'To: a@x.example\nBcc: secret@x.example\n\nto the end' | put new/1
mailq --import "$M" 2>"$S/err"
is 'the sum' "$(cat "$S/err")" 'mailq: Imported: 1 message'
unlike 'Bcc is gone' "$(mailq -c ALL)" 'secret|Bcc'
like 'the last line' "$(mailq -c ALL)" 'to the end$'
like 'the log' "$(cat "$S/log")" "mailq\[[0-9]+\]: [0-9A-Z]{12}: imported from $M by uid $(id -u)"
fill
printf 'To: nobody\n\n' | put new/1
try mailq --import "$M"
is 'for nobody: it is not queued, nor left' "$rc $(queued)|$(files)" '0 |'

# What is left, and what is not
fill
for name in new/2 cur/3:2,S cur/4:2,FRS cur/5,S=99:2,; do printf 'To: %s@x.example\n\n' "${name:4:1}" | put $name; done
printf 'To: trash@x.example\n\n' | put cur/6:2,ST
printf 'To: draft@x.example\n\n' | put cur/7:2,D
printf 'To: tmp@x.example\n\n' | put tmp/8
printf 'To: hidden@x.example\n\n' | put new/.9
try mailq --import "$M"
is 'names and flags of all kinds' "$rc $(queued | cut -d' ' -f3 | xargs)" '0 2@x.example 3@x.example 4@x.example 5@x.example'
is '  what was thrown away, is not finished, or hidden stays' "$(files)" 'cur/6:2,ST cur/7:2,D new/.9 tmp/8'
is '  and the first two are named' "$(grep -c "Maildir/cur/[67]:2,.*: marked as" "$S/err")" 2

fill
printf 'Subject: to nobody\n\n' | put new/1
printf 'To: <<<\n\n' | put new/2:2,S
printf 'To: a@x.example\n\n' | put target
ln -s ../target "$M/new/3"
mkfifo "$M/new/4"
mkdir "$M/new/5"
printf 'To: a@x.example\n\n' | put new/6
chmod 622 "$M/new/6"
printf 'To: good@x.example\n\n' | put new/7
{ printf 'To: a@x.example\n\n'; head -c 20000 /dev/zero | tr '\0' x; } | put cur/8
settings queue.message_size=10000
try mailq --import "$M"
is 'bad files' "$rc $(queued)" "65 incoming $me good@x.example"
is '  stay as they are' "$(ls "$M/new" "$M/cur" | xargs)" "$M/cur: 8 $M/new: 1 2:2,S 3 4 5 6"
is '  and are named' "$(grep -cE "^mailq: $M/(new|cur)/[1-8].*: .*(recipients|address|regular|writable|larger)" "$S/err")" 7
settings

# Selections, and a dry run: OPTIONS|WHAT IS TAKEN
while IFS='|' read -r options taken; do
	fill
	printf 'Return-Path: <s@y.example>\nTo: 1@x.example, b@y.example\n\n' | put new/1
	printf 'Return-Path: <t@y.example>\nTo: 2@x.example\n\n' | put cur/2:2,S
	touch -d '2 days ago' "$M/cur/2:2,S"
	sum="$(wc -w <<<"$taken") message$([ "$(wc -w <<<"$taken")" = 1 ] || echo s)"
	rmdir "$QUEUE"/*
	# shellcheck disable=SC2086 # words
	try mailq --dry-run --import "$M" $options
	is "a dry run${options:+ of }$options" "$rc $(files) $(ls "$QUEUE") $(cat "$S/err")" \
		"0 cur/2:2,S new/1  mailq: Imported: $sum (dry run: nothing was done)"
	is '  says which' "$(sed -n "s/\(:2,S\)*: would be imported from .*//p" "$S/out" | xargs)" "$taken"
	# shellcheck disable=SC2086
	mailq --import "$M" $options 2>"$S/err"
	is '  and so it is' "$(queued | sed 's/.* \(.\)@.*/\1/' | sort | xargs) $(cat "$S/err")" "$taken mailq: Imported: $sum"
done <<END
ALL|1 2
--sender t@*|2
--recipient b@y.example|1
--destination x.example --older 1d|2
--state incoming|1 2
--state deferred|
--reason timeout|
END

# What was exported comes back: for those who still wait, whatever its header says
fill
sendmail -odq -f s@y.example a@x.example b@x.example c@x.example <<<$'To: list@x.example\nSubject: x\n\nhello'
id=$(ls "$QUEUE/new")
printf '@1793556000 0 2.0.0 250 ok\n' >>"$QUEUE/new/$id"
sendmail -odq -f '' d@x.example <<<'other'
mailq -c "$id" >"$S/before"
mailq --export "$M" ALL </dev/null 2>/dev/null
mv "$M/new/$id.pillarbox" "$M/cur/$id.pillarbox:2,S"
refuses 68 mailq --import "$M" 1N5X24Q8R001
try mailq --import "$M" "$id"
is 'from what was exported, by its ID' "$rc $(queued)" '0 incoming s@y.example b@x.example,c@x.example'
is '  it is the same' "$(mailq -c ALL | sed '1,3d')" "$(cat "$S/before")"
is '  the other one is there' "$(files | wc -w)" 1
mailq --import "$M" 2>/dev/null
is '  until it is taken' "$(queued | grep MAILER)" 'incoming MAILER-DAEMON d@x.example'
fill
printf 'Return-Path: <s@y.example>\nX-Envelope-To: <a b>\nTo: a@x.example\n\n' | put new/1N5X24Q8R001.pillarbox
printf 'Return-Path: <s@y.example>\nTo: a@x.example\n\n' | put new/1N5X24Q8R002.pillarbox
try mailq --import "$M"
is 'no such envelope' "$rc $(queued) $(files)" '65  new/1N5X24Q8R001.pillarbox new/1N5X24Q8R002.pillarbox'

# Two at once: each message once
fill
for i in {1..40}; do printf 'To: r%s@x.example\n\n' "$i" | put "new/$i"; done
mailq --import "$M" 2>/dev/null &
mailq --import "$M" 2>/dev/null
wait $!
is 'two imports at once' "$(queued | sort -u | wc -l) $(mailq -j | wc -l) $(files)" '40 40 '

# Killed before each call, and done again: nothing is lost, nothing is there twice
printf 'To: r@x.example\n\nhello\n' >"$S/original"
chmod 600 "$S/original"
wrong=''
for ((n = 1, status = 137; status == 137 && n < 3000; n++)); do
	fill
	cp -p "$S/original" "$M/cur/1700000000.M1P2.host:2,S"
	steps -n "$n" "$B/bin/mailq" --import "$M" >/dev/null 2>&1
	status=$?
	mailq --import "$M" >/dev/null 2>&1
	[ "$(find "$QUEUE" -type f -path '*/[nh]*/*' | wc -l) $(files)" = '1 ' ] || wrong+=" $n"
done
is "killed at $n calls, and done again" "$status$wrong" 0
ok '  there was something to kill' test "$n" -gt 10
# After a power cut the mark may be lost, or all of what comes after it
fill
cp -p "$S/original" "$M/new/1,pillarbox=1N5X24Q8R001"
try mailq --import "$M"
is 'a mark alone' "$rc $(ls "$QUEUE/new") $(files)" '0 1N5X24Q8R001 '
cp -p "$S/original" "$M/new/1,pillarbox=1N5X24Q8R001"
try mailq --import "$M"
is 'a mark of what is in the queue' "$rc $(ls "$QUEUE/new") $(files)" '0 1N5X24Q8R001 '

sendmail -q
ok 'it is delivered' sink_wait 1
ok '  once' queue_is_empty
ok 'no violations' sink_content
done_testing
