#!/bin/bash
# SPDX-License-Identifier: ISC
#
# Injectors against flushers that come and go, and flushers and smtp that are killed: what was
# accepted arrives, whole, without anybody asking twice.
. "${0%/*}/lib.sh"
need_root
need pgrep
scratch
sink_start
config "relay.url=smtp://127.0.0.1:$SINK_PORT" queue.retry=1s queue.linger=0s

# post FROM TO: numbered messages, one after the other.
post() {
	local i
	for ((i = $1; i < $2; i++)); do
		sendmail -f s@x.example "r$i@x.example" <<<"number $i and its last line" || echo "$i" >>"$S/refused"
	done
}
recipients() { sed -n 's/^rcpt <\([^>]*\)>.*/\1/p' "$SINK"/*.env 2>/dev/null; }
all() { [ "$(recipients | sort -u | wc -l)" -ge "$1" ]; }

# Each post comes while the flusher of the last is leaving: no poke may be lost.
post 0 100 & post 100 200 & post 200 300 & post 300 400 &
wait %2 %3 %4 %5
ok "400 posts arrive without a queue run" eventually 30 all 400
is "each once" "$(recipients | wc -l)" 400
ok "the queue is empty" eventually 5 queue_is_empty
is "none was refused" "$(cat "$S/refused" 2>/dev/null)" ""

config "relay.url=smtp://127.0.0.1:$SINK_PORT" queue.retry=1s

# The flusher or smtp is killed again and again while messages flow.
rm -f "$SINK"/*.env "$SINK"/*.eml
post 0 150 & a=$!
post 150 300 & b=$!
kills=0
while kill -0 $a 2>/dev/null || kill -0 $b 2>/dev/null; do
	for p in $(running flush) $(running smtp); do
		kill -9 "$p" 2>/dev/null && kills=$((kills + 1))
	done
	sleep 0.05
done
wait $a $b
diag "$kills kills"
ok "something was killed" test "$kills" -ge 2
drained() { sendmail -q 2>/dev/null; queue_is_empty; }
ok "the queue drains" eventually 60 drained
is "all arrived" "$(recipients | sort -u | wc -l)" 300
whole() { local f; for f in "$SINK"/*.eml; do [ "$(tail -n 1 "$f" | grep -c 'and its last line')" = 1 ] || return 1; done; }
ok "none in part" whole
diag "$(($(recipients | wc -l) - 300)) arrived twice"

# Injectors that are killed: queued whole or not at all.
config "relay.url=smtp://127.0.0.1:$SINK_PORT" queue.deliver=queue
rm -f "$SINK"/*.env "$SINK"/*.eml
head -c 200000 /dev/zero | tr '\0' a | fold >"$S/text"
echo 'the last line' >>"$S/text"
for i in {1..60}; do
	sendmail -f s@x.example "k$i@x.example" <"$S/text" 2>/dev/null & p=$!
	sleep "0.000$((i * 13 % 90 + 10))"
	kill -9 $p 2>/dev/null
	{ wait $p; } 2>/dev/null && echo "k$i@x.example" >>"$S/accepted"
done 2>/dev/null
touch "$S/accepted"
sendmail -q
is "what was accepted arrived" "$(recipients | sort | comm -13 - <(sort "$S/accepted"))" ""
whole() { local f; for f in "$SINK"/*.eml; do [ ! -e "$f" ] || tail -n 1 "$f" | grep -q 'the last line' || return 1; done; }
ok "and nothing in part" whole
diag "$(wc -l <"$S/accepted") of 60 were accepted, $(recipients | wc -l) arrived"
ok "the sink has nothing to complain of" sink_content

# A file that is removed under the flusher's hands does not keep it.
sink_stop
sink_start -r 'rcpt slow@* delay 1s; reply 450 4.2.0 later'
config "relay.url=smtp://127.0.0.1:$SINK_PORT" "queue.dir=$S/spool2"
mkdir -m 1777 "$S/spool2"
sendmail -f s@x.example slow@x.example <<<text
active() { mailq | grep -q '^[0-9A-Z]*\*'; }
ok "a message is under way" eventually 10 active
find "$S/spool2" -path '*/new/*' -type f -delete
taken_out() { grep -q 'somebody took it out' "$S/log"; }
ok "that it was removed is said" eventually 10 taken_out
ok "a queue run ends" timeout 20 sendmail -q
ok "the queue is empty then" queue_is_empty
done_testing
