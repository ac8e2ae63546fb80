# SPDX-License-Identifier: ISC
# shellcheck shell=bash
#
# servers.sh: Exim, OpenSMTPD and sendmail as relays; source it after lib.sh, and say need_root and
# scratch first; peer.sh says how they run. What they take, for any address but those of
# refused.example, they hand on by SMTP to a port of 127.0.0.1: the sink's.
#
#	server_start NAME MODE PORT   NAME: exim, opensmtpd, sendmail; MODE: plain, or tls for STARTTLS
#	server_stop NAME
#	server_log NAME               prints its log
#	SERVER_PORT                   where it listens
#	SERVER_CA                     its certificate, for tls.ca_file; the name in it is localhost
#	SERVER_SIZE                   the largest message they take

. "$T/peer.sh"
SERVER_SIZE=1000000
export SERVER_PORT SERVER_CA

server_start() {
	# shellcheck disable=SC2046 # one or two words
	peer_lay_out "$1" $("$1_account")
	SERVER_PORT=$(unused_port)
	SERVER_CA=$S/$1/etc/cert.pem
	"$1_start" "$S/$1" "$2" "$3"
}

server_stop() { peer_stop "$1"; }
server_log() { "$1_log" "$S/$1"; }

exim_account() { echo Debian-exim:100; }
exim_log() { cat "$1/var/log/exim4/mainlog"; }
exim_prepare() { chown -R 100:100 "$1"/var/{log,spool}/exim4 "$1/etc/key.pem"; }
exim_conf() {
	cat <<-EOF
		primary_hostname = relay.example
		daemon_smtp_ports = $SERVER_PORT
		local_interfaces = 127.0.0.1
		log_selector = +8bitmime +pipelining
		message_size_limit = $SERVER_SIZE
		tls_advertise_hosts = $([ "$1" = plain ] || echo '*')
		tls_certificate = /etc/cert.pem
		tls_privatekey = /etc/key.pem
		dsn_advertise_hosts = *
		acl_smtp_rcpt = recipient
		acl_smtp_data = accept
		keep_environment =
		notifier_socket =
		begin acl
		recipient:
		  deny domains = refused.example
		  accept
		begin routers
		sink:
		  driver = manualroute
		  route_list = * 127.0.0.1
		  self = send
		  transport = sink
		begin transports
		sink:
		  driver = smtp
		  port = $2
		  allow_localhost
		  hosts_try_fastopen =
	EOF
}

exim_start() {
	mkdir -p "$1"/etc/exim4 "$1"/var/{log,spool}/exim4
	exim_conf "$2" "$3" >"$1/etc/exim4/exim4.conf"
	peer_start exim "$SERVER_PORT" var/log/exim4/mainlog /usr/sbin/exim4 -bdf
}

opensmtpd_account() { printf '%s\n' opensmtpd:100 opensmtpq:101; }
opensmtpd_log() { cat "$1.out"; }
opensmtpd_prepare() {
	chmod 711 "$1/var/spool/smtpd"
	mkdir -p "$1/var/lib/opensmtpd/empty"
}
opensmtpd_start() {
	local own=$1
	mkdir -p "$own/var/spool/smtpd" "$own/etc/ssl/certs"
	cp "$own/etc/cert.pem" "$own/etc/ssl/certs/ca-certificates.crt"
	cat >"$own/etc/smtpd.conf" <<-EOF
		smtp max-message-size $SERVER_SIZE
		pki localhost cert "/etc/cert.pem"
		pki localhost key "/etc/key.pem"
		listen on 127.0.0.1 port $SERVER_PORT hostname relay.example $([ "$2" = plain ] || echo tls pki localhost)
		action sink relay host smtp+notls://127.0.0.1:$3
		match from any for domain refused.example reject
		match from any for any action sink
	EOF
	peer_start opensmtpd "$SERVER_PORT" ../opensmtpd.out /usr/sbin/smtpd -d -T smtp
}

sendmail_account() { echo smmsp:100; }
sendmail_log() { cat "$1/var/log/traffic"; }
sendmail_cf() {
	cat <<-'EOF'
		V10/Berkeley
		Djrelay.example
		O QueueDirectory=/var/spool/mqueue
		O PidFile=/run/sendmail.pid
		O DeliveryMode=background
		O EightBitMode=pass8
		O Timeout.ident=0
		O DontProbeInterfaces=True
		HReceived: from $s by $j id $i; $b
		Troot
		Scanonify=3
		R$* < $+ > $*	$2
		Sparse=0
		R$+	$#sink $@ [127.0.0.1] $: $1
		Scheck_rcpt
		R$* refused.example $*	$#error $@ 5.1.1 $: "550 no such user"
		Mlocal, P=/usr/sbin/none, F=lsDFM, A=none
		Mprog, P=/usr/sbin/none, F=lsDFM, A=none
	EOF
	cat <<-EOF
		O DaemonPortOptions=Addr=127.0.0.1, Port=$SERVER_PORT
		O MaxMessageSize=$SERVER_SIZE
		Msink, P=[IPC], F=mDFMu8X, E=\r\n, L=0, A=TCP \$h $2
	EOF
	[ "$1" = plain ] || printf '%s\n' 'O ServerCertFile=/etc/cert.pem' \
		'O ServerKeyFile=/etc/key.pem' 'O CACertPath=/etc' 'O CACertFile=/etc/cert.pem'
}

sendmail_start() {
	mkdir -p "$1"/etc/mail "$1"/var/spool/mqueue
	chmod 700 "$1"/var/spool/mqueue
	sendmail_cf "$2" "$3" >"$1/etc/mail/sendmail.cf"
	peer_start sendmail "$SERVER_PORT" var/log/traffic \
		/usr/libexec/sendmail/sendmail -bD -X /var/log/traffic
}
