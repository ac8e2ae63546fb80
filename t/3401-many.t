#!/bin/bash
# SPDX-License-Identifier: ISC
#
# Many messages at once: connections to one server, as it bears them.
. "${0%/*}/lib.sh"
need_root
scratch

post() { for ((i = 0; i < $1; i++)); do sendmail -i -f s@x.example "$2" <<<"hello $i"; done; }
# fresh RULE...: an empty spool and a sink with these rules.
fresh() {
	local rule rules=()
	for rule; do rules+=(-r "$rule"); done
	[ -z "$sink_pid" ] || sink_stop
	eventually 5 nobody
	rm -rf "$SINK" "$S"/spool/*/{new,cur}/* "$S/log"
	sink_start "${rules[@]}"
}
nobody() { for p in $(running flush); do kill "$p" 2>/dev/null; done; [ -z "$(running flush)" ]; }
to_sink() { config "relay.url=smtp://127.0.0.1:$SINK_PORT" queue.deliver=queue queue.retry=1h "$@"; }
# The numbers of messages that each connection brought, biggest first; and the connections.
shares() { cat "$SINK"/*.env | grep '^conn ' | sort | uniq -c | awk '{print $1}' | sort -rn | xargs; }
connections() { cat "$SINK/connections"; }

fresh
to_sink smtp.messages_per_connection=4 smtp.connections=1
post 10 r@x.example
sendmail -q
is "a connection takes its number of messages" "$(shares)" "4 4 2"

fresh
to_sink smtp.messages_per_connection=4 smtp.connections=1 'relay.work.from=s@x.example' \
	"relay.work.url=smtp://127.0.0.1:$SINK_PORT" relay.work.messages_per_connection=5
post 10 r@x.example
sendmail -q
is "a relay may have a number of its own" "$(shares)" "5 5"

# The server takes its time, so that more connections are wanted; it bears two.
fresh 'conn 3- greeting reply 421 4.7.0 too many connections; close' 'dot delay 60ms'
to_sink
post 40 r@x.example
sendmail -q
is "all arrive although further connections are refused" "$(messages)" 40
like "two carried on" "$(shares)" '^[0-9]+ [0-9]+$'
like "and as many as come at once were tried, once" "$(connections)" '^[345]$'
unlike "nobody was deferred" "$(cat "$S/log")" 'status=deferred'

# One is busy, another may ride behind it: the rest have a connection each.
fresh 'dot delay 300ms'
to_sink
post 3 r@x.example
sendmail -q
like "no more connections than messages that wait" "$(connections)" '^[23]$'

fresh 'dot delay 60ms'
to_sink smtp.connections=3
post 40 r@x.example
sendmail -q
is "no more connections than allowed" "$(connections)" 3

# No message is answered: how many there are does not depend on what was accepted.
fresh 'dot stall'
to_sink smtp.connections=12
post 200 r@x.example
sendmail -q >"$S/said" 2>&1 &
all_open() { [ "$(connections 2>/dev/null)" = 12 ]; }
ok "once the first connection works, all that may be are opened" eventually 10 all_open
handed_over() { [ "$(grep -c 'queue active' "$S/log")" = 192 ]; }
ok "with messages for twice what all of them may have under way" eventually 10 handed_over

# All five connections are open, and then there is too much of it.
fresh 'dot delay 60ms' 'count 30 rcpt reply 450 4.7.1 rate limited'
to_sink
post 80 r@x.example
sendmail -q
is "one waits for its next attempt" "$(messages)" 79
is "and three of five connections end long before the others" \
	"$(awk '/ MAIL / {mail++} / QUIT/ && mail < 70 {n++} END {print n}' "$SINK/commands.log")" 3

# The seventh may be begun two seconds after the first at the earliest.
fresh
to_sink smtp.rate=3/1s
post 8 r@x.example
began=${EPOCHREALTIME/./}
ok "a rate defers nobody" timeout 60 sendmail -q
ok "it is kept" test $((${EPOCHREALTIME/./} - began)) -ge 2000000
is "all arrive" "$(messages)" 8
unlike "nobody had to be tried again" "$(cat "$S/log")" 'status=deferred'
is "the log says so once" "$(grep -c 'relay: the rate of 3/1s is reached' "$S/log")" 1

# What was sent is remembered although smtp is let go, and the flusher has nothing to do.
fresh
to_sink smtp.rate=2/1h
post 2 r@x.example
sendmail -q
post 1 r@x.example
timeout 2 sendmail -q
is "the rate holds for what comes later" "$? $(messages)" "124 2"
like "it waits without an attempt" "$(mailq)" 'r@x.example'
unlike "and is not deferred" "$(cat "$S/log")" 'status=deferred'

# A relay that is down: each step of the backoff costs one attempt, whatever waits.
fresh 'connect close'
to_sink
post 200 r@x.example
sendmail -q
is "200 messages for a dead relay: one attempt" "$(connections)" 1
is "each is told why" "$(grep -c 'status=deferred' "$S/log")" 200
sendmail -q
is "the next attempt is one, too" "$(connections)" 2

ok "the sink has nothing to complain of" sink_content
done_testing
