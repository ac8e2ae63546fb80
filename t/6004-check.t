#!/bin/bash
# SPDX-License-Identifier: ISC
# mailq --check, and what others make of our list and our log: check_mailq of the Monitoring Plugins
# and pflogsumm, as Debian has them.
. "${0%/*}/lib.sh"
scratch
config queue.deliver=queue
need perl
# shellcheck source=t/queue.sh
. "$T/queue.sh"
monitors=$PEERS/monitors
[ -e "$monitors/.complete" ] || give_up "needs $monitors (make deps)"
now=$(date +%s)

# check STATUS WANTED OPTIONS...: the exit status, one line, what it begins with up to "|"
check() {
	try mailq --check "${@:3}"
	is "${*:3}: $2" "$rc $(wc -l <"$S/out") $(sed 's/ |.*//' "$S/out")" "$1 1 MAILQ $2"
}

check 0 'OK: nothing waits'
empty_queue
check 0 'OK: nothing waits'
message new 1N5X24Q8R001 $((now - 185)) 10 a@example.org b@example.net </dev/null
message cur 1N5X24Q8R002 $((now - 7210)) 20 a@example.org c@example.net </dev/null
touch "$QUEUE/cur/1N5X24Q8R002"
check 0 'OK: 2 messages, the oldest 2h old'
check 0 'OK: 1 message, the oldest 3m old' --state incoming --sender '*@example.org' -w 2h
check 1 'WARNING: 2 messages, the oldest 2h old' -w 2h
check 1 'WARNING: 2 messages, the oldest 2h old' -w ,2
check 1 'WARNING: 2 messages, the oldest 2h old' -w 3h,2 -c 3h,3
check 0 'OK: 2 messages, the oldest 2h old' -w 3h,3 -c ,3
check 2 'CRITICAL: 2 messages, the oldest 2h old' -w 1h,1 -c 2h
check 2 'CRITICAL: 2 messages, the oldest 2h old' -c 1d,1
check 2 'CRITICAL: 2 messages, the oldest 2h old' --warning=1h,1 --critical=1d,2
try mailq --check -w 3h,50 -c ,60
like 'performance data' "$(cat "$S/out")" \
	'\| messages=2;50;60;0 age=72[0-9][0-9]s;10800;;0 size=30B;;;0 incoming=1;;;0 active=0;;;0 deferred=1;;;0 hold=0;;;0 failed=0;;;0 damaged=0;;;0$'

# What waits for a person
message hold 1N5X24Q8R003 $((now - 900000)) 10 a@example.org b@example.net </dev/null
check 0 'OK: 2 messages, the oldest 2h old, 1 on hold'
message failed 1N5X24Q8R004 $((now - 5)) 10 '' b@example.net </dev/null
check 1 'WARNING: 2 messages, the oldest 2h old, 1 on hold, 1 failed'
echo nonsense >"$QUEUE/new/1N5X24Q8R005"
chmod 600 "$QUEUE/new/1N5X24Q8R005"
check 1 'WARNING: 2 messages, the oldest 2h old, 1 on hold, 1 failed, 1 damaged'
rm "$QUEUE"/failed/* "$QUEUE/new/1N5X24Q8R005"

# Overdue, and nobody there
touch -d @$((now - 1000)) "$QUEUE/cur/1N5X24Q8R002"
check 2 'CRITICAL: 2 messages, the oldest 2h old, 1 on hold, nobody delivers'
touch "$QUEUE/lock"
lock_message "$QUEUE/lock"
check 0 'OK: 2 messages, the oldest 2h old, 1 on hold'
unlock_message
perl -MSocket -e '
	socket(S, AF_UNIX, SOCK_DGRAM, 0) && bind(S, pack_sockaddr_un($ARGV[0])) or die "$!"; sleep 100' \
	"$S/run/socket" &
service=$!
ok 'a service' eventually 10 test -S "$S/run/socket"
check 0 'OK: 2 messages, the oldest 2h old, 1 on hold'
kill "$service"
wait "$service" 2>/dev/null
check 2 'CRITICAL: 2 messages, the oldest 2h old, 1 on hold, nobody delivers'

# What cannot be looked at is unknown
check 3 "UNKNOWN: soon: not an age such as 90s, 5m, 2h, 5d or 1w" -w soon
check 3 'UNKNOWN: 1h,x: not a number of messages behind the comma' -c 1h,x
check 3 'UNKNOWN: ,: no level: AGE,COUNT' -c ,
check 3 'UNKNOWN: unknown option -x; mailq --help has all' -x
check 3 'UNKNOWN: -w needs a value' -w
chmod 777 "$QUEUE"
try mailq --check
like 'open to others: unknown' "$rc $(cat "$S/out")" "^3 MAILQ UNKNOWN: .*$QUEUE"
chmod 700 "$QUEUE"
refuses 64 mailq -w 1h,1
refuses 64 mailq -j -c 1h,1

# check_mailq, which has the path of mailq in a file beside it
mkdir "$S/plugins"
cp "$monitors"/usr/lib/nagios/plugins/{check_mailq,utils.pm} "$S/plugins"
sed -i "s|^\$PATH_TO_MAILQ *=.*|\$PATH_TO_MAILQ = '$(type -P mailq)';|" "$S/plugins/utils.pm"
check_mailq() {
	try perl "$S/plugins/check_mailq" -M postfix "${@:3}"
	is "check_mailq: $2" "$rc $(sed 's/|.*//' "$S/out" | tr -d '\n')" "$1 $2"
}
check_mailq 0 'OK: postfix mailq (3) is below threshold (10/20)' -w 10 -c 20
check_mailq 1 'WARNING: postfix mailq is 3 (threshold w = 3)' -w 3 -c 20
check_mailq 2 'CRITICAL: postfix mailq is 3 (threshold c = 3)' -w 2 -c 3
empty_queue
check_mailq 0 'OK: postfix mailq reports queue is empty' -w 1 -c 2

# pflogsumm, of a log of ours
sink_start -r 'rcpt later@* reply 450 4.2.0 later' -r 'rcpt never@* reply 550 5.1.1 no'
config "relay.url=smtp://127.0.0.1:$SINK_PORT" queue.deliver=queue
sendmail -f alice@example.org b@example.net c@other.example <<<hello
sendmail -f alice@example.org later@example.net never@example.net <<<hello
sendmail -q
delivered() { grep -q 'status=bounced' "$S/log" && [ "$(grep -c 'status=sent' "$S/log")" -ge 3 ]; }
ok 'a log' eventually 20 delivered
perl -I"$monitors/usr/share/perl5" -I"$(echo "$monitors"/usr/lib/*/perl5/5*)" \
	"$monitors/usr/sbin/pflogsumm" --syslog-name=pillarbox "$S/log" >"$S/out" 2>"$S/err"
is 'pflogsumm: no complaint' "$? $(cat "$S/err")" '0 '
while read -r n what; do
	like "pflogsumm: $n $what" "$(cat "$S/out")" $'\n'" +$n +$what"$'\n'
done <<-'END'
	3 delivered
	1 deferred +\(1 +deferrals\)
	1 bounced
	0 rejected \(0%\)
	3 recipients
END
for what in '1 +4.2.0 later' '1 +5.1.1 no \(in reply to RCPT TO command\)' '26[0-9] +c@other.example'; do
	like "pflogsumm: $what" "$(cat "$S/out")" "$what"
done
is 'pflogsumm: our mailq behind it' "$(perl -I"$monitors/usr/share/perl5" \
	-I"$(echo "$monitors"/usr/lib/*/perl5/5*)" "$monitors/usr/sbin/pflogsumm" --mailq --syslog-name=pillarbox "$S/log" |
	grep -c '^[A-F0-9].* alice@example.org')" 1
ok 'the sink is content' sink_content

done_testing
