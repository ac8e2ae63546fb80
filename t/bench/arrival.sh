# SPDX-License-Identifier: ISC
# shellcheck shell=bash
#
# arrival.sh: how long it takes on an idle system from the post until the relay has the message, beside
# drain.c, which has it ready and only says it: the relay's own time; `run` sources it.

arrivals_wanted=15

median() { printf '%s\n' "$@" | sort -n | sed -n "$((($# + 1) / 2))p"; }

# arrival NAME BEFORE COMMAND...: m[NAME.arrival], in ms; BEFORE is done before each.
arrival() {
	local i all=() values
	for ((i = 0; i < arrivals_wanted; i++)); do
		"$2"
		IFS=$'\t' read -ra values < <("$bench/spawn" -d -i "$S/2k" -u "$arrivals" "${@:3}")
		[ "${values[0]:-1}" -eq 0 ] || stop "$1: ${values[0]:-} failed"
		all+=("${values[2]}")
	done
	m[$1.arrival]=$(median "${all[@]}")
	note "  $1: ${m[$1.arrival]} ms"
}

one_ready() { cp "$S/2k.wire" "$S/floor/new/one"; }
all_gone() { [ -z "$(running flush)$(running smtp)" ]; }
nobody_runs() { eventually 20 all_gone || stop 'flush or smtp do not end'; }
at_rest() { sleep 0.3; }
children() { pgrep -P "$service" "$@"; }
serves_nobody() { [ -z "$(children)" ]; }
service_alone() { eventually 20 serves_nobody || stop 'the children of the service do not end'; }
smtp_alone() { [ -z "$(children -x flush)" ] && [ -n "$(children -x smtp)" ]; }
smtp_waits() { eventually 20 smtp_alone || stop 'smtp does not outlast flush'; }

arrival_row() {
	row "from post to relay, $1" "${m[relay.arrival]}" "${m[$2.arrival]}" ms \
		"$3: $(calc "${m[relay.arrival]} + $4")"
}

service_start() {
	"$B/sbin/sendmail" -bD 2>"$S/service.log" &
	service=$!
	eventually 10 test -S "$S/run/socket" || stop 'the service does not start'
}
service_stop() { kill "$service" && wait "$service"; }

arrival_part() {
	local service
	section relay
	note 'from post to relay'
	sink_count ''
	empty_queues
	settings "$SINK_PORT"
	sed -i 's/^deliver = .*/deliver = background/' "$PILLARBOX_CONFIG"
	arrival relay one_ready "$bench/drain" "$SINK_PORT" "$S/floor"
	arrival own nobody_runs "${post[@]}"
	arrival lingering at_rest "${post[@]}"
	arrival_row 'none runs' own '+ 15' 15
	arrival_row 'own lingers' lingering '+ 15' 15
	nobody_runs
	if [ "$(id -u)" -eq 0 ]; then
		sed -i "s,^socket =.*,socket = $S/run/socket,; /^socket/a post_socket = $S/run/post" "$PILLARBOX_CONFIG"
		sed -i '/^socket/a smtp_linger = 1' "$PILLARBOX_CONFIG"
		service_start
		arrival cold service_alone "${post[@]}"
		sed -i '/^smtp_linger/d' "$PILLARBOX_CONFIG"
		arrival service at_rest "${post[@]}"
		arrival rested smtp_waits "${post[@]}"
		service_stop
		arrival_row 'service, smtp gone' cold '+ 3' 3
		arrival_row 'service, flush gone' rested '+ 3' 3
		arrival_row service service '+ 3' 3
	else
		note '  not root: no service'
	fi
	sink_count_end
	settings
}
