#!/bin/bash
# SPDX-License-Identifier: ISC
#
# More recipients, or messages, than a server takes at once: what it said of that in LIMITS, or says
# to RCPT.
. "${0%/*}/lib.sh"
need_root
scratch

# start [SINK OPTIONS]: an empty spool and a sink
start() {
	[ -z "$sink_pid" ] || sink_stop
	eventually 5 nobody
	rm -rf "$SINK" "$S"/spool/*/{new,cur,failed}/* "$S/log"
	sink_start "$@"
	config "relay.url=smtp://127.0.0.1:$SINK_PORT" queue.deliver=queue queue.retry=1h
}
nobody() { for p in $(running flush); do kill "$p" 2>/dev/null; done; [ -z "$(running flush)" ]; }
post() { sendmail -i -f s@x.example "$@" <<<'hello'; }
rcpts() { cat "$SINK"/*.env | grep '^rcpt' | sort | uniq -c | awk '$1 == 1' | wc -l; }
mails() { grep -c ' MAIL FROM' "$SINK/commands.log"; }
connections() { cat "$SINK/connections"; }

start -L 'RCPTMAX=3'
post r{1..10}@x.example
ok "ten recipients, three at once" timeout 20 sendmail -q
is "each gets it once" "$(rcpts)" 10
is "by four transactions" "$(mails)/$(messages)" 4/4
is "of one session" "$(connections)" 1
ok "the queue is empty" queue_is_empty
ok "nothing to complain of" sink_content

start -L 'RCPTDOMAINMAX=2' -o CHUNKING
post {a,b}@{x,y,z,w}.example
ok "four domains, two at once" timeout 20 sendmail -q
is "each gets it once" "$(rcpts)" 8
is "by two transactions" "$(mails)/$(messages)" 2/2
ok "nothing to complain of" sink_content

for chunking in '-x PIPELINING' '-o CHUNKING'; do
	# shellcheck disable=SC2086 # an option and its argument
	start -L 'MAILMAX=2' $chunking
	for i in {1..7}; do post "r$i@x.example"; done
	ok "seven messages, two a session ($chunking)" timeout 20 sendmail -q
	is "arrive" "$(rcpts)" 7
	ok "by four sessions or more" test "$(connections)" -ge 4
	ok "the queue is empty" queue_is_empty
	ok "nothing to complain of" sink_content
done

# Told only when it is too late: those turned away go next, in the same session.
start -r 'count 4-6 rcpt reply 452 4.5.3 too many' -o CHUNKING
post r{1..6}@x.example
ok "six recipients, 452 to three of them" timeout 20 sendmail -q
is "each gets it once" "$(rcpts)" 6
is "by two transactions of one session" "$(mails)/$(connections)" 2/1
unlike "nobody was deferred" "$(cat "$S/log")" status=deferred

# And 552, of old; together with one that fails.
start -r 'rcpt r2@* reply 550 5.1.1 no such user' -r 'count 3-4 rcpt reply 552 too many'
post r{1..4}@x.example
ok "552" timeout 20 sendmail -q
arrive() { [ "$(grep -l '^rcpt <r[134]@' "$SINK"/*.env | wc -l)" -eq 2 ]; }
ok "two transactions" eventually 10 arrive
bounced() { grep -q 'rcpt <s@x.example>' "$SINK"/*.env; }
ok "and the bounce of the one that failed" eventually 10 bounced

# Of very many, jobs that are open at the same time hold their own only: smtp stays small.
most=65536
! sanitized || most=1048576
start -o CHUNKING -r 'count 9- dot stall'
perl -e 'my $d = join ".", ("d" x 60) x 3; for my $f (0 .. 79) {
	print "Bcc: ", join(",\n ", map { "r$f-$_\@$d.example" } 1 .. 500), "\n" } print "\nhello\n"' >"$S/many"
ok "a message to 40,000" sendmail -t -i -f s@x.example <"$S/many"
sendmail -q 2>/dev/null &
hang() { [ "$(grep -c ' BDAT' "$SINK/commands.log" 2>/dev/null)" -ge 13 ]; }
ok "eight parts arrive, five others hang" eventually 30 hang
kilobytes=$(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$(running smtp)/status")
ok "in little memory: $kilobytes KB" test "$kilobytes" -lt "$most"
# The rest of it is not for the next server.
sink_stop
eventually 20 sweep TERM
rm -r "$S"/spool/*

# A server that means it for good: no endless loop, and nobody is lost.
start -r 'each 3- rcpt reply 452 4.5.3 too many'
post r{1..5}@x.example
ok "452 for ever" timeout 20 sendmail -q
is "two got it" "$(rcpts)" 2
is "the others wait" "$(mailq | grep -c 'r[345]@x.example')" 3
ok "it was asked twice" test "$(mails)" -le 3
done_testing
