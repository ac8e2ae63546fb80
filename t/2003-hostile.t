#!/bin/bash
# SPDX-License-Identifier: ISC
#
# Owners who make of their directories what they like, beside one whose mail must go out all the same:
# refused and named, never followed, and nobody else's mail is delayed, read or removed.
. "${0%/*}/lib.sh"
need_root
need setpriv perl
scratch
mkdir "$S/prefix"
cp -r "$B/sbin" "$B/bin" "$B/libexec" "$S/prefix"
PATH=$S/prefix/sbin:$S/prefix/bin:$PATH
chmod 711 "$S"
unset HOME
sink_start
config "relay.url=smtp://127.0.0.1:$SINK_PORT" log.to=stderr
chmod 644 "$PILLARBOX_CONFIG"
as() { setpriv --reuid "$1" --regid "$1" --clear-groups "${@:2}"; }
victim=12001 attacker=12002
spool=$S/spool own=$S/spool/$attacker
post_as() { as "$1" sendmail -f "u$1@x.example" "${@:2}" "u$1@x.example" <<<"of $1" 2>>"$S/err"; }
count() { grep -l "^rcpt <u$1@" "$SINK"/*.env 2>/dev/null | wc -l; }
counts() { [ "$(count "$1")" -ge "$2" ]; }
named() { sed "1,${before}d" "$S/service.log" | grep -E "$1" >/dev/null; }
export spool own S

# A file of the attacker's that is a good one, to be made worse.
post_as $attacker -odq
good=$(basename "$own"/new/*)
cp "$own/new/$good" "$S/good"
chmod 644 "$S/good"
rm -rf "$own"
export good

sendmail -bD 2>>"$S/service.log" &
service=$!
ok "the service listens" eventually 10 test -S "$S/run/socket"
served=0 before=0
# unharmed WHAT [REGEX]: the service tries everybody; the victim's mail arrives, and the log names it.
unharmed() {
	kill -USR1 $service
	ok "$1: somebody else posts" post_as $victim
	served=$((served + 1))
	ok "$1: and is served" eventually 30 counts $victim $served
	[ $# -lt 2 ] || ok "$1: named" eventually 10 named "$2" || diag "$(sed "1,${before}d" "$S/service.log" | grep -v smtp | tail -5)"
	ok "$1: the service lives" kill -0 $service
}
# attack WHAT REGEX COMMANDS: the attacker does that in the queue directory, before somebody else posts.
attack() {
	before=$(wc -l <"$S/service.log")
	as $attacker bash -c "cd '$spool'; umask 0; $3" 2>"$S/err" || diag "$(<"$S/err")"
	unharmed "$1" "$2"
	rm -rf "$own" "$spool"/$attacker.*
}
unharmed "before it all"

# The name of somebody else's directory.
before=$(wc -l <"$S/service.log")
mv "$spool/$victim" "$S/away"
rm -rf "$S/away"
as $attacker mkdir -m 777 "$spool/$victim"
as $attacker mkdir "$spool/$victim.0123456789abcdef"
unharmed "a squatted name"
mine=$(find "$spool" -maxdepth 1 -uid $victim)
like "another directory was made" "$mine" "^$spool/$victim\.[a-z0-9]{16}$"
is "for its owner alone" "$(stat -c %a "$mine")" 700
refuses 2 as $attacker ls "$mine"
refuses 1 as $attacker rm -rf "$mine"
refuses 1 as $attacker mv "$mine" "$spool/x"
like "the log names the squatter" "$(as $victim sendmail -odq x@x.example 2>&1 <<<hello)" \
	"$spool/$victim, of uid $attacker, is not our directory"
rm -rf "$spool/$victim" "$spool/$victim.0123456789abcdef"
for to in "/tmp" "$spool/12003" "$S/nothing"; do
	as $attacker ln -s "$to" "$spool/$victim"
	unharmed "a link to $to in its place"
	rm "$spool/$victim"
done
as $attacker mkfifo -m 666 "$spool/$victim"
unharmed "a FIFO in its place"
rm "$spool/$victim"

# A directory that is not as it should be.
attack "links for states" "$own" 'mkdir -m 700 $own; for s in tmp new cur hold failed; do ln -s $spool/12001/$s $own/$s; done'
attack "a directory that others write" "$own is open to others" 'mkdir -m 777 $own; mkdir -m 700 $own/new; cp $S/good $own/new/$good'
attack "an unreadable directory" "$own is no directory of its owner that can be read" 'mkdir -m 0 $own'
attack "unreadable states" "cannot open $own/new: Permission denied" 'mkdir -m 700 $own; mkdir -m 0 $own/new $own/cur $own/tmp'
attack "files for states" "cannot open $own/new: Not a directory" 'mkdir -m 700 $own; touch $own/new $own/cur'
attack "FIFOs for states" "cannot open $own/new: Not a directory" 'mkdir -m 700 $own; mkfifo $own/new $own/cur $own/lock $own/socket'
attack "a FIFO for the lock" "" 'mkdir -m 700 $own $own/new; mkfifo $own/lock; cp $S/good $own/new/$good'
attack "a link for the lock" "cannot open $own/lock" 'mkdir -m 700 $own $own/new; ln -s $spool/12001/lock $own/lock; cp $S/good $own/new/$good'
attack "a directory for the socket" "$own" 'mkdir -m 700 $own $own/new $own/socket; cp $S/good $own/new/$good'

# Files that are not as they should be.
prepare='mkdir -m 700 $own $own/new; umask 077;'
attack "a symbolic link" 'left alone .*a symbolic link' "$prepare"' ln -s /etc/passwd $own/new/$good'
attack "a link to itself" 'left alone' "$prepare"' ln -s $good $own/new/$good'
attack "a FIFO" 'left alone .*not a regular file' "$prepare"' mkfifo $own/new/$good'
attack "two names" 'left alone .*link' "$prepare"' cp $S/good $own/new/$good; ln $own/new/$good $own/other'
attack "open to others" 'left alone' "$prepare"' cp $S/good $own/new/$good; chmod 666 $own/new/$good'
attack "unreadable" "$good" "$prepare"' cp $S/good $own/new/$good; chmod 0 $own/new/$good'
attack "empty" 'left alone' "$prepare"' >$own/new/$good'
attack "a terabyte of nothing" 'left alone' "$prepare"' truncate -s 1T $own/new/$good'
attack "a terabyte behind the message" 'left alone' "$prepare"' cp $S/good $own/new/$good; truncate -s 1T $own/new/$good'
attack "a head without an end" 'left alone' "$prepare"' (cat $S/good | sed "/^$/q"; yes "rcpt <a@b.example>" | head -c 40000000) >$own/new/$good'
attack "others' IDs" 'left alone' "$prepare"' for i in 1 2 3; do cp $S/good $own/new/00000000000$i; done'
touch "$spool/$attacker.txt"
rm -f "$spool/$attacker.txt"

# Somebody else's file, linked in by root's own mistake, is not theirs.
mkdir -p "$own/new"
chown -R $attacker "$own"
chmod 700 "$own" "$own/new"
cp "$S/good" "$own/new/$good"
chmod 644 "$own/new/$good"
before=$(wc -l <"$S/service.log")
unharmed "a file of root's" 'left alone .*belongs to somebody else'
rm -rf "$own"

# A hundred thousand entries that are nothing, and as many that look like messages.
attack "a hundred thousand junk files" '' "$prepare"' cd $own/new; perl -e '\''for (1..100000) { open my $f, ">", "junk$_" }'\'
attack "a hundred thousand links" 'left alone' \
	"$prepare"' cd $own/new; perl -e '\''for (1..100000) { symlink "x", sprintf("0%011d", $_) }'\'
attack "ten thousand directories" '' 'perl -e '\''for (1..10000) { mkdir sprintf("12002.%016d", $_), 0700 }'\'

# Renamed while it is worked on.
before=$(wc -l <"$S/service.log")
as $attacker perl -e '
	use strict; my ($spool, $end) = ($ENV{spool}, time + 8);
	my ($own, $victim) = ("$spool/12002", "$spool/12001");
	while (time < $end) {
		mkdir $own, 0700; mkdir "$own/$_", 0700 for qw(tmp new cur);
		system("cp $ENV{S}/good $own/new/$ENV{good}") if int(rand 20) == 0;
		symlink "$victim/new", "$own/link"; rename "$own/new", "$own/old"; rename "$own/link", "$own/new";
		rename $own, "$own.0123456789abcdef"; symlink $victim, $own;
		unlink $own; rename "$own.0123456789abcdef", $own;
		unlink "$own/new"; rename "$own/old", "$own/new";
	}' 2>"$S/err" &
renamer=$!
for i in 1 2 3 4 5; do unharmed "renamed all the time ($i)"; done
wait $renamer
rm -rf "$own" "$spool"/$attacker.*

# What was posted at the end is there, and nothing of the others' was sent in their name.
is "each message of the victim's arrived once" "$(count $victim)" "$served"
for f in "$SINK"/*.env; do
	grep -q "^mail <u$victim@" "$f" || continue
	grep -q "^rcpt <u$victim@" "$f" || { false; result "$f is the victim's"; }
done
kill -TERM $service
wait $service
is "the service ends well" $? 0
ok 'no violations' sink_content
done_testing
