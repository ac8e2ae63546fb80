#!/bin/bash
# SPDX-License-Identifier: ISC
#
# Disks that are full, have no inodes left or no quota, or turn read-only half way. What was accepted is
# delivered, whole; what has no room is refused with 75; what a flusher cannot write down it does not
# deliver again and again, nor fill the log with; and it goes on when there is room.
. "${0%/*}/lib.sh"
[ "$(id -u)" -eq 0 ] && : >/dev/loop-control || give_up 'needs root outside of containers: it mounts a loop device'
need mkfs.ext4 mkfs.btrfs btrfs e2fsck losetup unshare setpriv perl
# Others that copy our mounts would keep the disk from being mounted anew.
[ -n "${PILLARBOX_ALONE-}" ] || PILLARBOX_ALONE=1 exec unshare --mount "$0"
scratch
trap 'status=$?; umount -l "$S/disk" "$S/images" 2>/dev/null; (exit $status); cleanup' EXIT
mkdir "$S/disk" "$S/images" "$S/prefix"
mount -t tmpfs images "$S/images" || give_up 'cannot mount a tmpfs'
# Other users run the programs, and may not be able to reach the build folder.
cp -r "$B/sbin" "$B/bin" "$B/libexec" "$S/prefix"
PATH=$S/prefix/sbin:$S/prefix/bin:$PATH
chmod 711 "$S"
unset HOME
spool=$S/disk/spool/12001
as() { setpriv --reuid "$1" --regid "$1" --clear-groups "${@:2}"; }
settings() {
	config "relay.url=smtp://127.0.0.1:$SINK_PORT" queue.deliver=queue "queue.dir=$S/disk/spool" "$@"
	chmod 644 "$PILLARBOX_CONFIG"
	install -m 666 /dev/null "$S/log" # for all of them
}
# sink RULES...: a new one.
sink() {
	local rules=()
	while [ $# -gt 0 ]; do rules+=(-r "$1"); shift; done
	[ -z "$sink_pid" ] || sink_stop
	rm -rf "$SINK"
	sink_start ${SINK_PORT:+-p "$SINK_PORT"} "${rules[@]}"
}

# new_disk tmpfs OPTIONS | ext4 SIZE OPTIONS... | btrfs SIZE: with a queue directory; of a btrfs it is a
# subvolume with a quota.
new_disk() {
	umount -l "$S/disk" 2>/dev/null
	rm -f "$S/images/disk"
	[ "$1" = tmpfs ] || truncate -s "$2" "$S/images/disk"
	case $1 in
	tmpfs) mount -t tmpfs -o "$2" disk "$S/disk" ;;
	ext4) mkfs.ext4 -q -b 4096 -m 0 -E lazy_itable_init=0 "${@:3}" "$S/images/disk" && mount_disk ;;
	btrfs)
		mkfs.btrfs -q "$S/images/disk" >/dev/null && mount -o loop "$S/images/disk" "$S/disk" &&
			btrfs -q subvolume create "$S/disk/spool" && btrfs quota enable "$S/disk" &&
			btrfs qgroup limit 1M "$S/disk/spool"
		;;
	esac || give_up "cannot mount a disk: $*"
	mkdir -p "$S/disk/spool"
	chmod 1777 "$S/disk/spool"
}
mount_disk() { mount -o "loop,errors=remount-ro" "$S/images/disk" "$S/disk" || give_up 'cannot mount an ext4'; }
unmount_disk() { eventually 10 umount "$S/disk" 2>/dev/null || give_up 'cannot unmount'; }
# What was reserved for more than it needed comes back with a sync.
fill() {
	for _ in 1 2 3; do
		dd if=/dev/zero bs=4k >>"$S/disk/filler" 2>/dev/null
		sync -f "$S/disk"
	done
}
queued() { mail_in "$spool"/{new,cur}; }
emptied() { [ "$(queued)" -eq 0 ]; }
drain() { as 12001 timeout 60 sendmail -q 2>>"$S/drain.err"; }

#
# Posts: messages that grow, until there is no room, by turns as sendmail and as SMTP takes them.
#
octets() { perl -e 'print "Subject: $ARGV[0]\n\n"; srand $ARGV[0];
	print map { join("", map { chr 33 + rand 90 } 1 .. 49), "\n" } 1 .. $ARGV[1] / 50' "$1" "$2"; }
by_argument() { as 12001 sendmail -i -f s@x.example "r@p$1.example" <"$S/text" 2>"$S/err"; }
by_smtp() {
	{
		printf '%s\r\n' 'EHLO c' 'MAIL FROM:<s@x.example>' "RCPT TO:<r@p$1.example>" DATA
		sed 's/^\./../; s/$/\r/' "$S/text"
		printf '%s\r\n' . QUIT
	} | as 12001 sendmail -bs >"$S/out" 2>"$S/err" || return
	! grep -q '^4' "$S/out" || return 75
	grep -q '^250 2.0.0 Ok: queued' "$S/out"
}
posts_until_full() { # NAME SIZES...
	local n=0 wrong='' acked='' refused=0 how size status
	install -m 644 /dev/null "$S/text"
	for size in "${@:2}"; do
		n=$((n + 1)) how=by_argument
		[ $((n % 3)) -ne 0 ] || how=by_smtp
		octets $n "$size" >"$S/text"
		$how $n
		status=$?
		case $status in
		0) acked+="$n " ;;
		75) refused=$((refused + 1)) ;;
		*) wrong+=" $n:$status" ;;
		esac
		[ $how = by_smtp ] || [ $status -eq 0 ] || grep -q 'not queued' "$S/err" || wrong+=" $n:$(<"$S/err")"
		[ -z "$(find "$spool/tmp" -type f 2>/dev/null)" ] || wrong+=" $n: left in tmp/"
	done
	is "$1: each post is taken or refused with 75" "$wrong" ''
	ok "  $refused of $n refused" test "$refused" -gt 0 -a "$refused" -lt "$n"
	is '  as many are queued as were taken' "$(queued)" "$(wc -w <<<"$acked")"
	sink
	ok '  they are delivered while there is no room' drain
	is '  each of them, once' "$(sed -n 's/^rcpt <r@p\([0-9]*\).*/\1/p' "$SINK"/*.env | sort -n | tr '\n' ' ')" "$acked"
	is '  whole' "$(for f in "$SINK"/*.eml; do
		tr -d '\r' <"$f" | sed '1,/^$/d' >"$S/got"
		n=$(sed -n 's/^Subject: \([0-9]*\).*/\1/p' "$f")
		octets "$n" "$(cut -d' ' -f"$n" <<<"${*:2}")" | sed '1,/^$/d' | cmp -s - "$S/got" || echo "$f"
	done)" ''
	is '  nothing is left' "$(queued)" 0
	octets 1 "$2" >"$S/text"
	ok '  a post has room again' by_argument 1
	ok '  and is delivered' drain
}
sink
settings
# Of a few octets too many or too few: sizes about a page, below what is left.
sizes="30000 30000 30000 30000 30000 20000 10000 5000 4500 4000 3900 3800 3700 3600 3500 3000 2000 1000 500 400 400 400 400 400 400 400 400 400 400 400"
new_disk tmpfs size=192k,mode=755
# shellcheck disable=SC2086 # words
posts_until_full 'a full tmpfs' $sizes
new_disk tmpfs nr_inodes=20,mode=755
# shellcheck disable=SC2046
posts_until_full 'a tmpfs without inodes' $(printf '400 %.0s' {1..20})
new_disk ext4 1M -O ^has_journal
# shellcheck disable=SC2086
posts_until_full 'a full ext4' 200000 200000 200000 200000 200000 100000 100000 $sizes
new_disk ext4 4M -N 32 -O ^has_journal
# shellcheck disable=SC2046
posts_until_full 'an ext4 without inodes' $(printf '400 %.0s' {1..30})
if grep -qw btrfs /proc/filesystems || modprobe btrfs 2>/dev/null; then
	new_disk btrfs 120M
	# shellcheck disable=SC2086
	posts_until_full 'no quota left, of a btrfs' 200000 200000 200000 200000 200000 100000 100000 $sizes
else
	diag 'no quota: this kernel mounts no btrfs'
fi

#
# A flusher on a full disk.
#
service_start() {
	sendmail -bD &
	service=$!
	eventually 20 test -S "$S/run/socket" || give_up 'the service does not start'
}
service_stop() { kill $service && wait $service; }
post() { as 12001 sendmail -i -f s@x.example "$@" <"$S/text" 2>"$S/err"; }
refusals() { grep -cE "warning: .*($1).*; trying again" "$S/log"; }
refused() { [ "$(refusals "$1")" -ge 1 ]; }
# got REGEX: recipients that a message was delivered to, one a line; once REGEX COUNT: so many, none twice.
got() { sed -nE "s/^rcpt <($1)>.*/\1/p" "$SINK"/*.env 2>/dev/null; }
has() { [ "$(got "$1" | wc -l)" -ge "$2" ]; }
once() { is "  each once: $1" "$(got "$1" | sort | uniq -c | awk '$1 != 1') $(got "$1" | wc -l)" " $2"; }
tried_all() { kill -USR1 $service && sleep 0.5 && emptied; }

# A message of which some recipients have to wait, so that its journal needs a new block; one that is
# refused, so that there is a report; and a plain one.
new_disk ext4 2M -O ^has_journal
settings
sink 'count 1-100 rcpt late* reply 450 4.2.0 later, when there is room for what is said here' 'rcpt bad@* reply 550 5.1.1 no'
octets 1 400 >"$S/text"
# shellcheck disable=SC2046 # words
post plain@x.example
post $(for i in {1..100}; do echo "ok$i@x.example" "late$i@x.example"; done)
octets 2 30000 >"$S/text"
post bad@x.example
fill
service_start
ok 'a full disk: what can be is delivered' eventually 30 has '(ok.*|plain)@x.example' 101
ok '  what cannot be written down is said' eventually 30 refused 'No space left on device'
ok '  a post is refused' test "$(post r@x.example; echo $?)" -eq 75
sleep 6 # longer than it takes until the disk is tried again
is '  once' "$(refusals 'No space left on device')" 1
is '  both messages are kept' "$(queued)" 2
once '(ok.*|plain)@x.example' 101
rm "$S/disk/filler"
ok '  with room again there is a report, and all is delivered' eventually 60 tried_all
once '.*@x.example' 202
service_stop

# More messages than can be under way, each filling its block, so that not even a line has room behind it:
# that wait (late), or fail (bad). None keeps the last one, which is delivered, from its turn.
crowded() { # WHOM
	new_disk ext4 3M -O ^has_journal
	sink 'count 1-320 rcpt late* reply 450 4.2.0 later' 'rcpt bad* reply 550 5.1.1 no'
	printf 'Subject: x\n\n' >"$S/text"
	post "${1}100@x.example"
	{
		printf 'Subject: x\n\n'
		perl -e 'print "x" x 70, "\n" for 1 .. 100' |
			head -c $((4080 - $(stat -c %s "$spool"/new/*) - 50)) # as many CRs come with it
	} >"$S/text"
	rm "$spool"/new/*
	for i in {100..419}; do post "$1$i@x.example" || give_up "cannot post: $(<"$S/err")"; done
	post last@x.example
	is "$1: their blocks are full" "$(find "$spool/new" -type f -size +2k -printf '%s\n' | awk '$1 < 4050 || $1 > 4096' | wc -l) $(queued)" '0 321'
	fill
	: >"$S/log"
	service_start
	ok '  on a full disk the last one is delivered' eventually 60 has last@x.example 1
	ok '  the log is short' test "$(refusals .)" -le 2
	[ "$1" = late ] || rm "$S/disk/filler" # a report has no room but that of others
	ok '  all come to their end' eventually 120 tried_all
	service_stop
}
crowded late
once 'late.*@x.example' 320
crowded bad
is '  with as many reports' "$(got s@x.example | wc -l)" 320

#
# A disk that turns read-only while posts and a delivery are under way.
#
break_disk() {
	local device
	device=$(findmnt -no SOURCE "$S/disk")
	echo broken >"/sys/fs/ext4/${device##*/}/trigger_fs_error" || give_up 'cannot break the ext4'
}
new_disk ext4 8M
sink 'dot delay 2s; pass'
octets 5 200000 >"$S/text"
: >"$S/log"
as 12002 sendmail -odq x@x.example <<<hello # the other one's directory
rm "$S/disk/spool/12002"/new/*
service_start
post slow@x.example
kill -USR1 $service
mkfifo "$S"/pipe{1,2,3}
as 12001 sendmail -i r1@x.example <"$S/pipe1" 2>"$S/err1" & posts[1]=$!
as 12001 sendmail -bs <"$S/pipe2" >"$S/out2" 2>"$S/err2" & posts[2]=$!
as 12002 env PILLARBOX_QUEUE_DIR= sendmail -i r3@x.example <"$S/pipe3" 2>"$S/err3" & posts[3]=$!
exec 5>"$S/pipe1" 6>"$S/pipe2" 7>"$S/pipe3"
head -c 100000 "$S/text" | tee /dev/fd/5 >&7
{ printf '%s\r\n' 'EHLO c' 'MAIL FROM:<s@x.example>' 'RCPT TO:<r2@x.example>' DATA; head -c 100000 "$S/text" | sed 's/^\./../; s/$/\r/'; } >&6
writing() { [ "$(find "$S"/disk/spool/*/tmp -size +16k | wc -l)" -eq 3 ]; }
ok 'three posts are under way' eventually 20 writing
ok 'and a delivery' eventually 20 grep -q ' [-+] \(DATA\|BDAT\)' "$SINK/commands.log"
break_disk
tail -c +100001 "$S/text" | tee /dev/fd/5 >&7
{ tail -c +100001 "$S/text" | sed 's/^\./../; s/$/\r/'; printf '%s\r\n' . NOOP QUIT; } >&6
exec 5>&- 6>&- 7>&-
wait "${posts[1]}"
is 'a read-only disk: a post is refused' "$? $(grep -c 'Read-only file system.*not queued' "$S/err1")" '75 1'
wait "${posts[2]}"
is '  by SMTP as well' "$? $(tr -d '\r' <"$S/out2" | tail -n 3 | cut -c1-9 | tr '\n' ' ')" '0 451 4.3.0 250 2.0.0 221 2.0.0 '
wait "${posts[3]}"
is '  and through the socket' "$? $(grep -c 'Read-only file system.*not queued' "$S/err3")" '75 1'
ok 'what was under way arrives' eventually 20 has slow@x.example 1
ok '  that it cannot be removed is said' eventually 20 refused 'Read-only file system'
sleep 6
is '  once' "$(refusals 'Read-only file system')" 1
service_stop
try as 12001 timeout 20 sendmail -q
is 'a flusher that comes then does nothing' "$rc" 75
ok '  and says why' grep -q 'lock: Read-only file system' "$S/log"
is '  and nothing was delivered twice' "$(got '.*')" slow@x.example
unmount_disk
e2fsck -fy "$S/images/disk" >/dev/null 2>&1
mount_disk
ok 'mended and mounted again: the queue drains' drain
ok '  it is empty' emptied
is '  what was refused does not come' "$(got '.*' | sort -u)" slow@x.example
ok '  and nothing a third time' test "$(got slow@x.example | wc -l)" -le 2
ok 'no violations' sink_content
done_testing
