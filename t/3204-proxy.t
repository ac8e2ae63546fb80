#!/bin/bash
# SPDX-License-Identifier: ISC
#
# Through a SOCKS5 proxy: what it is asked for, and what does not go through it. In a network of our
# own.
. "${0%/*}/lib.sh"
need_root
need ip perl unshare
if [ -z "${INSIDE:-}" ]; then INSIDE=1 exec unshare --net --mount "$0"; fi
scratch
ip link set lo up
printf 'nameserver 127.0.0.1\noptions timeout:5 attempts:1\n' >"$S/resolv.conf"
mount --bind "$S/resolv.conf" /etc/resolv.conf || give_up "cannot mount"
printf 'd.test MX 10 mx.d.test\nmx.d.test A 192.0.2.1\nproxy.test A 127.0.0.9\nproxy.test A 127.0.0.1\n' >"$S/zone"
dns_start "$S/zone"
listens() { grep -q ":$1 0*:0* 0A" /proc/net/tcp; }
sink_start -p 25
proxy_start() {
	"$T/socks" "$S/asked" "$@" & proxy_pid=$!
	eventually 10 listens 0438 || give_up "no proxy"
}
n=0
# goes REGEX ASKED SETTING...: what the log says of a message, and what the proxy was asked for last.
goes() {
	: >"$S/asked"
	config queue.deliver=queue queue.retry=1h smtp.connect_timeout=2s "${@:3}"
	sendmail -i -f s@x.example "r$((++n))@d.test" <<<hello
	timeout 30 sendmail -q
	like "${*:3}" "$(grep -F "to=<r$n@d.test>" "$S/log" | tail -n 1)" "$1"
	is "... the proxy was asked for" "$(tail -n 1 "$S/asked")" "$2"
}
proxy=smtp.proxy=socks5://127.0.0.1
proxy_start
goes 'relay=relay.far\[proxy\]:25, .*status=sent' 'name relay.far 25' $proxy relay.url=smtp://relay.far
goes 'relay=192.0.2.7\[192.0.2.7\]:25, .*status=sent' 'address 192.0.2.7 25' $proxy relay.url=smtp://192.0.2.7
goes 'relay=2001:db8::7\[2001:db8::7\]:25, .*status=sent' 'address 2001:db8::7 25' $proxy 'relay.url=smtp://[2001:db8::7]'
goes 'relay=mx.d.test\[192.0.2.1\]:25, .*status=sent' 'address 192.0.2.1 25' $proxy
goes 'relay=mx.d.test\[192.0.2.1\]:25, .*status=sent' 'address 192.0.2.1 25' smtp.proxy=socks5://proxy.test:1080
goes 'relay=127.0.0.1\[127.0.0.1\]:25, .*status=sent' '' $proxy relay.url=smtp://127.0.0.1
goes 'relay=localhost\[.*\]:25, .*status=sent' '' $proxy relay.url=smtp://localhost
goes 'dsn=4.4.1, status=deferred \(connect to closed.far\[proxy\]:25: Connection refused' \
	'name closed.far 25' $proxy relay.url=smtp://closed.far
goes 'relay=relay.far\[proxy\]:25, .*status=sent' 'name relay.far 25' $proxy \
	'relay.url=smtp://closed.far smtp://relay.far'
goes 'status=deferred \(connect to relay.far\[proxy\]:25: the proxy: Connection refused' '' \
	smtp.proxy=socks5://127.0.0.8 relay.url=smtp://relay.far
goes 'dsn=4.4.3, status=deferred \(.*no.proxy' '' smtp.proxy=socks5://no.proxy relay.url=smtp://relay.far

kill "$proxy_pid"
eventually 10 eval '! listens 0438'
proxy_start me s3cret
goes 'status=deferred \(.*: the proxy wants a user and password' '' $proxy relay.url=smtp://relay.far
goes 'status=deferred \(.*: the proxy refused user or password' '' \
	smtp.proxy=socks5://me:wrong@127.0.0.1 relay.url=smtp://relay.far
goes 'relay=relay.far\[proxy\]:25, .*status=sent' 'name relay.far 25' \
	smtp.proxy=socks5://me:s3cret@127.0.0.1 relay.url=smtp://relay.far
unlike "the password is not shown" "$(sendmail -bP)" s3cret
goes 'relay=relay.far\[proxy\]:25, .*status=sent' 'name relay.far 25' \
	smtp.proxy=socks5://me@127.0.0.1 smtp.proxy_password=s3cret relay.url=smtp://relay.far
unlike "nor here" "$(sendmail -bP; cat "$S/log")" s3cret
ok "the sink has nothing to complain of" sink_content
done_testing
