#!/bin/bash
# SPDX-License-Identifier: ISC
#
# Relays that DNS names (MX, SRV), and LMTP over TCP and a Unix socket. In a network of our own.
. "${0%/*}/lib.sh"
need_root
need ip perl unshare
if [ -z "${INSIDE:-}" ]; then INSIDE=1 exec unshare --net --mount "$0"; fi
scratch
ip link set lo up
printf 'nameserver 127.0.0.1\nsearch corp.test\noptions timeout:5 attempts:1\n' >"$S/resolv.conf"
mount --bind "$S/resolv.conf" /etc/resolv.conf || give_up "cannot mount"

# server NAME OPTIONS...: a sink with a certificate for NAME; its port in $port, what it got in $S/NAME.
server() {
	SINK=$S/$1 sink_start -c "$1" "${@:2}"
	port=$SINK_PORT
	[ ! -e "$S/$1/cert.pem" ] || cat "$S/$1/cert.pem" >>"$S/ca"
}
server d.test -T -a me:right && whole=$port
server mail.d.test -T -a me:right && below=$port
server elsewhere.test -t && other=$port
server plain.test && plain=$port
server lmtp.test -l -U "$S/run/lmtp" -r 'dot pass' && lmtp=$port
chmod 755 "$S/run"
cat >"$S/zone" <<X
d.test MX 10 elsewhere.test
d.test MX 20 mail.d.test
_submissions._tcp.d.test SRV 20 0 $below mail.d.test
_submissions._tcp.d.test SRV 10 0 1 dead.d.test
_submissions._tcp.hosted.test SRV 0 0 $below mail.d.test
_submissions._tcp.whole.d.test SRV 0 0 $whole elsewhere.test
_submission._tcp.plain.test SRV 0 0 $plain plain.test
_submission._tcp.none.test SRV 0 0 0 .
mx.test MX 10 plain.test
nomx.test A 127.0.0.1
null.test MX 0 .
plain.test A 127.0.0.1
dead.d.test A 127.0.0.1
mail.d.test A 127.0.0.1
elsewhere.test A 127.0.0.1
lmtp.test A 127.0.0.1
X
dns_start "$S/zone"
settings=(queue.deliver=queue queue.retry=1h smtp.connect_timeout=2s relay.password=right "tls.ca_file=$S/ca")

# goes URL REGEX: what the log says of a message when that is the relay.
n=0
goes() {
	config "${settings[@]}" "relay.url=$1"
	sendmail -i -f s@x.example "r$((++n))@x.example" <<<hello
	timeout 30 sendmail -q
	like "$1" "$(grep -F "to=<r$n@x.example>" "$S/log" | tail -n 1)" "$2"
}
goes 'smtps://me@d.test?srv' "relay=mail.d.test\[127.0.0.1\]:$below, .*status=sent .*verified"
goes 'smtp://plain.test?srv' "relay=plain.test\[127.0.0.1\]:$plain, .*status=sent"
goes 'smtps://me@hosted.test?srv' "dsn=4.7.5, status=deferred \(TLS handshake with mail.d.test.*it is not for hosted.test"
goes 'smtps://me@whole.d.test?srv' "dsn=4.7.5, status=deferred \(TLS handshake with elsewhere.test"
goes 'smtp://none.test?srv' "dsn=4.4.3, status=deferred \(.*name=_submission._tcp.none.test type=SRV: The domain has no such service"
goes 'smtp://gone.test?srv' 'dsn=4.4.3, status=deferred \(.*type=SRV: Host not found'
goes "smtp://mx.test:$plain?mx" "relay=plain.test\[127.0.0.1\]:$plain, .*status=sent"
goes "smtp://nomx.test:$plain?mx" "relay=nomx.test\[127.0.0.1\]:$plain, .*status=sent"
goes "smtps://me@d.test:$below?mx" "relay=mail.d.test\[127.0.0.1\]:$below, .*status=sent .*verified"
goes 'smtp://null.test?mx' 'dsn=4.4.3, status=deferred'
goes 'smtp://gone.test?mx' 'dsn=4.4.3, status=deferred \(.*type=MX: Host not found'
goes "smtp://none.test?srv, smtp://plain.test:$plain" "relay=plain.test\[127.0.0.1\]:$plain, .*status=sent"

goes "lmtp://lmtp.test:$lmtp" "relay=lmtp.test\[127.0.0.1\]:$lmtp, .*status=sent"
goes "lmtp://$S/run/lmtp" "relay=client.example\[$S/run/lmtp\], .*status=sent .*tls=plain"
goes "lmtp://$S/run/none" "dsn=4.4.1, status=deferred \(connect to client.example\[$S/run/none\]: No such file or directory"
goes "lmtp://$S/run/none lmtp://$S/run/lmtp" "relay=client.example\[$S/run/lmtp\], .*status=sent"
like "it is LMTP" "$(cat "$S/lmtp.test/commands.log")" 'LHLO client.example'
like "-bv says where" "$(sendmail -bv x@y.example)" "by the relay $S/run/none, else $S/run/lmtp"
like "-bv says by which records" "$(PILLARBOX_RELAY_URL='smtps://a.test?srv smtp://b.test?mx' sendmail -bv x@y.example)" \
	"by the relay of _submissions._tcp.a.test, else the exchangers of b.test port 25"

for sink in "$S"/*/connections; do
	SINK=${sink%/*}
	ok "${SINK##*/} has nothing to complain of" sink_content
done
done_testing
