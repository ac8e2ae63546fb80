#!/bin/bash
# SPDX-License-Identifier: ISC
#
# DANE: straight to exchangers in a signed zone, through a resolver that validates it.
. "${0%/*}/lib.sh"
need_root
need ip nft unshare
if [ -z "${INSIDE:-}" ]; then INSIDE=1 exec unshare --net --mount "$0"; fi
scratch
ip link set lo up
. "$T/certificates.sh"
. "$T/dnssec.sh"
authority ours
authority theirs
# For DANE-EE neither name nor date nor authority count.
certificate ee theirs DNS:nobody.example -days -1
certificate ta ours DNS:mx.ta.test,DNS:taspki.test
certificate late ours DNS:mx.late.test -days -1
zeros=$(printf '00%.0s' {1..32})

# server N [CERTIFICATE]: answers on port 25 of 127.0.0.N
server() {
	SINK=$S/sink.$1
	if [ -n "${2-}" ]; then sink_start -c mx -t -k "$C/$2.pem"; else sink_start -c mx; fi
	nat+="ip daddr 127.0.0.$1 tcp dport { 25, 2525 } dnat to 127.0.0.1:$SINK_PORT"$'\n'
}
nat=''
server 2 ee
server 3 ta
server 4
server 5 late
nft -f - <<X
table ip nat {
	chain output {
		type nat hook output priority -100;
		$nat
	}
}
X

# A domain of "test." | its server | its TLSA records | what the log says
cases() {
	cat <<-EOF
		good|2|3 1 1 $(tlsa ee 3 1 1)|status=sent .*dane
		whole|2|3 0 0 $(tlsa ee 3 0 0)|status=sent .*dane
		sha512|2|3 0 2 $(tlsa ee 3 0 2)|status=sent .*dane
		two|2|3 1 1 $zeros,3 1 1 $(tlsa ee 3 1 1)|status=sent .*dane
		ta|3|2 0 1 $(tlsa ours 2 0 1)|status=sent .*dane
		taspki|3|2 1 1 $(tlsa ours 2 1 1)|status=sent .*dane
		taname|3|2 0 1 $(tlsa ours 2 0 1)|dsn=4.7.5, status=deferred .*it is not for mx.taname.test but for mx.ta.test, taspki.test
		late|5|2 0 1 $(tlsa ours 2 0 1)|dsn=4.7.5, status=deferred .*it has expired
		wrong|2|3 1 1 $zeros|dsn=4.7.5, status=deferred .*no TLSA record of mx.wrong.test matches it
		pkix|2|1 1 1 $zeros|status=sent .*anonymous
		pkixbare|4|1 1 1 $zeros|dsn=4.7.4, status=deferred .*offers no STARTTLS
		stripped|4|3 1 1 $(tlsa ee 3 1 1)|dsn=4.7.4, status=deferred .*offers no STARTTLS
		none|2||status=sent .*anonymous
		bare|4||status=sent .*tls=plain
	EOF
}

zone_of_cases() {
	local name server records r
	while IFS='|' read -r name server records _; do
		echo "$name MX 10 mx.$name"
		echo "mx.$name A 127.0.0.$server"
		tr , '\n' <<<"$records" | while read -r r; do [ -z "$r" ] || echo "_25._tcp.mx.$name TLSA $r"; done
	done
}

junk_ds="DS 12345 13 2 $zeros"
zone_file test <<X
ns A 127.0.0.1
$(cases | zone_of_cases)
implicit A 127.0.0.2
_25._tcp.implicit TLSA 3 1 1 $zeros
null MX 0 .
; aliases: the name behind has the records; or the alias itself
alias MX 10 mx.alias
mx.alias CNAME mx.wrong
aliasown MX 10 mx.aliasown
mx.aliasown CNAME mx.none
_25._tcp.mx.aliasown TLSA 3 1 1 $(tlsa ee 3 1 1)
; a zone without signatures, and two that should have them
plain NS ns
elsewhere MX 10 mx.plain
broken NS ns
broken $junk_ds
norecords MX 10 mx.norecords
mx.norecords A 127.0.0.2
_tcp.mx.norecords NS ns
_tcp.mx.norecords $junk_ds
; the second exchanger is as good as its own records
second MX 10 mx.wrong
second MX 20 mx.good
; a relay
relay A 127.0.0.2
_2525._tcp.relay TLSA 3 1 1 $(tlsa ee 3 1 1)
X
zone_file plain.test <<X
@ MX 10 mx
mx A 127.0.0.2
_25._tcp.mx TLSA 3 1 1 $zeros
back MX 10 mx.wrong.test.
X
zone_file broken.test <<<'@ MX 10 mx.good.test.'
zone_file _tcp.mx.norecords.test <<<"_25 TLSA 3 1 1 $zeros"
dnssec_start test plain.test broken.test _tcp.mx.norecords.test

log_of() { grep -F "to=<$1>" "$S/log" | tail -n 1; }
n=0
# goes DOMAIN REGEX [SETTING...]: what the log says of mail to there.
goes() {
	config queue.deliver=queue queue.retry=1h smtp.connect_timeout=5s "${@:3}"
	n=$((n + 1))
	sendmail -i -f s@x.example "r$n@$1" <<<$'Subject: x\n\nhello'
	sendmail -q
	like "$1${3:+, ${*:3}}" "$(log_of "r$n@$1")" "$2"
	eventually 5 rm -rf "${S:?}/spool"/* 2>/dev/null # a flusher may just note its counts
}

while IFS='|' read -r name _ _ wanted; do
	goes "$name.test" "$wanted"
done < <(cases)
is 'the name that has the TLSA records goes as SNI' \
	"$(grep -l 'rcpt <r1@good.test>' "$S"/sink.2/*.env | xargs grep ^sni)" 'sni mx.good.test'

while IFS='|' read -r domain wanted; do
	goes "$domain" "$wanted"
done <<'X'
implicit.test|dsn=4.7.5, status=deferred .*no TLSA record of implicit.test matches it
alias.test|dsn=4.7.5, status=deferred .*no TLSA record of mx.wrong.test matches it
aliasown.test|status=sent .*dane
second.test|relay=mx.good.test\[127.0.0.2\]:25,.*status=sent .*dane
plain.test|status=sent .*anonymous
elsewhere.test|status=sent .*anonymous
back.plain.test|status=sent .*anonymous
norecords.test|dsn=4.7.5, status=deferred .*look-up of TLSA _25._tcp.mx.norecords.test failed
broken.test|dsn=4.4.3, status=deferred
null.test|dsn=5.1.10, status=bounced
gone.test|dsn=5.1.2, status=bounced
X
goes good.test 'status=sent .*tls=plain' tls.policies=good.test=none
goes wrong.test 'status=sent .*anonymous' 'tls.policies=*.test=may'
goes wrong.test 'status=sent .*anonymous' tls.policy=encrypt
goes good.test 'status=deferred .*certificate verify failed' tls.policy=verify
goes wrong.test 'no TLSA record' tls.policy=dane
goes ta.test 'status=sent .*verified' tls.policy=verify "tls.ca_file=$C/ours.crt"

# A relay has records for its own port, when they are asked for.
for policy in auto:anonymous dane:dane; do
	goes x.example "status=sent .*${policy#*:}" relay.url=smtp://relay.test:2525 "tls.policy=${policy%:*}"
done

# A resolver that is not on this machine is not believed, unless that is said.
resolv_conf 'nameserver 192.0.2.53'
goes wrong.test 'status=sent .*anonymous'
resolv_conf 'nameserver 192.0.2.53' 'options trust-ad'
goes wrong.test 'status=deferred .*no TLSA record'
resolv_conf 'nameserver 127.0.0.1' 'nameserver 192.0.2.53'
goes wrong.test 'status=sent .*anonymous'

is 'no server has anything to complain of' "$(cat "$S"/sink.*/violations 2>/dev/null)" ''
done_testing
