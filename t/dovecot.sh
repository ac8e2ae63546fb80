# SPDX-License-Identifier: ISC
# shellcheck shell=bash
#
# dovecot.sh: a real Dovecot; source it after lib.sh, and say need_root and scratch first.
# It runs in the root that `make deps` unpacked, with mounts and processes in namespaces of their own,
# on a port of 127.0.0.1. All that it writes is below $S/dovecot and goes with S.
#
#	dovecot_start submission PORT [MECHANISMS]
#	                        STARTTLS, and nobody may send without AUTH; what it takes goes on by SMTP
#	                        to 127.0.0.1:PORT. The account is $DOVECOT_USER with $DOVECOT_PASSWORD, or
#	                        with a token of dovecot_token for OAUTHBEARER and XOAUTH2
#	dovecot_start lmtp      LMTP with STARTTLS, on the port and on $DOVECOT_SOCKET; mail for any
#	                        address ends in one maildir
#	                        DOVECOT_HASH: "{SCHEME}what it has of the password" in its place
#	DOVECOT_PORT            where it listens
#	DOVECOT_CA              its certificate, for tls.ca_file; the name in it is localhost
#	DOVECOT_LOG             its log
#	dovecot_token SECONDS   a token that is good for so long, or was until so long ago (-SECONDS)
#	dovecot_messages        paths of what LMTP took, oldest first
#	dovecot_stop

DOVECOT_USER=alice@relay.example
# shellcheck disable=SC2016 # a password that wants quoting
DOVECOT_PASSWORD='s3cret ,=%@"'
DOVECOT_KEY=an-hmac-key-of-32-octets-or-more
dovecot_pid=''

dovecot_certificate() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3 \
		-subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 \
		-addext basicConstraints=critical,CA:FALSE \
		-keyout "$1/key.pem" -out "$1/cert.pem" 2>/dev/null
}

dovecot_common() {
	cat <<-EOF
		base_dir = /var/run/dovecot
		state_dir = /var/lib/dovecot
		log_path = /var/log/dovecot.log
		auth_verbose = yes
		auth_failure_delay = 0
		service anvil {
		  unix_listener anvil-auth-penalty {
		    mode = 0
		  }
		}
		mail_location = maildir:~/Maildir
		default_internal_user = dovecot
		default_login_user = dovenull
		default_internal_group = dovecot
		first_valid_uid = 5000
		ssl = yes
		ssl_cert = </etc/dovecot/cert.pem
		ssl_key = </etc/dovecot/key.pem
		hostname = relay.example
		listen = 127.0.0.1
	EOF
}

# The passwords are in clear, which is what every mechanism can be served from.
dovecot_submission_conf() {
	cat <<-EOF
		protocols = submission
		disable_plaintext_auth = yes
		auth_mechanisms = ${2:-scram-sha-256 scram-sha-1 plain login cram-md5 oauthbearer xoauth2}
		submission_relay_host = 127.0.0.1
		submission_relay_port = $1
		service submission-login {
		  inet_listener submission {
		    port = $DOVECOT_PORT
		  }
		  inet_listener submissions {
		    port = 0
		  }
		}
		passdb {
		  driver = oauth2
		  mechanisms = oauthbearer xoauth2
		  args = /etc/dovecot/oauth2.conf
		}
		passdb {
		  driver = passwd-file
		  args = scheme=PLAIN username_format=%u /etc/dovecot/users
		}
		userdb {
		  driver = static
		  args = uid=5000 gid=5000 home=/var/mail/inbox
		}
	EOF
}

dovecot_lmtp_conf() {
	cat <<-EOF
		protocols = lmtp
		service lmtp {
		  inet_listener lmtp {
		    port = $DOVECOT_PORT
		  }
		  unix_listener /var/run/dovecot/lmtp {
		    mode = 0666
		  }
		}
		protocol lmtp {
		  postmaster_address = postmaster@relay.example
		}
		passdb {
		  driver = static
		  args = nopassword=y
		}
		userdb {
		  driver = static
		  args = uid=5000 gid=5000 home=/var/mail/inbox allow_all_users=yes
		}
	EOF
}

# Runs as root of the namespaces. ROOT is covered by what is private to this instance.
dovecot_inside() {
	local root=$1 own=$2 dir
	set -e
	mount --bind "$root" "$root"
	for dir in etc var; do
		mkdir -p "$root/$dir"
		mount --bind "$own/$dir" "$root/$dir"
	done
	for dir in null urandom random zero; do
		mount --bind "/dev/$dir" "$own/etc/dev/$dir"
	done
	mount --rbind "$own/etc/dev" "$root/dev"
	chown -R 5000:5000 "$own/var/mail"
	exec chroot "$root" /usr/sbin/dovecot -F -c /etc/dovecot/dovecot.conf
}

# The private /etc and /var.
dovecot_lay_out() {
	local own=$1 key
	mkdir -p "$own"/etc/{dovecot/keys/default/HS256,dev} \
		"$own"/var/{mail/inbox,log,lib/dovecot,run/dovecot}
	chmod 755 "$own" "$own"/var/{mail,log,lib,run} "$own"/etc
	touch "$own"/etc/dev/{null,urandom,random,zero}
	printf '%s\n' root:x:0:0::/: nobody:x:65534:65534::/: dovecot:x:100:100::/: \
		dovenull:x:101:101::/: inbox:x:5000:5000::/var/mail/inbox: >"$own/etc/passwd"
	printf '%s\n' root:x:0: nogroup:x:65534: dovecot:x:100: dovenull:x:101: inbox:x:5000: \
		>"$own/etc/group"
	echo 127.0.0.1 localhost relay.example >"$own/etc/hosts"
	echo hosts: files >"$own/etc/nsswitch.conf"
	dovecot_certificate "$own/etc/dovecot"
	printf '%s:%s\n' "$DOVECOT_USER" "${DOVECOT_HASH:-{PLAIN\}$DOVECOT_PASSWORD}" \
		>"$own/etc/dovecot/users"
	key=$own/etc/dovecot/keys/default/HS256/default
	printf %s "$DOVECOT_KEY" | base64 -w0 >"$key"
	cat >"$own/etc/dovecot/oauth2.conf" <<-EOF
		introspection_mode = local
		local_validation_key_dict = fs:posix:prefix=/etc/dovecot/keys/
		username_attribute = sub
	EOF
	{ dovecot_common && "dovecot_$2_conf" "${@:3}"; } >"$own/etc/dovecot/dovecot.conf"
}

base64url() { base64 -w0 | tr '+/' '-_' | tr -d '='; }

# A JSON Web Token (RFC 7519), signed with the key above.
dovecot_token() {
	local now text
	now=$(date +%s)
	text=$(printf '{"alg":"HS256","typ":"JWT"}' | base64url).$(printf \
		'{"sub":"%s","iat":%s,"exp":%s}' "$DOVECOT_USER" $((now - 3600)) $((now + $1)) | base64url)
	printf '%s.%s\n' "$text" \
		"$(printf %s "$text" | openssl dgst -sha256 -hmac "$DOVECOT_KEY" -binary | base64url)"
}

dovecot_answers() { (: <>"/dev/tcp/127.0.0.1/$DOVECOT_PORT") 2>/dev/null; }
dovecot_settled() { dovecot_answers || ! kill -0 "$dovecot_pid"; } 2>/dev/null

dovecot_start() {
	local root=$PEERS/dovecot own=$S/dovecot
	[ -e "$root/.complete" ] || give_up "needs Dovecot in $root (make deps)"
	dovecot_stop
	until DOVECOT_PORT=$((10240 + SRANDOM % 20000)) && ! dovecot_answers; do :; done
	export DOVECOT_CA=$own/etc/dovecot/cert.pem DOVECOT_SOCKET=$own/var/run/dovecot/lmtp
	DOVECOT_LOG=$own/var/log/dovecot.log
	dovecot_lay_out "$own" "$@"
	export -f dovecot_inside
	unshare --mount --pid --fork --kill-child \
		bash -c "dovecot_inside $(printf '%q ' "$root" "$own")" >"$S/dovecot.out" 2>&1 &
	dovecot_pid=$!
	eventually 20 dovecot_settled
	dovecot_answers && return
	diag "Dovecot does not start" "$(cat "$S/dovecot.out" "$DOVECOT_LOG" 2>&1)"
	exit 1
}

# With all that it wrote. unshare takes no SIGTERM; when it is gone, --kill-child ends all in there.
dovecot_stop() {
	[ -n "$dovecot_pid" ] || return 0
	{ kill -KILL "$dovecot_pid" && wait "$dovecot_pid"; } 2>/dev/null
	dovecot_pid=''
	rm -rf "$S/dovecot"
}

dovecot_messages() {
	find "$S/dovecot/var/mail/inbox/Maildir/new" -type f -printf '%T@ %p\n' 2>/dev/null |
		sort -n | cut -d' ' -f2-
}
