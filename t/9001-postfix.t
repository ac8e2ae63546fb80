#!/bin/bash
# SPDX-License-Identifier: ISC
#
# A real Postfix as the relay: in clear, STARTTLS, TLS from the first octet, AUTH.

. "${0%/*}/lib.sh"
. "${0%/*}/postfix.sh"
need_root
need awk chroot mount openssl unshare
scratch

peer_message >"$S/message"
{ cat "$S/message" && echo; } >"$S/wanted"

# shellcheck disable=SC2317 # called by ok
post() { sendmail -i -f a@example.org -- "$@" <"$S/message"; }

# The newest message without what Postfix and we put on top.
newest() { postfix_original "$(postfix_messages | tail -1)"; }
as_sent() { awk 'NR == 1 && /^Received:/ { own = 1; next } own && /^[ \t]/ { next } { own = 0; print }'; }

# A spool each time: a flusher that still lingers over another one has the settings of that.
fresh() {
	spools=$((spools + 1))
	mkdir -m 1777 "$S/spool$spools"
	config queue.deliver=queue "queue.dir=$S/spool$spools" "$@"
}
spools=0

# carries NAME CONFIG...: a message goes out with these settings, and arrives as it was.
carries() {
	local name=$1 before
	before=$(postfix_messages | wc -l)
	fresh "${@:2}"
	ok "$name: posts" post b@example.net
	ok "$name: flushes" sendmail -q
	ok "$name: arrives" eventually 20 postfix_arrived $((before + 1))
	newest | as_sent >"$S/arrived"
	same_file "$name: as it was sent" "$S/arrived" "$S/wanted"
	ok "$name: the queue is empty" queue_is_empty
}

# keeps NAME REASON CONFIG...: it does not go out, mailq says why.
keeps() {
	local name=$1 before
	before=$(postfix_messages | wc -l)
	fresh "${@:3}"
	ok "$name: posts" post b@example.net
	sendmail -q
	like "$name: mailq says why" "$(mailq)" "$2"
	is "$name: nothing arrives" "$(postfix_messages | wc -l)" "$before"
}

received_with() { grep -A1 '^Received: from client.example' "$(postfix_messages | tail -1)" | grep -o 'with E*SMTP[SA]*'; }

postfix_start plain
url=127.0.0.1:$POSTFIX_PORT
carries 'smtp, no STARTTLS offered' "relay.url=smtp://$url"
is 'in clear' "$(received_with)" 'with ESMTP'

# It has DSN, so the report of success is its own.
fresh "relay.url=smtp://$url"
before=$(postfix_messages | wc -l)
ok 'DSN: posts' sendmail -i -f a@example.org -N success b@example.net <"$S/message"
ok 'DSN: flushes' sendmail -q
ok 'DSN: arrives, and a report' eventually 20 postfix_arrived $((before + 2))
like 'DSN: of Postfix' "$(postfix_messages | tail -2 | xargs cat)" 'Reporting-MTA: dns; relay.example.*Action: (relayed|delivered)'
unlike 'DSN: not of ours' "$(cat "$S/log")" 'delivery status notification'
keeps 'smtp+tls, no STARTTLS offered' 'STARTTLS|TLS' "relay.url=smtp+tls://$url"

postfix_start tls
url=localhost:$POSTFIX_PORT
carries 'smtp, STARTTLS offered' "relay.url=smtp://$url"
is 'under TLS' "$(received_with)" 'with ESMTPS'
like 'the log of Postfix has TLS' "$(<"$POSTFIX_LOG")" 'TLS connection established from .* TLSv1.3'
carries 'smtp+notls' "relay.url=smtp+notls://$url"
is 'in clear' "$(received_with)" 'with ESMTP'
carries 'smtp+tls with its certificate' "relay.url=smtp+tls://$url" "tls.ca_file=$POSTFIX_CA"
is 'under TLS' "$(received_with)" 'with ESMTPS'
carries 'smtps' "relay.url=smtps://localhost:$POSTFIX_TLS_PORT" "tls.ca_file=$POSTFIX_CA"
keeps 'smtp+tls without its certificate' '[Cc]ertificate|verif' "relay.url=smtp+tls://$url"

fresh queue.deliver=background "relay.url=smtp://$url"
before=$(postfix_messages | wc -l)
ok 'posts, and a flusher starts by itself' post b@example.net c@example.net
ok 'one to each recipient' eventually 20 postfix_arrived $((before + 2))
ok 'the queue gets empty' eventually 20 queue_is_empty

# One behind the other without waiting (BDAT); one in the middle that Postfix does not want.
fresh "relay.url=smtp://$url"
before=$(postfix_messages | wc -l)
visits() { grep -c ': connect from' "$POSTFIX_LOG"; }
visits=$(visits)
for i in {1..10}; do post "many$i@example.net"; done
sendmail -i -f 'a@[192.0.2.256]' b@example.net <"$S/message"
for i in {11..30}; do post "many$i@example.net"; done
ok 'thirty at once' sendmail -q
ok 'arrive' eventually 30 postfix_arrived $((before + 30))
ok 'over few connections' test $(($(visits) - visits)) -le 5
like 'the one between did not' "$(cat "$S/log")" 'status=(bounced|deferred)'
unlike 'Postfix has nothing to say against it' "$(<"$POSTFIX_LOG")" 'improper command pipelining|BDAT.*error'

postfix_start auth
account=alice%40relay.example
url=$account@localhost:$POSTFIX_PORT
ca=tls.ca_file=$POSTFIX_CA
printf '%s\n' "$POSTFIX_PASSWORD" >"$S/password"
chmod 600 "$S/password"
carries 'AUTH, password_file' "relay.url=smtp+tls://$url" "$ca" "relay.password_file=$S/password"
is 'under TLS, authenticated' "$(received_with)" 'with ESMTPSA'
like 'the log of Postfix has the user' "$(<"$POSTFIX_LOG")" \
	'sasl_method=[A-Z]+, sasl_username=alice@relay.example'
carries 'AUTH, password' "relay.url=smtp://$url" "$ca" "relay.password=$POSTFIX_PASSWORD"
carries 'AUTH, smtps' "relay.url=smtps://$account@localhost:$POSTFIX_TLS_PORT" "$ca" \
	"relay.password_file=$S/password"
keeps 'a wrong password' '535|authentication' "relay.url=smtp+tls://$url" "$ca" 'relay.password=wrong'
keeps 'no certificate, no password' '[Cc]ertificate|verif' "relay.url=smtp://$url" \
	"relay.password_file=$S/password"
unlike 'the password is not in our log' "$(cat "$S/log" 2>/dev/null)" 's3cret'

done_testing
