#!/bin/bash
# SPDX-License-Identifier: ISC
#
# Soak: users who post in all ways, through the service and without one, while the relay is away,
# defers, refuses, loses its replies and is slow; flushers, smtp, injectors and the service are killed,
# and settings are read again. In the end all that was acknowledged is delivered or bounced, and nothing
# has grown or been left behind. TIME: for how many seconds; make soak TIME=3600. SEED: which storms.
. "${0%/*}/lib.sh"
need_root
need setpriv pgrep perl
scratch
TIME=${TIME:-6}
RANDOM=${SEED:=$$}
# For how long a message is tried, a storm lasts and a poster rests, at most: seconds. In one of how many
# half seconds or so something is killed.
LIFE=$((TIME / 10 > 120 ? 120 : TIME / 10 > 4 ? TIME / 10 : 4))
STORM=$((TIME / 40 > 20 ? 20 : TIME / 40 > 1 ? TIME / 40 : 1))
PAUSE=$([ "$TIME" -gt 60 ] && echo 2.4 || echo 0.3)
CALM=$([ "$TIME" -gt 60 ] && echo 3 || echo 1)

# Other users run the programs, and may not be able to reach the build folder.
mkdir "$S/prefix" "$S/own"
chmod 1777 "$S/own"
cp -r "$B/sbin" "$B/bin" "$B/libexec" "$S/prefix"
cp "$T/soak" "$S/soak"
PATH=$S/prefix/sbin:$S/prefix/bin:$PATH
chmod 711 "$S"
SERVED=(12001 12002 12003 12004) OWN=(12005 12006)
touch "$S"/{kills,taken,samples,service.log}

# In place by one rename: somebody always reads them.
settings() {
	local uid all
	# shellcheck disable=SC2054 # a list
	all=("relay.url=smtp://127.0.0.1:$SINK_PORT" queue.retry=1s,2s,4s "queue.lifetime=${LIFE}s"
		queue.bounce_rate= queue.smtp_linger=5 "$@")
	PILLARBOX_CONFIG=$S/next config log.to=stderr "${all[@]}"
	chmod 644 "$S/next"
	mv "$S/next" "$PILLARBOX_CONFIG"
	for uid in "${OWN[@]}"; do
		PILLARBOX_CONFIG=$S/next config "log.to=$S/home/log.$uid" "queue.dir=$S/own" \
			"queue.socket=$S/none" queue.post_socket= "${all[@]}"
		chmod 644 "$S/next"
		mv "$S/next" "$S/own.$uid.ini"
	done
}
as() { setpriv --reuid "$1" --regid "$1" --clear-groups "${@:2}"; }
as_own() { as "$1" env "PILLARBOX_CONFIG=$S/own.$1.ini" "${@:2}"; }
killed() { echo "${EPOCHREALTIME} $1" >>"$S/kills"; }
some() { local all=("$@"); echo "${all[RANDOM % $#]}"; }

# The relay, storm by storm.
declare -A RULES=(
	[calm]=''
	[away]='' # nobody is there
	[later]='rcpt *[02468]-?@* reply 450 4.2.0 later|each 3 dot reply 451 4.3.0 later|each 5 mail reply 421 4.3.2 closing; close'
	[closed]='greeting reply 421 4.3.2 not now; close'
	[refusing]='rcpt ok-*[37]-?@* reply 550 5.7.1 not you|mail s-*5@* reply 553 5.1.8 nor you'
	[slow]='dot delay 200ms; pass|each 2 mail delay 500ms; pass|each 3 rcpt dribble 10ms; pass'
	[lossy]='each 4 dot drop|each 3 data reset'
	[breaking]='each 2 rcpt close|each 3 after 300 body reset|each 4 mail close'
	[babbling]='each 3 dot raw "what was that?\r\n"; close|each 4 rcpt raw "250-x\r\n250-x\r\n999 y\r\n"'
	[stalling]='each 5 dot stall|each 7 mail stall'
)
OPTIONS=('' '-t' '-o CHUNKING' '-t -o CHUNKING' '-x PIPELINING')
STORMS=("${!RULES[@]}") turn=$RANDOM
storm='' storms=0
relay() {
	local rules r
	if [ -n "$sink_pid" ]; then
		killed '*'
		sink_stop
		killed '*'
		"$S/soak" take "$SINK" "$storm" >>"$S/taken"
		cat "$SINK/violations" >>"$S/violations" 2>/dev/null
	fi
	rm -rf "$SINK"
	storm=$1 storms=$((storms + 1))
	[ "$1" != away ] || return 0
	IFS='|' read -ra rules <<<"${RULES[$1]}"
	set -- -r 'rcpt refused-*@* reply 550 5.1.1 no such user' -r 'rcpt never-*@* reply 450 4.2.0 never'
	for r in "${rules[@]}"; do set -- "$@" -r "$r"; done
	# shellcheck disable=SC2046 # options
	sink_start -k "$S/key.pem" ${SINK_PORT:+-p "$SINK_PORT"} $(some "${OPTIONS[@]}") "$@"
}

# The service, started again whenever it ends.
service_runs() {
	while [ ! -e "$S/end" ]; do
		sendmail -bD 2>>"$S/service.log" &
		echo $! >"$S/service"
		wait $!
		sleep 0.3
	done
}
service() { cat "$S/service"; }
children() { pgrep -P "$(service)" "$@"; }
is_up() { [ -S "$S/run/socket" ]; }

# One of what runs is killed; the service itself in the first third only, so that it is seen to grow.
# shellcheck disable=SC2046 # several pids
kill_some() {
	local uid
	case $((RANDOM % 8)) in
	0 | 1) killed '*'; kill -9 $(children -x smtp) ;;
	2 | 3) uid=$(some "${SERVED[@]}"); killed "$uid"; kill -9 $(children -x -u "$uid" flush) ;;
	4) uid=$(some "${OWN[@]}"); killed "$uid"; kill -9 $(running flush "$uid") ;;
	5) uid=$(some "${OWN[@]}"); killed "$uid"; kill -9 $(running smtp "$uid") ;;
	6) for uid in $(children -x flush); do kill -TERM "$uid"; done ;; # nothing may come twice for that
	7)
		[ $SECONDS -lt $((TIME / 3)) ] || return 0
		killed '*'
		kill -9 "$(service)"
		;;
	esac
	kills=$((kills + 1))
} 2>/dev/null

# Settings change, one time wrongly, and are read again.
change_settings() {
	case $((RANDOM % 4)) in
	0) settings smtp.connections=2 ;;
	1) settings smtp.chunking=no smtp.messages_per_connection=3 ;;
	2) settings relay.url=smtp//wrong ;;
	3) settings ;;
	esac
	kill -HUP "$(service)" 2>/dev/null
	reloads=$((reloads + 1))
}

sample() {
	local p smtp
	p=$(service)
	smtp=$(children -x smtp)
	set -- /proc/"$p"/fd/*
	echo "$p $# $(awk '/^Rss:/ {r = $2} /^Anonymous:/ {a = $2} END {print r + 0, a + 0}' "/proc/$p/smaps_rollup")" \
		"$(children -x flush | wc -l) $(children -x smtp | wc -l)" \
		"$(grep -h '^Rss:' "/proc/${smtp:-0}/smaps_rollup" | tr -cd '0-9')" >"$S/sample"
	grep -xE '[0-9]+ [0-9]+ [1-9][0-9]* [1-9][0-9]*( [0-9]+){2} [0-9]*' "$S/sample" >>"$S/samples" # or it has just ended
} 2>/dev/null

relay calm
settings
service_runs 2>/dev/null &
ok 'the service starts' eventually 10 is_up

export S PAUSE
poster() {
	"${@:3}" env "PILLARBOX_LOG_TO=$S/home/log.$1" "$S/soak" post "$1" "$2" >"$S/posts.$1" 2>>"$S/posters" &
	posters+=($!)
}
poster 12001 args as 12001
poster 12002 header as 12002
poster 12003 smtp as 12003
poster 12004 args as 12004 env PILLARBOX_QUEUE_DIR= # through the socket
poster 12005 args as_own 12005
poster 12006 smtp as_own 12006

SECONDS=0 kills=0 reloads=0
while [ $SECONDS -lt "$TIME" ]; do
	# Every fourth is left alone, and is longer where there is time.
	quiet=$((storms % 4 == 3)) length=$((1 + RANDOM % STORM))
	[ $quiet -eq 0 ] || length=$((STORM + STORM / 2))
	relay "${STORMS[(turn + storms) % ${#STORMS[@]}]}"
	[ $quiet -eq 1 ] || change_settings
	end=$((SECONDS + length))
	while
		sample
		[ $quiet -eq 1 ] || [ $((RANDOM % CALM)) -ne 0 ] || kill_some
		sleep 0.$((RANDOM % 5 + 2))
		[ $SECONDS -lt $end ]
	do :; done
done
touch "$S/stop"
wait "${posters[@]}"
is 'injectors complain of wrong settings, and of the service that was killed, only' \
	"$(grep -vE 'ini:[0-9]*: relay.url|uid 12004\); cannot post|run/post: ' "$S/posters")" ''

# The sky clears. What was kept because smtp was killed under it three times is released; what
# injectors that were killed have left is swept when it is old.
relay calm
settings
kill -HUP "$(service)"
released=0
left() { find "$S"/{spool,own} -mindepth 3 -type f -path "$S/*/*/$1/*" | wc -l; }
killed_posts=$(cat "$S"/posts.* | grep -cv '^acked')
half=$(left tmp)
ok "half-written files are no more than injectors that failed: $half of $killed_posts" test "$half" -le "$killed_posts"
find "$S"/{spool,own}/*/tmp -type f -exec touch -d '2 days ago' {} +
drained() {
	local file uid
	for file in "$S"/{spool,own}/*/failed/*; do
		[ -f "$file" ] || continue
		uid=$(stat -c %u "$file") && released=$((released + 1))
		PILLARBOX_QUEUE_DIR=${file%/*/failed/*} as "$uid" mailq -H "${file##*/}"
	done
	kill -USR1 "$(service)"
	for uid in "${OWN[@]}"; do as_own "$uid" sendmail -q; done
	[ "$(left '*')" -eq 0 ]
} >>"$S/drain" 2>&1
ok 'the queues drain, to the last file' eventually $((LIFE + 100)) drained || diag "$(find "$S"/{spool,own} -type f | head -20)"

no_children() { [ -z "$(children)$(running flush 12005)$(running flush 12006)" ]; }
ok 'flushers and smtp leave' eventually 30 no_children || diag "$(pgrep -al 'flush|smtp')"
sample

is 'nothing else is in the spools' \
	"$(find "$S"/{spool,own} -mindepth 2 ! -type d ! -name counts ! -name lock ! -name socket)" ''

# Descriptors of the service, beside those of one that has just begun.
descriptors() { readlink /proc/"$(service)"/fd/* | sed 's/[0-9]*\]$/]/' | sort; }
descriptors >"$S/after"
first=$(service)
kill -TERM "$first"
anew() { [ "$(service)" != "$first" ] && is_up && no_children; }
ok 'the service is started again' eventually 20 anew
as_before() { descriptors >"$S/before" && cmp -s "$S/after" "$S/before"; } # it is still beginning
eventually 5 as_before
same_file 'it had the same descriptors to its end' "$S/after" "$S/before"
touch "$S/end"
kill -TERM "$(service)"
gone() { [ -z "$(running flush; running smtp)" ]; }
ok 'no process is left' eventually 10 gone
relay away

ok 'each is delivered or bounced, and nothing has grown' "$S/soak" judge "$S" >"$S/verdict"
diag "$TIME s, seed $SEED: $storms storms, $kills kills, $reloads times other settings, $released released" \
	"$(grep -v '^ok ' "$S/verdict")"
grep '^ok\|^not ok' "$S/verdict"
is 'no violations' "$(cat "$S/violations" 2>/dev/null)" ''
done_testing
