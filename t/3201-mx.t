#!/bin/bash
# SPDX-License-Identifier: ISC
#
# Straight to the recipient's mail exchangers on port 25: in a network of our own, with a name
# server and servers of our own.
. "${0%/*}/lib.sh"
need_root
need ip perl unshare
if [ -z "${INSIDE:-}" ]; then INSIDE=1 exec unshare --net --mount "$0"; fi
scratch
ip link set lo up
printf 'nameserver 127.0.0.1\nsearch corp.test\noptions timeout:1 attempts:1\n' >"$S/resolv.conf"
mount --bind "$S/resolv.conf" /etc/resolv.conf || give_up "cannot mount"
cat >"$S/zone" <<X
one.test MX 20 mx2.one.test
one.test MX 10 mx1.one.test
mx1.one.test A 127.0.0.2
mx2.one.test A 127.0.0.3
second.test MX 10 dead.test
second.test MX 20 mx2.one.test
dead.test A 127.0.0.9
implicit.test A 127.0.0.2
deadv6.test MX 5 six.test
six.test AAAA 2001:db8::1
six.test A 127.0.0.3
null.test MX 0 .
nothing.test CNAME void.test
servfail.test SERVFAIL
silent.test SILENT
short.corp.test A 127.0.0.2
short.corp.test MX 1 mx1.one.test
X
for i in {1..60}; do echo "big.test MX $i a-host-with-a-rather-long-name-$i.big.test"; done >>"$S/zone"
echo "a-host-with-a-rather-long-name-3.big.test A 127.0.0.3" >>"$S/zone"
"$T/dns" "$S/zone" & dns=$!
sink_start -p 25
config queue.deliver=queue queue.first_retry=1h smtp.connect_timeout=2s

# The sink listens on 127.0.0.1 only: port 25 of the others comes to it, by what the packets say.
need nft
nft -f - <<X
table ip nat {
	chain output {
		type nat hook output priority -100;
		ip daddr { 127.0.0.2, 127.0.0.3 } tcp dport 25 dnat to 127.0.0.1:25
	}
}
X
log_of() { grep -F "to=<$1>" "$S/log" | tail -n 1; }
# goes RECIPIENT REGEX: what the log says of it.
goes() {
	sendmail -i -f s@x.example "$1" <<<$'Subject: x\n\nhello'
	timeout 30 sendmail -q
	like "$1" "$(log_of "$1")" "$2"
}
goes a@one.test 'relay=mx1.one.test\[127.0.0.2\]:25, .*status=sent'
goes a@second.test 'relay=mx2.one.test\[127.0.0.3\]:25, .*status=sent'
goes a@implicit.test 'relay=implicit.test\[127.0.0.2\]:25, .*status=sent'
goes a@deadv6.test 'relay=six.test\[127.0.0.3\]:25, .*status=sent'
goes a@big.test 'relay=a-host-with-a-rather-long-name-3.big.test\[127.0.0.3\]:25, .*status=sent'
goes 'a@[127.0.0.2]' 'relay=.*127.0.0.2.*:25, .*status=sent'
goes a@null.test 'dsn=5.1.10, status=bounced'
goes a@gone.test 'dsn=5.1.2, status=bounced'
goes a@short 'dsn=5.1.2, status=bounced'
goes a@servfail.test 'dsn=4.4.3, status=deferred'
goes a@silent.test 'dsn=4.4.3, status=deferred'
is "each that was sent arrived once" "$(messages)" 6
sendmail -i -f s@x.example b@one.test c@one.test d@implicit.test <<<hello
sendmail -q
is "recipients of one domain share a transaction" "$(grep -l 'rcpt <b@one.test>' "$SINK"/*.env | xargs grep -c '^rcpt')" 2
kill $dns
config queue.deliver=queue queue.first_retry=1h "relay.url=smtp://no.such.relay.test"
goes a@one.test 'dsn=4.4.3, status=deferred'
ok "the sink has nothing to complain of" sink_content
done_testing
