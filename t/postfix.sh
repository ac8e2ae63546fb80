# SPDX-License-Identifier: ISC
# shellcheck shell=bash
#
# postfix.sh: a real Postfix as the relay; source it after lib.sh, and say need_root and scratch first.
# It runs in the root that `make deps` unpacked, with mounts and processes in namespaces of their own,
# on two ports of 127.0.0.1. All that it writes is below $S/postfix and goes with S. All mail that it
# takes, for any address, ends in one maildir.
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

# shellcheck disable=SC2016 # a password that wants quoting
POSTFIX_PASSWORD='s3cret $%:@"'
postfix_pid=''

# A port that nobody listens on, below those that the kernel hands out.
unused_port() {
	local port
	until port=$((10240 + SRANDOM % 20000)) && ! (: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do
		:
	done
	echo "$port"
}

postfix_certificate() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3 \
		-subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 \
		-addext basicConstraints=critical,CA:FALSE \
		-keyout "$1/key.pem" -out "$1/cert.pem" 2>/dev/null
}

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
		smtpd_tls_cert_file = /etc/postfix/cert.pem
		smtpd_tls_key_file = /etc/postfix/key.pem
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

# Runs as root of the namespaces. ROOT is covered by what is private to this instance.
postfix_inside() {
	local root=$1 own=$2 dir
	set -e
	mount --bind "$root" "$root"
	for dir in etc var; do
		mkdir -p "$root/$dir"
		mount --bind "$own/$dir" "$root/$dir"
	done
	for dir in null urandom random; do
		mount --bind "/dev/$dir" "$own/etc/dev/$dir"
	done
	mount --rbind "$own/etc/dev" "$root/dev"
	chown -R 100:100 "$own"/var/lib/postfix
	cd "$own/var/spool/postfix"
	chown 100 active bounce corrupt defer deferred flush hold incoming private saved trace
	chown 100:101 maildrop public
	chown 5000:5000 "$own/var/mail"
	cd /
	if [ -e "$own/etc/password" ]; then
		chroot "$root" /usr/sbin/saslpasswd2 -p -c -u relay.example alice <"$own/etc/password"
		chown 100 "$own/etc/sasldb2"
	fi
	exec chroot "$root" /usr/lib/postfix/sbin/master -i -c /etc/postfix
}

# The private /etc and /var.
postfix_lay_out() {
	local own=$1 mode=$2 q=$1/var/spool/postfix
	mkdir -p "$own"/etc/{postfix/sasl,dev} "$own"/var/{mail,log,lib/postfix} \
		"$q"/{active,bounce,corrupt,defer,deferred,flush,hold,incoming,private,saved,trace} \
		"$q"/{maildrop,public,pid}
	chmod 700 "$q"/[a-o]* "$q"/{private,saved,trace}
	chmod 730 "$q/maildrop"
	chmod 710 "$q/public"
	touch "$own"/etc/dev/{null,urandom,random}
	printf '%s\n' root:x:0:0::/: nobody:x:65534:65534::/: postfix:x:100:100::/: >"$own/etc/passwd"
	printf '%s\n' root:x:0: nogroup:x:65534: postfix:x:100: postdrop:x:101: >"$own/etc/group"
	echo 127.0.0.1 localhost relay.example >"$own/etc/hosts"
	echo hosts: files >"$own/etc/nsswitch.conf"
	: >"$own/etc/services"
	postfix_main_cf "$mode" >"$own/etc/postfix/main.cf"
	postfix_master_cf >"$own/etc/postfix/master.cf"
	postfix_certificate "$own/etc/postfix"
	if [ "$mode" = auth ]; then
		printf %s "$POSTFIX_PASSWORD" >"$own/etc/password"
		printf '%s\n' 'pwcheck_method: auxprop' 'auxprop_plugin: sasldb' \
			'mech_list: PLAIN LOGIN' >"$own/etc/postfix/sasl/smtpd.conf"
	fi
}

postfix_answers() { (: <>"/dev/tcp/127.0.0.1/$POSTFIX_PORT") 2>/dev/null; }
postfix_settled() { postfix_answers || ! kill -0 "$postfix_pid"; } 2>/dev/null

postfix_start() {
	local root=$PEERS/postfix own=$S/postfix
	[ -e "$root/.complete" ] || give_up "needs Postfix in $root (make deps)"
	postfix_stop
	POSTFIX_PORT=$(unused_port)
	POSTFIX_TLS_PORT=$(unused_port)
	export POSTFIX_CA=$own/etc/postfix/cert.pem
	POSTFIX_LOG=$own/var/log/mail.log
	postfix_lay_out "$own" "$1"
	export -f postfix_inside
	unshare --mount --pid --fork --kill-child \
		bash -c "postfix_inside $(printf '%q ' "$root" "$own")" >"$S/postfix.out" 2>&1 &
	postfix_pid=$!
	eventually 20 postfix_settled
	postfix_answers && return
	diag "Postfix does not start" "$(cat "$S/postfix.out" "$POSTFIX_LOG" 2>&1)"
	exit 1
}

# With all that it wrote. unshare takes no SIGTERM; when it is gone, --kill-child ends all in there.
postfix_stop() {
	[ -n "$postfix_pid" ] || return 0
	{ kill -KILL "$postfix_pid" && wait "$postfix_pid"; } 2>/dev/null
	postfix_pid=''
	rm -rf "$S/postfix"
}

postfix_messages() {
	find "$S/postfix/var/mail/inbox/new" -type f -printf '%T@ %p\n' 2>/dev/null |
		sort -n | cut -d' ' -f2-
}

postfix_arrived() { [ "$(postfix_messages | wc -l)" -ge "$1" ]; }

# The first four fields are its own; the next line that is no continuation is the sender's.
postfix_original() {
	awk 'BEGIN { top = 1 }
		top && /^(Return-Path|X-Original-To|Delivered-To):/ { next }
		top && /^Received:/ && !seen { seen = 1; next }
		top && seen && /^[ \t]/ { next }
		{ top = 0; print }' "$1"
}
