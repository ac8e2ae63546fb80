#!/bin/bash
# SPDX-License-Identifier: ISC
#
# The injector is killed before each of its system calls: what it said yes to is queued whole, and what
# it did not is queued whole or not at all.
. "${0%/*}/lib.sh"
. "$T/crash.sh"
scratch
sink_start

small() { printf '%s\n' 'Subject: small' '' 'a line' '.' '..dots' 'the last line'; }
large() { printf 'Subject: large\n\n'; head -c 300000 /dev/zero | tr '\0' a | fold; echo the last line; }
long() { printf 'Subject: long\n\n'; head -c 3000 /dev/zero | tr '\0' a; echo; echo the last line; }

# post NAME N STEPS...: three recipients of point N.
by_arguments() { steps "${@:3}" "$B/sbin/sendmail" -i -f s@x.example "ra@p$2.example" "rb@p$2.example,rc@p$2.example" <"$S/$1"; }
by_header() {
	{ echo "To: ra@p$2.example"; echo "Bcc: rb@p$2.example, rc@p$2.example"; cat "$S/$1"; } |
		steps "${@:3}" "$B/sbin/sendmail" -t -i -f s@x.example
}
# Acknowledged by the server's word, whatever becomes of it afterwards.
by_smtp() {
	{
		printf '%s\r\n' 'EHLO c.example' 'MAIL FROM:<s@x.example>' "RCPT TO:<ra@p$2.example>" \
			"RCPT TO:<rb@p$2.example>" "RCPT TO:<rc@p$2.example>" DATA
		sed -e 's/^\./../' -e 's/$/\r/' "$S/$1"
		printf '.\r\nQUIT\r\n'
	} | steps "${@:3}" "$B/sbin/sendmail" -bs >"$S/replies"
	local status=$?
	! grep -q '^250 .*queued' "$S/replies" || echo "$2" >>"$S/acked"
	return $status
}

drained() { sendmail -q 2>/dev/null; queue_is_empty; }

# crash NAME HOW: at the first call, the second, … until it comes to its end.
crash() {
	local n status
	rm -rf "$SINK"/*.e?? "$S"/{acked,tried}
	config "relay.url=smtp://127.0.0.1:$SINK_PORT" queue.deliver=queue "queue.dir=$S/spool.$1.$2"
	mkdir -m 1777 "$S/spool.$1.$2"
	"$1" >"$S/$1"
	for ((n = 0, status = 137; status == 137 && n < 500; n++)); do
		"$2" "$1" "$n" -a -n "$n" 2>>"$S/err"
		status=$?
		echo "$n" >>"$S/tried"
		[ $status -ne 0 ] || echo "$n" >>"$S/acked"
		[ "$n" -gt 0 ] || status=137 # that one was let go on, and made the directories
	done
	is "$1, $2: all but the first and the last of $n are killed" $status 0
	ok '  what is queued drains' eventually 30 drained
	claims "$1, $2" "$S/$1" 3
}

crash small by_arguments
crash small by_header
crash small by_smtp
crash large by_arguments
crash long by_arguments
ok 'no violations' sink_content
done_testing
