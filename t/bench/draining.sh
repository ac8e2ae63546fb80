# SPDX-License-Identifier: ISC
# shellcheck shell=bash
#
# draining.sh: how fast a queue is drained over one connection, beside drain.c; `run` sources it.
#
# The sink of `drain` is the tests' own, which writes every message down and on few cores takes more
# time than either client; it bounds both. That of `drain_many` only counts.

# drain_settings PORT [SINK-OPTION]
drain_settings() {
	settings "$1"
	[ "${2:-}" != -T ] || sed -i 's,smtp://,smtps://,' "$PILLARBOX_CONFIG"
	printf '[smtp]\nconnections = 1\n[tls]\npolicy = %s\n' "${2:+encrypt}" >>"$PILLARBOX_CONFIG"
}

# drain_once NAME N [OPTION [TO]]: OPTION is -t for STARTTLS, -T for TLS at once; each to so many.
drain_once() {
	local to=${4:-1} rcpt=()
	empty_queues
	mapfile -t rcpt < <(seq -f 'r%.0f@dest.example' "$to")
	"$bench/spawn" -c "$2" -i "$S/2k.wire" "${floor[@]}" >/dev/null || stop 'floor'
	"$bench/spawn" -c "$2" -i "$S/2k" "${post[@]::4}" "${rcpt[@]}" >/dev/null || stop 'post'
	# shellcheck disable=SC2086 # no option, no word
	sink_start ${3:-}
	# shellcheck disable=SC2086
	measure "floor_$1" -- "$bench/drain" ${3:-} -r "$to" "$SINK_PORT" "$S/floor"
	drain_settings "$SINK_PORT" "${3:-}"
	measure "ours_$1" -- "$B/sbin/sendmail" -q
	[ "$(messages)" -eq $((2 * $2)) ] || stop "$(messages) of $((2 * $2)) messages arrived"
	sink_content || stop 'a client broke the protocol'
	note "  $(($(<"$SINK/connections") - 1)) connections of ours"
	sink_stop
	rm -rf "$SINK"
	settings
}

# drain NAME N [OPTION [TO [TARGET]]]: three times; the sums count. The time is that until sendmail -q
# returns: the flusher lingers a second behind it.
drain() {
	local n=$2 i wall=(0 0) cpu=(0 0)
	for i in 1 2 3; do
		note "draining $n of 2 KB, $1 ($i)"
		drain_once "$1" "$n" "${3:-}" "${4:-1}"
		wall=("$(calc "${wall[0]} + ${m[floor_$1.median]}")" "$(calc "${wall[1]} + ${m[ours_$1.median]}")")
		cpu=("$(calc "${cpu[0]} + ${m[floor_$1.cpu]}")" "$(calc "${cpu[1]} + ${m[ours_$1.cpu]}")")
	done
	row "drain $n, $1" "$(calc "3000 * $n / ${wall[0]}" 0)" "$(calc "3000 * $n / ${wall[1]}" 0)" \
		msg/s "${5:-}"
	row "drain $n, $1, CPU a message" "$(calc "${cpu[0]} / 3 / $n" 3)" \
		"$(calc "${cpu[1]} / 3 / $n" 3)" ms
	row "drain $n, $1, largest process" "${m[floor_$1.rss]}" "${m[ours_$1.rss]}" KB
}

# drained NAME N COMMAND...: until the sink has taken them.
drained() {
	local reader
	timeout 600 head -n "$2" <&"$arrivals" >"$S/arrived" &
	reader=$!
	measure "$1" -- "${@:3}"
	wait $reader || stop "$1: $(wc -l <"$S/arrived") of $2 arrived"
}

# drain_many N: queues made by hand.
drain_many() {
	note "draining $1 of 2 KB, made by hand"
	fill_body=$(<"$S/2k.wire")$'\n'
	empty_queues
	fill_floor "$S/floor" "$1"
	fill_spool "$S/spool" "$1" new
	sync
	sink_count ''
	drained "floor_$1" "$1" "$bench/drain" "$SINK_PORT" "$S/floor"
	drain_settings "$SINK_PORT"
	drained "ours_$1" "$1" "$B/sbin/sendmail" -q
	sink_count_end
	settings
	row "drain $1" "$(calc "$1 * 1000 / ${m[floor_$1.median]}" 0)" \
		"$(calc "$1 * 1000 / ${m[ours_$1.median]}" 0)" msg/s '0.80 or more'
}

drain_part() {
	local n=$((ROUNDS * 10 / 3)) many
	drain plain "$n" '' 1 '0.80 or more'
	drain starttls "$n" -t
	drain tls "$n" -T
	drain 'to fifty' $((n / 10)) '' 50
	for many in $DRAINS; do drain_many "$many"; done
	section "of ${DRAINS%% *}"
	for many in ${DRAINS#* }; do
		row "drain $many, a message" "$(calc "${m[ours_${DRAINS%% *}.median]} / ${DRAINS%% *}" 3)" \
			"$(calc "${m[ours_$many.median]} / $many" 3)" ms 'at most 1'
	done
}
