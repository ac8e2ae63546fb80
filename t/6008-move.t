#!/bin/bash
# SPDX-License-Identifier: ISC
# mailq --export and --import: spool files to another machine and back, a Maildir, hostile files; killed
# before each system call.
. "${0%/*}/lib.sh"
. "$T/crash.sh"
scratch
need jq
# shellcheck source=t/queue.sh
. "$T/queue.sh"
sink_start
config queue.deliver=queue "relay.url=smtp://127.0.0.1:$SINK_PORT" queue.linger=0
# As root each owner has a part of it.
part() { [ "$(id -u)" = 0 ] && echo "$1/$(id -u)" || echo "$1"; }
D=$S/box P=$(part "$S/box")
now=$(date +%s)
A=1N5X24Q8R00
fill() {
	empty_queue
	rm -rf "$D" "$S/log"
	message new ${A}1 $((now - 30)) 10 alice@example.org bob@example.net </dev/null
	message cur ${A}2 $((now - 7200)) 10 carol@example.org bob@example.net <<<"@$((now - 7100)) 0 4.4.1 connect: timed out"
	touch -d @$((now + 5000)) "$QUEUE/cur/${A}2"
	message hold ${A}3 $((now - 90)) 10 alice@example.org eve@example.net </dev/null
	message failed ${A}4 $((now - 600)) 10 '' eve@example.net <<<"@$((now - 4)) 0 5.1.1 unknown user"
}
where() { (cd "$1" && find . -type f | grep "/$A" | sort | tr '\n' ' '); }
sums() { (cd "$1" && find . -type f | grep "/$A" | xargs sha256sum | sed 's: .*/: :' | sort); }

fill
before=$(where "$QUEUE") contents=$(sums "$QUEUE")
refuses 64 mailq --export "$D"
try mailq --dry-run --export "$D" ALL
is 'a dry run' "$rc $(where "$QUEUE")" "0 $before"
try mailq --export "$D" ALL </dev/null
is 'all is exported' "$rc $(cat "$S/err")" '0 mailq: Exported: 4 messages'
is '  nothing is left' "$(where "$QUEUE")" ''
is '  where it is' "$(where "$P")" "./${A}1 ./${A}2 ./failed/${A}4 ./hold/${A}3 "
is '  as it was' "$(sums "$P")" "$contents"
is '  with its time' "$(stat -c %Y "$P/${A}2")" $((now + 5000))
like '  the log' "$(cat "$S/log")" "${A}1: exported to $D by uid $(id -u)"
try mailq --import "$D"
is 'all is imported' "$rc $(cat "$S/err")" '0 mailq: Imported: 4 messages'
is '  where it was' "$(where "$QUEUE")" "$before"
is '  as it was' "$(sums "$QUEUE")" "$contents"
is '  with its time' "$(stat -c %Y "$QUEUE/cur/${A}2")" $((now + 5000))
is '  nothing is left' "$(where "$P")" ''

# A part of it: OPTIONS|WHAT IS TAKEN
while IFS='|' read -r options taken; do
	fill
	mailq --export "$D" ALL </dev/null 2>/dev/null
	echo nonsense >"$P/${A}7"
	chmod 600 "$P/${A}7"
	there=$(where "$P")
	sum="$(wc -w <<<"$taken") message$([ "$(wc -w <<<"$taken")" = 1 ] || echo s)"
	# shellcheck disable=SC2086 # words
	try mailq --dry-run --import "$D" $options
	is "import $options, dry" "$rc $(grep -v refused: "$S/err")" "${taken:+0} mailq: Imported: $sum (dry run: nothing was done)"
	is '  says which' "$(sed "s/^$A\(.\): would be imported from .*/\1/" "$S/out" | sort | xargs)" "$taken"
	is '  and does nothing' "$(where "$P")$(where "$QUEUE")" "$there"
	# shellcheck disable=SC2086 # words
	mailq --import "$D" $options 2>/dev/null
	is '  and so it is' "$(where "$QUEUE" | tr ' ' '\n' | sed 's/.*\(.\)$/\1/' | sort | xargs)" "$taken"
done <<END
${A}1 ${A}4|1 4
--sender alice@*|1 3
--recipient eve@example.net|3 4
--destination example.net --older 1h|2
--state incoming|1
--state deferred,failed|2 4
--state hold|3
--reason timed|2
END
refuses 68 mailq --import "$D" ${A}9

# An ID that is taken
fill
mailq --export "$D" ${A}3 2>/dev/null
message cur ${A}3 $((now - 10)) 10 other@example.org x@example.net </dev/null
mailq --import "$D" 2>/dev/null
is 'an ID that is taken: both are there' "$(mailq -j | jq -r .sender | sort | tr '\n' ' ')" 'MAILER-DAEMON alice@example.org alice@example.org carol@example.org other@example.org '
is '  whole' "$(mailq -j --state damaged)" ''

# Hostile files
fill
mailq --export "$D" ${A}3 2>/dev/null
echo nonsense >"$P/${A}5"
ln -s "$P/hold/${A}3" "$P/${A}6"
mkfifo "$P/${A}7"
cp "$P/hold/${A}3" "$P/${A}8" # the name is not the ID inside
cp "$QUEUE/cur/${A}2" "$P/${A}2"
ln "$P/${A}2" "$P/linked"
chmod 600 "$P/${A}"[578]
try mailq --import "$D"
is 'hostile files are refused' "$rc $(grep -c 'refused:' "$S/err")" '65 5'
is '  and stay' "$(ls "$P" | grep -c "^$A")" 5
is '  what is good is taken' "$(where "$QUEUE")" "$before"

# A Maildir
fill
mkdir -m 700 "$S/Maildir" "$S/Maildir"/{cur,new,tmp}
empty_queue
sendmail -odq -f s@x.example a@x.example b@x.example <<<$'Subject: hello\n\nbody'
try mailq --export "$S/Maildir" ALL </dev/null
is 'into a Maildir' "$rc $(ls "$S/Maildir/new" | wc -l) $(ls "$S/Maildir/tmp" | wc -l)" '0 1 0'
is '  with its envelope' "$(head -n 3 "$S/Maildir/new"/*)" $'Return-Path: <s@x.example>\nX-Envelope-To: <a@x.example>\nX-Envelope-To: <b@x.example>'
ok '  and no CR' test "$(grep -c $'\r' "$S/Maildir/new"/*)" = 0
is '  the last line' "$(tail -n 1 "$S/Maildir/new"/*)" body
ok '  it has left the queue' queue_is_empty

# A place that cannot be written to: all stays
fill
touch "$S/file"
try mailq --export "$S/file/x" ALL </dev/null
is 'no place' "$([ "$rc" -ne 0 ] && where "$QUEUE")" "$before"

# Killed before each call, and done again: it is in one place, whole
empty_queue
sendmail -odq -f s@x.example r@x.example <<<hello
id=$(ls "$QUEUE/new")
cp -p "$QUEUE/new/$id" "$S/original"
again() { # NAME COMMAND...: from the state that "reset" makes; "placed" holds afterwards
	local n status wrong=''
	for ((n = 1, status = 137; status == 137 && n < 3000; n++)); do
		reset
		steps -a -n "$n" "$B/bin/mailq" "${@:2}" </dev/null >/dev/null 2>&1
		status=$?
		"$B/bin/mailq" "${@:2}" </dev/null >/dev/null 2>&1
		placed || wrong+=" $n"
	done
	is "$1: killed at $n calls, and done again" "$status$wrong" 0
	ok '  there was something to kill' test "$n" -gt 10
}
count() { find "$D" "$QUEUE" -type f -name "$id" ! -path "*/tmp/$id" | wc -l; }
reset() { rm -rf "$D"; empty_queue; cp -p "$S/original" "$QUEUE/new/$id"; }
placed() { [ "$(count)" = 1 ] && { cmp -s "$P/$id" "$S/original" || cmp -s "$P/hold/$id" "$S/original"; }; }
again export --export "$D" "$id"
reset() { empty_queue; rm -rf "$D"; mkdir -m 700 -p "$P"; cp -p "$S/original" "$P/$id"; }
placed() { [ "$(count)" = 1 ] && { cmp -s "$QUEUE/new/$id" "$S/original" || cmp -s "$QUEUE/hold/$id" "$S/original"; }; }
again import --import "$D"
mailq -H ALL 2>/dev/null
sendmail -q
ok 'it is delivered' sink_wait 1
ok '  once' queue_is_empty
ok 'no violations' sink_content
done_testing
