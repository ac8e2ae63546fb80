#!/bin/bash
# SPDX-License-Identifier: ISC
#
# The power fails before a system call that has an effect: what was not synced is gone, and the disk is
# mounted again. A post that was acknowledged before is delivered whole; one that was under way, whole or
# not at all; of a queue run nothing is lost, reports included.
#
# ext4 and xfs on a loop device are shut down without their log. btrfs cannot be: it goes on with a copy
# that was made of its device at that moment.
. "${0%/*}/lib.sh"
. "$T/crash.sh"
[ "$(id -u)" -eq 0 ] && : >/dev/loop-control || give_up 'needs root outside of containers: it mounts a loop device'
need mkfs.ext4 mkfs.xfs mkfs.btrfs losetup unshare
# Others that copy our mounts would keep the disk from being mounted anew.
[ -n "${PILLARBOX_ALONE-}" ] || PILLARBOX_ALONE=1 exec unshare --mount "$0"
scratch
sink_start -r 'rcpt refused@* reply 550 5.1.1 no such user'
printf '%s\n' 'Subject: x' '' 'a line' '.' 'the last line' >"$S/text"
config "relay.url=smtp://127.0.0.1:$SINK_PORT" queue.deliver=queue "queue.dir=$S/disk/spool" log.to=auto
mkdir "$S/disk" "$S/images"
mount -t tmpfs images "$S/images" || give_up 'cannot mount a tmpfs'

# What the kernel can mount of these is tried.
disks='' none=''
for fs in ext4 xfs btrfs; do
	if grep -qw $fs /proc/filesystems || modprobe $fs 2>/dev/null; then disks+=" $fs"; else none+=" $fs"; fi
done
[ -n "$disks" ] || give_up 'a kernel that mounts none of ext4, xfs and btrfs'

# Nothing comes to the disk for being old.
mount_disk() {
	case $fs in
	ext4) mount -o loop,commit=600 "$S/images/disk" "$S/disk" ;;
	xfs) mount -o loop "$S/images/disk" "$S/disk" ;;
	btrfs) mount -o loop,commit=300 "$S/images/disk" "$S/disk" ;;
	esac || give_up "cannot mount $fs"
}
unmount_disk() { eventually 10 umount "$S/disk" 2>/dev/null || give_up 'cannot unmount'; }
new_disk() {
	rm -f "$S/images/disk"
	case $fs in
	ext4) truncate -s 16M "$S/images/disk" && mkfs.ext4 -q -E lazy_itable_init=0 "$S/images/disk" ;;
	xfs) truncate -s 300M "$S/images/disk" && mkfs.xfs -q "$S/images/disk" ;;
	btrfs) truncate -s 128M "$S/images/disk" && mkfs.btrfs -q "$S/images/disk" >/dev/null ;;
	esac || give_up "cannot make $fs"
	mount_disk
	mkdir -m 1777 "$S/disk/spool"
	sync -f "$S/disk"
}
# cut_steps ARGUMENTS: as steps, and the disk is cut off with it.
cut_steps() {
	if [ "$fs" = btrfs ]; then
		steps "$@"
	else
		steps -c "$S/disk" "$@"
	fi
}
# All is dead, and nobody writes but btrfs itself.
pull_out() {
	[ "$fs" != btrfs ] || cp --sparse=always "$S/images/disk" "$S/images/cut"
	unmount_disk
	[ "$fs" != btrfs ] || mv "$S/images/cut" "$S/images/disk"
}
trap 'status=$?; umount -l "$S/disk" "$S/images" 2>/dev/null; (exit $status); cleanup' EXIT

drained() { sendmail -q 2>/dev/null; queue_is_empty; }
leave() { for p in $(running flush); do kill "$p" 2>/dev/null; done; [ -z "$(running flush)" ]; }
after_cut() {
	pull_out
	mount_disk
	eventually 30 drained || lost+=" $1"
	eventually 10 leave
	unmount_disk
}
forget() { rm -rf "$SINK"/*.e?? "$S"/{acked,tried,settled}; lost=''; }

# Recipients of a point, by argument, by SMTP, and through the socket of a service that ends with it.
by_argument() { "${@:2}" "$B/sbin/sendmail" -i -f s@x.example "ra@p$1.example" "rb@p$1.example" <"$S/text"; }
by_smtp() {
	printf '%s\r\n' 'HELO c' 'MAIL FROM:<s@x.example>' "RCPT TO:<ra@p$1.example>" "RCPT TO:<rb@p$1.example>" \
		DATA 'Subject: x' '' 'a line' '..' 'the last line' . QUIT | "${@:2}" "$B/sbin/sendmail" -bs >"$S/replies"
}
by_socket() {
	"${@:2}" ${2:+-m sendmail} bash -c 'exec 2>/dev/null; sendmail -bD & service=$!
		until [ -S "$S/run/post" ] || ! kill -0 $service; do sleep 0.01; done
		HOME=/proc/none PILLARBOX_QUEUE_DIR= sendmail -i -f s@x.example "ra@p$1.example" "rb@p$1.example" <"$S/text"
		status=$?
		kill $service; wait $service; rm -f "$S/run/post"
		exit $status' -- "$1"
}
export S

# before_cut HOW FIRST POINT: on a new disk a post that ends, if there is a FIRST.
before_cut() {
	new_disk
	[ -z "$2" ] || { "$1" "a$3" && echo "a$3" >>"$S/acked"; }
}
# posting HOW FIRST: and one that the power fails in, or right behind it.
posting() {
	local n calls
	forget
	before_cut "$1" "$2" 0
	"$1" b0 steps
	calls=$(<"$S/step")
	unmount_disk
	forget
	for n in $(points "$((calls + 1))"); do
		before_cut "$1" "$2" "$n"
		! "$1" "b$n" cut_steps -n "$n" 2>/dev/null || echo "b$n" >>"$S/acked"
		echo "$n" >>"$S/tried"
		after_cut "$n"
	done
	is "$fs, $1${2:+, after another}: the queue drains after each cut in $calls calls" "$lost" ''
	claims "$fs, $1${2:+, after another}" "$S/text" 2
}

draining() {
	local call calls
	forget
	new_disk
	queue 0
	steps "$B/sbin/sendmail" -q
	calls=$(<"$S/step")
	eventually 10 leave
	unmount_disk
	forget
	for call in $(points "$calls"); do
		new_disk
		queue "$call"
		cut_steps -n "$call" "$B/sbin/sendmail" -q 2>/dev/null
		echo "$call" | tee -a "$S/acked" >>"$S/tried"
		after_cut "$call"
	done
	is "$fs, a queue run of $calls calls: the queue drains after each cut" "$lost" ''
	claims "$fs, a queue run" "$S/text" 5
}
queue() {
	sendmail -i -f "s@p$1.example" "ra@p$1.example" "refused@p$1.example" "rb@p$1.example" <"$S/text"
	sendmail -i -f "s@p$1.example" "rc@p$1.example" "rd@p$1.example" <"$S/text"
}

# over HOW COUNT COMMAND...: the flusher dies behind that, and the power fails: what was delivered is gone for good.
over() {
	forget
	new_disk
	queue 0
	"${@:3}"
	for p in $(running flush); do kill -KILL "$p" 2>/dev/null; done
	eventually 10 no_flusher || give_up 'flush does not die'
	cut_steps -n 1 touch "$S/cut"
	after_cut cut
	is "$fs, $1: the queue drains" "$lost" ''
	is '  all arrive' "$(deliveries | sort -u | wc -l)" "$2"
	is '  and nothing comes twice' "$(deliveries | sort | uniq -d)" ''
}
no_flusher() { [ -z "$(running flush)" ]; }
all_came() { [ "$(deliveries | wc -l)" -eq 6 ]; }
run() { sendmail -q && sendmail -q; } # the report of the first goes with the second
begin() { PILLARBOX_QUEUE_LINGER=$1 sendmail -i -odb -f s@p0.example re@p0.example <"$S/text"; }
let_leave() { begin 0 && eventually 20 no_flusher; }
let_linger() { begin 60 && eventually 20 all_came && sleep 2; }

for fs in $disks; do
	POINTS=${CUTS:-12}
	[ "$fs" = ext4 ] || POINTS=${CUTS:-3}
	posting by_argument ''
	posting by_argument first
	posting by_smtp first
	posting by_socket first
	draining
	over 'queue runs that are over' 5 run
	over 'a flusher that has left' 6 let_leave
	over 'one that has been idle' 6 let_linger
done
ok 'no violations' sink_content
diag "cut off:$disks${none:+; this kernel mounts no$none}"
done_testing
