#!/bin/bash
# SPDX-License-Identifier: ISC
#
# Many owners under one system flusher: one smtp for all, children that come and go, and what a
# crash, or one that is stuck, does to the others.
. "${0%/*}/lib.sh"
need_root
need setpriv pgrep cc perl
scratch
# Other users run the programs, and may not be able to reach the build folder.
mkdir "$S/prefix"
cp -r "$B/sbin" "$B/bin" "$B/libexec" "$S/prefix"
PATH=$S/prefix/sbin:$S/prefix/bin:$PATH
chmod 711 "$S"

as() { setpriv --reuid "$1" --regid "$1" --clear-groups "${@:2}"; }
post_as() { as "$1" sendmail -f "u$1@x.example" "${@:2}" <<<"from $1" 2>"$S/err"; }
settings() {
	config "relay.url=smtp://127.0.0.1:$SINK_PORT" queue.deliver=queue log.to=stderr "$@"
	chmod 644 "$PILLARBOX_CONFIG"
}
service_start() {
	# Of a session of its own: in an orphaned group the kernel has stopped processes go on when some
	# stranger of it ends.
	setsid sendmail -bD 2>>"$S/service.log" &
	service=$!
	eventually 10 test -S "$S/run/socket"
}
service_stop() { kill $service && wait $service; }
children() { pgrep -P "$service" -x flush; }
smtps() { pgrep -P "$service" -x smtp; }
no_children() { [ -z "$(children)" ]; }
queued() { mail_in "$S"/spool/*/{new,cur}; }
said() { grep -qE "$1" "$S/service.log"; }
# each_once FIRST LAST: a message from each of these uids, none twice.
each_once() {
	local got
	got=$(sed -n 's/.*<u\([0-9]*\)@x\.example>.*/\1/p' "$SINK"/*.env | sort -n | tr '\n' ' ')
	[ "$got" = "$(seq -s ' ' "$1" "$2") " ]
}

# One smtp, and one connection, for all owners.
sink_start
settings smtp.connections=1 queue.smtp_linger=1
for uid in {12001..12005}; do post_as $uid r@x.example || give_up "uid $uid cannot post"; done
ok "the service starts" service_start
ok "five owners' mail arrives" sink_wait 5
is "over one connection" "$(<"$SINK/connections")" 1
is "from one smtp" "$(smtps | wc -l)" 1
ok "once each" each_once 12001 12005
ok "the owners' flushers leave" eventually 10 no_children
no_smtp() { [ -z "$(smtps)" ]; }
ok "and smtp, when nobody has used it for a while" eventually 20 no_smtp
is "each spool is left empty" "$(queued)" 0

# smtp stays a while for what comes next, but not with settings of before.
settings queue.deliver=background
kill -HUP $service
post_as 12001 r@x.example
ok "one more arrives" sink_wait 6
ok "its flusher leaves" eventually 10 no_children
first=$(smtps)
ok "smtp stays" test -n "$first"
post_as 12002 r@x.example
ok "and one more" sink_wait 7
ok "whose flusher leaves" eventually 10 no_children
is "both by the same smtp, which is there" "$(smtps)" "$first"
settings queue.deliver=background mail.hostname=other.x.example queue.smtp_linger=1
post_as 12003 r@x.example
ok "and one when the settings were changed, which nobody said" sink_wait 8
is "by an smtp that has them" "$(grep -c 'EHLO other\.x\.example' "$SINK/commands.log")" 1
ok "the flushers leave" eventually 10 no_children
ok "and that smtp, which is to leave sooner" eventually 20 no_smtp

# What waits for its time needs no process, and comes when that is there.
sink_stop
for uid in {12001..12003}; do post_as $uid r@x.example; done
deferred() { [ "$(find "$S"/spool/*/cur -type f | wc -l)" -eq 3 ]; }
ok "three messages are deferred" eventually 10 deferred
ok "and nobody waits beside them" eventually 10 no_children
ok "nor smtp" eventually 20 no_smtp
post_as 12001 r@x.example
fourth() { [ "$(find "$S"/spool/*/cur -type f | wc -l)" -eq 4 ]; }
ok "another message for the relay that is out" eventually 10 fourth
ok "the owner's next flusher leaves, too" eventually 10 no_children
is "and knew without trying" "$(grep -c 'starting\|Connection refused' "$S/service.log") $(smtps)" "4 "
rm -rf "$SINK"
sink_start -p "$SINK_PORT"
kill -USR1 $service
ok "they arrive when all are tried" sink_wait 4
ok "and the flushers leave again" eventually 10 no_children
service_stop

# Nothing of the relay's password is to be seen in a process, and none can be looked into.
sink_stop
rm -rf "$SINK"
sink_start -u -a joe:sesame -r 'dot stall'
printf 'sesame\n' >"$S/password"
chmod 600 "$S/password"
settings "relay.url=smtp+notls://joe@127.0.0.1:$SINK_PORT"
for uid in 12001 12002; do post_as $uid r@x.example; done
# The environment of a service may have it, too; it goes no further.
PILLARBOX_RELAY_PASSWORD_FILE=$S/password STRANGE=stranger service_start
busy() { [ "$(children | wc -l)" -eq 2 ] && [ -n "$(smtps)" ]; }
ok "two owners' mail is under way" eventually 10 busy
dumpable() {
	local p
	for p in $service $(children) $(smtps); do
		[ "$(stat -c %u "/proc/$p/environ")" -eq 0 ] || echo "$p: $(<"/proc/$p/comm")"
	done
}
is "no process belongs to its user" "$(dumpable)" ""
looked_into() {
	local p
	for p in $(children) $(smtps); do
		as "$(stat -c %u "/proc/$p")" cat "/proc/$p/mem" 2>&1
		as 12001 cat "/proc/$p/environ"
	done
}
environments() {
	local p
	for p in $(smtps); do tr '\0' '\n' <"/proc/$p/environ"; done
}
unlike "smtp has neither our settings nor a stranger's" "$(environments)" "PILLARBOX|STRANGE"
unlike "nor can a user look into one" "$(looked_into 2>&1 | tr -d '\0')" "PILLARBOX|sesame"
seen() {
	local p
	for p in $service $(children) $(smtps); do cat /proc/$p/{environ,cmdline}; done | tr '\0' '\n' | grep sesame
}
is "the password is in no environment and no argument" "$(seen)" ""
service_stop
rm -rf "$S"/spool/*/*/*

# Whoever dies while mail is under way: nothing is lost, and the others go on.
fresh() { # SINK OPTIONS...
	sink_stop
	rm -rf "$SINK" "$S"/spool/*/*/*
	: >"$S/service.log"
	sink_start "$@"
}
fresh -r 'dot delay 40ms; pass' -r 'mail u12003@* delay 300ms; pass'
settings smtp.connections=2 queue.deliver=queue
for uid in {12001..12004}; do
	for i in {1..15}; do post_as $uid "$i@x.example"; done
done
different() { sed -n '/^mail /{s/.*<u\([0-9]*\)@.*/\1/;h};/^rcpt /{H;g;s/\n/ /p}' "$SINK"/*.env | sort -u | wc -l; }
service_start
ok "some of 60 messages of four owners have arrived" sink_wait 6
kill -9 $(smtps)
ok "smtp is killed, and more arrive" sink_wait 16
victim=$(pgrep -P "$service" -x -u 12003 flush)
kill -9 $victim
others() { [ "$(cat "$SINK"/*.env | grep -c 'u1200[124]@')" -ge 45 ]; }
ok "a flusher is killed, and the others' mail arrives" eventually 20 others
nothing_queued() { [ "$(queued)" -eq 0 ]; }
ok "its own, too, when it is started again" eventually 40 nothing_queued
is "all came" "$(different)" 60
like "the log says so" "$(cat "$S/service.log")" "flusher of uid 12003 ended with signal 9; starting it again"
service_stop

# A rate is of all owners together, and who has to wait for it does so without a process.
fresh
settings smtp.rate=4/1h queue.deliver=queue
for uid in {12001..12003}; do for i in 1 2 3; do post_as $uid "$i@x.example"; done; done
service_start
ok "as many arrive as the rate allows" sink_wait 4
ok "the others wait without a flusher" eventually 20 no_children
is "no more have arrived" "$(messages) $(queued)" "4 5"
like "the log says so" "$(cat "$S/service.log")" "relay: the rate of 4/1h is reached"
kill -USR1 $service
ok "nor go when all are tried" eventually 20 no_children
is "and none is lost" "$(messages) $(queued)" "4 5"
service_stop

# What does not answer is killed, and started again; nobody else waits for that.
fresh
settings queue.watchdog=2 queue.smtp_linger=1
service_start
# stop NAME [UID]: one of these processes, which does something first so that it is there.
stop() {
	post_as "${2-12009}" r@x.example
	kill -USR1 $service
	eventually 5 pgrep -n -P "$service" -x ${2:+-u "$2"} "$1" >"$S/pid" && kill -STOP "$(<"$S/pid")" &&
		grep -q '^State:.T' "/proc/$(<"$S/pid")/status"
}
ok "a flusher is stopped" eventually 30 stop flush 12001
post_as 12001 r@x.example
for uid in 12002 12003; do post_as $uid r@x.example; done
kill -USR1 $service
two() { [ "$(cat "$SINK"/*.env | grep -c 'u1200[23]@')" -eq 2 ]; }
ok "others' mail arrives" eventually 20 two
ok "it is noticed" eventually 20 said 'flusher of uid 12001 does not answer, and is killed'
ok "and its mail arrives" eventually 40 nothing_queued
# Not one of the flusher's own, which it may have had for what its last one had in hand.
ok "no smtp is left" eventually 20 no_smtp
ok "smtp is stopped" eventually 30 stop smtp
post_as 12001 r@x.example
# Wishes for a new one, which is then there while the old one, maybe let go already, is stuck.
noticed() { kill -USR1 $service; said 'smtp does not (answer|leave), and is killed'; }
ok "it is noticed, too" eventually 20 noticed
ended() { [ ! -e "/proc/$(<"$S/pid")" ]; }
ok "and ended" eventually 20 ended
ok "and the mail arrives by the next one" eventually 40 nothing_queued
service_stop

# A file that smtp dies of. The wrapper has it abort when it reads the mark.
cat >"$S/mark.c" <<'C'
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
static ssize_t
look(const char *name, int fd, void *to, size_t n, off_t at)
{
	ssize_t (*truly)(int, void *, size_t, off_t) = (ssize_t(*)(int, void *, size_t, off_t))dlsym(RTLD_NEXT, name);
	ssize_t got = truly(fd, to, n, at);

	if (got > 0 && memmem(to, (size_t)got, "deadly@", 7) != NULL)
		abort();
	return got;
}
ssize_t pread(int fd, void *to, size_t n, off_t at) { return look("pread", fd, to, n, at); }
ssize_t pread64(int fd, void *to, size_t n, off_t at) { return look("pread64", fd, to, n, at); }
ssize_t __pread_chk(int fd, void *to, size_t n, off_t at, size_t size) { (void)size; return look("pread", fd, to, n, at); }
C
cat >"$S/wrap.c" <<'C'
#include <stdlib.h>
#include <unistd.h>
int
main(void)
{
	char *argv[] = {"smtp", NULL};

	setenv("LD_PRELOAD", MARK, 1);
	setenv("ASAN_OPTIONS", "verify_asan_link_order=0", 1);
	execv(SMTP, argv);
	return 72;
}
C
fresh
mv "$S/prefix/libexec/pillarbox/smtp" "$S/prefix/smtp"
cc -D_GNU_SOURCE -U_FORTIFY_SOURCE -shared -fPIC -o "$S/mark.so" "$S/mark.c" -ldl &&
	cc -DMARK="\"$S/mark.so\"" -DSMTP="\"$S/prefix/smtp\"" -o "$S/prefix/libexec/pillarbox/smtp" "$S/wrap.c" ||
	give_up "cannot compile"
settings
for i in {1..5}; do post_as 12001 "$i@x.example"; done
post_as 12002 deadly@x.example
for i in {6..9}; do post_as 12002 "$i@x.example"; done
service_start
ok "smtp dies of a message; all others arrive" sink_wait 9 60
parked() { [ "$(find "$S"/spool/12002/failed -type f | wc -l)" -eq 1 ]; }
ok "and that one is kept" eventually 30 parked
like "the log says so" "$(cat "$S/service.log")" "smtp died 3 times as it had this message: kept in .*/12002/failed"
is "nothing else is kept" "$(find "$S"/spool/*/failed -type f | wc -l)" 1
is "nor is anything left" "$(queued)" 0
is "each arrived once" "$(different)" 9
is "and nothing twice" "$(messages)" 9
service_stop
mv "$S/prefix/smtp" "$S/prefix/libexec/pillarbox/smtp"

# A thousand owners with a message each: no more processes than the setting says, and little memory.
sink_stop
rm -rf "${SINK:?}" "$S"/spool/*
config "relay.url=smtp://127.0.0.1:$SINK_PORT" queue.deliver=queue "log.to=$S/service.log" queue.flushers=10
chmod 644 "$PILLARBOX_CONFIG"
post_as 20001 r@x.example || give_up "uid 20001 cannot post"
perl -e 'my ($dir) = @ARGV; my ($file) = glob("$dir/20001/new/*"); local $/; my $name = $file =~ s,.*/,,r;
	open(my $in, "<", $file); my $text = <$in>;
	for my $uid (20002 .. 21000) {
		mkdir "$dir/$uid", 0700;
		mkdir "$dir/$uid/$_", 0700 for qw(tmp new cur hold failed);
		open(my $out, ">", "$dir/$uid/new/$name"); print $out $text =~ s/20001/$uid/gr; close $out;
		chmod 0600, "$dir/$uid/new/$name";
		chown $uid, $uid, "$dir/$uid", glob("$dir/$uid/*"), "$dir/$uid/new/$name";
	}' "$S/spool"
is "a thousand owners have mail" "$(queued)" 1000
service_start
kilobytes() { awk '/^Pss:/ {n += $2} END {print n + 0}' $(printf '/proc/%s/smaps_rollup ' $service $(children) $(smtps)) 2>/dev/null; }
most=0 memory=0
watch_until() { # COMMAND...: keeps the most processes and kilobytes that were seen
	local n
	until "$@"; do
		n=$(children | wc -l)
		[ "$n" -gt "$most" ] && most=$n
		n=$(kilobytes)
		[ "${n:-0}" -gt "$memory" ] && memory=$n
		[ "${EPOCHREALTIME/./}" -lt "$end" ] || return 1
		sleep 0.3
	done
}
# One more may be smtp, which is called flush until its exec.
at_most_ten() { [ "$most" -le 11 ]; }
all_deferred() { [ "$(find "$S"/spool/*/cur -type f | wc -l)" -eq 1000 ]; }
end=$((${EPOCHREALTIME/./} + 120000000))
ok "the relay is down: all are tried, and deferred" watch_until all_deferred
ok "there were never more than ten flushers: $most were seen" at_most_ten
ok "and not much memory was used: $memory KB" test "$memory" -lt 60000
sink_start -p "$SINK_PORT"
kill -USR1 $service
end=$((${EPOCHREALTIME/./} + 120000000))
ok "the relay is back: all arrive" watch_until arrived 1000
ok "by ten flushers at most: $most were seen" at_most_ten
ok "with as little memory: $memory KB" test "$memory" -lt 60000
ok "once each" each_once 20001 21000
ok "they leave" eventually 20 no_children
service_stop
done_testing
