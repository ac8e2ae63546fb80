#!/bin/bash
# SPDX-License-Identifier: ISC
# mailq: which entries are meant, by ID and by what they are.
. "${0%/*}/lib.sh"
scratch
config queue.deliver=queue
need perl
# shellcheck source=t/queue.sh
. "$T/queue.sh"
empty_queue

now=$(date +%s)
message new 1N5X24Q8R001 $((now - 30)) 10 alice@example.org bob@example.net </dev/null
message cur 1N5X24Q8R002 $((now - 7200)) 10 Carol@Example.org bob@example.net eve@other.example <<END
@$((now - 7100)) 0 4.4.1 connect to mx.example.net[192.0.2.1]:25: Connection timed out
@$((now - 7100)) 1 4.2.1 host mx.other.example[192.0.2.2] said: 450 4.2.1 Greylisted
END
message cur 1N5X24Q8R003 $((now - 90000)) 10 '' 'user@[192.0.2.7]' sent@gone.example <<END
@$((now - 80000)) 0 4.4.2 lost connection
@$((now - 80000)) 1 2.0.0 250 2.0.0 Ok
END
message hold 1N5X24Q8R004 $((now - 5)) 10 a@example.org b@example.net </dev/null
message failed 1N5X24Q8R005 $((now - 5)) 10 '' c@example.net <<END
@$((now - 4)) 0 5.1.1 unknown user
@$((now - 4)) 0 told null sender
END
message cur 1N5X24Q8R006 $((now - 300)) 10 a@example.org d@example.net </dev/null
lock_message "$QUEUE/cur/1N5X24Q8R006"
echo nonsense >"$QUEUE/new/1N5X24Q8R007"
chmod 600 "$QUEUE/new/1N5X24Q8R007"

# The last digits of what is listed
chosen() { mailq "$@" | sed -n 's/^1N5X24Q8R00\(.\).*/\1/p' | tr -d '\n'; }

while read -r wanted options; do
	eval "options=($options)"
	is "${options[*]}" "$(chosen "${options[@]}")" "$wanted"
done <<'END'
1234567 -p
1 --sender alice@example.org
1 --sender=ALICE@EXAMPLE.ORG
1 --sender '?[l]*@example.org'
1246 --sender '*@example.org'
35 --sender '<>'
35 --sender ''
35 --sender MAILER-DAEMON
12 --recipient bob@example.net
3 --recipient 'user@[192.0.2.7]'
123456 --destination '*'
2 --destination other.example
2 --destination OTHER.example
3 --destination '[192.0.2.7]'
2 --reason timed
2 --reason 'CONNECTION TIMED OUT'
5 --reason 'unknown user'
2 --recipient bob@example.net --reason timed
2 --recipient eve@other.example --reason Greylisted
23 --older 1h
3 --older 1d
236 --older 2m
1 --state incoming
23 --state deferred
4 --state hold
5 --state failed
6 --state active
7 --state damaged
1457 --state hold,failed,incoming,damaged
2 --state deferred --older 90m --destination example.net
2 1N5X24Q8R002
31 1N5X24Q8R003 1N5X24Q8R001
1 --state incoming 1N5X24Q8R003 1N5X24Q8R001
END

for options in '--recipient sent@gone.example' '--recipient bob@example.net --reason Greylisted' \
	'--older 2w' '--sender org' '--recipient bob'; do
	# shellcheck disable=SC2086 # words
	try mailq $options
	is "$options: nothing" "$rc $(cat "$S/out" "$S/err")" '0 No mail in the queue matches'
done

# The sums are of what was chosen
is 'the sums' "$(mailq --state hold,incoming | tail -n 1)" '-- 0 Kbytes in 2 Requests.'

# An ID that is not there
try mailq 1N5X24Q8R001 1N5X24Q8R099
is 'not there: status' "$rc" 68
is 'not there: a line' "$(cat "$S/err")" 'mailq: 1N5X24Q8R099: no such message in the queue'
is 'not there: the other one is listed' "$(grep -c '^[A-F0-9]' "$S/out")" 1
refuses 68 mailq 1N5X24Q8R099
is 'not there: it is not called empty' "$(cat "$S/out")" ''
try mailq 1N5X24Q8R007
is 'damaged: status' "$rc" 65
like 'damaged: why' "$(cat "$S/out")" '\(damaged: not a spool file\)'
unlock_message

# Root finds an ID in anybody's
if [ "$(id -u)" = 0 ]; then
	cp -a "$QUEUE" "$S/spool/4242"
	rm "$S"/spool/4242/*/1*
	QUEUE=$S/spool/4242 message new 1N5X24Q8R0C0 "$now" 10 a@example.org b@example.net </dev/null
	chown -R 4242:4242 "$S/spool/4242"
	try mailq 1N5X24Q8R0C0 1N5X24Q8R001 1N5X24Q8R099
	is 'root: anybody'\''s' "$rc $(grep -c '^[A-F0-9]' "$S/out") $(cat "$S/err")" \
		'68 2 mailq: 1N5X24Q8R099: no such message in the queue'
fi

done_testing
