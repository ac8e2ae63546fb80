#!/bin/bash
# SPDX-License-Identifier: ISC
#
# A password that is refused: the mail waits, the server is not asked for each message, the log says so
# once, and the next attempt has the password anew, from a file or a command. And so with certificates.

. "${0%/*}/lib.sh"
need_root
need openssl
scratch

attempts() { grep -c ' AUTH ' "$SINK/commands.log"; }
warnings() { grep -c 'warning: cannot log in' "$S/log"; }
post() { sendmail -i -f s@x.example "$@" <<<'Subject: test'; }
flusher_gone() { [ -z "$(running flush)" ]; }
# A flusher that still lingers has the settings of before.
settings() {
	eventually 10 flusher_gone
	config "relay.url=smtps://joe@localhost:$SINK_PORT" "tls.ca_file=$SINK/cert.pem" "$@"
}

# A file: wrong, then mended by somebody, who says so.
sink_start -T -a joe:right
echo wrong >"$S/password"
chmod 600 "$S/password"
settings queue.deliver=queue "relay.password_file=$S/password"
for i in {1..20}; do post "r$i@x.example"; done
sendmail -q
is 'twenty messages, a wrong password: one attempt' "$(attempts)" 1
is 'one warning' "$(warnings)" 1
like 'it says what to do' "$(<"$S/log")" 'warning: cannot log in: host .* said: 535 .*; the mail waits; where user, password'
is 'all of them wait' "$(mailq | grep -c 'r[0-9]*@x.example')" 20
is 'none came back' "$(mailq | grep -c MAILER-DAEMON)" 0
is 'deferred, not failed' "$(grep -c 'dsn=4.7.8, status=deferred' "$S/log")" 20
sendmail -q
is 'asked for, another attempt' "$(attempts)" 2
is 'no other warning' "$(warnings)" 1
echo right >"$S/password"
ok 'mended: -q' sendmail -q
is 'delivers all' "$(messages)" 20
ok 'the queue is empty' queue_is_empty
unlike 'no password in the log' "$(<"$S/log")" 'wrong( |$)|right'
ok 'nothing to complain of' sink_content
sink_stop

# A command, whose token expires. It counts how often it is run.
rm -rf "$SINK" "$S/log"
printf '%s\n' '#!/bin/sh' "echo >>$S/runs" "echo token\$(wc -l <$S/runs)" >"$S/token"
chmod 700 "$S/token"
runs() { wc -l <"$S/runs"; }
sink_start -T -a joe:token2 -A XOAUTH2
settings queue.retry=1s "relay.password_command=$S/token"
post r1@x.example
ok 'an expired token: the mail goes when it was renewed, by itself' sink_wait 1 30
is 'by running the command again, once' "$(runs)" 2
is 'one attempt a token' "$(attempts)" 2
is 'one warning' "$(warnings)" 1
like 'a token, no password' "$(<"$SINK/commands.log")" 'AUTH XOAUTH2'
sink_stop

rm -rf "$SINK" "$S/runs"
sink_start -T -a joe:token1 -A XOAUTH2
settings queue.deliver=queue "relay.password_command=$S/token"
for i in {1..20}; do post "r$i@x.example"; done
ok 'twenty messages, a good token' sendmail -q
is 'all delivered' "$(messages)" 20
is 'the command ran once, not for each' "$(runs)" 1
ok 'nothing to complain of' sink_content
sink_stop

# Trouble of the server's own: later.
rm -rf "$SINK" "$S/log"
sink_start -T -a joe:token1 -r 'count 1 auth reply 454 4.7.0 later'
settings queue.retry=1s "relay.password=token1"
post r1@x.example
ok '454: tried again by itself' sink_wait 1 30
like 'deferred meanwhile' "$(<"$S/log")" 'dsn=4.7.0, status=deferred .*454 4.7.0 later'
sink_stop

# A certificate that nobody vouches for, until the file is another one: by itself, too, and with the service.
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout /dev/null -subj /CN=other \
	-out "$S/other" 2>/dev/null
deferred() { grep -q "status=deferred .*$1" "$S/log"; }
# run SETTINGS...: with these, and for the second time with the service.
run() {
	settings "$@"
	[ $who = service ] || return 0
	chmod 644 "$PILLARBOX_CONFIG"
	sendmail -bD 2>/dev/null &
	service=$!
	eventually 10 test -S "$S/run/socket"
}
stop() { [ $who = own ] || { kill $service && wait $service; }; }
for who in own service; do
	rm -rf "$SINK" "$S/log"
	sink_start -T -a joe:right
	rm -f "$S/ca"
	run queue.retry=2s relay.password=right "tls.ca_file=$S/ca"
	post r1@x.example
	ok "$who: no file" eventually 10 deferred 'TLS: .*No such file'
	cp "$S/other" "$S/ca"
	ok "  another one's certificate" eventually 10 deferred 'certificate verify failed'
	cp "$SINK/cert.pem" "$S/ca.new"
	mv "$S/ca.new" "$S/ca"
	ok '  when the right one is there the mail goes' sink_wait 1 10
	stop
done

# Two relays, of which the first wants another token: it gets that by itself. A password that stays wrong is
# not tried with each mail.
got() { cat "$S/$1"/*.env 2>/dev/null | grep -q "^rcpt <$2@"; }
asked() { grep -c ' AUTH ' "$S/first/commands.log"; }
for who in own service; do
	rm -rf "$S"/{first,second,log,runs}
	sink_named first -T -a joe:token2 -A XOAUTH2,PLAIN
	sink_named second
	relays=("relay.url=smtps://joe@localhost:$first smtp://127.0.0.1:$second" "tls.ca_file=$S/first/cert.pem")
	run "${relays[@]}" "relay.password_command=$S/token"
	post r1@x.example
	ok "$who: an expired token: the second relay takes it" eventually 10 got second r1
	ok '  with a warning' eventually 10 grep -q 'warning: cannot log in: .*; the next relay is tried' "$S/log"
	sleep 1 # who asks in the same second has the smtp that there is
	post r2@x.example
	ok '  another token: the first takes the next' eventually 10 got first r2
	is '  two attempts' "$(asked)" 2
	stop
	run "${relays[@]}" relay.password=wrong
	for i in 3 4 5 6 7 8; do
		post "r$i@x.example"
		eventually 10 got second "r$i" || diag "r$i does not arrive"
	done
	ok '  six messages, a wrong password: no more than two others' test "$(asked)" -le 4
	stop
done
done_testing
