#!/bin/bash
# SPDX-License-Identifier: ISC
#
# From the spool to a server: what arrives, over which connection, and what is left behind.
. "${0%/*}/lib.sh"
scratch
sink_start
config "relay.url=smtp://127.0.0.1:$SINK_PORT" queue.retry=1s

message='Subject: test

line one
.dots
..
last'
post() { sendmail -i -f s@x.example "$@" <<<"$message"; }

# In the background by itself.
try post r@x.example
is "posted, silently" "$rc$(cat "$S/out" "$S/err")" 0
ok "delivered without being asked" sink_wait 1
ok "and gone from the queue" eventually 5 queue_is_empty
like "the envelope" "$(cat "$SINK"/0001.env)" 'mail <s@x.example>.*rcpt <r@x.example>'
tail -c 42 "$SINK/0001.eml" >"$S/got"
printf '\r\nline one\r\n.dots\r\n..\r\nlast\r\n' >"$S/wanted"
tail -c "$(wc -c <"$S/wanted")" "$SINK/0001.eml" >"$S/got"
same_file "the body, dots and all" "$S/got" "$S/wanted"
like "the log has Postfix's lines" "$(cat "$S/log")" \
	"pillarbox/sendmail\[[0-9]+\]: [0-9A-Z]{12}: uid=[0-9]+ from=<s@x.example>"
like "message-id" "$(cat "$S/log")" "pillarbox/sendmail\[[0-9]+\]: [0-9A-Z]{12}: message-id=<[^>]+@client.example>"
like "queue active" "$(cat "$S/log")" \
	"pillarbox/flush\[[0-9]+\]: [0-9A-Z]{12}: from=<s@x.example>, size=[0-9]+, nrcpt=1 \(queue active\)"
like "sent" "$(cat "$S/log")" \
	"pillarbox/smtp\[[0-9]+\]: [0-9A-Z]{12}: to=<r@x.example>, relay=127.0.0.1\[127.0.0.1\]:$SINK_PORT, delay=[0-9.]+, delays=[0-9.]+/[0-9.]+/[0-9.]+/[0-9.]+, .*dsn=2.0.0, status=sent \(250 "
like "removed" "$(cat "$S/log")" "pillarbox/flush\[[0-9]+\]: [0-9A-Z]{12}: removed"

# Nobody there: queued, exit 0, and the reason is in mailq.
sink_stop
try post later@x.example
is "the relay is down: exit 0" "$rc$(cat "$S/out" "$S/err")" 0
reason() { [[ $(mailq) =~ "connect to 127.0.0.1[127.0.0.1]:$SINK_PORT: Connection refused" ]]; }
ok "the reason is in mailq" eventually 10 reason
like "and in the log" "$(cat "$S/log")" 'status=deferred \(connect to .*: Connection refused\)'
try post second@x.example
sink_start -p "$SINK_PORT"
ok "-q delivers everything" sendmail -q
is "both are there when it returns" "$(messages)" 3
ok "the queue is empty" queue_is_empty

# By itself, when the time has come.
sink_stop
post alone@x.example
ok "deferred again" eventually 10 reason
sink_start -p "$SINK_PORT"
ok "tried again without being asked" sink_wait 4 30

# Several recipients: one transaction, each with a fate of its own.
sink_stop
sink_start -p "$SINK_PORT" -r 'rcpt no@* reply 550 5.1.1 no such user' -r 'rcpt later@* reply 451 4.2.1 later'
config "relay.url=smtp://127.0.0.1:$SINK_PORT"
rm -rf "$SINK"/0*
sendmail -i -f s@x.example yes@x.example no@x.example later@x.example <<<"$message"
ok "the good one and the bounce arrive" sink_wait 2
like "one message for the good one" "$(cat "$SINK"/*.env)" 'rcpt <yes@x.example>'
like "the bounce goes to the sender" "$(cat "$SINK"/*.env)" 'mail <>[^<]*rcpt <s@x.example>'
like "the other waits, with the server's words" "$(mailq)" '451 4.2.1 later.*later@x.example'
unlike "alone" "$(mailq)" 'yes@x.example|no@x.example'

# Pipelining and one connection for many.
sink_stop
config "relay.url=smtp://127.0.0.1:$SINK_PORT" queue.deliver=queue
for i in {1..20}; do post "r$i@x.example"; done
rm -rf "$SINK"/*
sink_start -p "$SINK_PORT"
ok "twenty messages" sendmail -q
is "arrived" "$(grep -l 'rcpt <r' "$SINK"/*.env | wc -l)" 20
ok "over few connections" test "$(cat "$SINK/connections")" -le 5
ok "the sink has nothing to complain of" sink_content

# A host without a name of its own says where it comes from (RFC 5321 4.1.1.1). A spool each time: a flusher
# that still lingers over another one has the settings of that.
for at in 127.0.0.1 ::1; do
	sink_stop
	rm -rf "$SINK"/*
	[ $at = ::1 ] && six=-6 literal='[IPv6:::1]' host='[::1]' || six=-4 literal="[$at]" host=$at
	sink_start $six
	mkdir -m 1777 "$S/spool$six"
	config "relay.url=smtp://$host:$SINK_PORT" mail.hostname=short "queue.dir=$S/spool$six"
	post short@x.example
	ok "a host called short, by way of $at" sink_wait 1
	is "  says" "$(sed -n 's/^helo //p' "$SINK/0001.env")" "$literal"
done

done_testing
