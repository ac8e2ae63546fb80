# SPDX-License-Identifier: ISC
# shellcheck shell=bash
#
# dnssec.sh: a signed zone "test." served by knot, and unbound, which validates it, on 127.0.0.1:53.
# For a network and mount namespace of one's own; source it after lib.sh, and say scratch first.
#
#	zone_file NAME         read a zone's records from stdin ("test", "plain.test"); SOA and NS are
#	                       put in front
#	dnssec_start NAME...   serve those zones, of which "test" is signed, and resolve. /etc/resolv.conf
#	                       then names unbound
#	resolv_conf LINE...    what /etc/resolv.conf is

D=$S/dns
DNS_PORT=5300
mkdir -p "$D/db" "$D/run"

# The servers come with their own libraries.
dns_program() {
	local root=$PEERS/dns lib
	lib=$(echo "$root"/lib/*/ld-linux*)
	exec "$lib" --library-path "${lib%/*}:$(dirname "$root/usr${lib#"$root"}")" "$root/usr/$1" "${@:2}"
}

zone_file() {
	{
		echo "\$TTL 60"
		echo "@ SOA ns.test. hostmaster.test. 1 3600 600 86400 60"
		echo '@ NS ns.test.'
		cat
	} >"$D/$1.zone"
}

resolv_conf() { printf '%s\n' "$@" 'options timeout:2 attempts:1' >"$S/resolv.conf"; }

knot_conf() {
	cat <<-EOF
		server:
		  rundir: $D/run
		  listen: 127.0.0.1@$DNS_PORT
		log:
		  - target: $D/knot.log
		    any: info
		database:
		  storage: $D/db
		policy:
		  - id: one
		    algorithm: ecdsap256sha256
		    single-type-signing: on
		template:
		  - id: default
		    storage: $D
		    file: %s.zone
		    zonefile-sync: -1
		    journal-content: all
		zone:
	EOF
	for zone; do
		echo "  - domain: $zone"
		[ "$zone" != test ] || printf '    %s\n' 'dnssec-signing: on' 'dnssec-policy: one'
	done
}

unbound_conf() {
	cat <<-EOF
		server:
		  interface: 127.0.0.1
		  interface: 192.0.2.53
		  username: ""
		  chroot: ""
		  directory: $D
		  pidfile: ""
		  use-syslog: no
		  logfile: $D/unbound.log
		  verbosity: 1
		  do-daemonize: no
		  do-not-query-localhost: no
		  local-zone: "test." nodefault
		  access-control: 0.0.0.0/0 allow
		  trust-anchor-file: $D/anchor
		stub-zone:
		  name: "test."
		  stub-addr: 127.0.0.1@$DNS_PORT
		remote-control:
		  control-enable: no
	EOF
}

dns_says() { (dns_program bin/kdig +timeout=1 +retry=0 "${@:2}") 2>&1 | grep -qE "$1"; }

dnssec_start() {
	[ -e "$PEERS/dns/.complete" ] || give_up "needs unbound and knot in $PEERS/dns (make deps)"
	knot_conf "$@" >"$D/knot.conf"
	(dns_program sbin/knotd -c "$D/knot.conf") >"$D/knot.out" 2>&1 &
	eventually 10 dns_says RRSIG @127.0.0.1 -p $DNS_PORT +dnssec test SOA ||
		give_up "knot does not start: $(cat "$D/knot.out" "$D/knot.log" 2>&1 | tail -n 5)"
	(dns_program sbin/keymgr -c "$D/knot.conf" test. ds) >"$D/anchor"
	unbound_conf >"$D/unbound.conf"
	ip address add 192.0.2.53 dev lo # a resolver that is not on loopback
	(dns_program sbin/unbound -c "$D/unbound.conf") >"$D/unbound.out" 2>&1 &
	eventually 10 dns_says 'Flags:.* ad[; ]' @127.0.0.1 +adflag test SOA ||
		give_up "unbound does not validate: $(cat "$D/unbound.out" "$D/unbound.log" 2>&1 | tail -n 5)"
	resolv_conf 'nameserver 127.0.0.1'
	mount --bind "$S/resolv.conf" /etc/resolv.conf || give_up 'cannot mount'
}
