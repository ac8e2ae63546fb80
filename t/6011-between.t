#!/bin/bash
# SPDX-License-Identifier: ISC
# mailq steers a message that somebody else moves, delivers, or takes, between two system calls of
# mailq's, be it between its look and its lock: at each of them in turn.
. "${0%/*}/lib.sh"
. "$T/crash.sh"
scratch
need perl
# shellcheck source=t/queue.sh
. "$T/queue.sh"
config queue.deliver=queue queue.socket=
now=$(date +%s)
ID=1N5X24Q8R001
fill() {
	empty_queue
	message cur $ID "$now" 10 a@example.org b@example.net <<<"@$((now - 7100)) 0 4.4.1 connect: timed out"
	rm -f "$S/log"
}
# "hold": where it is; "gone"
lies() { (cd "$QUEUE" && echo */$ID) | sed "s:/$ID::g; s:\*:gone:"; }

# As a flusher or another mailq does it: with the message locked, or not at all.
cat >"$S/meanwhile" <<'END'
	use Fcntl;
	my ($what, $file, $to) = @ARGV;
	my $lock = pack("s s x4 q q i x4", F_WRLCK, 0, 0, 0, 0);
	open(F, "+<", $file) && fcntl(F, F_SETLK, $lock) && -e $file or exit 0;
	$what eq "moved" ? rename($file, $to) : unlink($file) or die "$!";
END

# MEANWHILE IT IS|OPTIONS|WHAT MAY COME OF IT, as STATUS:WHERE
# It must end as if the one had been done before or after the other as a whole, and say so.
while IFS='|' read -r what options outcomes; do
	seen='' wrong=''
	fill
	# shellcheck disable=SC2086 # words
	steps -a "$B/bin/mailq" $options $ID >/dev/null 2>&1
	# Before these it only loads, and reads its settings.
	for ((first = n = $(<"$S/step") - 60; n < 2000; n++)); do
		fill
		# shellcheck disable=SC2086 # words
		steps -a -n "$n" -x "perl $S/meanwhile $what $QUEUE/cur/$ID $QUEUE/hold/$ID" \
			"$B/bin/mailq" $options $ID >"$S/out" 2>"$S/err" </dev/null
		came="$?:$(lies)"
		grep -q call "$S/step" || break # it has fewer
		[[ " $outcomes " == *" $came "* ]] || wrong+=" $n: $came;"
		[[ " $seen " == *" $came "* ]] || seen+="$came "
		[[ $came == 0:* ]] || grep -q "^mailq: $ID: " "$S/err" || wrong+=" $n: no line;"
	done
	is "mailq $options, meanwhile $what" "$wrong" ''
	ok "  at $((n - first)) of its $((n - 1)) calls" test $((n - first)) -gt 50
	is '  all of it comes about' "$(tr ' ' '\n' <<<"$seen" | sort | xargs)" "$outcomes"
done <<END
moved|-d|0:gone
gone|-d|0:gone 68:gone
gone|-h|0:hold 68:gone
END
done_testing
