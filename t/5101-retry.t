#!/bin/bash
# SPDX-License-Identifier: ISC
#
# When what failed is tried again, and when it is given up. Nobody waits here: the test sets a file's
# time of the next attempt and of its arrival instead.
. "${0%/*}/lib.sh"
need_root
need touch
scratch
spool=$S/spool/$(id -u)
HOUR=3600 DAY=86400

# settings KEY=VALUE...: over those of most cases.
settings() { config "relay.url=smtp://127.0.0.1:$SINK_PORT" "queue.retry=7m, 3h" queue.deliver=queue "$@"; }

# post ADDRESS [OPTIONS]: a message into new/, its file in $file.
post() {
	local before after
	before=$(ls "$spool"/{new,cur} 2>/dev/null | sort)
	sendmail -i -f s@x.example "${@:2}" "$1" <<<$'Subject: hello\n\nhello'
	after=$(ls "$spool"/{new,cur} | sort)
	file=$(comm -13 <(echo "$before") <(echo "$after") | grep -x '[0-9A-Z]\{12\}')
}

# it: where the message of $file is now. journal: the journal of it. wait_of: seconds until its next
# attempt. between LEAST MOST N
it() { echo "$spool"/*/"$file"; }
journal() { grep -a '^@[0-9]* [0-9]* [a-z0-9.]* ' "$(it)"; }
attempts() { journal | grep -ac '^@[0-9]* 0 4\.'; }
wait_of() { echo $(($(stat -c %Y "$(it)") - EPOCHSECONDS)); }
between() { [ "$3" -ge "$1" ] && [ "$3" -le "$2" ] || { diag "$3 is not from $1 to $2"; return 1; }; }

# age ARRIVAL NEXT: both in seconds before now.
age() {
	local f
	f=$(it)
	sed -i "s/^arrived [0-9]*\./arrived $((EPOCHSECONDS - $1))./" "$f"
	touch -d "@$((EPOCHSECONDS - $2))" "$f"
}
waits() { [ "$(wait_of)" -gt 60 ]; }
not() { ! "$@"; }
fourth() { [ "$(attempts)" -eq 4 ]; }
no_flusher() {
	local p
	for p in $(running flush); do kill -9 "$p"; done
	eventually 5 not_running
}
not_running() { [ -z "$(running flush)" ]; }
fresh() { no_flusher; rm -rf "$spool"; rm -f "$SINK"/*.e??; : >"$S/log"; }
bounced() { grep -alq '^Auto-Submitted: auto-replied' "$SINK"/*.eml "$spool"/new/* 2>/dev/null; }
gone() { [ ! -e "$(it)" ]; }

sink_start -r 'rcpt busy@* reply 450 4.2.1 busy' -r 'mail full@* reply 452 4.3.1 full' \
	-r 'rcpt late@* reply 450 4.2.2 late'

# The list of waits, with the attempts counted from the journal: no flusher remembers them.
settings
post busy@x.example
sendmail -q
ok "the first wait, and up to an eighth more" between $((7 * 60 - 5)) $((7 * 60 * 9 / 8)) "$(wait_of)"
no_flusher
sendmail -q
ok "the second one" between $((3 * HOUR - 5)) $((3 * HOUR * 9 / 8)) "$(wait_of)"
no_flusher
sendmail -q
ok "it is the last, and repeats" between $((3 * HOUR - 5)) $((3 * HOUR * 9 / 8)) "$(wait_of)"
is "three attempts are in the journal" "$(attempts)" 3

# After a reboot what is due is tried, by whatever flusher comes next, and what is not waits.
settings queue.deliver=background
no_flusher
age $HOUR 60
first=$file
post good@x.example
ok "a new message goes" sink_wait 1
file=$first
ok "and with it what has become due" eventually 5 fourth
post good2@x.example
ok "another goes" sink_wait 2
file=$first
is "and what is not due waits" "$(attempts)" 4

# A clock that was set back: the next attempt is years ahead.
no_flusher
touch -d "@$((EPOCHSECONDS + 3650 * DAY))" "$(it)"
post good3@x.example
ok "a third goes" sink_wait 3
file=$first
fifth() { [ "$(attempts)" -eq 5 ]; }
ok "an attempt in ten years is one now" eventually 5 fifth
ok "and then it waits as usual" between $((3 * HOUR - 5)) $((3 * HOUR * 9 / 8)) "$(wait_of)"

# 4xx replies are the message's trouble.
fresh
sendmail -i -f s@x.example busy@x.example <<<busy
sendmail -i -f full@x.example r@x.example <<<full
ok "two are deferred" eventually 5 sh -c "[ \$(grep -c status=deferred '$S/log') = 2 ]"
sendmail -i -f s@x.example good@x.example <<<good
ok "450 and 452 put no destination out" sink_wait 1
like "the log has the server's status" "$(grep busy@ "$S/log")" 'dsn=4\.2\.1, status=deferred \(host .*450 4\.2\.1 busy'
like "so has mailq" "$(mailq)" '450 4\.2\.1 busy'

# A connection that fails is the destination's: it is tried again as one.
fresh
sink_stop
settings queue.deliver=background
post one@x.example
ok "one is tried" eventually 5 grep -q 'status=deferred' "$S/log"
one=$file
post two@x.example
ok "another is not" eventually 5 grep -q 'to=<two@x.example>.*status=deferred' "$S/log"
ok "it waits for the destination" eventually 5 waits
is "which is no attempt of its own" "$(attempts)" 0
like "but says why" "$(journal)" '^@[0-9]+ 0 waits 4\.4\.1 connect to '
ok "until the destination's turn" between $((7 * 60 - 10)) $((7 * 60 * 9 / 8)) "$(wait_of)"
like "mailq shows it" "$(mailq)" 'connect to 127\.0\.0\.1.*: Connection refused'
file=$one
is "the first had one attempt" "$(attempts)" 1
like "the log has 4.4.1 for a connection" "$(grep one@ "$S/log")" 'dsn=4\.4\.1, status=deferred \(connect to'

# Old, its destination out, never tried: it had its time.
post old@x.example -odq
age $((6 * DAY)) 60
sendmail -i -f s@x.example three@x.example <<<poke
ok "what is too old is given up while its destination is out" eventually 5 gone
like "with what it waited for" "$(grep old@ "$S/log")" 'dsn=5\.4\.7, status=expired \(delivery time expired; last: .*connect to'

# From 1970, its destination out: a clock that was set is no reason.
post early@x.example -odq
age $((EPOCHSECONDS - 12)) $((EPOCHSECONDS - 12))
sendmail -i -f s@x.example four@x.example <<<poke
ok "what came before the clock was set waits" eventually 5 grep -q 'to=<early@x.example>.*status=deferred' "$S/log"
ok "for the destination" eventually 5 waits
like "its age is noted" "$(journal)" $'(^|\n)@[0-9]+ 0 age [0-9](\n|$)'

# Names that cannot be looked up.
fresh
settings relay.url=smtp://no.such.host.invalid
post name@x.example
sendmail -q
like "the log has 4.4.3 for a look-up" "$(cat "$S/log")" 'dsn=4\.4\.3, status=deferred \((Host or domain name not found|.*look)'
like "mailq shows it, too" "$(mailq)" 'no\.such\.host\.invalid'
settings relay.url=smtp://no.such.host.invalid queue.lifetime=1h
age $((2 * HOUR)) 60
sendmail -q
like "and the bounce" "$(cat "$spool"/*/*)" 'Status: 5\.4\.7'
like "in words" "$(cat "$spool"/*/*)" 'no\.such\.host\.invalid'

# Given up: the clock's word, where somebody tried all along.
sink_start -p "$SINK_PORT" -r 'rcpt busy@* reply 450 4.2.1 busy'
fresh
settings
post busy@x.example
age $((5 * DAY - HOUR)) 60
sendmail -q
is "an hour before its end: deferred" "$(attempts)" 1
age $((5 * DAY)) 60
sendmail -q
ok "at its end: given up" eventually 10 gone
ok "and bounced" eventually 5 bounced
like "as expired" "$(cat "$S/log")" 'dsn=5\.4\.7, status=expired \(delivery time expired; last: .*450 4\.2\.1 busy'
with_words() { grep -aq '450 4\.2\.1 busy' "$SINK"/*.eml 2>/dev/null; }
ok "with the server's words in it" eventually 10 with_words

# A bounce has a day.
fresh
post busy@x.example -f ''
age $((DAY - HOUR)) 60
sendmail -q
is "a bounce, an hour before its end" "$(attempts)" 1
age $DAY 60
sendmail -q
ok "at its end it is kept" test -e "$spool/failed/$file"

# Time in which nobody tried does not count.
fresh
post busy@x.example
age $((20 * DAY)) $((19 * DAY))
sendmail -q
is "switched off for weeks: tried, and deferred" "$(attempts)" 1
like "one day of its life is used" "$(journal)" " 0 age 864[0-9][0-9]"
no_flusher
sendmail -q
is "and deferred again" "$(attempts)" 2
is "the age is noted once" "$(journal | grep -c ' age ')" 1

# A machine that boots in 1970.
fresh
post busy@x.example
age $((EPOCHSECONDS - 12)) $((EPOCHSECONDS - 12))
touch -d @12 "$(it)"
sendmail -q
is "a message from 1970 is tried, and deferred" "$(attempts)" 1
sendmail -q
is "again and again" "$(attempts)" 2
ok "nobody is told that it failed" not bounced
# … as long as anything else.
sed -i "s/^@[0-9]* 0 age [0-9]*$/@$((EPOCHSECONDS - 5 * DAY)) 0 age 0/" "$(it)"
touch -d "@$((EPOCHSECONDS - 60))" "$(it)"
sendmail -q
ok "for five days of the right time" eventually 10 gone
ok "the sink has nothing to complain of" sink_content
done_testing
