#!/bin/bash
# SPDX-License-Identifier: ISC
# mailq -m: figures that Prometheus' own tool finds right, and that add up over queue, runs and owners;
# mailq --summary.
. "${0%/*}/lib.sh"
need_root
scratch
config queue.deliver=queue
need perl /usr/bin/python3
# shellcheck source=t/queue.sh
. "$T/queue.sh"
promtool=$PEERS/monitors/usr/bin/promtool
[ -x "$promtool" ] || give_up "needs $promtool (make deps)"

me=$(id -u)
figure() { mailq -m | sed -n "s/^pillarbox_$1 //p"; }
fits() { [ -z "$("$promtool" check metrics <"$1" 2>&1)" ]; }

# OpenMetrics to the letter, by the reference parser.
strictly_open() {
	/usr/bin/python3 -c '
import sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse
families = list(parse(sys.stdin.read()))
sys.exit(not families)'
}

try mailq -m
is 'no spool: no error' "$rc $(cat "$S/err")" '0 '
ok 'no spool: promtool' fits "$S/out"
like 'no spool: nothing of an owner' "$(cat "$S/out")" 'pillarbox_service_alive 0'$'\n''# EOF$'
empty_queue
ok 'empty: promtool' fits <(mailq -m)
is 'empty: zero' "$(figure "queue_messages{owner=\"$me\",state=\"incoming\"}")" 0

now=$(date +%s)
message new 1N5X24Q8R001 $((now - 30)) 10 alice@example.org bob@example.net </dev/null
message cur 1N5X24Q8R002 $((now - 7200)) 20 carol@example.org bob@example.net eve@other.example <<END
@$((now - 7100)) 0 4.4.1 connect to mx.example.net[192.0.2.1]:25: Connection timed out
@$((now - 7000)) 0 4.4.1 connect to mx.example.net[192.0.2.1]:25: Connection timed out
@$((now - 7100)) 1 4.2.1 Greylisted
END
message cur 1N5X24Q8R003 $((now - 60)) 40 '' bob@example.net <<END
@$((now - 50)) 0 4.4.1 connect to mx.example.net[192.0.2.1]:25: Connection timed out
END
message hold 1N5X24Q8R004 $((now - 5)) 80 alice@example.org b@example.net </dev/null
message failed 1N5X24Q8R005 $((now - 5)) 160 '' c@example.net <<END
@$((now - 4)) 0 5.1.1 unknown user
@$((now - 4)) 0 told null sender
END
message cur 1N5X24Q8R006 $((now - 300)) 320 a@example.org d@example.net </dev/null
lock_message "$QUEUE/cur/1N5X24Q8R006"
echo nonsense >"$QUEUE/new/1N5X24Q8R007"
chmod 600 "$QUEUE/new/1N5X24Q8R007"
try mailq -m
is 'every state: no error' "$rc $(cat "$S/err")" '0 '
ok 'every state: promtool' fits "$S/out"
ok 'every state: OpenMetrics' strictly_open < <(mailq --openmetrics)
ok 'the two forms differ in the names of families only' \
	diff <(grep -v '^# ' "$S/out" | grep -v age) <(mailq --openmetrics | grep -v '^# ' | grep -v age)
while read -r state n octets; do
	is "$state: messages" "$(figure "queue_messages{owner=\"$me\",state=\"$state\"}")" "$n"
	is "$state: octets" "$(figure "queue_bytes{owner=\"$me\",state=\"$state\"}")" "$octets"
done <<-END
	incoming 1 10
	active 1 320
	deferred 2 60
	hold 1 80
	failed 1 160
	damaged 1 9
END
age=$(figure "queue_oldest_age_seconds{owner=\"$me\"}")
ok 'the oldest' test "$age" -ge 7200 -a "$age" -lt 9000
is 'attempts' "$(figure "queue_attempts{owner=\"$me\"}")" 3
is 'no flusher' "$(figure "flusher_alive{owner=\"$me\"}")" 0

# The tables
is 'summary' "$(mailq --summary | sed -E 's/^( *[0-9]+ ) .{6}  /\1 AGE /')" "Recipients  Oldest  Destination
         6  AGE example.net
         1  AGE other.example

  Messages  Oldest  Sender
         2  AGE MAILER-DAEMON
         2  AGE alice@example.org
         1  AGE (damaged)
         1  AGE a@example.org
         1  AGE carol@example.org

Recipients  Oldest  Reason
         3  AGE (never tried)
         2  AGE connect to mx.example.net[192.0.2.1]:25: Connection timed out
         1  AGE Greylisted
         1  AGE unknown user

-- 7 messages, 639 octets"
like 'summary: ages' "$(mailq --summary)" $'\n +1 +2h +other.example\n'
try mailq --summary
is 'summary: damaged' "$rc $(cat "$S/err")" '65 '
is 'summary of a selection' "$(mailq --summary --state incoming | tail -n 1)" '-- 1 message, 10 octets'
unlock_message

# More senders than a table has lines
empty_queue
perl -e '
	for my $i (1 .. 4200) {
		my $id = sprintf "1N5X24Q8%04d", $i;
		open my $f, ">", "$ARGV[0]/new/$id" or die;
		chmod 0600, $f;
		print $f "pillarbox 1\nid $id\narrived 1795450385.000000\nuid 0\nsize 000000000002\nbody 7BIT    \n",
			"dots 0\nfrom <user$i\@example.org>\nrcpt <a\@example.org>\n\n\r\n";
	}' "$QUEUE"
mailq --summary >"$S/out"
is 'more groups than lines' "$(grep '(others)' "$S/out" | awk '{ print $1 }')" 104
is 'more groups than lines: the sum' "$(tail -n 1 "$S/out")" '-- 4200 messages, 8.3K octets'

# What the flusher counts: over several of them, and written down while one lingers
empty_queue
sink_start -r 'rcpt later@* reply 450 4.2.0 later' -r 'rcpt never@* reply 550 5.1.1 no' \
	-r 'rcpt policy@* reply 554 5.7.1 no'
config "relay.url=smtp://127.0.0.1:$SINK_PORT" queue.deliver=queue
sendmail -f a@example.org b@example.net c@example.net <<<hello
sendmail -q
ended() { [ -z "$(running flush)" ]; }
ok 'the first flusher ends' eventually 20 ended
results() { figure "results_total{owner=\"$me\",result=\"$1\"}"; }
is 'sent' "$(results sent)" 2
since=$(figure "counting_since_timestamp_seconds{owner=\"$me\"}")
ok 'since when' test "$since" -ge "$now"
success=$(figure "last_success_timestamp_seconds{owner=\"$me\",destination=\"relay\"}")
ok 'the last success' test "$success" -ge "$now"
sendmail -f a@example.org b@example.net later@example.net never@example.net policy@example.net <<<hello
sendmail -q
counted() { [ "$(figure "attempts_total{owner=\"$me\"}")" = "$1" ]; }
ok 'counted on' eventually 20 counted 7
is 'sent, with the report' "$(results sent)" 4
is 'bounced' "$(results bounced)" 2
is 'expired' "$(results expired)" 0
is 'deferred' "$(results deferred)" 1
is 'by class' "$(mailq -m | grep '^pillarbox_failures_total' | grep -v ' 0$')" \
	"pillarbox_failures_total{owner=\"$me\",class=\"4\",subject=\"mailbox\"} 1
pillarbox_failures_total{owner=\"$me\",class=\"5\",subject=\"address\"} 1
pillarbox_failures_total{owner=\"$me\",class=\"5\",subject=\"policy\"} 1"
is 'the counting began once' "$(figure "counting_since_timestamp_seconds{owner=\"$me\"}")" "$since"
is 'the flusher waits' "$(figure "flusher_alive{owner=\"$me\"}")" 1
ok 'counts: promtool' fits <(mailq -m)
ok 'counts: OpenMetrics' strictly_open < <(mailq --openmetrics)
ok 'the sink is content' sink_content

# What is not whole, or not ours, is not believed
for pid in $(running flush); do kill "$pid"; done
ok 'the flusher leaves' eventually 20 ended
cp "$QUEUE/counts" "$S/counts"
while read -r name command; do
	cp "$S/counts" "$QUEUE/counts"
	(cd "$QUEUE" && eval "$command")
	is "$name" "$(results sent)" 0
	ok "$name: promtool" fits <(mailq -m)
	rm -f "$QUEUE/counts"
done <<-'END'
	cut truncate -s -1 counts
	changed sed -i 's/^sent 4/sent 9/' counts
	nonsense head -c 100000 /dev/zero >counts
	linked ln counts link
	symbolic mv counts link; ln -s link counts
	open chmod 666 counts
	pipe rm counts; mkfifo counts
END
rm -f "$QUEUE/link"
cp "$S/counts" "$QUEUE/counts"
chmod 600 "$QUEUE/counts"
is 'as it was' "$(results sent)" 4

# Several owners, and two directories of one
if [ "$me" = 0 ]; then
	for name in 4242 4242.0123456789abcdef 4343; do
		cp -a "$QUEUE" "$S/spool/$name"
		QUEUE=$S/spool/$name message new 1N5X24Q8R0A0 "$now" 10 a@example.org b@example.net </dev/null
		chown -R "${name%.*}:${name%.*}" "$S/spool/$name"
	done
	is 'root: owners' "$(mailq -m | grep -o '^pillarbox_flusher.*' | tr '\n' ' ')" \
		'pillarbox_flusher_alive{owner="0"} 0 pillarbox_flusher_alive{owner="4242"} 0 pillarbox_flusher_alive{owner="4343"} 0 '
	is 'root: two directories of one owner' \
		"$(figure 'queue_messages{owner="4242",state="incoming"}') $(figure 'results_total{owner="4242",result="sent"}')" '2 8'
	ok 'root: promtool' fits <(mailq -m)
	ok 'root: OpenMetrics' strictly_open < <(mailq --openmetrics)
	sendmail -bD 2>"$S/service" &
	ok 'the service listens' eventually 20 test -S "$S/run/socket"
	is 'the service is alive' "$(figure service_alive)" 1
fi

done_testing
