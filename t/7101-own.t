#!/bin/bash
# SPDX-License-Identifier: ISC
#
# The flusher that a post starts where no system flusher runs: what it keeps of its caller (nothing),
# what it costs while mail waits, and that it goes when none does. That no news is lost is
# unit/leaving.c's.
. "${0%/*}/lib.sh"
need_root
need perl pgrep
scratch
spool=$S/spool/$(id -u)
limit=2048
! sanitized || limit=1000000

settings() { config "relay.url=smtp://127.0.0.1:$SINK_PORT" queue.retry=1h "$@"; }
one() { pid=$(running flush); [[ $pid =~ ^[0-9]+$ ]]; }
no() { [ -z "$(running "$1")" ]; }
field() { sed -n "s/^$1:[[:space:]]*\([^ ]*\).*/\1/p" "/proc/$pid/status"; }
# stat N: field N of proc(5)'s stat: 5 the process group, 6 the session, 7 the terminal.
stat() { sed 's/.*) //' "/proc/$pid/stat" | cut -d' ' -f$(($1 - 2)); }
fds() { find "/proc/$pid/fd" -lname "${1:-*}" -printf '%f %l\n' | sort -n; }

# A caller with files open, signals ignored and blocked, a umask of 0, elsewhere, who is killed with
# its whole process group as soon as sendmail has returned.
sink_start
sink_stop
settings
echo 'what the caller has open' >"$S/open"
cat >"$S/caller" <<'PERL'
use POSIX;
my ($file, @command) = @ARGV;
POSIX::setsid();
$SIG{$_} = 'IGNORE' for qw(HUP INT TERM USR1 ALRM CHLD QUIT TSTP);
POSIX::sigprocmask(SIG_BLOCK, POSIX::SigSet->new(SIGTERM, SIGUSR1, SIGCHLD));
umask 0;
chdir '/' or die;
open my $f, '+<', $file or die;
POSIX::dup2(fileno $f, $_) for 3 .. 9, 100;
delete $SIG{CHLD};
system(@command) == 0 or die "sendmail failed";
kill KILL => 0;
PERL
{ perl "$S/caller" "$S/open" "$B/sbin/sendmail" -i -f s@x.example r@x.example <<<hello; } 2>/dev/null
ok "the caller's process group is killed, and the flusher is there" eventually 5 one
ok "it works" eventually 5 grep -q status=deferred "$S/log"
ok "it lets smtp go" eventually 20 no smtp
is "its umask" "$(field Umask)" 0077
# 32 and 33 are libc's own, and are as they came.
is "it ignores SIGPIPE alone" "$(printf %016x $((0x$(field SigIgn) & 0xfffffffe7fffffff)))" 0000000000001000
is "it works in the spool" "$(readlink "/proc/$pid/cwd")" "$spool"
is "no terminal" "$(stat 7)" 0
ok "its session is its own" test "$(stat 6)" != "$(cut -d' ' -f6 /proc/$$/stat)"
ok "which it does not lead, so that no terminal becomes its own" test "$(stat 6)" != "$pid"
is "standard input, output and error lead nowhere" "$(fds /dev/null | wc -l)" 3
is "nothing of the caller's is open" "$(fds "$S/open")" ""
unlike "nor anything else that is not its own" \
	"$(fds | grep -vE '^[0-9]+ (/dev/null|socket:.*|anon_inode:\[timerfd\]|.*/spool/.*|.*/log)$')" .
kill -USR1 "$pid"
again() { [ "$(grep -c status=deferred "$S/log")" -ge 2 ]; }
ok "it hears signals that the caller blocked and ignored" eventually 5 again
ok "and lets smtp go again" eventually 20 no smtp

# What it costs while mail waits.
for i in {1..200}; do sendmail -i -f s@x.example "r$i@x.example" <<<hello; done
waiting() { [ "$(ls "$spool/cur" | wc -l)" -eq 201 ]; }
ok "200 more wait" eventually 20 waiting
ok "without smtp" eventually 20 no smtp
# With the process that starts smtp for it; what both share is counted once.
family() { echo "$pid"; pgrep -P "$pid"; }
memory() { for p in $(family); do sed -n 's/^Pss: *\([0-9]*\).*/\1/p' "/proc/$p/smaps_rollup"; done; }
total=$(($(memory | paste -sd+)))
diag "$(field VmRSS) kB of the flusher are resident; $total kB with the process that starts smtp"
ok "less than 2 MB is resident" test "$(field VmRSS)" -lt "$limit"
ok "of both together, too" test "$total" -lt "$limit"
unlike "nothing of OpenSSL is mapped" "$(for p in $(family); do cat "/proc/$p/maps"; done)" 'libssl|libcrypto'
is "it is one" "$(running flush)" "$pid"

# Never two, whoever starts some.
for i in {1..8}; do "$B/libexec/pillarbox/flush" & flushers+=" $!"; done
# shellcheck disable=SC2086 # pids
wait $flushers
is "eight more leave again" "$(running flush)" "$pid"

# Killed at any time: its mail is there, and the next post has it sent, although the dead one's smtp
# hung in a session: the lock is the flusher's alone.
sink_start -p "$SINK_PORT" -r 'rcpt slow@* delay 300s'
sendmail -q >/dev/null
ok "all that waited is sent" sink_wait 201 60
settings queue.linger=1h relay.other.from=slow@x.example "relay.other.url=smtp://127.0.0.1:$SINK_PORT"
ok "its flusher goes" eventually 10 no flush
ok "and its smtp" eventually 10 no smtp
sendmail -i -f slow@x.example slow@x.example <<<slow
hangs() {
	wire=$(running smtp)
	[ -n "$wire" ] && grep -qi 'rcpt to:<slow@' "$SINK/commands.log"
}
ok "one hangs" eventually 10 hangs
like "which has OpenSSL" "$(cat "/proc/$wire/maps")" libssl
one
old=$pid
kill -9 "$pid"
ok "the flusher is killed" eventually 5 no flush
sendmail -i -f s@x.example quick@x.example <<<quick
ok "the next one sends the next message" sink_wait 202
one
broken_off() { ! kill -0 "$wire" 2>/dev/null; }
ok "smtp of the old one, which hangs and whom nobody would hear, breaks off" eventually 20 broken_off
ok "it is another" test "$pid" != "$old"
ok "and the message that hangs is still there" sh -c "ls '$spool'/new/* '$spool'/cur/* 2>/dev/null | grep -q ."

# Told to leave: it does, and nothing is lost.
kill -TERM "$pid"
ok "it leaves within two seconds of SIGTERM" eventually 2 no flush
ok "its mail stays" sh -c "ls '$spool'/new/* '$spool'/cur/* 2>/dev/null | grep -q ."
ok "its socket does not" test ! -e "$spool/socket"

# And it goes when nothing is left.
for p in $(running smtp); do kill -9 "$p"; done
sink_stop
sink_start -p "$SINK_PORT"
settings queue.linger=0s
sendmail -q >/dev/null
ok "the last one arrives" eventually 20 queue_is_empty
ok "the flusher goes" eventually 10 no flush
ok "with its socket" test ! -e "$spool/socket"
ok "and smtp" eventually 10 no smtp
ok "the sink has nothing to complain of" sink_content
done_testing
