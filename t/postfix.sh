# SPDX-License-Identifier: ISC
# shellcheck shell=bash
#
# postfix.sh: a real Postfix as the relay; source it after lib.sh, and say need_root and scratch first.
# peer.sh says how it runs. All mail that it takes, for any address, ends in one maildir.
#
#	postfix_start plain     no TLS
#	postfix_start tls       STARTTLS
#	postfix_start auth      STARTTLS, and nobody may send without AUTH: alice@relay.example,
#	                        whose password is $POSTFIX_PASSWORD
#	POSTFIX_PORT            smtp;  POSTFIX_TLS_PORT: TLS from the first octet (tls, auth)
#	POSTFIX_CA              its certificate, for tls.ca_file; the name in it is localhost
#	POSTFIX_LOG             its log
#	postfix_messages        paths of what arrived, oldest first
#	postfix_original FILE   that message without the lines that Postfix put on top
#	postfix_stop

. "$T/peer.sh"
# shellcheck disable=SC2016 # a password that wants quoting
POSTFIX_PASSWORD='s3cret $%:@"'

postfix_main_cf() {
	cat <<-EOF
		compatibility_level = 3.6
		maillog_file = /var/log/mail.log
		myhostname = relay.example
		mydestination =
		inet_protocols = ipv4
		mynetworks = 127.0.0.0/8
		alias_maps =
		# Take mail for any address, of any size, and change nothing in it.
		virtual_mailbox_domains = static:all
		virtual_mailbox_maps = static:inbox/
		virtual_mailbox_base = /var/mail
		virtual_uid_maps = static:5000
		virtual_gid_maps = static:5000
		virtual_mailbox_limit = 0
		message_size_limit = 0
		local_header_rewrite_clients =
		smtpd_relay_restrictions = $([ "$1" = auth ] || echo permit_mynetworks,) permit_sasl_authenticated, reject
		smtpd_client_connection_count_limit = 0
		smtpd_tls_security_level = $([ "$1" = plain ] && echo none || echo may)
		smtpd_tls_cert_file = /etc/cert.pem
		smtpd_tls_key_file = /etc/key.pem
		smtpd_tls_loglevel = 1
		smtpd_tls_auth_only = yes
		smtpd_sasl_auth_enable = $([ "$1" = auth ] && echo yes || echo no)
		smtpd_sasl_local_domain = relay.example
		cyrus_sasl_config_path = /etc/postfix/sasl
	EOF
}

postfix_master_cf() {
	local tls='-o smtpd_tls_wrappermode=yes -o smtpd_tls_security_level=encrypt'
	cat <<-EOF
		127.0.0.1:$POSTFIX_PORT inet n - n - - smtpd
		127.0.0.1:$POSTFIX_TLS_PORT inet n - n - - smtpd $tls
		cleanup unix n - n - 0 cleanup
		qmgr unix n - n 300 1 qmgr
		tlsmgr unix - - n 1000? 1 tlsmgr
		rewrite unix - - n - - trivial-rewrite
		bounce unix - - n - 0 bounce
		defer unix - - n - 0 bounce
		trace unix - - n - 0 bounce
		flush unix n - n 1000? 0 flush
		proxymap unix - - n - - proxymap
		error unix - - n - - error
		retry unix - - n - - error
		anvil unix - - n - 1 anvil
		virtual unix - n n - - virtual
		postlog unix-dgram n - n - 1 postlogd
	EOF
}

postfix_prepare() {
	local own=$1 root=$2
	chown -R 100:100 "$own"/var/lib/postfix
	cd "$own/var/spool/postfix" || exit
	chown 100 active bounce corrupt defer deferred flush hold incoming private saved trace
	chown 100:101 maildrop public
	chown 5000:5000 "$own/var/mail"
	[ -e "$own/etc/password" ] || return 0
	chroot "$root" /usr/sbin/saslpasswd2 -p -c -u relay.example alice <"$own/etc/password"
	chown 100 "$own/etc/sasldb2"
}

# What is behind /etc and /var.
postfix_lay_out() {
	local own=$1 mode=$2 q=$1/var/spool/postfix
	mkdir -p "$own"/etc/postfix/sasl "$own/var/lib/postfix" "$q"/{maildrop,public,pid} \
		"$q"/{active,bounce,corrupt,defer,deferred,flush,hold,incoming,private,saved,trace}
	chmod 700 "$q"/[a-o]* "$q"/{private,saved,trace}
	chmod 730 "$q/maildrop"
	chmod 710 "$q/public"
	postfix_main_cf "$mode" >"$own/etc/postfix/main.cf"
	postfix_master_cf >"$own/etc/postfix/master.cf"
	[ "$mode" = auth ] || return 0
	printf %s "$POSTFIX_PASSWORD" >"$own/etc/password"
	printf '%s\n' 'pwcheck_method: auxprop' 'auxprop_plugin: sasldb' \
		'mech_list: PLAIN LOGIN' >"$own/etc/postfix/sasl/smtpd.conf"
}

postfix_start() {
	peer_lay_out postfix postfix:100 postdrop:101
	POSTFIX_PORT=$(unused_port)
	POSTFIX_TLS_PORT=$(unused_port)
	export POSTFIX_CA=$S/postfix/etc/cert.pem
	POSTFIX_LOG=$S/postfix/var/log/mail.log
	postfix_lay_out "$S/postfix" "$1"
	peer_start postfix "$POSTFIX_PORT" var/log/mail.log \
		/usr/lib/postfix/sbin/master -i -c /etc/postfix
}

postfix_stop() { peer_stop postfix; }
postfix_messages() { maildir "$S/postfix/var/mail/inbox"; }
postfix_arrived() { [ "$(postfix_messages | wc -l)" -ge "$1" ]; }

# The first four fields are its own; the next line that is no continuation is the sender's.
postfix_original() {
	awk 'BEGIN { top = 1 }
		top && /^(Return-Path|X-Original-To|Delivered-To):/ { next }
		top && /^Received:/ && !seen { seen = 1; next }
		top && seen && /^[ \t]/ { next }
		{ top = 0; print }' "$1"
}
