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
ip address add 192.0.2.77/32 dev lo
printf 'nameserver 127.0.0.1\nsearch corp.test\noptions timeout:3 attempts:1\n' >"$S/resolv.conf"
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
alias.test CNAME one.test
best.test MX 10 client.example
best.test MX 20 mx2.one.test
second-best.test MX 10 mx2.one.test
second-best.test MX 20 CLIENT.example
second-best.test MX 30 mx1.one.test
backup.test MX 10 dead.test
backup.test MX 20 us.test
backup.test MX 30 mx1.one.test
us.test A 192.0.2.77
loop.test A 192.0.2.77
blocked.test A 127.0.0.10
both.test AAAA ::1
both.test A 127.0.0.3
nothing.test CNAME void.test
text.test TXT
servfail.test SERVFAIL
silent.test SILENT
short.corp.test A 127.0.0.2
short.corp.test MX 1 mx1.one.test
X
for i in {1..60}; do echo "big.test MX $i a-host-with-a-rather-long-name-$i.big.test"; done >>"$S/zone"
echo "a-host-with-a-rather-long-name-3.big.test A 127.0.0.3" >>"$S/zone"
dns_start "$S/zone"
sink_start -p 25
config queue.deliver=queue queue.retry=1h smtp.connect_timeout=2s

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
goes a@alias.test 'relay=mx1.one.test\[127.0.0.2\]:25, .*status=sent'
goes a@second-best.test 'relay=mx2.one.test\[127.0.0.3\]:25, .*status=sent'
goes a@best.test 'dsn=5.4.6, status=bounced \(mail for best.test loops back to myself'
goes a@loop.test 'dsn=5.4.6, status=bounced \(mail for loop.test loops back to myself'
goes 'a@[192.0.2.77]' 'dsn=5.4.6, status=bounced'
goes a@backup.test 'dsn=4.4.1, status=deferred \(connect to dead.test\[127.0.0.9\]:25: '
goes a@null.test 'dsn=5.1.10, status=bounced'
goes a@gone.test 'dsn=5.1.2, status=bounced'
goes a@text.test 'dsn=5.1.2, status=bounced'
goes a@nothing.test 'dsn=5.1.2, status=bounced'
goes a@short 'dsn=5.1.2, status=bounced'
goes a@servfail.test 'dsn=4.4.3, status=deferred'
goes a@silent.test 'dsn=4.4.3, status=deferred'
mailq -d ALL --recipient a@silent.test >/dev/null 2>&1 # each round would wait for it again
is "each that was sent arrived once" "$(messages)" 8
goes 'a@[IPv6:2001:db8::1]' 'relay=none, .*connect to 2001:db8::1\[2001:db8::1\]:25: Network is unreachable'
sendmail -i -f s@x.example b@one.test c@one.test d@implicit.test <<<hello
sendmail -q
is "recipients of one domain share a transaction" "$(grep -l 'rcpt <b@one.test>' "$SINK"/*.env | xargs grep -c '^rcpt')" 2
for family in ipv4 ipv6; do
	config queue.deliver=queue queue.retry=1h smtp.family=$family
	goes $family@both.test "both.test\[$([ $family = ipv6 ] && echo ::1 || echo 127.0.0.3)\]:25"
done
goes x@implicit.test 'dsn=4.4.3, status=deferred \(implicit.test has no address that smtp.family allows'

# Where a connection comes from.
ip address add 192.0.2.78/32 dev lo
config queue.deliver=queue queue.retry=1h "smtp.bind_address=192.0.2.78, 2001:db8::78"
nft -f - <<<'table ip seen { chain input { type filter hook input priority 0; tcp dport 25 ip saddr 192.0.2.78 counter; }; }'
goes bound@implicit.test 'status=sent'
unlike "it comes from there" "$(nft list table ip seen)" 'counter packets 0 '
goes a@deadv6.test 'relay=six.test\[127.0.0.3\]:25, .*status=sent'

# A relay for networks that let nobody out on port 25.
config queue.deliver=queue queue.retry=1h smtp.connect_timeout=1s "relay.fallback=smtp://127.0.0.2"
nft -f - <<<'table ip filter { chain input { type filter hook input priority 0; ip daddr 127.0.0.10 drop; }; }'
goes f@dead.test 'relay=127.0.0.2\[127.0.0.2\]:25, .*status=sent'
goes f@blocked.test 'relay=127.0.0.2\[127.0.0.2\]:25, .*status=sent'
goes f@one.test 'relay=mx1.one.test\[127.0.0.2\]:25, .*status=sent'
goes f@servfail.test 'dsn=4.4.3, status=deferred'
goes f@null.test 'dsn=5.1.10, status=bounced'
goes f@best.test 'dsn=5.4.6, status=bounced'
sink_stop
sink_start -p 25 -r 'greeting reply 554 5.7.1 not you; close'
goes refused@one.test 'status=deferred \(host mx2.one.test\[127.0.0.3\]:25 refused to talk to me'
# A name server that takes longer than a look-up may, by a clock that runs fast.
hasty "$S/hasty"
config queue.deliver=queue queue.retry=1h
flushers_end
PATH=$S/hasty/sbin:$PATH goes late@silent.test 'dsn=4.4.3, status=deferred \(DNS look-up of silent.test timed out'
kill "$dns_pid"
config queue.deliver=queue queue.retry=1h "relay.url=smtp://no.such.relay.test"
goes a@one.test 'dsn=4.4.3, status=deferred'
ok "the sink has nothing to complain of" sink_content
done_testing
