#!/bin/bash
# SPDX-License-Identifier: ISC
#
# Mail that waits long: the sender is told once, where that is set or was asked for. The messages are
# made old, nothing is waited for.
. "${0%/*}/lib.sh"
need_root
scratch
spool=$S/spool/$(id -u)
sink_start -r 'rcpt late@* reply 450 4.2.1 <late@x.example>: busy' -r 'rcpt no@* reply 550 5.1.1 no'
# use SETTINGS...: of the next run, which reads them anew.
use() { config "relay.url=smtp://127.0.0.1:$SINK_PORT" queue.deliver=queue "$@"; }
# post HOURS ARGUMENTS...: a message of that age, in $file.
post() {
	local id
	flushers_end
	sendmail -i "${@:2}" <<<$'Subject: late news\n\nbody'
	file=$(find "$spool/new" -type f)
	id=${file##*/}
	sed -i "s/^arrived .*/arrived $(($(date +%s) - $1 * 3600)).000000/" "$file"
	file=$spool/cur/$id
}
run() { sendmail -q >"$S/out" 2>&1; }
fresh() { rm -f "$SINK"/0* "$spool"/{new,cur,failed}/*; : >"$S/log"; }
notifications() { grep -c 'notification: ' "$S/log"; }

use queue.delay_warning=4h
post 5 -f s@x.example late@x.example
run
ok "an old message: the sender is told" sink_wait 1
like "  from nobody" "$(cat "$SINK"/0*.env)" 'mail <>[^<]*rcpt <s@x.example>'
tr -d '\r' <"$SINK/0001.eml" >"$S/eml"
text=$(<"$S/eml")
like "  what it is" "$text" 'Subject: Delayed mail \(still being retried\)'
like "  for a person" "$text" 'You
need not do anything.*Subject:  late news.*Tried to: .*<late@x.example>: delayed
    The mailbox takes no mail.'
like "  for a program" "$text" 'Final-Recipient: rfc822; late@x.example
Action: delayed
Status: 4.2.1
Remote-MTA: dns; 127.0.0.1
Diagnostic-Code: smtp; 450 4.2.1 <late@x.example>: busy
Last-Attempt-Date: '
is "  until when it is tried: five days" "$(sed -n 's/^Will-Retry-Until: //p' "$S/eml")" \
	"$(date '+%a, %-d %b %Y %T %z' -d "@$(($(sed -n 's/^arrived \([0-9]*\).*/\1/p' "$file") + 432000))")"
unlike "  the body does not come back" "$text" $'\nbody'
like "  the log" "$(<"$S/log")" 'sender delay notification: [0-9A-Z]{12}'
like "  the journal" "$(cat "$file")" '@[0-9]+ 0 warned [0-9A-Z]{12}'
like "  mailq shows why it waits" "$(mailq)" '450 4.2.1 .*late@x.example'
unlike "  and no more" "$(mailq)" 'warned'
run
is "the next attempt says nothing" "$(grep -c status=deferred "$S/log") $(notifications)" "2 1"
ok "  the message still waits" test -e "$file"
fresh

# Whom, and when: HOURS SETTING ARGUMENTS -> how many are told.
while read -r wanted hours setting arguments; do
	use queue.delay_warning="$setting"
	# shellcheck disable=SC2086 # several
	post "$hours" $arguments late@x.example
	run
	is "age ${hours}h, setting $setting, $arguments: told $wanted" "$(notifications)" "$wanted"
	is "  tried" "$(grep -c status=deferred "$S/log")" 1
	sink_wait "$wanted" # or what is on its way would be in the next one's account
	fresh
done <<-'END'
	0 3 4h -f s@x.example
	1 5 4h -f s@x.example -N delay
	0 5 4h -f s@x.example -N failure
	0 5 4h -f s@x.example -N never
	0 5 4h -f <>
	0 5 0 -f s@x.example
	0 3 0 -f s@x.example -N delay
	1 5 0 -f s@x.example -N delay
	1 5 0 -f s@x.example -N delay,failure,success
	0 5 0 -f <> -N delay
	1 1 30m -f s@x.example
	0 -9 30m -f s@x.example
END

# What fails and what is late are told apart; each once.
use queue.delay_warning=1h
post 2 -f s@x.example late@x.example no@x.example
run
ok "one fails, one is late: two reports" sink_wait 2
is "  each of its own" "$(cat "$SINK"/0*.eml | tr -d '\r' | grep -A1 '^Final' | sed '/--/d' | sort)" \
	"$(printf '%s\n' 'Action: delayed' 'Action: failed' 'Final-Recipient: rfc822; late@x.example' \
	'Final-Recipient: rfc822; no@x.example')"
run
is "  and once" "$(notifications)" 2
fresh

# A crash behind the report's commit and before the journal's line: no second report. It waits, so
# that it can be seen.
sink_stop
sink_start -r 'rcpt *@* reply 450 4.2.0 later'
use queue.delay_warning=1h
post 2 -f s@x.example late@x.example
run
flushers_end
cp -p "$file" "$S/copy"
sed -i '/ warned /d' "$file"
before=$(find "$spool"/{new,cur} -type f | sort)
is "message and report wait" "$(wc -l <<<"$before")" 2
run
is "after a crash it is not told again" "$(find "$spool"/{new,cur} -type f | sed 's,/new/,/cur/,' | sort)" \
	"$(sed 's,/new/,/cur/,' <<<"$before")"
like "  but noted" "$(cat "$file")" ' 0 warned '
ok "the sink has nothing to complain of" sink_content
done_testing
