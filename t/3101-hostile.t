#!/bin/bash
# SPDX-License-Identifier: ISC
#
# Servers that break off, lie and babble: what becomes of the message. One row a case: what the
# sink does, and the fate: sent, stays (deferred, nothing lost), bounced.
. "${0%/*}/lib.sh"
scratch
long=$(printf 'x%.0s' {1..5000})

message='the body'
# fate FATE RULE [SINK OPTIONS]
fate() {
	local state got
	rm -rf "$SINK" "$S"/spool/*/{new,cur,failed}/* "$S/log"
	sink_start "${@:3}" -r "$2"
	config "relay.url=smtp://127.0.0.1:$SINK_PORT" queue.deliver=queue queue.first_retry=1h
	sendmail -i -f s@x.example r@x.example <<<"Subject: x

$message"
	timeout 20 sendmail -q
	state=$?
	eventually 5 attempted # a bounce, too
	if grep -qs 'rcpt <s@x.example>' "$SINK"/*.env "$S"/spool/*/{new,cur}/*; then got=bounced
	elif [ -n "$(find "$S"/spool/*/cur -type f)" ]; then got=stays
	elif arrived 1 && queue_is_empty; then got=sent
	else got=lost; fi
	is "$2: $1" "$state $got" "0 $1" || diag "$(cat "$S/log")"
	unlike "  and nothing crashed" "$(cat "$S/log")" 'smtp died|flusher of uid'
	sink_stop
	eventually 5 nobody || diag "a flusher is still there"
}
attempted() { [ -z "$(find "$S"/spool/*/new -type f)" ]; }
nobody() { for p in $(running flush); do kill "$p" 2>/dev/null; done; [ -z "$(running flush)" ]; }

for stage in connect greeting ehlo mail rcpt data body dot; do
	fate stays "$stage close"
	fate stays "$stage reset"
done
fate stays "dot drop"
fate sent "quit close"
fate stays "greeting reply 554 5.7.1 go away"
fate stays "greeting reply 421 4.3.2 busy"
fate stays "ehlo reply 421 4.3.2 busy"
fate stays "ehlo reply 554 5.7.1 go away" -r "helo reply 554 5.7.1 go away"
fate stays "ehlo reply 500 5.5.1 what" -r "helo reply 421 4.3.2 busy"
fate sent "ehlo reply 554 5.7.1 not by that name"
for stage in mail rcpt data dot; do
	fate bounced "count 1 $stage reply 550 5.7.1 no"
	fate stays "count 1 $stage reply 451 4.3.0 later"
	fate stays "count 1 $stage reply 421 4.3.2 closing"
	fate stays "count 1 $stage raw \"hello\\r\\n\""
	fate stays "count 1 $stage raw \"25 x\\r\\n\""
	fate stays "count 1 $stage raw \"250-a\\r\\n550 b\\r\\n\""
	fate stays "count 1 $stage raw \"2\\0 x\\r\\n\""
	fate stays "count 1 $stage raw \"250 $long\\r\\n\""
done
fate stays "rcpt reply 452 4.5.3 too many"
fate stays "rcpt reply 552 5.2.2 full"
fate stays "greeting repeat 2000 \"220-x\\r\\n\""
fate stays "ehlo repeat 2000 \"250-x\\r\\n\""
fate stays "greeting raw \"250 hm\\r\\n\""
fate sent "ehlo reply 502 5.5.1 what"
fate sent "greeting raw \"220-a\\r\\n220-b\\r\\n220 c\\r\\n\""
fate sent "mail dribble 10ms; reply 250 2.1.0 ok"
fate sent "rcpt reply 251 2.1.5 will forward"
text=$(printf 'all work and no play %.0s' {1..40})
message=$(printf "$text\n%.0s" {1..5000})
fate stays "after 100000 body reply 250 2.0.0 already"
fate stays "after 100000 body close"
fate bounced "after 100000 body reply 552 5.3.4 too much"
message='the body'
fate stays "data reply 250 2.0.0 ok"
fate stays "starttls inject \"250 injected\\r\\n\"" -t
fate stays "starttls reply 421 4.7.0 no" -t
fate sent "starttls reply 454 4.7.0 not now" -t
fate sent "tls close" -t
fate bounced "rcpt r@* reply 550 5.1.1 \\x1b[2J\\x07 \\xff evil"
unlike "  no control octets in log or bounce" "$(cat "$S/log" "$SINK"/*.eml | tr -d '\n\r\t')" $'[\x01-\x08\x0e-\x1f\x7f]'
done_testing
