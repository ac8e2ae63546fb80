#!/bin/bash
# SPDX-License-Identifier: ISC
#
# Where there is hardly anything: without any privilege, on a read-only root, as a uid that nobody
# knows, without /dev/log, /proc, /etc and HOME.
. "${0%/*}/lib.sh"
need_root
need setpriv unshare mount chroot make ldd
scratch
mkdir "$S/prefix"
cp -r "$B/sbin" "$B/bin" "$B/libexec" "$S/prefix"
export S LAYERS=
sink_start
arrived=0
# delivered WHAT: one more message is there, in the name of the caller.
delivered() {
	arrived=$((arrived + 1))
	ok "$1: it is delivered" sink_wait $arrived
}

session() { printf '%s\r\n' 'EHLO x' 'MAIL FROM:<a@x.example>' 'RCPT TO:<c@x.example>' DATA 'Subject: x' '' hello . QUIT; }

# Nothing that is installed is set-id.
ok "make install" env -u MAKEFLAGS -u MAKELEVEL make -s -C "$T/.." B="$B" DESTDIR="$S/dest" install
is "nothing is set-id" "$(find "$S/dest" -type f -perm /6000)" ""

# As systemd has it: NoNewPrivileges=, RestrictSUIDSGID=, an empty capability bounding set, and
# ProtectSystem=strict, where all is read-only but /dev, /proc, /sys and what ReadWritePaths= names.
cat >"$S/strict" <<'X'
writable=$1
shift
mount --make-rprivate /
[ -z "$writable" ] || mount --bind "$writable" "$writable"
while read -r _ _ _ _ at _; do
	at=$(printf '%b' "$at")
	case $at in /dev|/dev/*|/proc|/proc/*|/sys|/sys/*|"$writable") continue ;; esac
	mount -o remount,bind,ro "$at" || echo "cannot make $at read-only" >&2
done < <(tac /proc/self/mountinfo)
exec setpriv --reuid 12001 --regid 12001 --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all "$@"
X
# strict WRITABLE COMMAND...
strict() { unshare -m bash "$S/strict" "$@"; }
PATH=$S/prefix/sbin:$S/prefix/bin:$PATH
chmod 711 "$S"
unset HOME
config "relay.url=smtp://127.0.0.1:$SINK_PORT" log.to=auto
chmod 644 "$PILLARBOX_CONFIG"
refuses 75 strict '' sendmail r@x.example <<<hello
like "strict: says why" "$(<"$S/err")" "$S/spool/12001: Read-only file system .uid 12001.; cannot post through"
ok "strict, and the spool is writable" strict "$S/spool" sendmail r@x.example <<<hello
delivered "strict, by a flusher of its own"
sendmail -bD 2>"$S/service.log" &
service=$!
ok "the service listens" eventually 10 test -S "$S/run/post"
ok "strict, and the service is there" strict '' sendmail r@x.example <<<hello
delivered "strict, by the service"
try strict '' sendmail -bs < <(session)
is "strict, -bs" $rc 0
delivered "strict, -bs"
ok "strict, -odi" strict '' sendmail -odi r@x.example <<<hello
delivered "strict, -odi"
kill -TERM $service
wait $service
is "the service ends well" $? 0

# A root with our programs in it, what they are linked with, and nothing else.
lay_out() {
	local root=$1 file
	mkdir -p "$root/usr/local/sbin" "$root/usr/local/libexec/pillarbox" "$root/var/spool/pillarbox"
	cp "$B/sbin/sendmail" "$root/usr/local/sbin"
	cp "$B"/libexec/pillarbox/* "$root/usr/local/libexec/pillarbox"
	for file in $(ldd "$B"/sbin/sendmail "$B"/libexec/pillarbox/* 2>/dev/null | grep -oE '/[^ )]+' | grep -vF "$B/" | sort -u); do
		[ -e "$root$file" ] || { mkdir -p "$root${file%/*}"; cp -L "$file" "$root$file"; }
	done
}
# bare ROOT COMMAND...: there, read-only but the queue directory, as a uid that nobody knows.
cat >"$S/bare" <<'X'
root=$1
shift
mount --make-rprivate /
if [ -n "${LAYERS-}" ]; then
	mount -t overlay -o "lowerdir=$LAYERS" overlay "$root"
else
	mount --bind "$root" "$root"
fi
mount --bind "$S/queue" "$root/var/spool/pillarbox"
mount -o remount,bind,ro "$root"
exec setpriv --no-new-privs "$(type -P env)" -i ${BARE:+"$BARE"} \
	PILLARBOX_RELAY_URL="smtp://127.0.0.1:$SINK_PORT" PILLARBOX_QUEUE_POST_SOCKET= "$(type -P chroot)" --userspec=54321:54321 --groups= "$root" "$@"
X
bare() { unshare -m bash "$S/bare" "$@"; }
mkdir -m 1777 "$S/queue"
lay_out "$S/root"
is "no passwd, no /dev, no /proc, no /etc" "$(ls "$S/root" | grep -vxE 'usr|var|lib.*')" ""
for root in "$S/root" debian; do
	name=${root##*/}
	if [ $root = debian ]; then
		# Debian's files below ours, where the uid is in no passwd either.
		callers=$PEERS/callers
		[ -e "$callers/.complete" ] || give_up "needs Debian's programs in $callers (make deps)"
		root=$S/debian LAYERS=$S/names:$S/root:$(cd "$callers" && pwd)
		mkdir -p "$root" "$S/names/etc"
		printf '%s\n' 'root:x:0:0::/root:/bin/sh' 'nobody:x:65534:65534::/:/bin/sh' >"$S/names/etc/passwd"
		ok "$name: its programs are there" bare "$root" /usr/bin/test -x /usr/bin/perl
		is "$name: nobody has this uid" "$(bare "$root" /usr/bin/grep -c '^[^:]*:x:54321:' /etc/passwd)" 0
	fi
	rm -rf "$S"/queue/*
	ok "$name: posted" bare "$root" /usr/local/sbin/sendmail -odq -f a@x.example r@x.example <<<hello
	is "$name: in a directory of that uid" "$(stat -c '%u %a' "$S"/queue/*)" "54321 700"
	is "$name: with its sender" "$(sed -n 's/^from //p' "$S"/queue/54321/new/*)" "<a@x.example>"
	rm -rf "$S"/queue/*
	ok "$name: posted, and a flusher started" bare "$root" /usr/local/sbin/sendmail r@x.example <<<hello
	delivered "$name"
	like "$name: the sender for want of one" "$(cat "$SINK/000$arrived.env")" 'mail <uid54321@'
	ok "$name: the first attempt is waited for" bare "$root" /usr/local/sbin/sendmail -odi r@x.example <<<hello
	delivered "$name: -odi"
	try bare "$root" /usr/local/sbin/sendmail -bs < <(session)
	is "$name: -bs" $rc 0
	delivered "$name: -bs"
	chmod 755 "$S/queue"
	refuses 75 bare "$root" /usr/local/sbin/sendmail r@x.example <<<hello
	like "$name: says why" "$(<"$S/err")" '/var/spool/pillarbox.*(sticky|Permission denied).*uid 54321'
	chmod 1777 "$S/queue"
done
LAYERS=

# Without anything at all to write to.
rm -rf "$S/queue"
mkdir -m 755 "$S/queue"
refuses 75 bare "$S/root" /usr/local/sbin/sendmail r@x.example <<<hello
is "one line" "$(grep -cv '^==\|^False positive\|^For details' "$S/err")" 1 # but for those of a sanitizer without /proc
like "with path, reason and uid" "$(<"$S/err")" '/var/spool/pillarbox.*uid 54321'
BARE=HOME=/nowhere refuses 75 bare "$S/root" /usr/local/sbin/sendmail r@x.example <<<hello
ok 'no violations' sink_content
done_testing
