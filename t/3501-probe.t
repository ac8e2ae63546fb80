#!/bin/bash
# SPDX-License-Identifier: ISC
#
# sendmail -bv -v: the way of a message without a message, what each trouble on it is called, and the
# health check; in a network of our own, with a name server and a firewall.

. "${0%/*}/lib.sh"
need_root
need ip perl unshare nft openssl
if [ -z "${INSIDE:-}" ]; then INSIDE=1 exec unshare --net --mount "$0"; fi
scratch
# shellcheck source=t/queue.sh
. "$T/queue.sh"
ip link set lo up
printf 'nameserver 127.0.0.1\noptions timeout:5 attempts:1\n' >"$S/resolv.conf"
mount --bind "$S/resolv.conf" /etc/resolv.conf || give_up "cannot mount"

# verdict NAME STATUS KIND [REGEX]: of the probe that was the last; its JSON is well-formed.
verdict() {
	local last
	last=$(tail -n 1 "$S/out")
	perl -MJSON::PP -ne 'decode_json($_)' "$S/out"
	result "$1: JSON" || diag "$(cat "$S/out")"
	is "$1: exit status" "$rc" "$2"
	like "$1: its name" "$last" "\"kind\":\"$3\""
	like "$1: its words" "$last" "${4:-conclusion}"
	[ "$2" -eq 0 ] || unlike "$1: there is a remedy" "$last" '"remedy":""'
}
probe() { try timeout 60 sendmail -bv -v --json "$@"; }

# says NAME STATUS KIND REGEX RULE [CONFIG...]: of a relay that has this rule.
says() {
	sink_start -r "$5"
	config "relay.url=${scheme:-smtp}://${account:-}localhost:$SINK_PORT" "${@:6}"
	probe r@dest.example
	verdict "$1" "$2" "$3" "$4"
	unlike "$1: nothing was sent" "$(<"$SINK/commands.log")" ' (DATA|BDAT)'
	ok "$1: no message" test "$(messages)" -eq 0
	sink_stop
	rm -rf "$SINK"
}

says 'a good relay' 0 ok accepted 'other pass'
says 'a block list' 77 listed spamhaus \
	'greeting reply 554 5.7.1 [192.0.2.1] see https://spamhaus.example/'
says 'turned away' 69 turned-away 'not today' 'greeting reply 554 5.3.2 not today'
says 'too many connections' 75 throttled 'too many' 'greeting reply 421 4.7.0 too many'
says 'EHLO refused' 76 protocol 'go away' 'ehlo reply 550 go away; close'
says 'HELO where EHLO is refused' 0 ok 'accepted"' 'ehlo reply 502 what?'
says 'no SMTP' 76 protocol 'protocol error' 'greeting raw "HTTP/1.1 400 Bad\r\n"'
says 'sender refused' 77 sender 'not allowed' 'mail reply 553 5.1.7 not allowed'
says 'recipient refused' 67 recipient 'no such user' 'rcpt reply 550 5.1.1 no such user'
says 'greylisted' 75 later 'greylisted' 'rcpt reply 450 4.2.0 greylisted'
says 'relaying denied' 77 relaying 'denied' 'rcpt reply 554 5.7.1 Relay access denied'
says 'no mail without an account' 77 relaying 'Must' 'mail reply 530 5.7.0 Must issue AUTH'
says 'cut off' 76 protocol 'lost connection' 'ehlo close'
says 'escape sequences' 67 recipient 'no . such user' 'rcpt reply 550 5.1.1 no \x1b such user'
says 'cut off at MAIL' 75 cut 'lost connection' 'mail close'
says 'cut off at RCPT' 75 cut 'lost connection' 'rcpt reset'

# A server that does not answer, by a clock that runs fast.
hasty "$S/hasty"
for step in greeting ehlo mail rcpt; do
	PATH=$S/hasty/sbin:$PATH says "silence: $step" 75 silent 'no answer .* within 60 seconds' "$step stall"
	is '  it is told once, where it was' \
		"$(perl -MJSON::PP -ne '$s = decode_json($_); print lc $s->{step} if defined $s->{ok} && !$s->{ok}' "$S/out")" $step
done
scheme=smtp+tls says 'STARTTLS taken out' 76 no-starttls 'no STARTTLS' 'other pass'

# TLS and the password.
tls() {
	sink_start -t -a user:s3cret -r "${1:-other pass}"
	config "relay.url=smtp+tls://user@localhost:$SINK_PORT" "tls.ca_file=$SINK/cert.pem" \
		relay.password=s3cret "${@:2}"
}
tls
probe r@dest.example
verdict 'TLS and AUTH' 0 ok
like 'the certificate' "$(cat "$S/out")" '"TLS","ok":true.*verified; certificate for localhost.*expires in'
like 'the mechanism' "$(cat "$S/out")" '"AUTH","ok":true.*(PLAIN|SCRAM)'
unlike 'no password' "$(cat "$S/out" "$S/log" 2>/dev/null)" "s3cret|$(printf '\0user\0s3cret' | base64)"
config "relay.url=smtp+tls://user@localhost:$SINK_PORT" relay.password=s3cret
probe r@dest.example
verdict 'a certificate nobody knows' 76 certificate 'certificate verify failed'
config "relay.url=smtp+tls://user@localhost:$SINK_PORT" "tls.ca_file=$SINK/cert.pem" \
	relay.password=wrong
probe r@dest.example
verdict 'a wrong password' 77 password 535
config "relay.url=smtp+tls://user@localhost:$SINK_PORT" "tls.ca_file=$SINK/cert.pem" \
	"relay.password_file=$S/none"
try sendmail -bv -v r@dest.example
like 'a password that cannot be read' "$(cat "$S/out")" 'password could not be read'
unlike 'then there is no AUTH' "$(tail -n 20 "$SINK/commands.log" | sed '/a wrong/d' | tail -n 8)" AUTH
sink_stop
rm -rf "$SINK"
for step in starttls auth; do
	sink_start -t -k "$S/key" -a user:s3cret -r "$step stall"
	config "relay.url=smtp+tls://user@localhost:$SINK_PORT" "tls.ca_file=$SINK/cert.pem" relay.password=s3cret
	PATH=$S/hasty/sbin:$PATH probe r@dest.example
	verdict "silence: $step" 75 silent 'no answer'
	sink_stop
	rm -rf "$SINK"
done

# For people.
sink_start -r 'rcpt reply 550 5.1.1 no such user'
config "relay.url=smtp://127.0.0.1:$SINK_PORT"
try sendmail -bv -v -f me@here.example r@dest.example
is 'for people: exit status' "$rc" 67
like 'for people: a step' "$(cat "$S/out")" '
! RCPT  .*550 5.1.1 no such user
'
like 'for people: conclusion and remedy' "$(cat "$S/out")" 'Conclusion: the recipient is refused.*
Remedy: '
like 'the sender is that of -f' "$(<"$SINK/commands.log")" 'MAIL FROM:<me@here.example>'
like 'RSET and QUIT' "$(tail -n 3 "$SINK/commands.log")" 'RSET.*QUIT'
ok 'the sink has nothing to complain of' sink_content
sink_stop
rm -rf "$SINK"

# Names and networks.
cat >"$S/zone" <<'X'
good.test MX 10 mx.good.test
mx.good.test A 127.0.0.2
null.test MX 0 .
servfail.test SERVFAIL
drop.test MX 10 mx.drop.test
mx.drop.test A 127.0.0.3
down.test MX 10 mx.down.test
mx.down.test A 127.0.0.4
far.test MX 10 mx.far.test
mx.far.test A 192.0.2.1
refused.test MX 10 mx.refused.test
mx.refused.test A 127.0.0.5
two.test MX 10 mx.refused.test
two.test MX 20 mx.good.test
loop.test MX 10 client.example
X
dns_start "$S/zone"
sink_start -p 25
# 127.0.0.3 drops port 25 and answers on 587; 127.0.0.4 drops all; 127.0.0.5 rejects.
nft -f - <<X
table ip nat {
	chain output {
		type nat hook output priority -100;
		ip daddr { 127.0.0.2, 127.0.0.3 } tcp dport { 25, 587 } dnat to 127.0.0.1:25
	}
}
table ip filter {
	chain output {
		type filter hook output priority -200;
		ip daddr 127.0.0.3 tcp dport { 25, 465 } drop
		ip daddr 127.0.0.4 drop
		ip daddr 127.0.0.5 tcp dport 25 reject with tcp reset
	}
}
X
config smtp.connect_timeout=1s mail.domain=good.test
mx() { probe "r@$1"; verdict "${@}"; }
mx good.test 0 ok
like 'exchangers, addresses and who said so' "$(cat "$S/out")" \
	'mx.good.test \(10\) \(by 127.0.0.1\).*mx.good.test is 127.0.0.2'
mx null.test 68 null-mx 'null MX'
mx gone.test 68 no-domain
mx servfail.test 68 dns
mx drop.test 69 blocked 'port 25 is blocked'
like 'other ports were tried' "$(cat "$S/out")" '"step":"port","ok":true.*587 answers.*"port","ok":false.*465'
mx down.test 69 dropped
mx refused.test 69 refused
mx far.test 69 no-route
mx loop.test 69 loop 'loops back to myself'
mx two.test 0 ok 'another server.*refused'

# Health.
try sendmail -bv
is 'health: all is well' "$rc" 0
try sendmail -bv --json
perl -MJSON::PP -ne 'decode_json($_)' "$S/out"
result 'health: JSON'
kill "$dns_pid"
try sendmail -bv
is 'health: no name server' "$rc" 68
config "relay.url=smtp://127.0.0.1:25"
try sendmail -bv
is 'health: a relay' "$rc" 0
unlike 'health: nobody was asked about' "$(tail -n 4 "$SINK/commands.log")" 'MAIL|RCPT'
config "relay.url=smtp://127.0.0.1:26"
try sendmail -bv
is 'health: the relay is down' "$rc" 69
config "relay.url=smtp://127.0.0.1:25" tls.policy=perhaps
try sendmail -bv
is 'health: a mistake in the settings' "$rc" 78
like 'health: it says where' "$(cat "$S/out" "$S/err")" 'tls.policy'
config "relay.url=smtp://127.0.0.1:25" queue.dir=/proc/none
HOME=/proc/none try sendmail -bv
is 'health: no spool' "$rc" 73
config "relay.url=smtp://127.0.0.1:25" queue.deliver=queue
sendmail -i r@dest.example <<<hello
try sendmail -bv
is 'health: mail waits, and nobody delivers it' "$rc" 69
like 'health: what to do' "$(cat "$S/out")" 'not running; 1 waiting: try sendmail -q'
lock_message "$QUEUE/lock" # as a flusher has it
try sendmail -bv
is 'health: a flusher has the lock' "$rc" 0
like '  and work' "$(cat "$S/out")" 'flusher *is running; 1 waiting'
touch -d '1 hour ago' "$QUEUE"/new/*
try sendmail -bv
is 'health: it does nothing with what is due' "$rc" 69
like '  how long, and where to look' "$(cat "$S/out")" 'is running; 1 waiting, 60 minutes overdue: see the log'
unlock_message
sendmail -q
ok 'which helps' queue_is_empty
config relay.url= mail.domain= queue.deliver=queue
try sendmail -bv
is 'health: there is nobody to ask' "$rc" 0
like '  and that is said' "$(cat "$S/out")" 'straight to the exchangers of each recipient'
ok 'the sink has nothing to complain of' sink_content
done_testing
