#!/bin/bash
# SPDX-License-Identifier: ISC
#
# Posting through the socket of the service, where the spool cannot be written to.
. "${0%/*}/lib.sh"
need_root
need prlimit setpriv unshare strace mount
[ -x "$B/t/poster" ] || give_up "needs $B/t/poster (make build/t/poster)"
scratch
# Other users run the programs, and may not be able to reach the build folder.
mkdir "$S/prefix"
cp -r "$B/sbin" "$B/bin" "$B/libexec" "$B/t/poster" "$S/prefix"
PATH=$S/prefix/sbin:$S/prefix/bin:$S/prefix:$PATH
chmod 711 "$S"
unset HOME
export S
sink_start
settings() {
	config "relay.url=smtp://127.0.0.1:$SINK_PORT" relay.password=geheim log.to=stderr "$@"
	chmod 644 "$PILLARBOX_CONFIG"
}
service_start() { "$@" sendmail -bD 2>>"$S/service.log" & service=$!; eventually 10 test -S "$S/run/post"; }
service_stop() {
	local start=${EPOCHREALTIME/./}
	kill -TERM "$service"
	wait "$service"
	is "the service ends well" $? 0
	ok "and soon" test $((${EPOCHREALTIME/./} - start)) -lt 5000000
}
as() { setpriv --reuid "$1" --regid "$1" --clear-groups --no-new-privs "${@:2}"; }
# strict COMMAND...: the spool is read-only, as ProtectSystem=strict has it.
strict() { unshare -m bash -c 'mount -o bind,ro "$S/spool" "$S/spool" && exec "$@"' - "$@"; }
strict_as() { strict setpriv --reuid "$1" --regid "$1" --clear-groups --no-new-privs "${@:2}"; }
queued() { find "$S/spool/$1/new" -type f 2>/dev/null | wc -l; }
queued_is() { [ "$(queued "$1")" -eq "$2" ]; }
newest() { find "$S/spool/$1/new" -type f | sort | tail -1; }
# held UID: pids of the sendmail that are run for this user, which wait for their input.
held() {
	local p
	for p in $(pgrep -x -u "$1" sendmail); do
		grep -sqz '^PILLARBOX_RECEPTION=1' "/proc/$p/environ" && grep -sqz "QUEUE_DIR=$S/" "/proc/$p/environ" && echo "$p"
	done
}
holds() { [ "$(held "$1" | wc -l)" -eq "$2" ]; }
clerk_of() { ps -o ppid= -p "$1" | tr -d ' '; }
# hold UID: a post that goes on until its FIFO's other end, $hold, is closed.
hold() {
	rm -f "$S/fifo"
	mkfifo "$S/fifo"
	strict_as "$1" sendmail "${@:2}" -f a@x.example r@x.example <"$S/fifo" >"$S/held.out" 2>"$S/held.$1" &
	holder=$!
	exec {hold}>"$S/fifo"
	echo "half of it" >&$hold
}
# reread N: the service has read its settings for the N-th time.
reread() { [ "$(grep -c 'settings read again' "$S/service.log")" -ge "$1" ]; }
let_go() { exec {hold}>&-; }

settings queue.deliver=queue queue.owner_posts=4
ok "the service starts" service_start env PILLARBOX_TLS_CLIENT_KEY=/none PILLARBOX_RELAY_PROXY_PASSWORD=geheim \
	PILLARBOX_SMTP_PROXY_PASSWORD=geheim
is "anybody may connect" "$(stat -c %a "$S/run/post")" 666

# A post: the caller's, in the caller's own directory.
ok "posted" strict_as 12001 sendmail -f a@x.example r@x.example <<<hello
is "it is in the spool of the caller" "$(queued 12001)" 1
is "whose it is" "$(stat -c %u "$S/spool/12001" "$S"/spool/12001/new/* | sort -u)" 12001
is "for nobody else" "$(stat -c %a "$S/spool/12001" "$S"/spool/12001/new/* | tr '\n' ' ')" "700 600 "
is "without a flusher of its own" "$(running flush 12001)" ""
ok "the log has it" eventually 5 grep -q "uid 12001 posted through $S/run/post: status 0" "$S/service.log"
ok "root posts as well" strict sendmail r@x.example <<<hello
is "into root's spool" "$(queued 0)" 1
ok "again, where the directory is there and read-only" strict_as 12001 sendmail r@x.example <<<hello
is "two" "$(queued 12001)" 2
ok "-t" strict_as 12001 sendmail -t <<<$'To: b@x.example\nSubject: x\n\nhello'
like "its recipient" "$(sed '/^$/q' "$(newest 12001)")" 'rcpt <b@x.example>'
try strict_as 12001 sendmail -bs < <(printf '%s\r\n' 'EHLO x' 'MAIL FROM:<a@x.example>' 'RCPT TO:<c@x.example>' \
	DATA 'Subject: x' '' hello . QUIT)
is "-bs" $rc 0
like "says that it is queued" "$(<"$S/out")" '250 2.0.0 Ok: queued as'
is "four" "$(queued 12001)" 4
words=$(seq -f 'r%g@x.example' 9000)
# shellcheck disable=SC2086 # many words
ok "nine thousand recipients" strict_as 12001 sendmail $words <<<hello
is "all of them" "$(grep -c '^rcpt ' "$(newest 12001)")" 9000
ok "a large message" strict_as 12001 sendmail r@x.example < <(head -c 3000000 /dev/zero | tr '\0' a | fold)

# What is wrong is told to the caller, and by the caller's exit status.
refuses 65 strict_as 12001 sendmail -f 'a b' r@x.example <<<hello
refuses 64 strict_as 12001 sendmail -t <<<'Subject: nobody'
like "in one line" "$(<"$S/err")" '^sendmail: [^:]*recipient[^:]*$'
is "nothing was queued" "$(queued 12001)" 6

# Who the caller is, and what the caller had set, holds there too; files and secrets do not travel.
ok "names and settings" strict_as 12001 env NAME='Ann Other' PILLARBOX_MAIL_DOMAIN=there.example \
	PILLARBOX_MAIL_ALIASES=/none PILLARBOX_QUEUE_DIR="$S/none" sendmail r <<<hello
like "the sender" "$(sed '/^$/q' "$(newest 12001)")" 'from <uid12001@there.example>'
like "the author" "$(<"$(newest 12001)")" 'From: Ann Other <uid12001@there.example>'
hold 12001
ok "a post that waits" eventually 10 holds 12001 1
sendmail_pid=$(held 12001)
tr '\0' '\n' <"/proc/$sendmail_pid/environ" >"$S/environ"
unlike "no secret in its environment" "$(grep -v '^PILLARBOX_QUEUE_SMTP_LINGER=' "$S/environ")" \
	'geheim|RELAY|TLS|SMTP|HOME|SUDO'
like "the settings that it needs" "$(<"$S/environ")" "PILLARBOX_QUEUE_DIR=$S/spool"
is "nothing but settings" "$(sed 's/=.*//; s/^PILLARBOX_\(MAIL\|REWRITE\|QUEUE\|LOG\)_.*/setting/' "$S/environ" | sort -u | tr '\n' ' ')" \
	"PATH PILLARBOX_CONFIG PILLARBOX_RECEPTION TZ setting "
is "nothing of the service's among its descriptors" \
	"$(find "/proc/$sendmail_pid/fd" \( -lname 'socket:*' -o -lname "$S/service.log" \))" ""
like "no new privileges, no groups" "$(<"/proc/$sendmail_pid/status")" $'Groups:[ \t]*\n.*NoNewPrivs:\t1'
let_go
ok "it ends" wait "$holder"

# No capability, also for root.
hold 0
ok "a post of root that waits" eventually 10 holds 0 1
is "root has no capability" "$(grep -cE '^Cap(Inh|Prm|Eff|Amb):.*0000000000000000$' "/proc/$(held 0)/status")" 4
is "nor has who waits for it" "$(grep -cE '^Cap(Inh|Prm|Eff|Amb):.*0000000000000000$' "/proc/$(clerk_of "$(held 0)")/status")" 4
let_go
wait "$holder"

# 0 is said only when the message is durable: whoever is killed before, it is 75, and nothing is queued.
before=$(queued 12001)
for whom in sendmail clerk; do
	hold 12001
	eventually 10 holds 12001 1
	pid=$(held 12001)
	[ $whom = clerk ] && pid=$(clerk_of "$pid")
	kill -KILL "$pid"
	wait "$holder"
	is "$whom killed: 75" $? 75
	like "and a line" "$(<"$S/held.12001")" "^sendmail: $S/run/post: .*not queued"
	# The end of the message is not to come before the end of its sendmail, which hears later than the
	# caller that the clerk is dead.
	ok "no sendmail is left" eventually 10 holds 12001 0
	let_go
done
hold 12001
eventually 10 holds 12001 1
kill -KILL "$(pgrep -P "$holder" -x sendmail || echo "$holder")"
ok "the caller is killed: its sendmail leaves" eventually 10 holds 12001 0
let_go
wait "$holder" 2>/dev/null
is "nothing was queued" "$(queued 12001)" "$before"

# Places: a user's own, and no one else's.
settings queue.deliver=queue queue.owner_posts=2 queue.post_time=3s
kill -HUP "$service"
ok "the settings are read again" eventually 10 reread 1
fifos=()
for i in 1 2; do
	mkfifo "$S/fifo$i"
	strict_as 12001 sendmail r@x.example <"$S/fifo$i" 2>"$S/err$i" & fifos[i]=$!
	exec {fd}>"$S/fifo$i"
done
eventually 10 holds 12001 2
strict_as 12001 timeout 60 sendmail r@x.example <<<third &
third=$!
ok "and others have theirs" strict_as 12002 timeout 60 sendmail r@x.example <<<hello
wait "${fifos[1]}"
is "the time for a post: 75" $? 75
like "and the setting" "$(<"$S/err1")" 'queue.post_time'
wait "${fifos[2]}"
wait $third
is "a third one had to wait for its place" $? 0
ok "the third one was queued" grep -q '^third' "$(newest 12001)"
like "the log names who was turned away" "$(<"$S/service.log")" 'uid 12001 is turned away .*queue.owner_posts'

# And all users together have so many.
settings queue.deliver=queue queue.posts=1
kill -HUP "$service"
ok "the settings are read again" eventually 10 reread 2
hold 12001
eventually 10 holds 12001 1
before=$(queued 12002)
strict_as 12002 timeout 60 sendmail r@x.example <<<hello {hold}>&- &
third=$!
sleep 0.5
is "the only place is taken: somebody else waits" "$(queued 12002)" "$before"
let_go
wait $third
is "and has it then" "$? $(queued 12002)" "0 $((before + 1))"

# The service has no descriptor left: whoever comes is told to come again.
free=0
while [ -e "/proc/$service/fd/$free" ]; do free=$((free + 1)); done
limit=$(prlimit --pid "$service" --nofile --output=SOFT --noheadings)
prlimit --pid "$service" --nofile="$free:"
strict_as 12002 timeout 60 sendmail r@x.example <<<hello &
third=$!
sleep 0.5
is "no descriptor is left: a post waits" "$(queued 12002)" "$((before + 1))"
prlimit --pid "$service" --nofile="${limit// }:"
wait $third
is "until there is one" "$? $(queued 12002)" "0 $((before + 2))"

# Peers that do not do as they should harm themselves.
settings queue.deliver=queue queue.owner_posts=4
kill -HUP "$service"
ok "the settings are read again" eventually 10 reread 3
poster() { try timeout 60 setpriv --reuid 12001 --regid 12001 --clear-groups "$S/prefix/poster" "$S/run/post" "$@" </dev/null; }
before=$(queued 12001)
for row in nofds:none twofds:none magic:none huge:none short:none half:'not come in time'; do
	poster "${row%%:*}" r@x.example
	like "${row%%:*}" "$rc $(tail -1 "$S/out")" "75 done 75 .*${row#*:}.*; the message was not queued"
done
for mode in -bd -bD -bP -bp -bi -bv -q -I --bogus; do
	poster whole $mode
	like "$mode is no post" "$rc $(<"$S/out")" '^64 done 64 '
done
for setting in QUEUE_DIR=/tmp MAIL_ALIASES=/etc/passwd LOG_TO=/tmp/x RELAY_URL=smtp://x CONFIG=/tmp/x MAIL_DOMAIN; do
	poster setting $setting
	like "$setting does not travel" "$(<"$S/out")" 'done 75 a request that is none'
done
is "nothing was queued" "$(queued 12001)" "$before"
poster whole r@x.example
like "what is well formed is taken" "$(<"$S/out")" 'taken 0 .*done 0'
poster leave r@x.example
ok "the service goes on" strict_as 12002 sendmail r@x.example <<<hello

# Two thousand connections of a user that say nothing: others do not feel it.
mkfifo "$S/stay"
ulimit -n 4096
as 12001 "$S/prefix/poster" "$S/run/post" silent 2000 <"$S/stay" >"$S/silent" &
silent=$!
exec {stay}>"$S/stay"
ok "two thousand connections" eventually 30 grep -q connected "$S/silent"
for i in 1 2 3; do ok "somebody else posts" strict_as 12002 timeout 20 sendmail r@x.example <<<hello; done
exec {stay}>&-
wait $silent
ok "and so does that user again" strict_as 12001 sendmail r@x.example <<<hello

# A clerk that its user has stopped does not keep the service from ending, nor does one under way.
hold 12001
eventually 10 holds 12001 1
as 12001 kill -STOP "$(clerk_of "$(held 12001)")"
first=$holder first_hold=$hold
hold 12002
eventually 10 holds 12002 1
before=$(queued 12002)
service_stop
wait "$holder"
is "a post under way: 75" $? 75
like "and why" "$(<"$S/held.12002")" 'stopping'
wait "$first"
is "the other one: 75" $? 75
let_go
exec {first_hold}>&-
is "nothing was queued" "$(queued 12002)" "$before"
ok "the socket is gone" test ! -e "$S/run/post"
is "nobody is left" "$(held 12001; held 12002)" ""

# Neither: one line with path, uid and reason.
refuses 75 strict_as 12001 sendmail r@x.example <<<hello
is "one line" "$(grep -c '^sendmail: ' "$S/err")" 1
like "that says all" "$(<"$S/err")" \
	"$S/spool/12001.*: Read-only file system \\(uid 12001\\); cannot post through $S/run/post: No such file or directory"
refuses 75 strict_as 12009 sendmail r@x.example <<<hello
like "the same for somebody new" "$(<"$S/err")" "$S/spool/12009: Read-only file system \\(uid 12009\\); cannot post through"
refuses 75 strict_as 12001 sendmail -bs </dev/null
mkdir -m 777 "$S/home/12009"
ok "with a home: there" strict_as 12009 env HOME="$S/home/12009" sendmail r@x.example <<<hello
is "it is there" "$(find "$S/home/12009/.local/state/pillarbox/new" -type f | wc -l)" 1

# The service is asked before the home.
rm -rf "$S/home/12009"
mkdir -m 777 "$S/home/12009"
ok "the service starts again" service_start
ok "posted" strict_as 12009 env HOME="$S/home/12009" sendmail r@x.example <<<hello
is "into the machine's spool" "$(queued 12009) $(ls -A "$S/home/12009")" "1 "

# Nothing but the socket: no queue directory at all, as in a container of its own.
ok "queue.dir is empty" as 12010 env PILLARBOX_QUEUE_DIR= sendmail r@x.example <<<hello
is "it was queued there" "$(queued 12010)" 1

# The service's limits count, whatever the caller has set.
settings queue.deliver=queue queue.owner_messages=1 queue.message_size=10k
kill -HUP "$service"
ok "the settings are read again" eventually 10 reread 4
there() { as "$1" env PILLARBOX_QUEUE_DIR= PILLARBOX_QUEUE_OWNER_MESSAGES=0 PILLARBOX_QUEUE_MESSAGE_SIZE=0 sendmail "${@:2}"; }
refuses 75 there 12010 r@x.example <<<hello
like "how many, and which setting" "$(<"$S/err")" 'uid 12010 has 1 messages .*queue.owner_messages'
try there 12010 -bs < <(printf '%s\r\n' 'EHLO x' 'MAIL FROM:<a@x.example>' 'RCPT TO:<c@x.example>' DATA hello . QUIT)
like "by SMTP as well" "$(<"$S/out")" '452 4\.3\.1'
refuses 65 there 12013 r@x.example < <(head -c 20000 /dev/zero | tr '\0' a | fold)
like "what is too large" "$(<"$S/err")" 'queue.message_size'
is "nothing was queued" "$(queued 12010) $(queued 12013)" "1 0"
service_stop

# SIGTERM while the first attempt is waited for: the message is safe, and so is the word.
sink_stop
rm -rf "$S"/spool/*
SINK=$S/stalling
sink_start -r 'dot stall'
settings
ok "the service starts" service_start
strict_as 12011 sendmail -odi -f a@x.example r@x.example <<<hello 2>"$S/err" & waiting=$!
ok "the server has the message" eventually 20 grep -q 'DATA\|BDAT' "$SINK/commands.log"
service_stop
wait $waiting
is "0, as it is durable" $? 0
is "and it is kept" "$(mail_in "$S"/spool/12011/{new,cur})" 1

# The word comes behind the last sync.
settings queue.deliver=queue
ok "the service starts" service_start strace -f -o "$S/trace" -e trace=fsync,sendto,renameat2
try strict_as 12012 sendmail r@x.example <<<hello # with sanitizers not 0: they dislike strace
pkill -TERM -P "$service"
wait "$service"
like "synced, moved, synced, told" "$(grep -oE 'fsync\(|renameat2\(|sendto\([0-9]+, "\\3' "$S/trace" | sed 's/(.*3/ told/; s/(//' | tr '\n' ' ')" \
	'fsync renameat2 fsync sendto told $'
done_testing
