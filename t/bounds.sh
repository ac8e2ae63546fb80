# SPDX-License-Identifier: ISC
# shellcheck shell=bash
#
# bounds.sh: what the scripts about callers that misbehave share; source it after lib.sh and scratch.
#
#	bounded COMMAND...   as try. What is wrong with how it went is in $wrong: a status that is none of
#	                     sysexits, as a signal's; more memory than $kilobytes; no end within a minute;
#	                     something left in tmp/
#	queued               files of messages, wherever the spool is
#	clear_queue

kilobytes=65536
! sanitized || kilobytes=1048576

queued() { find "$S/spool" "$S/home" -path '*/new/*' -type f; }
leftovers() { find "$S/spool" "$S/home" -path "$S/*/tmp/*" -type f; }
clear_queue() { find "$S/spool" "$S/home" \( -path '*/new/*' -o -path "$S/*/tmp/*" \) -type f -delete; }

bounded() {
	wrong=''
	timeout -k 5 60 time -q -o "$S/cost" -f %M "$@" >"$S/out" 2>"$S/err"
	rc=$?
	sysexit $rc || not_begun $rc || wrong+=" status $rc"
	[ "$(tail -n 1 "$S/cost")" -le "$kilobytes" ] || wrong+=" $(tail -n 1 "$S/cost") KB"
	[ -z "$(leftovers)" ] || wrong+=' something left in tmp/'
}
