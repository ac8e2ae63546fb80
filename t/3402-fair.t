#!/bin/bash
# SPDX-License-Identifier: ISC
#
# One destination beside another: what hangs, is dead or has no name servers delays its own mail
# only. A network of our own, where slow.test takes connections and says nothing.
. "${0%/*}/lib.sh"
need_root
need ip perl unshare nft
if [ -z "${INSIDE:-}" ]; then INSIDE=1 exec unshare --net --mount "$0"; fi
scratch
ip link set lo up
printf 'nameserver 127.0.0.1\noptions timeout:10 attempts:3\n' >"$S/resolv.conf"
mount --bind "$S/resolv.conf" /etc/resolv.conf || give_up "cannot mount"
{
	echo 'good.test A 127.0.0.2'
	echo 'slow.test A 127.0.0.3'
	for i in {1..300}; do echo "slow$i.test MX 1 slow.test"; done
	for i in {1..60}; do echo "dead$i.test SILENT"; done
} >"$S/zone"
dns_start "$S/zone"

SINK=$S/slow
sink_start -r 'greeting stall'
slow_port=$SINK_PORT
SINK=$S/good
nft -f - <<X
table ip nat {
	chain output {
		type nat hook output priority -100;
		ip daddr 127.0.0.2 tcp dport 25 dnat to 127.0.0.1:25
		ip daddr 127.0.0.3 tcp dport 25 dnat to 127.0.0.1:$slow_port
	}
}
X
post() { for ((i = 0; i < $1; i++)); do sendmail -i -f s@x.example "${@:2}" <<<"hello $i"; done; }
nobody() { for p in $(running flush); do kill "$p" 2>/dev/null; done; [ -z "$(running flush)" ]; }
fresh() {
	eventually 5 nobody
	[ ! -d "$SINK" ] || sink_stop
	rm -rf "$SINK" "$S"/spool/*/{new,cur}/* "$S/log"
	sink_start -p 25
	config queue.deliver=queue queue.retry=1h smtp.connect_timeout=60s
}
# gets_through NAME N: N messages reach good.test while nothing else got an answer.
gets_through() {
	sendmail -q >"$S/said" 2>&1 &
	ok "$1" sink_wait "$2"
	unlike "  and nothing else was given up meanwhile" "$(cat "$S/log")" 'status=(deferred|bounced)'
}

fresh
post 300 r@slow.test
post 5 r@good.test
gets_through "300 messages for a server that hangs, 5 for another behind them" 5
is "  what hangs holds a part of the jobs only" \
	"$(grep -c 'queue active' "$S/log")" 7
is "  none of it is lost" "$(mailq | grep -c '@slow.test')" 300
post 2 r@good.test
gets_through "  what comes later gets through as well" 7
sendmail -i -f s@x.example r@slow.test q@good.test r@slow1.test <<<'to both'
gets_through "  and so does a message to both" 8
is "  … to the one that answers" "$(grep -l '^rcpt <q@good.test>' "$SINK"/*.env | wc -l)" 1

fresh
post 1 $(for i in {1..300}; do echo "r@slow$i.test"; done)
post 5 r@good.test
gets_through "a message to 300 domains that hang, 5 to another behind it" 5

fresh
for i in {1..60}; do post 1 "r@dead$i.test"; done
post 1 r@good.test
gets_through "60 domains whose name servers are silent, one message to another" 1

ok "the sink has nothing to complain of" sink_content
done_testing
