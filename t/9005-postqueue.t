#!/bin/bash
# SPDX-License-Identifier: ISC
#
# What mailq says of a queue, beside what Postfix's own postqueue says of the same.

. "${0%/*}/lib.sh"
. "$T/postfix.sh"
need_root
need perl jq
scratch
config
# shellcheck source=t/queue.sh
. "$T/queue.sh"

# In place of those of a relay: all goes to a port where nobody is.
postfix_main_cf() {
	cat <<-EOF
		compatibility_level = 3.6
		maillog_file = /var/log/mail.log
		myhostname = client.example
		mydestination =
		inet_protocols = ipv4
		mynetworks = 127.0.0.0/8
		alias_maps =
		relayhost = [127.0.0.1]:9
		transport_maps = inline:{ { other.example = smtp:[127.0.0.1]:1 } }
	EOF
}

postfix_master_cf() {
	cat <<-EOF
		127.0.0.1:$POSTFIX_PORT inet n - n - - smtpd
		cleanup unix n - n - 0 cleanup
		qmgr unix n - n 300 1 qmgr
		rewrite unix - - n - - trivial-rewrite
		bounce unix - - n - 0 bounce
		defer unix - - n - 0 bounce
		proxymap unix - - n - - proxymap
		smtp unix - - n - - smtp
		error unix - - n - - error
		retry unix - - n - - error
		anvil unix - - n - 1 anvil
		showq unix n - n - - showq
		postlog unix-dgram n - n - 1 postlogd
	EOF
}

inside() {
	nsenter --target "$(pgrep -P "${peer_pid[postfix]}")" --mount --pid chroot "$PEERS/postfix" "$@"
}
source_mail() { inside /usr/sbin/smtp-source "$@" "127.0.0.1:$POSTFIX_PORT"; }

postfix_start plain
inside /usr/sbin/postqueue -p >"$S/theirs"
mailq >"$S/ours"
same_file 'an empty queue' "$S/ours" "$S/theirs"

source_mail -f alice@example.org -t bob@example.net -l 2000
source_mail -f '' -t bob@example.net
source_mail -f carol@example.org -r 3 -t many@example.net
source_mail -f dave@example.org -t eve@other.example -l 300000
source_mail -f hold@example.org -t bob@example.net
settled() {
	inside /usr/sbin/postqueue -j >"$S/theirs.json"
	[ "$(grep -c '"queue_name": "deferred".*"delay_reason"' "$S/theirs.json")" -eq 5 ]
}
ok 'Postfix has deferred all' eventually 30 settled
inside /usr/sbin/postsuper -h "$(jq -r 'select(.sender | startswith("hold")) | .queue_id' "$S/theirs.json")" 2>"$S/err"
inside /usr/sbin/postqueue -j >"$S/theirs.json"
inside /usr/sbin/postqueue -p >"$S/theirs"

# The same in a spool of ours. IDs in the order of their list
empty_queue
n=0
while read -r object; do
	eval "$(jq -r '@sh "queue=\(.queue_name) id=\(.queue_id) arrived=\(.arrival_time) size=\(.message_size) sender=\(.sender)"' <<<"$object")"
	mapfile -t recipients < <(jq -r '.recipients[].address' <<<"$object")
	n=$((n + 1))
	printf 's/^%s([*!]?) +/%s\\1 /; s/"%s"/"%s"/\n' "$id" "1N5X24Q8R00$n" "$id" "1N5X24Q8R00$n" >>"$S/ids"
	[ "$sender" != MAILER-DAEMON ] || sender=''
	jq -r '.recipients | to_entries[] | select(.value.delay_reason) | "@1795450386 \(.key) 4.0.0 \(.value.delay_reason)"' \
		<<<"$object" |
		message "${queue/deferred/cur}" "1N5X24Q8R00$n" "$arrived" "$size" "$sender" "${recipients[@]}"
done <"$S/theirs.json"
is 'they are five, one on hold' "$n $(ls "$QUEUE/hold" | wc -l)" '5 1'

# IDs are of other lengths: what is between them and the size is not compared, all else to the octet
sed -E -f "$S/ids" "$S/theirs" >"$S/wanted"
mailq | sed -E 's/^([0-9A-Z]{12}[*!]?) +/\1 /' >"$S/ours"
same_file 'postqueue -p' "$S/ours" "$S/wanted"
sed -E -f "$S/ids" "$S/theirs.json" >"$S/wanted"
mailq -j | sed -E 's/, "attempts": [0-9]+(, "last_attempt": [0-9]+, "last_status": "[0-9.]+")?\}/}/g; s/\], "owner".*/]}/' >"$S/ours"
same_file 'postqueue -j' "$S/ours" "$S/wanted"
postfix_stop
done_testing
