#!/bin/bash
# SPDX-License-Identifier: ISC
#
# What init systems are given: systemd's units and how much they shut the service in, and that it
# works so; the scripts of OpenRC and runit; logrotate; and where `make install` puts them.
. "${0%/*}/lib.sh"
need_root
need setpriv pgrep unshare capsh systemd-sysusers systemd-tmpfiles nsenter strace systemd-analyze shellcheck start-stop-daemon
inits=$PEERS/inits
[ -e "$inits/.complete" ] || give_up "needs OpenRC, runit and logrotate in $inits (make deps)"
scratch
cd "$T/.." || exit 1
etc=$PWD/etc
as() { setpriv --reuid "$1" --regid "$1" --clear-groups "${@:2}"; }
none() { [ -z "$(running flush)$(running smtp)" ]; }
gone() { [ ! -e "/proc/$1" ]; }

# Installed, staged, and removed again.
stage() {
	make -s -o all B="$B" "$1" DESTDIR="$S/stage" PREFIX=/usr LIBEXECDIR=/usr/libexec/pillarbox \
		RUNDIR=/run/other "${@:2}"
}
files() { find "$S/stage" ! -type d ! -path '*/man/*' ! -name pillarbox.ini -printf '%m %P\n' | sort; }
ok "make install" stage install INIT='systemd openrc runit'
is "its files" "$(files)" "644 etc/logrotate.d/pillarbox
644 usr/lib/systemd/system/pillarbox-smtp.socket
644 usr/lib/systemd/system/pillarbox-smtp@.service
644 usr/lib/systemd/system/pillarbox.service
644 usr/lib/sysusers.d/pillarbox.conf
644 usr/lib/tmpfiles.d/pillarbox.conf
755 etc/init.d/pillarbox
755 etc/sv/pillarbox/log/run
755 etc/sv/pillarbox/run
755 usr/bin/mailq
755 usr/libexec/pillarbox/flush
755 usr/libexec/pillarbox/smtp
755 usr/sbin/sendmail
777 usr/bin/newaliases
777 usr/lib/sendmail"
is "no path but those of this installation" \
	"$(grep -rEh '/usr/local|/run/pillarbox' "$S"/stage/{etc,usr/lib} --exclude=pillarbox.ini)" ""
like "the runtime directory too" "$(<"$S/stage/usr/lib/systemd/system/pillarbox.service")" \
	$'\nRuntimeDirectory=other\n'
ok "make uninstall" stage uninstall INIT='systemd openrc runit'
is "leaves nothing" "$(files)" ""
stage install INIT=
is "without an init, programs only" "$(files | grep -cE 'pillarbox(|\.service|\.conf)$')" 0

# systemd-analyze, on units with programs that are there.
make -s -o all B="$B" install PREFIX="$S/prefix" SYSCONFDIR="$S/etc" SPOOLDIR="$S/spool" \
	SYSTEMDUNITDIR="$S/units" >"$S/out"
for unit in pillarbox.service pillarbox-smtp@.service; do
	try systemd-analyze security --offline=true --threshold=25 --no-pager "$S/units/$unit"
	is "$unit is shut in well" "$rc $(grep -c "exposure level for ${unit%%[@.]*}" "$S/out")" "0 1"
done
for unit in pillarbox.service pillarbox-smtp.socket pillarbox-smtp@one.service; do
	is "$unit is well formed" \
		"$(SYSTEMD_UNIT_PATH="$S/units:" systemd-analyze verify --man=no "$S/units/$unit" 2>&1 | grep -F "$S/units")" ""
done
mkdir -p "$S/machine/etc"
touch "$S"/machine/etc/{passwd,group,shadow}
systemd-sysusers --root="$S/machine" "$etc/pillarbox.sysusers.conf" 2>"$S/err"
for user in $(sed -n 's/^User=//p' "$etc"/*.service) _pillarbox; do
	ok "$user is made" grep -q "^$user:x:.*/nologin$" "$S/machine/etc/passwd"
done
systemd-tmpfiles --root="$S/machine" --create "$etc/pillarbox.tmpfiles.conf" 2>"$S/err"
is "the queue directory is made" "$(stat -c '%a %u' "$S/machine/var/spool/pillarbox")" "1777 0"

# values KEY FILE: all that the unit has for it.
values() { sed -n "s/^$1=//p" "$etc/$2" | tr '\n' ' '; }

# calls SET...: the system calls of systemd's sets; "~" takes away what follows.
calls() {
	local word
	for word; do
		case $word in
		@*) calls $(systemd-analyze syscall-filter --no-pager "$word" 2>/dev/null |
			sed -n 's/^    \([a-z0-9_@-]*\)$/\1/p') ;;
		*) echo "$word" ;;
		esac
	done
}
allowed() {
	local line
	# shellcheck disable=SC2046 # words
	sed -n 's/^SystemCallFilter=\([^~]\)/\1/p' "$etc/$1" | { read -r line; calls @default $line; } | sort -u >"$S/yes"
	sed -n 's/^SystemCallFilter=~//p' "$etc/$1" | { read -r line; calls $line; } | sort -u >"$S/no"
	comm -23 "$S/yes" "$S/no"
}
called() { sed -n 's/^[0-9]* *\([a-z][a-z0-9_]*\)(.*/\1/p' "$1" | sort -u; }

# trace FILE: in tracer, what stands before a command that is traced. Builds with sanitizers make
# other calls, and do not like to be traced.
trace() {
	tracer=(strace -f -qq -s 0 -o "$1")
	! sanitized || tracer=()
}

# within UNIT TRACE: nothing that the unit forbids was done.
within() {
	local families
	! sanitized || return
	families=$(values RestrictAddressFamilies "$1" | sed 's/ *$//; s/ /|/g')
	is "$1: no system call that is filtered" "$(comm -13 <(allowed "$1") <(called "$2") | tr '\n' ' ')" ""
	is "$1: no other family of addresses ($families)" "$(grep -E '[0-9] socket\(' "$2" | grep -vE "socket\(($families),")" ""
	is "$1: no memory that is written and executed" "$(grep -E 'PROT_WRITE\|PROT_EXEC' "$2")" ""
	is "$1: no namespaces" "$(grep -E 'unshare\(|CLONE_NEW' "$2")" ""
}

# A root like the unit's, in namespaces: read-only but for the places it names, homes and /proc shut,
# its capabilities, no_new_privs. Options of setpriv may stand before the program.
confined() {
	local caps
	caps=$(values CapabilityBoundingSet "$1" | sed 's/ *$//; s/CAP_/,+/g; s/ //g')
	unshare --mount --pid --fork --kill-child=TERM bash -c '
		mount --make-rprivate / && mkdir -p "$1" "$2" "$3" || exit 1
		for place in "$1" "$2" "$3"; do mount --bind "$place" "$place" || exit 1; done
		mount -t tmpfs -o ro,mode=0 none /home && mount -t tmpfs -o ro,mode=0 none /root || exit 1
		mount -t proc -o hidepid=invisible,subset=pid proc /proc || exit 1
		mount -o remount,bind,ro / || exit 1
		! { : >"$3/../forbidden"; } 2>/dev/null || exit 1
		exec setpriv --bounding-set "-all$4" --inh-caps -all --no-new-privs "${@:5}"
	' - "$S/spool" "$S/run" "$S/logs" "${caps:-}" "${@:2}"
}
sink_start
mkdir -m 755 "$S/logs"
chmod 1777 "$S/spool"
settings() {
	config "relay.url=smtp://127.0.0.1:$SINK_PORT" log.to="$S/logs/mail.log" "$@"
	chmod 644 "$PILLARBOX_CONFIG"
}
settings
post() { as "$1" "$S/prefix/sbin/sendmail" -f s@x.example "${@:2}" <<<hello; }
ok "a user's post before the start" post 12001 -odq r1@x.example
trace "$S/run/trace"
confined pillarbox.service "${tracer[@]}" "$S/prefix/sbin/sendmail" -bD 2>"$S/err" &
unshare=$!
ok "the service starts" eventually 20 test -S "$S/run/socket" || diag "$(cat "$S/err" "$S/logs/mail.log")"
ok "and delivers" sink_wait 1
ok "another user's post" post 12002 r2@x.example
ok "is delivered" sink_wait 2
flush=$(pgrep -P "$(pgrep -P $unshare)")
sanitized || flush=$(pgrep -P "$flush" -f -x "flush -D")
kill -HUP "$flush"
ok "it reads the settings again" eventually 20 grep -q 'settings read again' "$S/logs/mail.log"
ok "a third post" post 12001 r3@x.example
ok "is delivered" sink_wait 3
ok "a post of one who cannot write to the spool" unshare --mount bash -c '
	mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && exec setpriv --reuid 12002 \
		--regid 12002 --clear-groups "$2/sbin/sendmail" -f s@x.example r4@x.example <<<hello
' - "$S/spool" "$S/prefix"
ok "is delivered" sink_wait 4
is "with the capabilities of the unit, no more" \
	"$(capsh --decode="$(sed -n 's/^CapBnd:\t//p' "/proc/$flush/status")" | sed 's/.*=//' | tr ',' '\n' | sort | tr '\n' ' ')" \
	"$(values CapabilityBoundingSet pillarbox.service | tr 'A-Z ' 'a-z\n' | sort | tr '\n' ' ' | sed 's/^ *//')"
kill "$flush"
wait $unshare
is "and leaves in peace" $? 0
within pillarbox.service "$S/run/trace"
sanitized || ok "smtp was traced" grep -q 'socket(AF_INET, ' "$S/run/trace"

# A session of the socket unit.
printf '%s\r\n' 'EHLO x' 'MAIL FROM:<s@x.example>' 'RCPT TO:<r5@x.example>' DATA '' hello . QUIT >"$S/session"
settings queue.deliver=queue
trace "$S/spool/trace"
as 12003 "${tracer[@]}" "$S/prefix/sbin/sendmail" -bs <"$S/session" >"$S/out"
like "a session of -bs" "$(<"$S/out")" '250 2.0.0'
within pillarbox-smtp@.service "$S/spool/trace"
settings
try confined pillarbox-smtp@.service --reuid 12003 --regid 12003 --clear-groups \
	"$S/prefix/sbin/sendmail" -bs <"$S/session"
is "a session under the socket's unit" "$rc$(<"$S/err")" 0
like "takes mail" "$(<"$S/out")" '250 2.0.0'
ok "which is in the spool" test -n "$(find "$S/spool/12003" -type f -size +100c)"

# OpenRC, runit and logrotate in a copy of this machine's root that is thrown away, with /run and
# process numbers of its own.
is "the scripts are sound" "$(shellcheck -s sh "$etc"/*.run && shellcheck -s sh -e SC2034 "$etc/pillarbox.openrc" 2>&1)" ""
stage install INIT='openrc runit' RUNDIR=/run/pillarbox
mkdir "$S"/{up,work,root}
unshare --mount --pid --fork --kill-child --propagation private bash -c '
	cd "$1/root" || exit 1
	mount -t overlay -o "lowerdir=/,upperdir=$1/up,workdir=$1/work" none . && cd "$1/root" || exit 1
	mount -t tmpfs none run && mount --rbind /dev dev && mount -t proc proc proc || exit 1
	cp -an "$2"/{,usr/}lib/*-linux-gnu*/lib{rc,einfo,popt,acl,selinux}[.-]* usr/lib/*-linux-gnu*/ 2>"$1/err"
	rm -rf etc/init.d && mkdir -p etc/init.d etc/runlevels/default
	cp -a "$2/lib/rc" usr/lib/ && cp -a "$2/sbin/openrc-run" "$2/usr/sbin/logrotate" usr/sbin/ &&
		cp -a "$2"/usr/bin/{runsv,sv,svlogd} usr/bin/ && cp -a "$1/stage/." . || exit 1
	# What the boot has made by then, and what Debian has by other names.
	mkdir -p run/openrc/{daemons,exclusive,failed,inactive,options,started,starting,stopping,tmp}
	: >run/openrc/softlevel
	: >etc/insserv.conf
	printf "#!/sbin/openrc-run\nstart() { :; }\n" >etc/init.d/localmount
	chmod 755 etc/init.d/localmount
	: >"$1/laid out"
	exec chroot . bash -c "while :; do sleep 1 & wait; done"
' - "$S" "$(cd "$inits" && pwd)" &
holder=$!
eventually 20 test -e "$S/laid out" || give_up "a root for init scripts"
one=$(pgrep -P $holder)
inside() { nsenter -t "$one" -m -p -r env -i -C / PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"; }
quietly() { inside "$@" >"$S/out" 2>&1; }
ini() {
	config "relay.url=smtp://127.0.0.1:$SINK_PORT" queue.dir=/var/spool/pillarbox \
		queue.socket=/run/pillarbox/socket log.to=/var/log/pillarbox/mail.log "$@"
	inside sh -c 'cat >/etc/pillarbox.ini; chmod 644 /etc/pillarbox.ini' <"$PILLARBOX_CONFIG"
}
log_has() { inside grep -sq "$1" /var/log/pillarbox/mail.log; }
pid() { inside cat /run/pillarbox/pillarbox.pid 2>/dev/null; }
no_pid() { [ -z "$(pid)" ]; }
sink_stop
rm -rf "$SINK"
sink_start -p "$SINK_PORT" -r 'count 1 rcpt late@* reply 450 4.2.0 later' \
	-r 'count 1 rcpt later@* reply 450 4.2.0 later'
inside mkdir -p /var/log/pillarbox
ini
ok "OpenRC: start" quietly /etc/init.d/pillarbox start
running=$(pid)
ok "it runs" quietly kill -0 "${running:-0}"
ok "OpenRC knows it" quietly /etc/init.d/pillarbox status
ok "a post that has to wait" quietly sendmail -f s@x.example late@x.example <<<hello
ok "waits" eventually 20 log_has 'status=deferred'
ok "OpenRC: flush" quietly /etc/init.d/pillarbox flush
ok "tries it now" sink_wait 1
ok "OpenRC: reload" quietly /etc/init.d/pillarbox reload
ok "reads the settings again" eventually 20 log_has 'settings read again'
ok "OpenRC: stop" quietly /etc/init.d/pillarbox stop
ok "it is gone" no_pid
try inside /etc/init.d/pillarbox status
is "OpenRC knows it" $rc 3
ini queue.socket=/etc/passwd/socket
try inside /etc/init.d/pillarbox start
is "a start that fails is seen to fail" "$rc" 1
like "with the reason" "$(cat "$S/out" "$S/err")" 'cannot listen on /etc/passwd/socket'

ini log.to=stderr
quietly runsv /etc/sv/pillarbox &
runsv=$!
ok "runit: the service is up" eventually 20 quietly sv check /etc/sv/pillarbox
ok "and listens" eventually 20 inside test -S /run/pillarbox/socket
ok "a post that has to wait" quietly sendmail -f s@x.example later@x.example <<<hello
current_has() { inside grep -sq "$1" /var/log/pillarbox/current; }
ok "waits, and is in the log of svlogd" eventually 20 current_has 'to=<later@x.example>.*status=deferred'
ok "sv hup" quietly sv hup /etc/sv/pillarbox
ok "reads the settings again" eventually 20 current_has 'settings read again'
ok "sv 1" quietly sv 1 /etc/sv/pillarbox
ok "tries all mail now" sink_wait 2
ok "sv down" quietly sv -w 7 down /etc/sv/pillarbox
ok "ends it" no_pid
quietly sv exit /etc/sv/pillarbox
ok "runsv ends" eventually 20 gone $runsv

ini
ok "a service with a log file" quietly sendmail -bd
ok "logrotate" quietly logrotate -f -s /run/logrotate.state /etc/logrotate.d/pillarbox
ok "begins a new file, and has the service write to it" eventually 20 log_has 'settings read again'
ok "the old one is kept" inside grep -q 'started: ' /var/log/pillarbox/mail.log.1
inside kill "$(pid)"
ok "no violations" sink_content
{ kill -KILL $holder && wait $holder; } 2>/dev/null
done_testing
