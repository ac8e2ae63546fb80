#!/bin/bash
# SPDX-License-Identifier: ISC
#
# Debian's package: built, without a word of lintian, installed in a Debian of its own, used, upgraded,
# removed and purged, with mail in the queue and a configuration that was changed.
. "${0%/*}/lib.sh"
need_root
need dpkg-deb lintian unshare
[ -e "$PEERS/debian/.complete" ] || give_up "needs a Debian in $PEERS/debian (make deps)"
if [ -z "${INSIDE:-}" ]; then
	# The sink leaves when its parent is process 1.
	INSIDE=1 exec unshare --mount --pid --fork --kill-child --mount-proc bash -c '"$0"; exit $?' "$0"
fi
scratch
unset PILLARBOX_CONFIG

deb() {
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u SAN make -s -j2 -C "$T/.." B="$S/build" VERSION="$1" deb >"$S/make.out" 2>&1 ||
		give_up "make deb: $(<"$S/make.out")"
	echo "$S"/build/deb/pillarbox_"$1"_*.deb
}
first=$(deb 0.1)
[ -e "$first" ] || give_up 'no package'
is 'lintian has nothing to say' "$(lintian --allow-root --fail-on none "$first" 2>&1)" ''
fields=$(dpkg-deb -f "$first" Provides Conflicts Replaces | sort | tr '\n' ' ')
is 'it is the mail server of the machine' "$fields" \
	'Conflicts: mail-transport-agent Provides: mail-transport-agent Replaces: mail-transport-agent '
unlike 'nothing is set-id' "$(dpkg-deb -c "$first" | cut -d' ' -f1)" '[sS]'
programs=("$S"/build/deb/root/usr/{sbin/sendmail,bin/mailq,libexec/pillarbox/flush,libexec/pillarbox/smtp,lib/pillarbox/*})
size=$(stat -c %s "${programs[@]}" | awk '{ n += $1 } END { print n }')
ok "the four programs and what they share: $size octets, at most 600 KB" test "$size" -le $((600 * 1024))

# The machine, with another mail server.
mkdir "$S"/{upper,work,root,other}
mount -t overlay overlay -o "lowerdir=$PEERS/debian,upperdir=$S/upper,workdir=$S/work" "$S/root"
trap 'status=$?; umount -R -l "$S/root"; (exit $status); cleanup' EXIT
mount -t proc proc "$S/root/proc"
for name in null urandom; do
	touch "$S/root/dev/$name"
	mount --bind "/dev/$name" "$S/root/dev/$name"
done
inside() { chroot --userspec="$1:$1" "$S/root" /usr/bin/env -i HOME=/nonexistent DEBIAN_FRONTEND=noninteractive PATH=/usr/sbin:/usr/bin:/sbin:/bin "${@:2}"; }
quietly() { "$@" >/dev/null; }
install_deb() {
	cp "$1" "$S/root/tmp/p.deb"
	try inside 0 dpkg --force-confdef --force-confold --install /tmp/p.deb
	[ "$rc" -eq 0 ]
	result "$2" || diag "$(cat "$S/out" "$S/err")"
}
mkdir "$S/other/DEBIAN"
printf '%s\n' 'Package: other-mta' 'Version: 1' 'Architecture: all' 'Maintainer: Nobody <nobody@example.org>' \
	'Provides: mail-transport-agent' 'Conflicts: mail-transport-agent' 'Description: another' >"$S/other/DEBIAN/control"
dpkg-deb --build "$S/other" "$S/other.deb" >/dev/null
install_deb "$S/other.deb" 'a machine with another mail server'
cp "$first" "$S/root/tmp/p.deb"
refuses 1 inside 0 dpkg --install /tmp/p.deb
inside 0 dpkg --remove other-mta >/dev/null # as apt does
install_deb "$first" 'installed in its place'
state() { inside 0 dpkg-query -W -f '${Package} ${db:Status-Abbrev}\n' pillarbox other-mta 2>/dev/null; }
is 'it is there, and the other is not' "$(state)" 'pillarbox ii '
is 'the queue directory' "$(stat -c '%u %a' "$S/root/var/spool/pillarbox")" '0 1777'
is 'the users' "$(grep -c '^_pillarbox.*:/nonexistent:/usr/sbin/nologin$' "$S/root/etc/passwd")" 2
is 'the service is enabled' "$(readlink "$S/root/etc/systemd/system/multi-user.target.wants/pillarbox.service")" \
	/lib/systemd/system/pillarbox.service

# Used: what a person sets up, and a service.
sink_start
relay() {
	printf '%s\n' '; mine' '[mail]' 'domain = x.example' 'hostname = c.example' '[relay]' \
		"url = smtp://127.0.0.1:$SINK_PORT" '[log]' 'to = stderr' >"$S/root/etc/pillarbox.ini"
}
relay
inside 0 sendmail -bD 2>"$S/log" &
service=$!
ok 'the service' eventually 20 test -S "$S/root/run/pillarbox/socket"
post() { inside "$1" "$2" -i -f "u$1@x.example" "${@:3}" r@x.example <<<"Subject: from $1"; }
ok 'root posts through /usr/sbin/sendmail' post 0 /usr/sbin/sendmail
ok 'a user through /usr/lib/sendmail' post 1234 /usr/lib/sendmail
ok 'both are delivered' sink_wait 2
for name in mailq newaliases; do ok "/usr/bin/$name" quietly inside 1234 "/usr/bin/$name"; done
kill -TERM "$(pgrep -P $service -x flush)"
wait $service
is 'the service ends well' $? 0

# Upgraded to a version whose configuration is another, with mail in the queue.
ok 'mail waits' post 1234 /usr/sbin/sendmail -odq
waiting() { mail_in "$S"/root/var/spool/pillarbox/*/{new,cur}; }
second=$(deb 0.2)
dpkg-deb -R "$second" "$S/second"
echo '; theirs' >>"$S/second/etc/pillarbox.ini"
dpkg-deb --build --root-owner-group "$S/second" "$S/second.deb" >/dev/null
install_deb "$S/second.deb" 'upgraded'
is 'to the version' "$(inside 0 dpkg-query -W -f '${Version}' pillarbox)" 0.2
is 'the configuration is mine' "$(head -1 "$S/root/etc/pillarbox.ini")" '; mine'
is 'theirs is beside it' "$(tail -1 "$S/root/etc/pillarbox.ini.dpkg-dist")" '; theirs'
like 'the mail waits' "$(inside 1234 mailq)" r@x.example

# Removed, purged, and installed again.
ok 'removed' quietly inside 0 dpkg --remove pillarbox
is 'without its programs' "$(ls "$S"/root/usr/{sbin/sendmail,lib/sendmail,bin/mailq,libexec/pillarbox,lib/pillarbox} 2>/dev/null)" ''
is 'with configuration and mail' "$(head -1 "$S/root/etc/pillarbox.ini") $(waiting)" '; mine 1'
try inside 0 dpkg --purge pillarbox
like 'purged: it says that mail is kept' "$rc $(<"$S/err")" '^0 .*/var/spool/pillarbox has mail in it, and is kept'
is 'the configuration is gone, the mail is there' \
	"$(find "$S/root/etc" -name 'pillarbox*' ! -path '*/systemd/*') $(waiting)" ' 1'
install_deb "$first" 'installed again'
relay
ok 'the mail that was kept' inside 1234 sendmail -q
is 'is delivered' "$(messages) $(waiting)" '3 0'
ok 'purged with an empty queue' quietly inside 0 dpkg --purge pillarbox
is 'nothing is left' "$(find "$S/root" -xdev -name '*pillarbox*' ! -path "$S/root/proc/*" ! -path '*/run/*' \
	! -path '*/var/log/*' ! -name '*.dpkg-*')" ''
ok 'nothing to complain of' sink_content
done_testing
