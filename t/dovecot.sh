# SPDX-License-Identifier: ISC
# shellcheck shell=bash
#
# dovecot.sh: a real Dovecot; source it after lib.sh, and say need_root and scratch first.
# peer.sh says how it runs.
#
#	dovecot_start submission PORT [MECHANISMS]
#	                        STARTTLS, and nobody may send without AUTH; what it takes goes on by SMTP
#	                        to 127.0.0.1:PORT. The account is $DOVECOT_USER with $DOVECOT_PASSWORD, or
#	                        with a token of dovecot_token for OAUTHBEARER and XOAUTH2
#	dovecot_start lmtp ADDRESS...
#	                        LMTP with STARTTLS, on the port and on $DOVECOT_SOCKET; each of these
#	                        addresses has a mailbox, and no message fits into that of full@…
#	                        DOVECOT_HASH: "{SCHEME}what it has of the password" in its place
#	DOVECOT_PORT            where it listens
#	DOVECOT_CA              its certificate, for tls.ca_file; the name in it is localhost
#	DOVECOT_LOG             its log
#	dovecot_token SECONDS   a token that is good for so long, or was until so long ago (-SECONDS)
#	dovecot_messages ADDRESS  paths of what LMTP took for it, oldest first
#	dovecot_heard           all that LMTP's clients said
#	dovecot_stop

. "$T/peer.sh"
DOVECOT_USER=alice@relay.example
# shellcheck disable=SC2016 # a password that wants quoting
DOVECOT_PASSWORD='s3cret ,=%@"'
DOVECOT_KEY=an-hmac-key-of-32-octets-or-more

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
		ssl_cert = </etc/cert.pem
		ssl_key = </etc/key.pem
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
		}
		protocol lmtp {
		  postmaster_address = postmaster@relay.example
		}
		mail_plugins = quota
		plugin {
		  quota = maildir:
		}
		lmtp_rawlog_dir = /var/log/lmtp
		passdb {
		  driver = static
		  args = nopassword=y
		}
		userdb {
		  driver = passwd-file
		  args = username_format=%u /etc/dovecot/inboxes
		}
	EOF
}

dovecot_prepare() { chown -R 5000:5000 "$1"/var/mail "$1"/var/log/lmtp; }

# What is behind /etc and /var.
dovecot_lay_out() {
	local own=$1 key
	mkdir -p "$own"/etc/dovecot/keys/default/HS256 "$own"/var/{mail/inbox,log/lmtp,lib/dovecot,run/dovecot}
	printf '%s:%s\n' "$DOVECOT_USER" "${DOVECOT_HASH:-{PLAIN\}$DOVECOT_PASSWORD}" \
		>"$own/etc/dovecot/users"
	key=$own/etc/dovecot/keys/default/HS256/default
	printf %s "$DOVECOT_KEY" | base64 -w0 >"$key"
	cat >"$own/etc/dovecot/oauth2.conf" <<-EOF
		introspection_mode = local
		local_validation_key_dict = fs:posix:prefix=/etc/dovecot/keys/
		username_attribute = sub
	EOF
	dovecot_inboxes "${@:3}" >"$own/etc/dovecot/inboxes"
	{ dovecot_common && "dovecot_$2_conf" "${@:3}"; } >"$own/etc/dovecot/dovecot.conf"
}

dovecot_inboxes() {
	local address extra
	for address; do
		extra=
		[[ $address != full@* ]] || extra='userdb_quota_rule=*:bytes=1'
		echo "$address::5000:5000::/var/mail/$address::$extra"
	done
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

dovecot_start() {
	peer_lay_out dovecot dovecot:100 dovenull:101 inbox:5000
	DOVECOT_PORT=$(unused_port)
	export DOVECOT_CA=$S/dovecot/etc/cert.pem DOVECOT_SOCKET=$S/dovecot/var/run/dovecot/lmtp
	DOVECOT_LOG=$S/dovecot/var/log/dovecot.log
	dovecot_lay_out "$S/dovecot" "$@"
	peer_start dovecot "$DOVECOT_PORT" var/log/dovecot.log \
		/usr/sbin/dovecot -F -c /etc/dovecot/dovecot.conf
}

dovecot_stop() { peer_stop dovecot; }
dovecot_messages() { maildir "$S/dovecot/var/mail/$1/Maildir"; }
dovecot_heard() { cat "$S"/dovecot/var/log/lmtp/*.in; }
