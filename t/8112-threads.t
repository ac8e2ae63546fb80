#!/bin/bash
# SPDX-License-Identifier: ISC
#
# Look-ups, many at once, by an smtp that is built with TSan and ends at the first race. MX, SRV and TLSA
# records, names that do not exist, servers that fail or say nothing; and an smtp that is told to end in
# the middle of it. Not in its sandbox, where TSan cannot find out what is the C library's own affair.
. "${0%/*}/lib.sh"
need_root
need ip perl unshare nft nm
if [ -z "${INSIDE:-}" ]; then INSIDE=1 exec unshare --net --mount "$0"; fi
scratch
smtp=$B/thread/libexec/pillarbox/smtp
[ -x "$smtp" ] || give_up "needs $smtp (make threads)"
mkdir -p "$S/tree/sbin" "$S/tree/bin" "$S/tree/libexec/pillarbox"
cp "$B/sbin/sendmail" "$S/tree/sbin"
cp "$B/bin/mailq" "$S/tree/bin"
cp "$B/libexec/pillarbox/flush" "$smtp" "$S/tree/libexec/pillarbox"
PATH=$S/tree/sbin:$S/tree/bin:$PATH
like "it is built with TSan" "$(nm -D "$smtp")" __tsan_init

ip link set lo up
printf 'nameserver 127.0.0.1\noptions timeout:3 attempts:1\n' >"$S/resolv.conf"
mount --bind "$S/resolv.conf" /etc/resolv.conf || give_up "cannot mount"
for i in {1..60}; do
	echo "d$i.test MX 10 no.d$i.test"
	echo "d$i.test MX 20 mx.d$i.test"
	echo "mx.d$i.test A 127.0.0.2"
	echo "mx.d$i.test AAAA ::2"
	echo "fails$i.test SERVFAIL"
	echo "silent$i.test SILENT"
done >"$S/zone"
{
	echo '_submission._tcp.srv.test SRV 0 1 25 mx.d1.test'
	echo '_submission._tcp.srv.test SRV 10 1 25 mx.d2.test'
} >>"$S/zone"
dns_start "$S/zone"
sink_start -p 25
nft -f - <<X
table ip nat {
	chain output {
		type nat hook output priority -100;
		ip daddr 127.0.0.2 tcp dport 25 dnat to 127.0.0.1:25
	}
}
X
to() { for i in {1..60}; do echo "$1$i.test"; done; }
post() { sendmail -i -f s@x.example "$@" <<<hello; }
whole() { unlike "$1: no smtp died" "$(cat "$S/log")" 'smtp died|dies again'; }
count() { grep -c "to=<[^>]*@$1[0-9]*.test>.* status=$2" "$S/log"; }
fresh() { # SETTING...
	rm -f "$S/log"
	spools=$((spools + 1))
	mkdir -m 1777 "$S/spool$spools"
	config smtp.sandbox=off queue.deliver=queue queue.retry=1h smtp.connect_timeout=5s "queue.dir=$S/spool$spools" "$@"
}
spools=0

fresh
# shellcheck disable=SC2046 # one word a recipient
post $(to r@d) $(to r@none) $(to r@fails)
for i in {1..60}; do post "r@d$i.test"; done
ok "a drain" timeout 120 sendmail -q
is "mail for those that are there is there" "$(count d sent)" 120
is "what does not exist is returned" "$(count none bounced)" 60
is "what cannot be asked waits" "$(count fails deferred)" 60
whole "many names"

fresh tls.policy=dane
# shellcheck disable=SC2046
post $(to r@d)
ok "a drain, with TLSA records asked for" timeout 120 sendmail -q
is "all have a fate" "$(($(count d sent) + $(count d deferred)))" 60
whole "TLSA"

fresh relay.url='smtp+notls://srv.test?srv'
for i in {1..5}; do post r@y.test; done
timeout 120 sendmail -q
is "a drain by SRV records" "$(grep -c 'to=<r@y.test>.* status=sent' "$S/log")" 5
whole "SRV"

# Told to end while it asks.
fresh
# shellcheck disable=SC2046
post $(to r@silent) $(to r@d)
sendmail -q &
asking() { [ -n "$(running smtp)" ]; }
eventually 20 asking
# The flusher first: it would miss the other.
# shellcheck disable=SC2046 # a word each
kill $(running flush) $(running smtp)
wait $!
unlike "told to end: no race" "$(cat "$S/log")" 'smtp died|dies again'
ok "nothing to complain of" sink_content
done_testing
