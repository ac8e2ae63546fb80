#!/bin/bash
# SPDX-License-Identifier: ISC
#
# A queue run is killed before its system calls that have an effect: all of it at once, flush alone,
# smtp alone. After another run each recipient has its message, and the sender of a refused one its
# report; a second copy comes only where no journal knew of the first.
. "${0%/*}/lib.sh"
. "$T/crash.sh"
scratch
sink_start -r 'rcpt refused@* reply 550 5.1.1 no such user'
printf '%s\n' 'Subject: x' '' 'a line' '.' 'the last line' >"$S/text"

queue() {
	config "relay.url=smtp://127.0.0.1:$SINK_PORT" queue.deliver=queue "queue.dir=$S/spool.$1" log.to=auto
	mkdir -m 1777 "$S/spool.$1"
	sendmail -i -f "s@p$1.example" "ra@p$1.example" "refused@p$1.example" "rb@p$1.example" <"$S/text"
	sendmail -i -f "s@p$1.example" "rc@p$1.example" "rd@p$1.example" <"$S/text"
}

# Recipients that no journal has settled, of what is left in the spool.
unsettled() {
	find "$S/spool.$1" -path '*/[nc][eu][wr]/*' -type f -exec awk '
		FNR == 1 { for (i in to) if (!done[i]) print to[i]; delete to; delete done; n = 0 }
		/^rcpt </ { sub(/^rcpt </, ""); sub(/>.*/, ""); to[n++] = $0 }
		/^@[0-9]+ [0-9]+ [25]\./ { done[$2] = 1 }
		END { for (i in to) if (!done[i]) print to[i] }' {} +
}
note_settled() {
	printf '%s\n' r{a,b,c,d}"@p$1.example" | sort >"$S/these"
	unsettled "$1" | sort | comm -23 "$S/these" - >>"$S/settled"
}

drained() { sendmail -q 2>/dev/null; queue_is_empty; }

# crash WHAT STEPS-OPTIONS...
serial=0
crash() {
	local call calls lost=''
	rm -rf "$SINK"/*.e?? "$S"/{acked,tried,settled}
	queue $((++serial))
	steps "${@:2}" "$B/sbin/sendmail" -q
	calls=$(<"$S/step")
	ok "$1: a run that is not killed" drained
	rm -rf "$SINK"/*.e??
	for call in $(points "$calls"); do
		queue $((++serial))
		steps "${@:2}" -n "$call" "$B/sbin/sendmail" -q 2>/dev/null
		echo $serial | tee -a "$S/acked" >>"$S/tried"
		[ "$1" != 'all processes' ] || note_settled $serial # or it was taken up by now
		eventually 30 drained || lost+=" $call"
	done
	is "$1: the queue drains after each of $calls calls" "$lost" ''
	claims "$1" "$S/text" 5
}

crash 'all processes'
crash 'flush' -m flush
crash 'smtp' -m smtp
ok 'no violations' sink_content
done_testing
