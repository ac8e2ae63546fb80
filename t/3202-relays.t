#!/bin/bash
# SPDX-License-Identifier: ISC
#
# Several relays: which one is taken, and what makes the next one's turn. In a network of our own.
. "${0%/*}/lib.sh"
need_root
need ip nft unshare
if [ -z "${INSIDE:-}" ]; then INSIDE=1 exec unshare --net --mount "$0"; fi
scratch
ip link set lo up
printf 'nameserver 127.0.0.1\noptions timeout:1 attempts:1\n' >"$S/resolv.conf"
mount --bind "$S/resolv.conf" /etc/resolv.conf || give_up "cannot mount"
nft -f - <<<'table ip filter { chain input { type filter hook input priority 0; ip daddr 127.0.0.9 drop; }; }'

log_of() { grep -F "to=<$1>" "$S/log" | tail -n 1; }
# goes RECIPIENT NAME REGEX: what the log says of it.
goes() {
	sendmail -i -f "${from:-s@x.example}" "$1" <<<$'Subject: x\n\nhello'
	timeout 60 sendmail -q
	like "$2" "$(log_of "$1")" "$3"
}
settings=(queue.deliver=queue queue.retry=1h smtp.connect_timeout=1s)

sink_named good -t -k "$S/key" -a me:right
sink_named busy -r 'greeting reply 421 4.3.2 too many; close'
sink_named gone -r 'greeting reply 554 5.3.2 no; close'
sink_named deaf -r 'ehlo reply 502 5.5.1 what; close' -r 'helo reply 502 5.5.1 what; close'
sink_named bare
sink_named plain
sink_named strange -t -k "$S/key" -a me:wrong
cert="tls.ca_file=$S/ca"
cp "$S/good/cert.pem" "$S/ca"
sink_start && none=$SINK_PORT && sink_stop

second="smtp+tls://me:right@127.0.0.1:$good"
n=0
while read -r url name; do
	config "${settings[@]}" "$cert" "relay.url=$url, $second"
	goes "r$((++n))@x.example" "the next after $name" "relay=127.0.0.1\[127.0.0.1\]:$good, .*status=sent"
done <<X
smtp://no.such.relay.example a name that does not resolve
smtp://127.0.0.1:$none one that refuses connections
smtp://127.0.0.9:$none one that does not answer
smtp://127.0.0.1:$busy a greeting of 421
smtp://127.0.0.1:$gone a greeting of 554
smtp://127.0.0.1:$deaf EHLO refused
smtp+tls://127.0.0.1:$bare no STARTTLS where it must be
smtps://127.0.0.1:$plain no TLS where it must be
smtp+tls://me:right@127.0.0.1:$strange a refused password
X
like "a relay that is passed by is in the log" "$(cat "$S/log")" 'flush\[[0-9]*\]: the next relay is tried: host 127.0.0.1\[127.0.0.1\]:'"$gone"
is "a refused password is a warning" "$(grep -c 'warning: cannot log in: .*; the next relay is tried' "$S/log")" 1
is "each arrived once" "$(find "$S"/*/ -name '*.env' | wc -l)" "$n"

config "${settings[@]}" "relay.url=smtp://127.0.0.1:$none smtp://127.0.0.1:$gone"
goes all@x.example "when all fail, the last one's reason stays" \
	"relay=127.0.0.1\[127.0.0.1\]:$gone, .*status=deferred \(host 127.0.0.1\[127.0.0.1\]:$gone refused to talk to me: 554 5.3.2 no"

# The first is passed by for a while, not tried with each message.
: >"$S/log"
config "${settings[@]}" smtp.connections=1 "relay.url=smtp://127.0.0.1:$busy, smtp://127.0.0.1:$bare"
before=$(<"$S/busy/connections")
sendmail -q
for i in 1 2 3; do sendmail -i -f s@x.example "w$i@x.example" <<<hello; done
sendmail -q
is "the first is tried once" "$(($(<"$S/busy/connections") - before))" 2
is "what was deferred goes, too" "$(grep -c "relay=127.0.0.1\[127.0.0.1\]:$bare, .*status=sent" "$S/log")" 4

# A password of the settings is for the URLs that have none.
config "${settings[@]}" "$cert" relay.password=right \
	"relay.url=smtp+tls://me:bad@127.0.0.1:$good, smtp+tls://me@127.0.0.1:$good"
goes pass@x.example "each URL has its own password" "relay=127.0.0.1\[127.0.0.1\]:$good, .*status=sent"
# Relays by sender, each with its own account.
sink_named home -t -k "$S/key" -a me:home
sink_named work -t -k "$S/key" -a boss:work
echo work >"$S/secret"
chmod 600 "$S/secret"
named=("$cert" "relay.url=smtp+tls://me@127.0.0.1:$home" relay.password=home
	'relay.work.from=*@work.example, boss@*' "relay.work.url=smtp+tls://boss@127.0.0.1:$work"
	"relay.work.password_file=$S/secret")
config "${settings[@]}" "${named[@]}"
for sender in a@x.example a@work.example boss@x.example a@sub.work.example; do
	sendmail -i -f $sender "to-$sender" <<<hello
done
sendmail -q
is "nothing waits" "$(mailq)" "Mail queue is empty"
for case in "home a@x.example" "work a@work.example" "work boss@x.example" "home a@sub.work.example"; do
	like "$case" "$(grep -l "rcpt <to-${case#* }>" "$S"/*/*.env)" "^$S/${case% *}/[0-9]+.env\$"
done
is "accounts" "$(sort -u <(grep -h ^auth "$S"/{home,work}/*.env) | tr '\n' ' ')" "auth boss auth me "
from=$(id -un)@work.example
config "${settings[@]}" "${named[@]}" mail.domain=work.example
like "-bv knows the way" "$(sendmail -bv x@y.example)" "by the relay 127.0.0.1 port $work"
like "-bP shows it" "$(sendmail -bP)" "relay.work.from = \*@work.example, boss@\*    ; $PILLARBOX_CONFIG:"

# What is wrong with one is no trouble of the others.
rm "$S/secret"
goes w@y.example "a password that is not there" "dsn=4.3.5, status=deferred \(relay.work.password: not set"
like "… is in the log" "$(cat "$S/log")" "relay.work: password_file $S/secret: No such file"
from=s@x.example goes h@y.example "… and holds up only its own" "127.0.0.1\]:$home, .*status=sent"
config "${settings[@]}" "$cert" "relay.url=smtp+tls://me@127.0.0.1:$home" relay.password=home \
	'relay.direct.from=*@work.example'
goes "r@[127.0.0.9]" "an empty url is straight to the MX" 'connect to 127.0.0.9\[127.0.0.9\]:25: Connection timed out'

rm "$S/plain/violations" # it took the first octets of TLS for a command
for sink in "$S"/*/connections; do
	SINK=${sink%/*}
	ok "${SINK##*/} has nothing to complain of" sink_content
done
done_testing
