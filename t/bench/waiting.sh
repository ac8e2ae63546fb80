# SPDX-License-Identifier: ISC
# shellcheck shell=bash
#
# waiting.sh: what it costs that many messages wait; `run` sources it.

# A flusher that has looked through its queue sleeps.
calm() { [ "$(cut -d' ' -f3 "/proc/$1/stat")" = S ] && sleep 0.5 && [ "$(turns "$1")" -eq "$2" ]; }
turns() { cut -d' ' -f3 "/proc/$1/schedstat"; }
quiet() { calm "$1" "$(turns "$1")"; }

# The private memory and the resident of a process, KB.
private_of() { awk '/^Private/ { n += $2 } END { print n }' "/proc/$1/smaps_rollup"; }
resident_of() { awk '/^VmRSS:/ { print $2 }' "/proc/$1/status"; }

# waiting N: one is posted behind so many that wait. m[wait_N.…]: first, ms from the post until the
# relay has it, with the start of the flusher; scan, ms of CPU of the flusher in all; all, KB of all
# processes; flush, KB.
waiting() {
	local flush most=0 kb values key=wait_$1
	note "$1 messages wait"
	fill_body=$'hi\r\n'
	empty_queues
	fill_spool "$S/spool" "$1" cur
	sync
	sink_count ''
	settings "$SINK_PORT"
	sed -i 's/^deliver = .*/deliver = background/' "$PILLARBOX_CONFIG"
	IFS=$'\t' read -ra values < <("$bench/spawn" -d -i "$S/2k" -u "$arrivals" "${post[@]}")
	[ "${values[0]:-1}" -eq 0 ] || stop 'post'
	m[$key.first]=${values[2]}
	flush=$(running flush)
	until quiet "$flush"; do
		kb=$(pss_sum)
		[ "$kb" -le "$most" ] || most=$kb
	done
	kb=$(pss_sum)
	[ "$kb" -le "$most" ] || most=$kb
	m[$key.all]=$most m[$key.scan]=$(awk '{ printf("%.1f", $1 / 1e6) }' "/proc/$flush/schedstat")
	m[$key.flush]=$(resident_of "$flush") m[$key.private]=$(private_of "$flush")
	note "  first after ${m[$key.first]} ms, ${m[$key.scan]} ms of CPU," \
		"$most KB in all, flush ${m[$key.flush]} KB (${m[$key.private]} private)"
	kill "$flush"
	ours_end
	sink_count_end
	measure "list_$1" -- -n 3 "$B/bin/mailq"
	settings
}

waiting_part() {
	local n least=${WAITING%% *} most=${WAITING##* }
	for n in $WAITING; do waiting "$n"; done
	section "of $least"
	for n in ${WAITING#* }; do
		row "$n wait: first delivery" "${m[wait_$least.first]}" "${m[wait_$n.first]}" ms
		row "$n wait: flush" "${m[wait_$least.flush]}" "${m[wait_$n.flush]}" KB
		row "$n wait: list one" "$(calc "${m[list_$least.median]} * 1000 / $least")" \
			"$(calc "${m[list_$n.median]} * 1000 / $n")" us
		row "$n wait: mailq" "${m[list_$least.rss]}" "${m[list_$n.rss]}" KB
	done
	n=${WAITING#* } n=${n%% *}
	section "of $n"
	[ "$n" = "$most" ] || row "$most wait: a look at one" "$(calc "${m[wait_$n.scan]} * 1000 / $n")" \
		"$(calc "${m[wait_$most.scan]} * 1000 / $most")" us 1.30
	section limit
	row "$most wait: all processes" "$memory_limit" "${m[wait_$most.all]}" KB 'under 1'
	row 'idle flush, resident' 2048 "${m[wait_$least.flush]}" KB 'under 1'
	row 'idle flush, private' 700 "${m[wait_$least.private]}" KB 'under 1'
	sizes
}

sizes() {
	local p
	for p in sbin/sendmail bin/mailq libexec/pillarbox/flush libexec/pillarbox/smtp; do
		note "  ${p##*/}: $(size "$B/$p" | awk 'NR == 2 { printf("text %d KB, data %d KB, bss %d KB", $1 / 1024, $2 / 1024, $3 / 1024) }')," \
			"$(du --apparent-size -k "$B/$p" | cut -f1) KB with symbols"
	done
}
