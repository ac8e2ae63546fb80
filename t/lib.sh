# SPDX-License-Identifier: ISC
# shellcheck shell=bash
#
# lib.sh: what the test scripts share; README has an example. Sourced first thing:
#
#	. "${0%/*}/lib.sh"
#
# B is the build folder, PEERS the folder of real servers, S the scratch directory; our programs are
# first in PATH.

set -u
T=$(cd "${BASH_SOURCE[0]%/*}" && pwd)
B=${PILLARBOX_BUILD:-build}
case $B in /*) ;; *) B=${T%/*}/$B ;; esac
PEERS=${PILLARBOX_PEERS:-${T%/*}/build-peers}
PATH=$B/sbin:$B/bin:$PATH
tests=0 failures=0 rc=0 sink_pid='' SINK_PORT=''

diag() { printf '%s\n' "$@" | sed 's/^/# /' >&2; }

# result NAME: the case passed if the command before did.
result() {
	local status=$?
	tests=$((tests + 1))
	[ $status -eq 0 ] && echo "ok $tests - $1" && return 0
	echo "not ok $tests - $1"
	failures=$((failures + 1))
	return 1
}

# ok NAME COMMAND...: the command succeeds.
ok() { "${@:2}"; result "$1" || diag "failed: ${*:2}"; }

# is NAME GOT WANTED; like NAME GOT REGEX; unlike NAME GOT REGEX
is() { [ "$2" = "$3" ]; result "$1" || diag "got:    $2" "wanted: $3"; }
like() { [[ $2 =~ $3 ]]; result "$1" || diag "got:      $2" "unlike:   $3"; }
unlike() { ! [[ $2 =~ $3 ]]; result "$1" || diag "got:  $2" "like: $3"; }

# same_file NAME GOT WANTED: octet for octet.
same_file() {
	cmp -s "$2" "$3"
	result "$1" || diag "$(cmp "$2" "$3" 2>&1)" "$(diff -u "$3" "$2" 2>&1 | head -20 | cat -v)"
}

# try COMMAND...: its exit status in $rc, what it said in $S/out and $S/err.
try() { "$@" >"$S/out" 2>"$S/err"; rc=$?; }

# refuses CODE COMMAND...: fails with exactly this code, by no signal, and says something on stderr.
refuses() {
	try "${@:2}"
	[ "$rc" -eq "$1" ] && [ -s "$S/err" ]
	result "refuses with $1: ${*:2}" || diag "exit status $rc, stderr:" "$(cat "$S/err")"
}

# eventually SECONDS COMMAND...: it succeeds before they are over, on a quick machine that does nothing
# else: others have four times as long. Asked every 20 ms.
eventually() {
	local end=$((${EPOCHREALTIME/./} + $1 * 4000000))
	until "${@:2}"; do
		[ "${EPOCHREALTIME/./}" -lt $end ] || return 1
		sleep 0.02
	done
}

# give_up WHY: the script fails as a whole.
give_up() { false || result "$1"; exit 1; }

# need PROGRAM...: without it the test fails; it is never skipped.
need() {
	local name
	for name; do type -P "$name" >/dev/null || give_up "needs $name (make deps)"; done
}

# sanitized: the programs are built with ASan (SAN=1), which takes memory and makes calls of its own.
sanitized() { grep -q __asan_init "$B/sbin/sendmail"; }

# sysexit STATUS: it is 0 or one of sysexits(3); a signal's is not.
sysexit() { [ "$1" -eq 0 ] || { [ "$1" -ge 64 ] && [ "$1" -le 78 ]; }; }

# not_begun STATUS: it is the loader's, of a program that is not static; what it said is in $S/err.
not_begun() { [ "$1" -eq 127 ] && grep -q 'error while loading shared libraries' "$S/err"; }

# need_root: start the script again as root of a user namespace, with a range of uids, if we are not.
need_root() {
	[ "$(id -u)" -eq 0 ] && return
	need unshare newuidmap
	exec unshare --map-root-user --map-auto "$0"
}

done_testing() { echo "1..$tests"; exit $((failures > 0)); }

# Pids of what was started here: it has S in its environment or a file open below it.
belongings() {
	grep -lsz "^PILLARBOX_CONFIG=$S/" /proc/[0-9]*/environ
	find /proc/[0-9]*/fd -lname "$S/*" 2>/dev/null
}

# running NAME [UID]: pids of our flush or smtp processes that work below S. They let none but root
# look at them: a script that calls this says need_root.
running() {
	local p
	[ "$(id -u)" -eq 0 ] || { echo "# running: no need_root in $0" >&2; kill $$; }
	for p in $(pgrep -x ${2:+-u "$2"} "$1"); do
		[[ $(readlink "/proc/$p/cwd") == "$S"/* ]] && echo "$p"
	done
}

# flushers_gone: none lingers that would take what is posted next. For `eventually`.
flushers_gone() { [ -z "$(running flush)" ]; }

# flushers_end: they leave now, so that what is then put into the spool by hand is ours until a queue run.
flushers_end() {
	local p
	for p in $(running flush); do kill "$p" 2>/dev/null; done
	eventually 10 flushers_gone
}

sweep() {
	local p pids
	# The tools that look are not to find each other.
	pids=$(unset PILLARBOX_CONFIG; belongings | cut -d/ -f3 | sort -u | grep -vxF -e $$ -e "$BASHPID")
	for p in $pids; do kill "-$1" "$p" 2>/dev/null; done
	[ -z "$pids" ]
}

cleanup() {
	local status=$?
	trap - EXIT
	{ sweep TERM || eventually 2 sweep TERM || sweep KILL; } 2>/dev/null
	rm -rf "${S:?}"
	exit $status
}

# scratch: a fresh directory S with a home and an empty spool; it goes, with all that runs in it.
scratch() {
	S=$(mktemp -d "${TMPDIR:-/tmp}/pillarbox.XXXXXX") || exit 1
	trap cleanup EXIT
	trap 'exit 129' HUP INT TERM
	mkdir "$S/home" "$S/spool" "$S/run"
	chmod 755 "$S"
	chmod 1777 "$S/spool"
	unset "${!PILLARBOX_@}" "${!XDG_@}" NAME EMAIL MAIL
	export HOME=$S/home PILLARBOX_CONFIG=$S/pillarbox.ini PILLARBOX_BUILD=$B LC_ALL=C TZ=UTC
	# Leaks are looked for by unit tests; sanitizer.c says why not here.
	export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=0}
	SINK=$S/sink
}

# config SECTION.KEY=VALUE...: the settings file, anew: these over what every test wants.
config() {
	local key pair
	declare -A set=([queue.dir]=$S/spool [queue.socket]=$S/run/socket [queue.post_socket]=$S/run/post
		[log.to]=$S/log
		[mail.hostname]=client.example [mail.domain]=example.org)
	for pair; do set[${pair%%=*}]=${pair#*=}; done
	for key in "${!set[@]}"; do
		printf '[%s]\n%s = %s\n' "${key%.*}" "${key##*.}" "${set[$key]}"
	done >"$PILLARBOX_CONFIG"
	chmod 600 "$PILLARBOX_CONFIG"
}

# sink_start [OPTIONS]: the sink; its directory is SINK, its port SINK_PORT (which stays when it is
# stopped: a port with nobody there; "-p $SINK_PORT" to come back on it).
# shellcheck disable=SC2120 # no options will do
sink_start() {
	rm -f "$S/port"
	"$B/t/sink" -q -e -P "$S/port" -d "$SINK" "$@" &
	sink_pid=$!
	eventually 10 test -e "$S/port" || give_up "the sink does not start"
	SINK_PORT=$(<"$S/port")
	export SINK_PORT
}

# sink_named NAME [OPTIONS]: one of several, its port in the variable NAME, what it got below $S/NAME.
sink_named() {
	SINK=$S/$1 sink_start "${@:2}"
	printf -v "$1" %s "$SINK_PORT"
}

# hasty DIR: the programs, with an smtp whose clock runs 60 times as fast (hasty.c).
hasty() {
	[ -x "$B/t/hasty" ] || give_up "needs $B/t/hasty (make $B/t/hasty)"
	mkdir "$1"
	cp -r "$B/sbin" "$B/libexec" "$1"
	cp "$B/t/hasty" "$1/libexec/pillarbox/smtp"
}

# dns_start ZONE: a name server (t/dns) on port 53 of a network of our own; its pid in $dns_pid.
dns_start() {
	"$T/dns" "$1" &
	dns_pid=$!
	eventually 10 grep -q '^ *[0-9]*: 0100007F:0035 00000000:0000 0A' /proc/net/tcp || give_up "no name server"
}

sink_stop() { kill "$sink_pid" && wait "$sink_pid"; sink_pid=''; } 2>/dev/null

messages() { find "$SINK" -name '*.env' 2>/dev/null | wc -l; }
arrived() { [ "$(messages)" -ge "$1" ]; }

# sink_wait N [SECONDS]: until N messages are there.
sink_wait() { eventually "${2:-20}" arrived "$1" || { diag "$(messages) of $1 arrived"; return 1; }; }

# sink_content: no client did anything wrong.
sink_content() { [ ! -e "$SINK/violations" ] || { diag "$(cat "$SINK/violations")"; return 1; }; }

# mail_in FOLDER...: how many messages lie there; one that is claimed meanwhile, from new/ to cur/, is one.
mail_in() { find "$@" -type f 2>/dev/null | sed 's,\(new\|cur\)/\([^/]*\)$,\2,' | sort -u | wc -l; }

queue_is_empty() { [ "$(mailq)" = "Mail queue is empty" ]; }
