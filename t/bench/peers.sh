# SPDX-License-Identifier: ISC
# shellcheck shell=bash
#
# peers.sh: other clients that drain a queue, for ours to be compared with; `run` sources it. They run
# in the roots of $PEERS as ../peer.sh has it; who is not there does not take part.
#
#	NAME_fill N LIMIT SECURITY PORT   a queue of N messages of 2 KB, all for one relay: PORT of
#	                                  127.0.0.1, at LIMIT connections, SECURITY none or encrypt;
#	                                  nothing is sent yet
#	NAME_flush                        send them
#	NAME_end                          it is not there any more
#
# Postfix is as Debian has it, but for sessions under TLS, which it uses again too. nullmailer knows
# one connection a message and no other limit; dma has them all at once.

. "$T/postfix.sh"
peers=() absent=()
for peer in postfix nullmailer dma; do
	if [ -e "$PEERS/$peer/.complete" ]; then peers+=("$peer"); else absent+=("$peer"); fi
done

# peer_run NAME COMMAND...: beside the peer that was started, in its root.
peer_run() {
	nsenter --target "$(pgrep -P "${peer_pid[$1]}")" --mount --pid \
		chroot "$PEERS/$1" "${@:2}"
}

# In place of those of a server: what comes in is held, what goes out is the sink's.
postfix_main_cf() {
	cat <<-EOF
		compatibility_level = 3.6
		maillog_file = /var/log/mail.log
		myhostname = client.example
		mydestination =
		inet_protocols = ipv4
		mynetworks = 127.0.0.0/8
		alias_maps =
		smtpd_client_restrictions = static:HOLD
		smtpd_client_connection_count_limit = 0
		relayhost = [127.0.0.1]:$postfix_relay
		initial_destination_concurrency = $postfix_limit
		default_destination_concurrency_limit = $postfix_limit
		smtp_tls_security_level = $postfix_security
		smtp_tls_connection_reuse = yes
		smtp_tls_session_cache_database = btree:\${data_directory}/smtp_scache
	EOF
}

postfix_master_cf() {
	cat <<-EOF
		127.0.0.1:$POSTFIX_PORT inet n - n - - smtpd
		pickup unix n - n 60 1 pickup
		cleanup unix n - n - 0 cleanup
		qmgr unix n - n 300 1 qmgr
		tlsmgr unix - - n 1000? 1 tlsmgr
		tlsproxy unix - - n - 0 tlsproxy
		rewrite unix - - n - - trivial-rewrite
		bounce unix - - n - 0 bounce
		defer unix - - n - 0 bounce
		proxymap unix - - n - - proxymap
		smtp unix - - n - - smtp
		error unix - - n - - error
		retry unix - - n - - error
		anvil unix - - n - 1 anvil
		scache unix - - n - 1 scache
		showq unix n - n - - showq
		postlog unix-dgram n - n - 1 postlogd
	EOF
}

postfix_fill() {
	postfix_limit=$2 postfix_security=$3 postfix_relay=$4
	postfix_start plain
	peer_run postfix /usr/sbin/smtp-source -s 8 -m "$1" -l 1860 -f sender@client.example \
		-t rcpt@dest.example "127.0.0.1:$POSTFIX_PORT" || stop 'Postfix does not take mail'
	peer_run postfix /usr/sbin/postsuper -H ALL 2>/dev/null || stop 'Postfix does not let go'
}

postfix_flush() { peer_run postfix /usr/sbin/postqueue -f; }
postfix_end() { postfix_stop; }

# The trigger is a pipe by which new mail makes itself known.
nullmailer_prepare() {
	local q=$1/var/spool/nullmailer
	mkfifo "$q/trigger"
	chown -R 8 "$q" "$1/etc/nullmailer"
}

nullmailer_fill() {
	local own=$S/nullmailer i etc
	peer_lay_out nullmailer mail:8
	etc=$own/etc/nullmailer
	mkdir -p "$own/var/spool/nullmailer"/{queue,tmp,failed} "$etc"
	for i in $(seq "$1"); do
		{ printf '%s\n' sender@client.example rcpt@dest.example ''; cat "$S/2k"; } \
			>"$own/var/spool/nullmailer/queue/1764000000.$i"
	done
	echo "127.0.0.1 smtp port=$4$([ "$3" = none ] || echo ' starttls insecure')" >"$etc/remotes"
	echo client.example >"$etc/me"
	echo 0 >"$etc/pausetime" # once, and not for ever
}

nullmailer_flush() {
	unshare --mount --pid --fork --kill-child bash -c "$(declare -f peer_inside nullmailer_prepare)
		peer_inside $(printf '%q ' nullmailer "$PEERS/nullmailer" "$S/nullmailer" \
			/usr/sbin/nullmailer-send)" >"$S/nullmailer.out" 2>&1
}

nullmailer_end() { peer_stop nullmailer; }

# A process for each message, so it is looked for among all of them.
dma_runs() { pgrep -x dma >/dev/null; }
dma_gone() { ! dma_runs; }

dma_prepare() {
	chgrp 8 "$1/var/spool/dma" "$1/etc/dma/dma.conf"
	chmod 2770 "$1/var/spool/dma"
}

# dma_run ARGUMENTS...: in its root, with what is private to it; it may go on in the background.
dma_run() {
	unshare --mount bash -c "$(declare -f peer_inside dma_prepare)
		peer_inside $(printf '%q ' dma "$PEERS/dma" "$S/dma" "$@")"
}

dma_fill() {
	local etc=$S/dma/etc
	peer_lay_out dma mail:8
	mkdir -p "$S/dma/var/spool/dma" "$etc/dma"
	: >"$etc/aliases"
	{
		printf '%s\n' 'SMARTHOST 127.0.0.1' "PORT $4" 'MAILNAME client.example'
		[ "$3" = none ] || printf '%s\n' SECURETRANSFER STARTTLS
	} >"$etc/dma/dma.conf"
	for _ in $(seq "$1"); do
		dma_run /usr/sbin/dma -bq -f sender@client.example rcpt@dest.example <"$S/2k" ||
			stop 'dma does not take mail'
	done
}

dma_flush() { dma_run /usr/sbin/dma -q; }
dma_end() { eventually 20 dma_gone || stop 'dma does not end'; peer_stop dma; }
