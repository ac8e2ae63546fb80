#!/bin/bash
# SPDX-License-Identifier: ISC
#
# A large message in constant memory, and many over one connection.
. "${0%/*}/lib.sh"
scratch
need time
sink_start
config "relay.url=smtp://127.0.0.1:$SINK_PORT" queue.deliver=queue smtp.connections=1

# 100 MB of lines, some of them with dots in front.
line=$(printf 'abcdefghij%.0s' {1..7})
{ printf 'Subject: large\nTo: r@x.example\n\n'; yes "$line
.$line" | head -c 104857600; echo; } >"$S/large"
command time -f %M -o "$S/rss" sendmail -i -f s@x.example r@x.example <"$S/large"
is "100 MB are queued" $? 0
if [ "$B" = "${B%san}" ]; then
	ok "in less than 2.5 MB of memory ($(tail -1 "$S/rss") kB)" test "$(tail -1 "$S/rss")" -lt 2560
fi
ok "and delivered" sendmail -q
ok "arrived" sink_wait 1 60
sed '1,/^$/d' "$S/large" | sed 's/$/\r/' >"$S/wanted"
sed '1,/^\r$/d' "$SINK/0001.eml" >"$S/got"
same_file "octet for octet" "$S/got" "$S/wanted"
rm -f "$S/large" "$S/wanted" "$S/got" "$SINK"/0001.*

for ((i = 0; i < 1000; i++)); do
	sendmail -f s@x.example "r$i@x.example" <<<"number $i"
done
before=$(cat "$SINK/connections")
ok "1,000 messages" sendmail -q
is "all arrived" "$(messages)" 1000
is "each once" "$(cat "$SINK"/*.env | grep '^rcpt' | sort -u | wc -l)" 1000
ok "over one connection" test "$(($(cat "$SINK/connections") - before))" -le 1
ok "the queue is empty" queue_is_empty
ok "the sink has nothing to complain of" sink_content
done_testing
