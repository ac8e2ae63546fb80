#!/bin/bash
# SPDX-License-Identifier: ISC
#
# The sources of other packages: an rpm is built and looked at; what Alpine's shell would run is run.
. "${0%/*}/lib.sh"
need rpmbuild rpm shellcheck
scratch
cd "$T/.." || exit 1

for script in etc/debian/{build,postinst,prerm,postrm} etc/alpine/*; do
	is "shellcheck $script" "$(shellcheck -s sh -e SC2034,SC2154,SC2148 "$script")" ''
done

# The rpm, of the sources as they are.
mkdir -p "$S/rpm/SOURCES" "$S/tree/pillarbox-0.1"
cp -r GNUmakefile LICENSE README etc lib mailq sendmail "$S/tree/pillarbox-0.1"
tar -C "$S/tree" -czf "$S/rpm/SOURCES/pillarbox-0.1.tar.gz" pillarbox-0.1
try env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u SAN CFLAGS=-Os rpmbuild --quiet --nodeps -bb \
	--define "_topdir $S/rpm" --define 'debug_package %{nil}' --define '_build_id_links none' \
	etc/rpm/pillarbox.spec
[ "$rc" -eq 0 ]
result 'an rpm is built' || diag "$(tail "$S/err")"
rpm=$(echo "$S"/rpm/RPMS/*/*.rpm)
query() { rpm -qp "$@" "$rpm" 2>/dev/null; }
is 'it stands for a mail server' "$(query --provides | grep -c -e '^smtpdaemon' -e '^server(smtp)')" 2
is 'configuration is kept' "$(query -c | tr '\n' ' ')" '/etc/logrotate.d/pillarbox /etc/pillarbox.ini '
listed() { query --qf '[%{FILEMODES:perms} %{FILENAMES}\n]'; }
for name in /usr/sbin/sendmail /usr/lib/sendmail /usr/bin/mailq /usr/bin/newaliases /usr/libexec/pillarbox/smtp \
	/usr/lib/systemd/system/pillarbox.service; do
	like "it has $name" "$(listed)" " $name"
done
like 'the queue directory is everybody'\''s' "$(listed)" 'drwxrwxrwt /var/spool/pillarbox'
is 'nothing is set-id' "$(listed | grep '^[^ ]*[sS]')" ''

# Alpine's package(), as abuild calls it; build() only would build again.
(
	pkgdir=$S/apk
	make() { env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u SAN make -o all SHARED= B="$B" "$@"; }
	. etc/alpine/APKBUILD
	declare -F build check >/dev/null && package
) >"$S/apk.out" 2>&1
result "APKBUILD's package()" || diag "$(tail "$S/apk.out")"
for name in usr/sbin/sendmail usr/lib/sendmail usr/bin/mailq usr/bin/newaliases usr/libexec/pillarbox/flush \
	etc/init.d/pillarbox etc/pillarbox.ini var/spool/pillarbox; do
	ok "it has /$name" test -e "$S/apk/$name"
done
done_testing
