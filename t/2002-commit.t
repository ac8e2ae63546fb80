#!/bin/bash
# SPDX-License-Identifier: ISC
#
# The commit: write, sync the file, rename, sync the directory, and only then exit 0. Each of these
# failing: not exit 0, nothing in new/, nothing left in tmp/.
. "${0%/*}/lib.sh"
need strace
scratch
config queue.deliver=queue log.to=syslog
sendmail r@x.example <<<hello
find "$S/spool" -path '*/new/*' -type f -delete
strace -o "$S/trace" -e trace=write,fsync,fdatasync,renameat2,rename,close,exit_group \
	"$B/sbin/sendmail" r@x.example <<<hello
is "the order of the calls" "$(sed -n 's/^\(write\|fsync\|fdatasync\|renameat2\|rename\|exit_group\)(.*/\1/p' "$S/trace" | tr '\n' ' ')" \
	"write fsync renameat2 fsync exit_group "
head -c 300000 /dev/zero | tr '\0' 'a' | fold >"$S/large"

# fails CALL WHEN ERRNO [INPUT]
fails() {
	find "$S/spool" -path '*/new/*' -type f -delete
	strace -o /dev/null -e "inject=$1:error=$3:when=$2" "$B/sbin/sendmail" r@x.example \
		<"${4:-$S/trace}" 2>"$S/err"
	is "$1 number $2 fails by $3: try again" $? 75
	is "  nothing is queued or left" "$(find "$S"/spool/*/{new,tmp} -type f)" ""
	like "  and it is said" "$(cat "$S/err")" 'sendmail: .*not queued|nothing was queued'
}
for errno in EIO ENOSPC EDQUOT EROFS; do
	fails fsync 1 $errno
	fails fsync 2 $errno
	fails renameat2 1 $errno
	fails write 1 $errno
done
fails write 3 ENOSPC "$S/large"
fails pwrite64 1 EIO "$S/large"
fails read "$(strace -e trace=read "$B/sbin/sendmail" -f x@x r@x.example <"$S/trace" 2>&1 | grep -c '^read')" EIO

# The directory of the owner cannot be looked at just now: no second one is made beside it.
for call in openat:EACCES openat:EIO newfstatat:EIO; do
	find "$S/spool" -path '*/new/*' -type f -delete
	strace -o /dev/null -P "$S/spool/$(id -u)" -e "inject=${call%:*}:error=${call#*:}" \
		"$B/sbin/sendmail" r@x.example <<<hello 2>"$S/err"
	is "the owner's directory, $call: try again" $? 75
	is "  and no other one is made" "$(ls "$S/spool")" "$(id -u)"
done

# A long line makes it begin anew in tmp/: the old name cannot be taken out, the new one not be made.
{ printf 'Subject: x\n\n'; head -c 5000 /dev/zero | tr '\0' 'a'; } >"$S/long"
fails unlinkat 1 EIO "$S/long"
creates=$(strace -e trace=openat "$B/sbin/sendmail" r@x.example <"$S/long" 2>&1 | grep -n O_EXCL | tail -n 1 | cut -d: -f1)
fails openat "$creates" ENOSPC "$S/long"

# A file system that knows no RENAME_NOREPLACE.
find "$S/spool" -path '*/new/*' -type f -delete
strace -o /dev/null -e inject=renameat2:error=EINVAL "$B/sbin/sendmail" r@x.example <<<hello
is "without RENAME_NOREPLACE it is a plain rename" "$? $(find "$S"/spool/*/new -type f | wc -l)" "0 1"
# Another post makes new/ between our look and our mkdir.
find "$S/spool" -path '*/new/*' -type f -delete
opens=$(strace -e trace=openat "$B/sbin/sendmail" r@x.example <<<hello 2>&1 | grep -n '"new"' | cut -d: -f1)
find "$S/spool" -path '*/new/*' -type f -delete
strace -o /dev/null -e "inject=openat:error=ENOENT:when=$opens" "$B/sbin/sendmail" r@x.example <<<hello
is "what somebody else made meanwhile will do" "$? $(find "$S"/spool/*/new -type f | wc -l)" "0 1"
# Interrupted calls are taken up again.
find "$S/spool" -path '*/new/*' -type f -delete
strace -o /dev/null -e inject=write:error=EINTR:when=1 "$B/sbin/sendmail" r@x.example <<<hello
is "EINTR is no failure" "$? $(find "$S"/spool/*/new -type f | wc -l)" "0 1"
# That the disk begins early is for speed: a file system that cannot do it loses nothing.
find "$S/spool" -path '*/new/*' -type f -delete
head -c 3000000 /dev/zero | tr '\0' 'a' | fold |
	strace -o "$S/trace" -e trace=sync_file_range -e inject=sync_file_range:error=EIO \
		"$B/sbin/sendmail" r@x.example
is "no early beginning is no failure" "$? $(find "$S"/spool/*/new -type f | wc -l)" "0 1"
is "  and there were two" "$(grep -c INJECTED "$S/trace")" 2
# A spool at home, of which nothing is there: each directory's name comes to the disk, too.
config queue.deliver=queue log.to=syslog "queue.dir=$S/none/queue" queue.socket= queue.post_socket=
XDG_STATE_HOME=$S/home/a/b strace -y -o "$S/trace" -e trace=mkdir,mkdirat,fsync "$B/sbin/sendmail" r@x.example <<<hello
sed -nE 's,^mkdir\("(.*)/[^/]*".* = 0$,\1,p; s,^mkdirat\([0-9]+<([^>]*)>.* = 0$,\1,p' "$S/trace" | sort -u >"$S/parents"
sed -nE 's,^fsync\([0-9]+<([^>]*)>\) += 0$,\1,p' "$S/trace" | sort -u >"$S/synced"
is 'four directories have new ones' "$(wc -l <"$S/parents")" 4
is '  and are synced' "$(comm -23 "$S/parents" "$S/synced")" ''
done_testing
