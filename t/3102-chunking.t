#!/bin/bash
# SPDX-License-Identifier: ISC
#
# CHUNKING: messages in one flight, one behind the other; and what becomes of those under way when
# something goes wrong.
. "${0%/*}/lib.sh"
need_root
scratch

doubt=8 # SMTP_IN_DOUBT: so many may arrive twice
post() { sendmail -i -f "$1" "${@:2}"; }
body() { printf 'Subject: %s\n\n.dot\n..\n%s\n.\nend\n' "$1" "$1"; }

# start [SINK OPTIONS]: an empty spool, and a sink with CHUNKING
start() {
	[ -z "$sink_pid" ] || sink_stop
	eventually 5 nobody
	rm -rf "$SINK" "$S"/spool/*/{new,cur,failed}/* "$S/log"
	sink_start -o CHUNKING "$@"
	config "relay.url=smtp://127.0.0.1:$SINK_PORT" queue.deliver=queue queue.retry=1h "${settings[@]}"
}
settings=()
nobody() { for p in $(running flush); do kill "$p" 2>/dev/null; done; [ -z "$(running flush)" ]; }
said() { grep -cE "$1" "$SINK/commands.log"; }
queue() { for ((i = 1; i <= $1; i++)); do body "number $i" | post s@x.example "r$i@x.example"; done; }
got() { grep -h '^rcpt' "$SINK"/*.env | sort -u | wc -l; }

start
queue 20
ok "twenty messages" timeout 20 sendmail -q
is "arrive" "$(messages)/$(got)" 20/20
is "by BDAT" "$(said ' BDAT ')/$(said ' DATA$')" 20/0
ok "one behind the other" test "$(said ' \+ RSET')" -ge 10
ok "over few connections" test "$(cat "$SINK/connections")" -le 5
printf '.dot\r\n..\r\nnumber 7\r\n.\r\nend\r\n' >"$S/wanted"
tail -c "$(wc -c <"$S/wanted")" "$(grep -l 'Subject: number 7' "$SINK"/*.eml)" >"$S/got"
same_file "octet for octet" "$S/got" "$S/wanted"
ok "the queue is empty" queue_is_empty
ok "the sink has nothing to complain of" sink_content

# The first reply is late: what the client sends before it, it sends without it.
start -r 'count 1 dot delay 1s'
queue 12
ok "a slow server" timeout 20 sendmail -q
is "twelve arrive" "$(messages)/$(got)" 12/12
ok "seven did not wait for the first one's reply" test "$(said '^1 \+ RSET')" -ge 7
ok "nothing to complain of" sink_content

settings=(smtp.chunking=no)
start
queue 2
ok "smtp.chunking = no" timeout 20 sendmail -q
is "by DATA" "$(messages)/$(said ' BDAT ')/$(said ' DATA$')" 2/0/2
settings=()

start -x PIPELINING
queue 3
ok "without PIPELINING" timeout 20 sendmail -q
is "three arrive, by BDAT" "$(messages)/$(said ' BDAT ')" 3/3
ok "in turn" sink_content

start -t
queue 10
ok "under TLS" timeout 20 sendmail -q
is "ten arrive, by BDAT" "$(messages)/$(said ' BDAT ')" 10/10
ok "and nothing to complain of" sink_content

# Large ones are not sent before it is known that anybody gets them.
start -r 'rcpt no@* reply 550 5.1.1 no such user'
{ body large; yes 'all work and no play' | head -n 140000; } >"$S/large"
post s@x.example no@x.example <"$S/large"
post s@x.example yes@x.example <"$S/large"
ok "large messages" timeout 20 sendmail -q
ok "one arrives, and the other's bounce" sink_wait 2
is "one was sent" "$(said ' BDAT 3[0-9]{6} ')" 1
large=$(grep -l 'rcpt <yes@' "$SINK"/*.env)
tr -d '\r' <"${large%.env}.eml" | tail -c 2900000 >"$S/got"
tail -c 2900000 "$S/large" >"$S/wanted"
same_file "whole" "$S/got" "$S/wanted"
like "the bounce" "$(cat "$SINK"/*.env)" 'mail <>[^<]*rcpt <s@x.example>'
ok "nothing to complain of" sink_content

# Some are refused; those around them are not.
start -r 'mail bad@* reply 550 5.7.1 not you' -r 'rcpt no@* reply 550 5.1.1 no such user'
for i in {1..4}; do
	body x | post s@x.example "r$i@x.example"
	body x | post bad@x.example "b$i@x.example"
	body x | post s@x.example no@x.example
	body x | post s@x.example no@x.example "q$i@x.example"
done
ok "refusals among others" timeout 20 sendmail -q
ok "nothing to complain of" sink_content
arrive() { [ "$(grep -lE 'rcpt <[rq].@' "$SINK"/*.env | wc -l)" -eq 8 ]; }
ok "the others arrive" eventually 10 arrive
start -r 'count 4 dot reply 554 5.7.1 not this' -r 'count 7 dot reply 452 4.3.1 full'
queue 12
ok "refused BDATs" timeout 20 sendmail -q
ok "nothing to complain of" sink_content
ok "ten arrive and a bounce" sink_wait 11
like "the bounce" "$(cat "$SINK"/*.env)" 'mail <>'
is "one waits" "$(mailq | grep -c '452 4.3.1 full')" 1

# The line drops, at each point: nothing is lost, and no more arrive twice than were in doubt.
for rule in 'count 3 '{mail,rcpt,dot}' '{close,reset} 'count 3 dot drop' 'count 3 rset '{close,reset} \
	'count 3 '{mail,rcpt,dot}' reply 421 4.3.2 enough; close' 'count 3 after 100 body '{close,reset}; do
	start -r "$rule"
	queue 12
	for n in 1 2 3; do timeout 20 sendmail -q; done
	ok "$rule: the queue is empty" queue_is_empty
	is "  all arrive" "$(got)" 12
	ok "  $(($(messages) - 12)) twice" test "$(messages)" -le $((12 + doubt))
	unlike "  nothing fails" "$(cat "$S/log")" 'status=bounced|died'
done

# A server that takes so many a session. What was on its way goes into the next one, at once.
settings=(smtp.connections=1)
for rule in 'each 4- mail reply 421 4.3.2 enough; close' 'each 4- mail close'; do
	start -r "$rule"
	queue 20
	ok "$rule: 20 messages" timeout 20 sendmail -q
	is "  arrive" "$(messages)/$(got)" 20/20
	unlike "  nobody was deferred" "$(cat "$S/log")" status=deferred
	ok "  nothing to complain of" sink_content
done
settings=()

# A server that offers what it does not know. The mail waits.
start -r 'dot reply 500 5.5.2 what'
queue 1
ok "BDAT not understood" timeout 20 sendmail -q
like "deferred" "$(cat "$S/log")" 'status=deferred .*500 5.5.2 what \(in reply to BDAT command\)'
unlike "not bounced" "$(cat "$S/log")" status=bounced
done_testing
