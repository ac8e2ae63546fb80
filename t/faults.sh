# SPDX-License-Identifier: ISC
# shellcheck shell=bash
#
# faults.sh: posts and queue runs in which something fails; what 8105 to 8107 share. Source it after
# lib.sh and scratch.
#
#	fault [-m NAME] FAULT COMMAND...
#	                      run it with a fault in it, of programs of that name: options of
#	                      t/crash/steps.c, -e and more. It ends with 124 after $patience seconds. Into
#	                      $S/step, what failed, and crashes
#	faults COMMAND...     FAULTS of those that there are, evenly spread; FAULTS=all for every one. It
#	                      hands "-l" on to fault. Into $S/faults, a line each: -e FAULT -n N, and for
#	                      a lack that may last, -k as well: each call from there on fails so
#	posts HOW DELIVER     a post with each of them; HOW: by_arguments, by_header, …
#	drain NAME [FAULT]    a queue run with each of them in programs of that name, and with that one
#
# P is the folder of the programs in which it fails; relay has settings for queue runs beside those that
# all need.

. "$T/crash.sh"
P=$B
{ printf '%s\n' 'Subject: x' '' 'a line' '.' '..dots'; head -c 5000 /dev/zero | tr '\0' a; echo; } >"$S/text"
FAULTS=${FAULTS:-24}
patience=60
relay=()

fault() { timeout "$patience" "$B/t/steps" -o "$S/step" "$@"; }

# "yes" for a fault that does.
lasts() { if [[ $1 == -k || ${*: -1} == *+ ]]; then echo yes; fi; }

# ASan's own calls are among a program's, and without memory it gives up.
list_faults() {
	local spared='^$'
	! sanitized || spared='^ENOMEM| m(map|remap|protect|unmap)( |$)'
	grep -vE "$spared" "$S/step" | awk '{ print "-e", $1, "-n", $2 }
		$1 ~ /ENOSPC|EDQUOT|EROFS|EMFILE|ENFILE|ENOMEM|ENOBUFS/ { print "-k -e", $1, "-n", $2 }'
}

faults() {
	"$@"
	list_faults >"$S/every"
	awk -v n="$FAULTS" -v all="$(wc -l <"$S/every")" \
		'n == "all" || n >= all || int(NR * n / all) > int((NR - 1) * n / all)' "$S/every" >"$S/faults"
}

# HOW N STEPS...: recipients of point N; one is behind an alias.
by_arguments() { fault "${@:2}" "$P/sbin/sendmail" -i -f s@x.example operator "rb@p$1.example" <"$S/text"; }
by_header() {
	{ echo "To: operator, rb@p$1.example"; cat "$S/text"; } |
		fault "${@:2}" "$P/sbin/sendmail" -t -i -f s@x.example
}
by_smtp() {
	{
		printf '%s\r\n' 'EHLO c.example' 'MAIL FROM:<s@x.example>' 'RCPT TO:<operator>' "RCPT TO:<rb@p$1.example>" DATA
		sed -e 's/^\./../' -e 's/$/\r/' "$S/text"
		printf '.\r\nQUIT\r\n'
	} | fault "${@:2}" "$P/sbin/sendmail" -bs >"$S/replies"
}
in_background() { by_arguments "$1" -m sendmail "${@:2}"; }
service_start() {
	"$@" "$P/libexec/pillarbox/flush" -D 2>>"$S/service.log" &
	service=$!
	eventually 20 test -S "$S/run/post" || give_up 'the service does not start'
}
service_stop() { kill -TERM "$(<"$S/run/pillarbox.pid")"; wait $service; }
# Through the socket of the service: the faults are here, or in what the service runs.
by_socket() { PILLARBOX_QUEUE_DIR=/proc/none by_arguments "$@"; }
by_service() {
	local status
	rm -f "$S/run/post"
	service_start fault -m sendmail "${@:2}"
	PILLARBOX_QUEUE_DIR=/proc/none sendmail -i -f s@x.example operator "rb@p$1.example" <"$S/text"
	status=$?
	service_stop
	return $status
}

# Where the flusher cannot deliver, all that was posted stays.
settings() {
	config "relay.url=smtp://127.0.0.1:$1" queue.deliver="$deliver" "queue.dir=$spool" "mail.aliases=$S/aliases" \
		'relay.other.url=smtp://192.0.2.1' 'relay.other.from=*@other.example'
}

queued() { mail_in "$spool"/*/{new,cur} "$HOME"/.local/state/pillarbox/{new,cur}; }
at_home() { find "$HOME" -path '*/new/*' -type f | wc -l; }
left() { find "$spool"/*/tmp -type f; }
acknowledged() { if [ "$1" = by_smtp ]; then grep -q '^250 .*queued' "$S/replies"; else [ "$2" -eq 0 ]; fi; }

# What is wrong about a post that ended with STATUS, where there were BEFORE messages. A call that
# would have told of it may be the one that failed, or one that would have cleared up.
wrong() {
	local how=$1 status=$2 before=$3 stays=$4 what now
	what=$(<"$S/step")
	now=$(queued)
	sysexit "$status" || not_begun "$status" || echo "exit status $status"
	grep crash "$S/step"
	[[ $(at_home) == "$5" || $what != *\ connect\ * && $what != *sock* || $6 == *EACCES* || $6 == *ECONNREFUSED* ]] ||
		echo "queued at home, though there may be a service"
	if acknowledged "$how" "$status"; then
		[ "$now" -eq $((before + 1)) ] || echo "acknowledged, and not queued"
	elif [ "$now" -ne "$before" ]; then
		[ -n "$stays" ] || [[ $how == by_smtp && $what == *write\ 1 ]] || echo "queued, and not acknowledged"
	fi
	[ -n "$stays" ] || [ "$status" -eq 0 ] || [ "$how" = by_smtp ] || [[ $what == *write\ 2 ]] ||
		grep -q '^sendmail: ' "$S/err" || echo "not a word"
	[ -n "$stays" ] || [ -z "$(left)" ] || [[ $what == *unlink* ]] || echo "left in tmp/: $(left)"
}

drained() {
	sendmail -q 2>/dev/null
	PILLARBOX_QUEUE_DIR=/proc/none sendmail -q 2>/dev/null
	queue_is_empty && [ "$(queued)" -eq 0 ]
}

# Files that the caller may not read are said, and stop no mail (1003, 1201): it goes elsewhere. A
# client whose recipient is refused knows that the others get it.
not_for_us() {
	{ [ "$how" = by_smtp ] && grep -q '^451' "$S/replies"; } ||
		grep -qE '(ini|aliases): Permission denied' "$S/err" || return
	find "$spool" "$HOME" -path '*/new/*' -type f -newer "$S/aliases" -delete
}

posts() {
	local home how=$1 deliver=$2 spool=$S/spool.$1.$2 stops='' before why faults n=0 status
	rm -rf "$SINK"/*.e?? "$S"/{acked,tried}
	mkdir -m 1777 "$spool"
	settings 1
	export PILLARBOX_QUEUE_DIR=$spool # even where the settings cannot be read
	mkdir -p "$spool/$(id -u)"/{tmp,new,cur}
	chmod -R go= "$spool"/*
	[ "$how" != by_socket ] || service_start
	echo 'operator: ra@p0.example' >"$S/aliases"
	"$how" 0 2>"$S/err" && echo 0 >"$S/acked"
	faults "$how" 0 -l 2>"$S/err"
	while read -ra faults <&3; do
		echo "operator: ra@p$((++n)).example" >"$S/aliases"
		echo $n >>"$S/tried"
		find "$spool"/*/tmp -type f -delete
		before=$(queued) home=$(at_home)
		"$how" $n "${faults[@]}" 2>"$S/err" 3<&-
		status=$?
		[ $status -ne 0 ] || ! not_for_us || continue
		! acknowledged "$how" $status || echo $n >>"$S/acked"
		why=$(wrong "$how" $status "$before" "$([ "${faults[0]}" != -k ] || echo yes)" "$home" "${faults[*]}")
		[ -z "$why" ] || { stops+=" ${faults[*]};"; diag "${faults[*]}, $(<"$S/step"): ${why//$'\n'/; }" "$(<"$S/err")"; }
	done 3<"$S/faults"
	is "$how, $deliver: each fault is told" "$stops" ''
	[ "$how" != by_socket ] || service_stop
	settings "$SINK_PORT"
	ok '  what is queued drains' eventually 60 drained
	claims "$how, $deliver" "$S/text" 2
	diag "of $(wc -l <"$S/every") faults"
}

# Without its settings flush is not to work on the machine's own spool, either.
queue() {
	export PILLARBOX_QUEUE_DIR=$S/spool.$1
	config "relay.url=smtp://127.0.0.1:$SINK_PORT" queue.deliver=queue "queue.dir=$S/spool.$1" "${relay[@]}"
	mkdir -m 1777 "$S/spool.$1"
	sendmail -i -f "s@p$1.example" "ra@p$1.example" "refused@p$1.example" "rb@p$1.example" <"$S/text"
	sendmail -i -f "s@p$1.example" "rc@p$1.example" "rd@p$1.example" <"$S/text"
}

run_dry() { sendmail -q 2>/dev/null; queue_is_empty; }

# What is wrong about a run that ended with STATUS. While a fault stays what is known of deliveries may
# have to be kept in memory, and the run does not end.
run_wrong() {
	sysexit "$1" || [ "$1 $2" = '124 yes' ] || echo "exit status $1"
	grep crash "$S/step"
}

reported() { cat "$SINK"/*.eml | sed -n 's/^Final-Recipient: *rfc822; *//p' | tr -d '\r' | sed 's/@.*//' | sort -u; }

serial=0
drain() {
	local stops='' lost='' options why
	rm -rf "$SINK"/*.e?? "$S"/{acked,tried,settled}
	queue $((++serial))
	faults fault -l -m "$1" "$P/sbin/sendmail" -q 2>"$S/err"
	[ $# -eq 1 ] || echo "$2" >>"$S/faults"
	ok "$1: a run without faults" run_dry
	rm -rf "$SINK"/*.e??
	while read -ra options <&3; do
		queue $((++serial))
		echo $serial | tee -a "$S/acked" >>"$S/tried"
		[ -n "$(lasts "${options[@]}")" ] && patience=10 || patience=60
		fault -m "$1" "${options[@]}" "$P/sbin/sendmail" -q >"$S/out" 2>"$S/err" 3<&-
		why=$(run_wrong $? "$(lasts "${options[@]}")")
		[ -z "$why" ] || { stops+=" ${options[*]};"; diag "$1 ${options[*]}, $(<"$S/step"): $why" "$(<"$S/err")"; }
		eventually 60 run_dry && continue
		lost+=" ${options[*]};"
		diag "$1 ${options[*]}, $(<"$S/step"):" "$(mailq)"
	done 3<"$S/faults"
	is "$1: each run ends, and by no signal" "$stops" ''
	is '  then the queue drains' "$lost" ''
	is '  nothing is bounced but what was refused' "$(reported)" refused
	claims "$1" "$S/text" 5
	diag "of $(wc -l <"$S/every") faults"
}

