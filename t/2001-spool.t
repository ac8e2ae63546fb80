#!/bin/bash
# SPDX-License-Identifier: ISC
#
# The spool: whose it is, what is refused, and what a disk that says no costs.
. "${0%/*}/lib.sh"
scratch
config queue.deliver=queue
uid=$(id -u)
post() { sendmail -i -f s@x.example "$@" r@x.example <<<hello; }
in_new() { find "$S"/spool/*/new -type f 2>/dev/null | wc -l; }

# Made on the first post, for its owner alone.
ok "posted" post
is "the directory is ours alone" "$(stat -c '%u %a' "$S/spool/$uid")" "$uid 700"
is "the file too" "$(stat -c '%u %a %h' "$S/spool/$uid"/new/*)" "$uid 600 1"
is "the name is the ID inside" "$(basename "$S/spool/$uid"/new/*)" "$(sed -n 's/^id //p;/^$/q' "$S/spool/$uid"/new/*)"

# Not there, not to be written, not safe.
unset HOME
config queue.deliver=queue "queue.dir=$S/spool/$uid/none"
chmod 755 "$S/spool/$uid"
mkdir "$S/loose"
chmod 777 "$S/loose"
config queue.deliver=queue "queue.dir=$S/loose"
refuses 75 post
like "says what to do" "$(cat "$S/err")" "$S/loose .*sticky.*uid $uid"
config queue.deliver=queue "queue.dir=$S/file/below"
touch "$S/file"
refuses 75 post
like "names path, uid and reason" "$(cat "$S/err")" "$S/file/below: Not a directory \(uid $uid\)"
config queue.deliver=queue

# Open to others: closed to them when it was only readable, refused when others could write.
ok "a directory that others may read" post
is "is closed to them" "$(stat -c %a "$S/spool/$uid")" 700
chmod 770 "$S/spool/$uid"
refuses 75 post
chmod 700 "$S/spool/$uid"

# Somebody else's in our place.
mv "$S/spool/$uid" "$S/ours"
ln -s /tmp "$S/spool/$uid"
ok "a squatted name costs nothing" post
is "another was made" "$(find "$S/spool" -maxdepth 1 -name "$uid.*" | wc -l)" 1
like "and the log says who squats" "$(cat "$S/log")" "$S/spool/$uid, of uid [0-9]+, is not our directory"
ok "it is found again" post
is "both posts are in it" "$(find "$S"/spool/"$uid".*/new -type f | wc -l)" 2
rm -rf "$S/spool/$uid" "$S"/spool/"$uid".*

# Foreign and damaged files are left alone and named; the rest goes.
sink_start
config "relay.url=smtp://127.0.0.1:$SINK_PORT"
post -odq
new=$S/spool/$uid/new
good=$(ls "$new")
cp "$new/$good" "$new/0000000000AA"
head -c 100 "$new/$good" >"$new/0000000000BB"
ln -s "$new/$good" "$new/0000000000CC"
mkfifo "$new/0000000000DD"
mkdir "$new/0000000000EE"
touch "$new/README"
ok "-q ends" sendmail -q
is "only the good one was delivered" "$(messages)" 1
is "the others are left alone" "$(ls "$new" | tr '\n' ' ')" "0000000000AA 0000000000BB 0000000000CC 0000000000DD 0000000000EE README "
for bad in AA:'the name is not the ID inside' BB:'bad or missing|not whole' CC:'a symbolic link' DD:'not a regular file' EE:'not a regular file'; do
	like "named: ${bad#*:}" "$(cat "$S/log")" "0000000000${bad%%:*}: left alone in $S/spool/$uid/new: .*(${bad#*:})"
done
rm -rf "$new"

# A disk that is full, one without inodes, one that turned read-only: 75, nothing queued, and it goes
# on when there is room again.
if [ "$uid" -eq 0 ]; then
	need unshare
	cat >"$S/inside" <<-'X'
		set -u
		mount -t tmpfs -o "size=$1,nr_inodes=$2,mode=1777" none "$S/spool"
		echo small | sendmail r@x.example 2>/dev/null; echo "first $?"
		$3
		head -c 300000 /dev/zero | tr '\0' 'a' | fold | sendmail r@x.example 2>"$S/err"; echo "second $?"
		find "$S/spool" -path "*/new/*" -type f | wc -l
		find "$S"/spool/*/tmp -type f | wc -l
		mount -o remount,rw,size=10m,nr_inodes=1000 "$S/spool"
		echo again | sendmail r@x.example; echo "third $?"
	X
	config queue.deliver=queue
	export S
	is "a full disk" "$(unshare -m bash "$S/inside" 128k 100 true | tr '\n' ' ')" "first 0 second 75 1 0 third 0 "
	like "says so" "$(cat "$S/err")" "No space left on device"
	is "no inodes left" "$(unshare -m bash "$S/inside" 1m 9 true | tr '\n' ' ')" "first 0 second 75 1 0 third 0 "
	is "read-only" "$(unshare -m bash "$S/inside" 1m 100 "mount -o remount,ro $S/spool" | tr '\n' ' ')" \
		"first 0 second 75 1 0 third 0 "
	like "says so" "$(cat "$S/err")" "Read-only file system"
fi
done_testing
