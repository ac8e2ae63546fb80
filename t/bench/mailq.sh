# SPDX-License-Identifier: ISC
# shellcheck shell=bash
#
# mailq.sh: how fast the queue is listed, beside Postfix's own `postqueue -p`; `run` sources it.
#
# Postfix holds its messages, so that it has no deferral logs to read, and answers out of its running
# showq. Ours lie in a spool that is made by hand: to post so many would take longer than all else.

# list NAME N ARGUMENT: ours.
list() {
	fill_body=$'hi\r\n'
	fill_spool "$S/listed" "$2" cur
	PILLARBOX_QUEUE_DIR=$S/listed measure "$1" -- -n 5 -w 1 "$B/bin/mailq" "$3"
	PILLARBOX_QUEUE_DIR=$S/listed "$B/bin/mailq" "$3" >"$S/listing"
	[ "$(grep -c '^1\|^{' "$S/listing")" -eq "$2" ] || stop "$1: not all are listed"
}

list_postfix() {
	[ -e "$PEERS/postfix/.complete" ] || { note "not here: postfix; t/peers postfix fetches it"; return 1; }
	note "filling Postfix with $1 messages"
	postfix_limit=5 postfix_security=none postfix_relay=9
	postfix_start plain
	peer_run postfix /usr/sbin/smtp-source -s 20 -m "$1" -l 100 -f sender@client.example \
		-t rcpt@dest.example "127.0.0.1:$POSTFIX_PORT" || stop 'Postfix does not take mail'
	[ "$(peer_run postfix /usr/sbin/postqueue -p | grep -c '^[0-9A-F]')" -eq "$1" ] || stop 'Postfix lost some'
	measure postfix -- -n 5 -w 1 "$(type -P nsenter)" --target "$(pgrep -P "${peer_pid[postfix]}")" --mount --pid \
		/usr/sbin/chroot "$PEERS/postfix" /usr/sbin/postqueue -p
	postfix_stop
}

mailq_part() {
	local n=$((ROUNDS * 100 / 3))
	note "listing $n and $((n * 10)) messages"
	list ten "$n" -p
	list json "$n" -j
	list hundred $((n * 10)) -p
	if list_postfix "$n"; then
		section postqueue
		row "list $n" "${m[postfix.median]}" "${m[ten.median]}" ms 'at most 1'
		row "list $((n * 10)), of its $n" "${m[postfix.median]}" "${m[hundred.median]}" ms 'under 10'
	fi
	section "of $n"
	row "list $n as JSON" "${m[ten.median]}" "${m[json.median]}" ms
	row "list $((n * 10))" "${m[ten.median]}" "${m[hundred.median]}" ms 'under 10'
	row "list $((n * 10)), resident" "${m[ten.rss]}" "${m[hundred.rss]}" KB
}
