# SPDX-License-Identifier: ISC
# shellcheck shell=bash
#
# crash.sh: what the scripts about crashes share; source it after lib.sh. Each point has a number of
# its own, which its recipients bear as their domain: ra@p17.example.
#
#	steps ...             t/crash/steps.c; what it says is in $S/step
#	points COUNT          numbers of calls from 1 to COUNT to stop at: POINTS of them, evenly spread;
#	                      POINTS=all for every one
#	claims WHAT FILE      $FILE is the message that was posted at each point. By what $SINK got and
#	                      $S/acked (numbers whose post was acknowledged) and $S/settled (addresses
#	                      journalled as delivered before the crash): nothing is lost, in part or
#	                      doubled without need. The counts are printed.

POINTS=${POINTS:-40}

steps() { "$B/t/steps" -o "$S/step" "$@"; }

points() {
	local n
	if [ "$POINTS" = all ] || [ "$POINTS" -ge "$1" ]; then
		seq "$1"
	else
		for ((n = 0; n < POINTS; n++)); do echo $((1 + n * ($1 - 1) / (POINTS - 1))); done
	fi
}

# An address a line, as often as it was delivered to.
deliveries() { sed -n 's/^rcpt <\([^>]*\)>.*/\1/p' "$SINK"/*.env 2>/dev/null; }

# body FILE: in clear, and with LF.
body() {
	perl -MMIME::QuotedPrint -0777 -ne 's/\r\n/\n/g; ($head, $body) = split /\n\n/, $_, 2;
		print $head =~ /quoted-printable/i ? decode_qp($body) : $body' "$1"
}

# The body of each message that arrived is that of FILE, octet for octet.
bodies_whole() {
	local env
	body "$1" >"$S/body"
	for env in "$SINK"/*.env; do
		! grep -q '^mail <>' "$env" || continue # a report
		body "${env%.env}.eml" | cmp -s - "$S/body" || { diag "in part: $env"; return 1; }
	done
}

# Numbers of points that some, but not all of RECIPIENTS of a point got.
in_part() { deliveries | sort -u | sed 's/.*@p//; s/\..*//' | sort | uniq -c | awk -v n="$1" '$1 != n { print $2 }'; }

claims() {
	local what=$1 each=$3 twice
	touch "$S/acked" "$S/settled"
	deliveries | sort >"$S/all"
	sort -u "$S/all" >"$S/got"
	uniq -d "$S/all" >"$S/twice"
	sed 's/.*@p//; s/\..*//' "$S/got" | sort -u >"$S/points"
	is "$what: each that was acknowledged arrives" "$(sort -u "$S/acked" | comm -23 - "$S/points")" ''
	is '  to each recipient' "$(in_part "$each")" ''
	ok '  whole' bodies_whole "$2"
	is '  what was settled before the crash does not come again' \
		"$(sort -u "$S/settled" | comm -12 - "$S/twice")" ''
	is '  nor anything a third time' "$(uniq -c "$S/all" | awk '$1 > 2')" ''
	twice=$(wc -l <"$S/twice")
	diag "$what: $(wc -l <"$S/tried") points, $(sort -u "$S/acked" | wc -l) acknowledged," \
		"$(wc -l <"$S/points") arrived, $twice deliveries of $(wc -l <"$S/got") came twice"
}
