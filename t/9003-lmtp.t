#!/bin/bash
# SPDX-License-Identifier: ISC
#
# LMTP to a real Dovecot, which answers for each mailbox by itself: over TCP, with STARTTLS, and over a
# Unix socket.

. "${0%/*}/lib.sh"
. "${0%/*}/dovecot.sh"
need_root
need awk chroot mount openssl unshare
scratch

peer_message >"$S/message"
{ cat "$S/message" && echo; } >"$S/wanted"

# shellcheck disable=SC2317 # called by eventually
has() { [ "$(dovecot_messages "$1" | wc -l)" -ge "$2" ]; }
# Without what Dovecot and we put on top.
as_sent() { awk 'top = top || !/^(Return-Path:|Delivered-To:|Received:|[ \t])/' "$1"; }
status_of() { grep " to=<$1>, .* status=" "$S/log"; }

# delivers NAME TLS CONFIG...: TLS is what our log has of it.
delivers() {
	local to report
	rm -f "$S/log"
	mkdir -m 1777 "$S/spool.$1"
	config queue.deliver=queue "queue.dir=$S/spool.$1" "tls.ca_file=$DOVECOT_CA" "${@:3}"
	ok "$1: a message for several is posted" sendmail -i -f a@example.org -N success,failure -V id -- \
		b@example.net c@example.net no@example.net full@example.net <"$S/message"
	ok '  flushes' sendmail -q
	for to in b c; do
		is "  one arrives for $to" "$(dovecot_messages "$to@example.net" | wc -l)" 1
		as_sent "$(dovecot_messages "$to@example.net")" >"$S/got"
		same_file '  as it was sent' "$S/got" "$S/wanted"
		like '  sent' "$(status_of "$to@example.net")" \
			", dsn=2\\.0\\.0, status=sent \\(250 2\\.0\\.0 <$to@example.net> .*\\), tls=$2\$"
	done
	like '  one is refused at RCPT' "$(status_of no@example.net)" \
		'dsn=5\.1\.1, status=bounced .*\(in reply to RCPT TO'
	like '  one at the end' "$(status_of full@example.net)" \
		"dsn=5\\.2\\.2, status=bounced .*Quota exceeded .*\\(in reply to end of DATA"
	is '  which has nothing' "$(dovecot_messages full@example.net)" ''
	ok '  two reports arrive' eventually 20 has a@example.org 2
	report=$(dovecot_messages a@example.org | xargs cat)
	for to in 'no@example.net failed 5.1.1' 'full@example.net failed 5.2.2' \
		'b@example.net delivered 2.0.0' 'c@example.net delivered 2.0.0'; do
		like "  about $to" "$report" $'\n'"Final-Recipient: rfc822; ${to%% *}"$'\nAction: '"$(
			cut -d' ' -f2 <<<"$to")"$'\nStatus: '"${to##* }"$'\n'
	done
	is '  about these' "$(grep -c '^Final-Recipient:' <<<"$report")" 4
	ok '  the queue gets empty' eventually 20 queue_is_empty
}

start() { dovecot_start lmtp a@example.org b@example.net c@example.net full@example.net; }

start
delivers tcp plain "relay.url=lmtp://localhost:$DOVECOT_PORT" tls.policy=none
like '  what it heard' "$(dovecot_heard)" 'LHLO client\.example.*MAIL FROM:<a@example\.org> BODY=8BITMIME'
start
delivers tls 'TLSv1\.3 [A-Z0-9_]+ verified' "relay.url=lmtp://localhost:$DOVECOT_PORT" tls.policy=verify
start
delivers socket plain "relay.url=lmtp://$DOVECOT_SOCKET"
done_testing
