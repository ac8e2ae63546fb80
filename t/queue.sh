# SPDX-License-Identifier: ISC
# shellcheck shell=bash
#
# queue.sh: spools made by hand, for what shows them; source it after scratch.
#
#	QUEUE                  our own spool
#	empty_queue            it is there and empty
#	message STATE ID ARRIVED SIZE SENDER RECIPIENT...
#	                       a spool file in it; its journal is standard input
#	lock_message FILE      as a flusher does that delivers it; unlock_message ends that

QUEUE=$S/spool/$(id -u)

empty_queue() {
	rm -rf "${QUEUE:?}"
	mkdir -m 700 "$QUEUE" "$QUEUE"/{tmp,new,cur,hold,failed}
}

message() {
	local file=$QUEUE/$1/$2 size=$4 r
	{
		printf 'pillarbox 1\nid %s\narrived %s.000000\nuid %s\n' "$2" "$3" "$(id -u)"
		printf 'size %012d\nbody 7BIT    \ndots 0\nfrom <%s>\n' "$size" "$5"
		shift 5
		for r; do printf 'rcpt <%s>\n' "$r"; done
		printf '\n%*s' "$size" ''
		cat
	} >"$file"
	chmod 600 "$file"
}

lock_message() {
	coproc perl -MFcntl -e '
		my $lock = pack("s s x4 q q i x4", F_RDLCK, 0, 0, 0, 0);
		open(F, "<", $ARGV[0]) && fcntl(F, F_SETLK, $lock) or die "$!";
		$| = 1; print "locked\n"; <STDIN>' "$1"
	lock_pid=$COPROC_PID
	read -r -t 10 <&"${COPROC[0]}"
}

unlock_message() { kill "$lock_pid" && wait "$lock_pid"; } 2>/dev/null
