#!/bin/bash
# SPDX-License-Identifier: ISC
#
# Each malloc() finds no memory in turn, alone or with all after it, in programs that were linked for
# it (t/crash/memory.c): what is not queued is told by the exit status and a line, what is queued is
# delivered, and nothing crashes. A few of those, of different callers; FAULTS=all for one of each.
FAULTS=${FAULTS:-16}
. "${0%/*}/lib.sh"
need openssl
scratch
. "$T/faults.sh"
P=$B/t/memory
[ -x "$P/sbin/sendmail" ] || give_up "needs $P (make check)"
sink_start -r 'rcpt refused@* reply 550 5.1.1 no such user'

# fault [-m NAME] -l|-n N|-n N+ COMMAND...
fault() {
	local name=sendmail
	export MEMORY_FAILS=0
	truncate -s 0 "$S/count"
	truncate -s 128K "$S/count"
	chmod 666 "$S/count" # smtp is somebody else
	while [[ $1 == -[mln] ]]; do
		case $1 in
		-m) name=$2; shift 2 ;;
		-l) shift ;;
		-n) MEMORY_FAILS=$2; shift 2 ;;
		esac
	done
	MEMORY_PROGRAM=$name MEMORY_COUNT=$S/count timeout "$patience" "$B/t/steps" -o "$S/step" "$@"
}
list_faults() {
	local n
	for n in $(od -An -v -td8 -w8 -j8 "$S/count"); do
		[ "$n" -eq 0 ] || printf '%s\n' "-n $n" "-n $n+"
	done
}

for way in ${WAYS-by_arguments by_header by_smtp}; do posts "$way" queue; done
for name in ${NAMES-flush smtp}; do drain "$name"; done

# A relay that wants TLS and a password, and takes BDAT.
sink_stop
sink_start -t -k "$S/relay.pem" -a joe:s3cret -A SCRAM-SHA-256-PLUS -o CHUNKING -r 'rcpt refused@* reply 550 5.1.1 no such user'
relay=("relay.url=smtp+tls://joe@localhost:$SINK_PORT" relay.password=s3cret "tls.ca_file=$S/relay.crt")
openssl x509 -in "$S/relay.pem" -out "$S/relay.crt"
drain smtp
relay=()

# Of one age more, a column is one digit wider and its blanks one fewer.
ageless() { sed -E "s/[0-9]+[a-z] ago//; s/[0-9]//g; s/ +/ /g" "$1"; }

# What shows the queue says less than all of it only with a status that says so.
queue list
queue_id=$(mailq | sed -n 's/^\([0-9A-Z]\{12\}\).*/\1/p' | head -n 1)
for options in '' -v -j -m --summary "-v $queue_id"; do
	# shellcheck disable=SC2086
	mailq $options >"$S/wanted" 2>&1
	# shellcheck disable=SC2086
	faults fault -m mailq -l "$P/bin/mailq" $options >"$S/out"
	bad='' lines=0
	while read -r _ n; do
		lines=$((lines + 1))
		# shellcheck disable=SC2086
		fault -m mailq -n "$n" "$P/bin/mailq" $options >"$S/out" 2>"$S/err"
		rc=$?
		if [ $rc -eq 0 ] && [ ! -s "$S/err" ] && diff -q <(ageless "$S/out") <(ageless "$S/wanted") >/dev/null; then continue; fi
		[ $rc -ge 64 ] && [ $rc -le 78 ] && [ -s "$S/err" ] && continue
		bad+=" $n"
		diag "mailq $options, $n: $rc" "$(<"$S/err")" "$(diff "$S/out" "$S/wanted")"
	done <"$S/faults"
	is "mailq $options: all of it, or a status that says otherwise" "$bad" ''
	diag "$lines of $(wc -l <"$S/every") faults"
done
ok 'no violations' sink_content
done_testing
