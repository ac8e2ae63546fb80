#!/bin/bash
# SPDX-License-Identifier: ISC
#
# Other real servers as the relay, in clear and with STARTTLS. They hand on to the sink, which sees
# what they made of what they got from us.

. "${0%/*}/lib.sh"
. "${0%/*}/servers.sh"
need_root
need awk chroot mount openssl python3 unshare
scratch

peer_message >"$S/message"
{ cat "$S/message" && echo; } | sed 's/$/\r/' >"$S/wanted"

# shellcheck disable=SC2317 # called by ok
# mail_for ADDRESS: the one message that came for it becomes $S/env and $S/eml, without what the server
# and we put on top.
mail_for() {
	local env
	env=$(grep -l "^rcpt <$1>" "$SINK"/0*.env) && [ "$(wc -l <<<"$env")" = 1 ] || return
	cp "$env" "$S/env"
	awk 'top = top || !/^(Received:|[ \t])/' "${env%.env}.eml" >"$S/eml"
}
status_of() { grep " to=<$1>, .* status=" "$S/log"; }

# several NAME TLS: a message for three; one is refused, the others and the sender get theirs.
several() {
	ok "$1: a message for several is posted" sendmail -i -f a@example.org -N success,failure -V id \
		-- b@example.net c@example.net no@refused.example <"$S/message"
	ok '  flushes' sendmail -q
	ok '  it and a bounce arrive' sink_wait 2
	for to in b c; do
		ok "  for $to" mail_for "$to@example.net"
		same_file '  as it was sent' "$S/eml" "$S/wanted"
		like '  sent' "$(status_of "$to@example.net")" ", dsn=2\\.0\\.0, status=sent \\(250 .*\\), tls=$2\$"
		like '  the DSN parameters went along' "$(<"$S/env")" \
			"mail <a@example.org>.* ENVID=id.*rcpt <$to@example.net> NOTIFY=SUCCESS,FAILURE"
	done
	like '  refused' "$(status_of no@refused.example)" 'status=bounced \(host .* said: 550 '
	ok '  a bounce for the sender' mail_for a@example.org
	like '  about that one' "$(<"$S/eml")" $'\nFinal-Recipient: rfc822; no@refused.example\r'
	unlike '  alone' "$(<"$S/eml")" 'Final-Recipient: rfc822; [bc]@'
	"$T/report" "$S/eml" >"$S/report" 2>&1
	is '  in good form, as it came through' "$(grep -E '^defect|Error' "$S/report")" ''
	like '  with its three parts' "$(<"$S/report")" \
		$'\n  text/plain; .*\n  message/delivery-status; .*\n  (message|text)/'
}

# large NAME: one that the server would not take is not even begun.
large() {
	ok "$1: one too large is posted" sendmail -i -f large@example.org b@example.net <"$S/large"
	ok '  flushes' sendmail -q
	like '  is not sent' "$(status_of b@example.net | tail -1)" \
		"dsn=5\\.3\\.4, status=bounced \\(message size [0-9]+ exceeds size limit $SERVER_SIZE of"
	ok '  a bounce arrives' sink_wait 3
	ok '  for the sender' mail_for large@example.org
	like '  which says so' "$(<"$S/eml")" $'\nStatus: 5.3.4\r'
	unlike '  the server has heard nothing' "$(server_log "$server")" '(MAIL FROM:|<=|F=) *<?large@'
}

# relays SERVER MODE SCHEME TLS SAW: TLS is what our log has of it; SAW, what the server's has.
relays() {
	local server=$1
	rm -rf "$SINK" "$S/log"
	sink_start
	server_start "$server" "$2" "$SINK_PORT"
	mkdir -m 1777 "$S/spool.$server.$2"
	config queue.deliver=queue "queue.dir=$S/spool.$server.$2" "tls.ca_file=$SERVER_CA" \
		"relay.url=$3://localhost:$SERVER_PORT"
	several "$1, $2" "$4"
	like '  in its own words' "$(server_log "$server" | grep -E '(MAIL FROM:<|<= )a@')" "$5"
	large "$1, $2"
	ok '  the queue is empty' queue_is_empty
	server_stop "$server"
	sink_stop
}

yes "What is here is no more than much." | head -c $((SERVER_SIZE + 1)) >"$S/large"
verified='TLSv1\.3 [A-Z0-9_]+ verified'
mail='MAIL FROM:<a@example.org> SIZE=[0-9]+ BODY=8BITMIME ENVID=id'

# L: PIPELINING; K: CHUNKING; M8S: BODY.
relays exim plain smtp plain '<= a@example.org .* P=esmtp L[. ]+K .*M8S=8'
relays exim tls smtp+tls "$verified" '<= a@example.org .* P=esmtps L[. ]+X=TLS1.3.* K .*M8S=8'
relays sendmail plain smtp plain "$mail"
relays sendmail tls smtp+tls "$verified" "$mail"
relays opensmtpd plain smtp plain "$mail"
relays opensmtpd tls smtp+tls "$verified" "$mail"
done_testing
