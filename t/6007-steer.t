#!/bin/bash
# SPDX-License-Identifier: ISC
# mailq steers: delete, hold, release, retry, deliver, print; on an idle queue and against a flusher.
. "${0%/*}/lib.sh"
scratch
need perl tmux
# shellcheck source=t/queue.sh
. "$T/queue.sh"
sink_start -r 'rcpt nobody@* reply 550 5.1.1 no such user' -r 'rcpt later@* reply 450 4.2.1 later'
deaf() { config queue.deliver=queue "$@"; }
deaf

now=$(date +%s)
A=1N5X24Q8R00
fill() {
	empty_queue
	message new ${A}1 $((now - 30)) 10 alice@example.org bob@example.net </dev/null
	message cur ${A}2 $((now - 7200)) 10 carol@example.org bob@example.net <<<"@$((now - 7100)) 0 4.4.1 connect: timed out"
	touch -d @$((now + 5000)) "$QUEUE/cur/${A}2"
	message hold ${A}3 $((now - 90)) 10 alice@example.org eve@example.net </dev/null
	message failed ${A}4 $((now - 600000)) 10 '' eve@example.net <<-END
	@$((now - 4)) 0 5.1.1 unknown user
	@$((now - 4)) 0 told null sender
	END
	echo nonsense >"$QUEUE/new/${A}7"
	chmod 600 "$QUEUE/new/${A}7"
	rm -f "$S/log"
}
# Where each is: "n1c2h3f4n7"
lie() { (cd "$QUEUE" && echo {new,cur,hold,failed}/*) | tr ' ' '\n' | sed -n "s:^\(.\)[a-z]*/$A\(.\)$:\2\1:p" | sort | tr -d '\n'; }
sum() { sed -n 's/^mailq: \([A-Z].*\)/\1/p' "$S/err"; }

# Alone, without a flusher to start, which would begin with what is released at once.
mkdir -p "$S/alone/bin"
cp "$B/bin/mailq" "$S/alone/bin"

# STATUS|OPTIONS|WHAT LIES WHERE AFTERWARDS|THE SUM
while IFS='|' read -r status options wanted title; do
	fill
	# shellcheck disable=SC2086 # words
	try "$S/alone/bin/mailq" $options </dev/null
	is "mailq $options" "$rc|$(lie)|$(sum)" "$status|$wanted|$title"
done <<END
0|-d ${A}1|2c3h4f7n|Deleted: 1 message
0|-d ${A}1 -d ${A}3 ${A}4|2c7n|Deleted: 3 messages
65|-d ALL|7n|Deleted: 4 messages
0|-d ALL --sender alice@example.org|2c4f7n|Deleted: 2 messages
0|-d ALL --state damaged|1n2c3h4f|Deleted: 1 message
0|-d ${A}7|1n2c3h4f|Deleted: 1 message
0|--delete ALL --older 1h --reason timed|1n3h4f7n|Deleted: 1 message
68|-d ${A}9 ${A}1|2c3h4f7n|Deleted: 1 message
0|-h ${A}1|1h2c3h4f7n|Placed on hold: 1 message
65|-h ALL|1h2h3h4f7n|Placed on hold: 2 messages
0|-h ${A}3 ${A}4|1n2c3h4f7n|Placed on hold: 0 messages
0|-h ALL --destination example.net|1h2h3h4f7n|Placed on hold: 2 messages
0|-H ${A}3|1n2c3c4f7n|Released: 1 message
0|-H ${A}4|1n2c3h4c7n|Released: 1 message
0|-H ALL --recipient *@*|1n2c3c4f7n|Released: 1 message
0|-H ALL --state failed|1n2c3h4c7n|Released: 1 message
0|-H ${A}1|1n2c3h4f7n|Released: 0 messages
65|-H ${A}7|1n2c3h4f7n|Released: 0 messages
0|--dry-run -d ALL --state hold,failed,deferred|1n2c3h4f7n|Deleted: 3 messages (dry run: nothing was done)
0|--dry-run -h ${A}1|1n2c3h4f7n|Placed on hold: 1 message (dry run: nothing was done)
0|--dry-run -i ${A}3|1n2c3h4f7n|
END
fill
is 'a line each with -v' "$(mailq -v -d ${A}1 ${A}3 2>/dev/null)" "${A}1: deleted"$'\n'"${A}3: deleted"
is 'what a dry run says' "$(mailq --dry-run -d ${A}2 2>/dev/null)" "${A}2: would be deleted"
like 'the log' "$(cat "$S/log")" "pillarbox/mailq\[[0-9]+\]: ${A}1: deleted by uid $(id -u)"
unlike 'the log of a dry run' "$(cat "$S/log")" "${A}2"
fill
mailq | mailq -d - --state hold 2>"$S/err"
is 'IDs from standard input, out of a list' "$(lie)" 1n2c4f7n
refuses 64 mailq -d - </dev/null
is 'none is not all' "$(lie)" 1n2c4f7n
refuses 64 mailq -d
refuses 64 mailq -d all
refuses 64 mailq -d ALL ${A}1
refuses 64 mailq -d ${A}1 -h ${A}1
refuses 64 mailq ALL
refuses 64 mailq --dry-run
refuses 64 mailq -c 1h,2
refuses 68 mailq -c ${A}9

# Print
fill
printf 'To: x\r\n\r\n\033[31mred\r\nend\r\n' >"$S/wire"
sed -i "s/^size .*/size $(printf %012d "$(wc -c <"$S/wire")")/; /^$/,\$d" "$QUEUE/new/${A}1"
{ echo; cat "$S/wire"; } >>"$QUEUE/new/${A}1"
is '-c' "$(mailq -c ${A}1)" "$(tr -d '\r' <"$S/wire")"
is '-e' "$(mailq -e ${A}1 | tail -n 2)" $'from <alice@example.org>\nrcpt <bob@example.net>'
is '-c: each with its head' "$(mailq -c ALL --state incoming,hold | grep -c '^==> ')" 2
is 'sendmail -bp is deaf to it' "$(sendmail -bp | grep -c '^1N5')" 5

# On a terminal
export TMUX_TMPDIR=$S
server=0
type_into() { # KEYS COMMAND...
	local keys=$1
	shift
	rm -f "$S/done"
	server=$((server + 1))
	tmux -L "$server" -f /dev/null new-session -d -x 100 -y 30 "$*; echo \$? >$S/done; exec sleep 100"
	[ -z "$keys" ] || eventually 20 prompted || diag 'no question'
	[ -z "$keys" ] || tmux -L "$server" send-keys "$keys" Enter
	eventually 20 test -s "$S/done" || diag 'it does not end'
	tmux -L "$server" capture-pane -p -t 0 >"$S/screen"
	tmux -L "$server" kill-server
}
prompted() { tmux -L "$server" capture-pane -p -t 0 2>/dev/null | grep -q 'Go on? \[y/N\]'; }
fill
type_into n mailq -d ALL --state hold,failed
is 'a person says no' "$(lie) $(cat "$S/done")" '1n2c3h4f7n 0'
ok 'how many' grep -q 'that is for 2 messages' "$S/screen"
type_into y mailq -d ALL --state hold,failed
is 'a person says yes' "$(lie)" 1n2c7n
type_into '' mailq -y -d ALL --state deferred
is '-y' "$(lie)" 1n7n
type_into '' mailq -d ${A}1
is 'nobody is asked about one' "$(lie)" 7n
fill
sed -i 's/^size .*/size 000000000010/; /^$/,$d' "$QUEUE/new/${A}1"
printf '\n\033]0;evil\007x' >>"$QUEUE/new/${A}1"
truncate -s +2 "$QUEUE/new/${A}1"
type_into '' "mailq -c ${A}1 | od -c | head -1; script -qec 'mailq -c ${A}1' /dev/null | od -An -c"
unlike 'a message on a terminal is harmless' "$(tail -n +2 "$S/screen")" '033'

# Somebody else has it
fill
lock_message "$QUEUE/cur/${A}2"
try mailq -d ${A}2 ${A}1
is 'one that is being delivered' "$rc $(lie)" '75 2c3h4f7n'
like '  is said' "$(cat "$S/err")" "^mailq: ${A}2: being delivered now; not deleted"
(eventually 20 test -e "$S/waiting"; unlock_message) &
{ : >"$S/waiting"; mailq -h ${A}2; } 2>/dev/null
unlock_message
eventually 5 mailq -h ${A}2 2>/dev/null
is '  is had when it is through' "$(lie)" 2h3h4f7n

# A flusher: what is released and retried goes at once
config "relay.url=smtp://127.0.0.1:$SINK_PORT" queue.retry=1h
empty_queue
post() { # STATE: whose ID is $id
	sendmail -odq -f "${2-s@x.example}" "$1@x.example" <<<"$1"
	id=$(ls "$QUEUE/new")
	mv "$QUEUE/new/$id" "$QUEUE/$1/"
}
post failed ''
D=$id
printf '@%d 0 5.1.1 unknown user\n@%d 0 told null sender\n' "$now" "$now" >>"$QUEUE/failed/$id"
post cur
C=$id
touch -d @$((now + 5000)) "$QUEUE/cur/$C"
post hold
H=$id
config "relay.url=smtp://127.0.0.1:$SINK_PORT" queue.retry=1h
mailq -H "$H" 2>/dev/null
ok 'what is released is delivered' sink_wait 1
like '  that one' "$(cat "$SINK/0001.env")" 'rcpt <hold@'
lingers() { test -S "$QUEUE/socket"; }
ok '  a flusher lingers' eventually 10 lingers
mailq -r "$C" 2>/dev/null
ok 'it hears that an attempt is due earlier' sink_wait 2
is '  the other one waits' "$(ls "$QUEUE/failed")" "$D"
mailq -r "$D" 2>/dev/null
ok 'what had failed goes again' sink_wait 3
ok '  and is gone' eventually 10 queue_is_empty
deaf "relay.url=smtp://127.0.0.1:$SINK_PORT"
post hold
mailq -r ALL 2>/dev/null
is 'hold stays, with ALL' "$(ls "$QUEUE/hold")" "$id"
try mailq -i "$id"
is '-i' "$rc $(sed 's/250.*/250/' "$S/out")" "0 $id 2.0.0 <hold@x.example> 250"
ok '  it is gone' queue_is_empty
while IFS='|' read -r address status said; do
	sendmail -odq -f '' "$address" <<<x
	id=$(mailq -j | jq -r .queue_id)
	try mailq -i "$id"
	is "-i $address" "$rc" "$status"
	like "  what is said" "$(cat "$S/out")" "^$id $said"
	mailq -d ALL 2>/dev/null
done <<'END'
fine@x.example|0|2.0.0 <fine@x.example> 250
later@x.example|75|4.2.1 <later@x.example> .*450 4.2.1 later
nobody@x.example|67|5.1.1 <nobody@x.example> .*550 5.1.1
END

# Steering in a loop while a flusher drains: each is delivered once, or deleted, or there
N=200
rm -f "$SINK"/*.e??
config "relay.url=smtp://127.0.0.1:$SINK_PORT" queue.retry=1s
mailq -y -d ALL 2>/dev/null
for ((i = 0; i < N; i++)); do sendmail -odq -f s@x.example "r$i@x.example" <<<"$i"; done
mailq -j | jq -r '"\(.queue_id) \(.recipients[0].address)"' >"$S/posted"
is 'all are there' "$(wc -l <"$S/posted")" $N
(
	: >"$S/deleted"
	for ((round = 0; round < 12; round++)); do
		mailq -h ALL --recipient 'r*[05]@*' 2>/dev/null
		mailq -H ALL 2>/dev/null
		mailq -r ALL --recipient 'r*[13]@*' 2>/dev/null
		mailq -v -d ALL --recipient 'r*7@*' 2>/dev/null | sed -n 's/: deleted$//p' >>"$S/deleted"
	done
) &
steering=$!
sendmail -q
wait $steering
mailq -H ALL 2>/dev/null
ok 'all of it drains' eventually 60 queue_is_empty
sed -n 's/^rcpt <\(.*\)>.*/\1/p' "$SINK"/*.env | sort >"$S/got"
is 'none comes twice' "$(uniq -d "$S/got")" ''
grep -F -f "$S/deleted" "$S/posted" | cut -d' ' -f2 | sort >"$S/gone"
is 'none is delivered and deleted' "$(comm -12 "$S/got" "$S/gone")" ''
is 'none is lost' "$(sort "$S/got" "$S/gone" | wc -l)" $N

ok 'no violations' sink_content
done_testing
