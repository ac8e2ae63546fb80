# SPDX-License-Identifier: ISC
# shellcheck shell=bash
#
# versus.sh: how fast a queue is drained, by ours and by the peers of peers.sh, to the same sink with
# the same limit on connections, near and far; `run` sources it.
#
# The sink writes nothing down. What counts is the time from the command that says to send until the
# sink took the last message. Who needs a round trip or more for a message has fewer of them to
# send over the distance; the rates are compared.

# some EACH LIMIT: messages for a distant relay, at so many connections.
some() { echo $(($1 * $2 < messages ? $1 * $2 : messages)); }

# sink_count OPTIONS: a sink that says on $arrivals what came, a line a message.
sink_count() {
	mkfifo "$S/arrivals.$$"
	exec {arrivals}<>"$S/arrivals.$$"
	rm "$S/arrivals.$$"
	# shellcheck disable=SC2086 # no option, no word
	"$B/t/sink" -e $1 >&"$arrivals" &
	sink_pid=$!
	read -r -t 10 _ _ _ SINK_PORT <&"$arrivals" || stop 'the sink does not start'
}

sink_count_end() { sink_stop; exec {arrivals}<&-; }

delay_start() {
	rm -f "$S/delay"
	"$bench/delay" "$distant" "$SINK_PORT" >"$S/delay" &
	delay_pid=$!
	eventually 10 test -s "$S/delay" || stop 'the proxy does not start'
	delay_port=$(<"$S/delay")
}

delay_stop() { kill "$delay_pid" && wait "$delay_pid"; } 2>/dev/null

# since TIME: milliseconds.
since() { echo $(((${EPOCHREALTIME/./} - ${1/./}) / 1000)); }

# The proxy is believed when it does what it says: a greeting after two round trips, a reply after
# one. An idle machine adds a millisecond.
delay_check() {
	local began=$EPOCHREALTIME greeting reply server
	exec {server}<>"/dev/tcp/127.0.0.1/$delay_port"
	read -r -u "$server" _
	greeting=$(since "$began") began=$EPOCHREALTIME
	printf 'NOOP\r\n' >&"$server"
	read -r -u "$server" _
	reply=$(since "$began")
	exec {server}<&-
	note "  through the proxy: greeting after $greeting ms, a reply after $reply ms"
	if [ "$greeting" -lt $((2 * distant)) ] || [ "$reply" -lt "$distant" ]; then
		stop 'the proxy is too fast'
	fi
}

ours_fill() {
	empty_queues
	"$bench/spawn" -c "$1" -j 8 -i "$S/2k" "${post[@]}" >/dev/null || stop 'post'
	settings "$4"
	printf '[smtp]\nconnections = %s\n[tls]\npolicy = %s\n' "$2" "$3" >>"$PILLARBOX_CONFIG"
}

ours_flush() { "$B/sbin/sendmail" -q; }
ours_gone() { [ -z "$(running flush)" ]; }
ours_end() { eventually 10 ours_gone || stop 'flush does not end'; settings; }

# rate WHO N LIMIT SECURITY PORT: sets $rate, messages a second.
rate() {
	local began us
	"$1_fill" "${@:2}"
	began=${EPOCHREALTIME/./}
	"$1_flush" &
	timeout 120 head -n "$2" <&"$arrivals" >"$S/arrived"
	us=$((${EPOCHREALTIME/./} - began))
	wait $! 2>/dev/null
	[ "$(wc -l <"$S/arrived")" -eq "$2" ] || stop "$1: $(wc -l <"$S/arrived") of $2 arrived"
	rate=$(calc "$2 * 1000000 / $us" 1)
	note "  $1: $2 in $((us / 1000)) ms, $rate a second," \
		"$(cut -d' ' -f5 "$S/arrived" | sort -u | wc -l) connections"
	"$1_end"
}

# Each in turn, `times` times; $median of theirs and of ours.
duel() {
	local peer=$1 theirs=() ours=() i
	for ((i = 0; i < $2; i++)); do
		rate "$peer" "$3" "${@:5}"; theirs+=("$rate")
		rate ours "$4" "${@:5}"; ours+=("$rate")
	done
	median_theirs=$(printf '%s\n' "${theirs[@]}" | sort -n | sed -n "$(($2 / 2 + 1))p")
	median_ours=$(printf '%s\n' "${ours[@]}" | sort -n | sed -n "$(($2 / 2 + 1))p")
}

postfix_near() {
	note "draining, $1, $3 connections"
	duel postfix 3 "$messages" "$messages" "$3" "$2" "$SINK_PORT"
	row "drain $messages, $1, at $3" "$median_theirs" "$median_ours" msg/s '2 or more'
}

postfix_far() {
	note "draining, $1, $3 connections, $distant ms away"
	duel postfix 1 "$(some 50 "$3")" "$(some 200 "$3")" "$3" "$2" "$delay_port"
	row "drain, $1, $distant ms away, at $3" "$median_theirs" "$median_ours" msg/s \
		"$([ "$1" = chunking ] && echo 5 || echo 2) or more"
}

versus_postfix() {
	local limit
	for limit in $LIMITS; do
		[ "$1" = chunking ] || [ "$distant" != "${DELAYS%% *}" ] || postfix_near "$1" "$2" "$limit"
		postfix_far "$1" "$2" "$limit"
	done
}

versus_nullmailer() {
	note "draining, $1, $distant ms away"
	duel nullmailer 1 20 "$messages" 20 "$2" "$delay_port"
	row "drain, $1, $distant ms away, at 20" "$median_theirs" "$median_ours" msg/s '10 or more'
}

# With a connection a message, all of them at once, against 20.
versus_dma() {
	note "draining, $1, $distant ms away"
	duel dma 1 "$messages" "$messages" 20 "$2" "$delay_port"
	row "drain, $1, $distant ms away, 20 for all" "$median_theirs" "$median_ours" msg/s '1 or more'
}

# versus PEER NAME SECURITY SINK-OPTIONS
versus() {
	section "$1"
	sink_count "$4"
	for distant in $DELAYS; do # milliseconds of a round trip
		delay_start
		delay_check
		"versus_$1" "$2" "$3"
		delay_stop
	done
	sink_count_end
}

versus_part() {
	local peer
	messages=$((ROUNDS * 10 / 3))
	[ ${#absent[@]} -eq 0 ] || note "not here: ${absent[*]}; t/peers ${absent[*]} fetches them"
	for peer in "${peers[@]}"; do
		versus "$peer" plain none ''
		versus "$peer" starttls encrypt -t
		versus "$peer" chunking none '-o CHUNKING'
	done
}
