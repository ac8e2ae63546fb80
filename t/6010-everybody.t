#!/bin/bash
# SPDX-License-Identifier: ISC
# mailq as root: everybody's mail is steered and moved, each message as its owner.
. "${0%/*}/lib.sh"
need_root
need jq
scratch
# shellcheck source=t/queue.sh
. "$T/queue.sh"
config queue.deliver=queue
now=$(date +%s)
A=1N5X24Q8R00
mine=$QUEUE
sum() { sed -n 's/^mailq: \([A-Z].*\)/\1/p' "$S/err"; }
fill() { # a message each; the last digit is that of the owner
	rm -rf "$S"/spool/* "$S/log" "$S/box"
	empty_queue
	message cur ${A}0 "$now" 10 a@example.org b@example.net </dev/null
	for uid in 4242 4243; do
		QUEUE=$S/spool/$uid
		empty_queue
		message new ${A}${uid:3} "$now" 10 a@example.org b@example.net </dev/null
		chown -R $uid:$uid "$QUEUE"
	done
	QUEUE=$mine
}
where() { (cd "$1" && find . -type f -name "$A*" | sort | tr '\n' ' '); }

# Steering
fill
mailq -h ALL </dev/null 2>"$S/err"
is 'everybody, in one sum' "$(sum)" 'Placed on hold: 3 messages'
is '  the files stay their owners'"'" "$(stat -c %u "$S"/spool/*/hold/*)" $'0\n4242\n4243'
like '  root is who did it' "$(cat "$S/log")" "${A}3: put on hold by uid 0"
mailq -d ${A}3 2>/dev/null
is 'one of somebody' "$(where "$S/spool")" "./0/hold/${A}0 ./4242/hold/${A}2 "
echo kept >"$S/target"
ln -s "$S/target" "$S/spool/4242/hold/${A}8"
try mailq -d ${A}8
is 'a link is deleted, not what it points to' "$rc $(cat "$S/target") $(ls "$S/spool/4242/hold")" "0 kept ${A}2"

# Moving
fill
before=$(where "$S/spool")
mkdir -m 777 "$S/open"
try mailq --export "$S/open" ALL </dev/null
is 'not where others can write' "$([ "$rc" -ne 0 ] && where "$S/spool")" "$before"
mailq --export "$S/box" ALL </dev/null 2>"$S/err"
is 'everybody is exported' "$(cat "$S/err") $(where "$S/box")" \
	"mailq: Exported: 3 messages ./0/${A}0 ./4242/${A}2 ./4243/${A}3 "
is '  each has a part' "$(stat -c '%u %a' "$S/box/4242" "$S/box/4242/${A}2")" $'4242 700\n4242 600'
mailq --import "$S/box" 2>"$S/err"
is 'and imported' "$(cat "$S/err") $(where "$S/spool")" "mailq: Imported: 3 messages ${before/cur/new}"
is '  as its owner'"'"'s' "$(stat -c %u "$S/spool/4242/new/${A}2")" 4242
mkdir -m 755 "$S/Maildir" "$S/Maildir"/{cur,new,tmp}
chown -R 4242 "$S/Maildir"
try mailq --export "$S/Maildir" ALL </dev/null
is 'a Maildir takes its owner'"'"'s' "$([ "$rc" -ne 0 ] && where "$S/spool")" "./0/new/${A}0 ./4243/new/${A}3 "
is '  as his' "$(stat -c %u "$S/Maildir/new/${A}2.pillarbox")" 4242
rm -f "$S/Maildir/new"/*
printf 'Return-Path: <s@y.example>\nTo: m@x.example\n\n' >"$S/Maildir/new/1"
printf 'To: root@x.example\n\n' >"$S/Maildir/new/2"
chown 4242 "$S/Maildir/new/1"
chmod 600 "$S/Maildir/new"/*
try mailq --import "$S/Maildir"
is 'mail of a Maildir becomes its owner'"'"'s' "$rc $(mailq -j | jq -r 'select(.sender == "s@y.example") | "\(.owner) \(.recipients[0].address)"')" \
	'69 4242 m@x.example'
is '  and of nobody else' "$(ls "$S/Maildir/new")" 2

done_testing
