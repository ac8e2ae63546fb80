# SPDX-License-Identifier: ISC
# shellcheck shell=bash
#
# callers.sh: real programs that send mail, in the root that `make deps` unpacked (t/callers), with
# our programs installed there; sourced after lib.sh. Everything runs in namespaces of its own (mounts
# and processes), and all that is written is below $S/own and goes with S.
#
#	callers_enter "$0" "$@"   into the namespaces; before scratch
#	callers_start             lays the root out; the sink runs, and all mail goes there
#	inside USER COMMAND...    runs there, in USER's home
#	caller NAME ARGV FROM 'TO...' COMMAND...
#	                          posts, and everything is as it should be; see there
#	OWN                       the private part of the root: $OWN/{etc,home,tmp,var}
#
# /usr/sbin/sendmail there is a spy that writes down the arguments and the input, and then becomes
# ours with the same descriptors, but for a copying process in front of a pipe or a socket.
#
# Root is needed.

callers_enter() {
	CALLERS=${PILLARBOX_PEERS:-${T%/*}/build-peers}/callers
	[ -e "$CALLERS/.complete" ] || give_up "needs Debian's programs in $CALLERS (make deps)"
	CALLERS=$(cd "$CALLERS" && pwd)
	[ -n "${CALLERS_ENTERED-}" ] && return
	[ "$(id -u)" -eq 0 ] || give_up "must be root: mounts, and users for cron"
	# Process 1 there is a shell that hands on the TERM it gets when unshare ends.
	CALLERS_ENTERED=yes exec unshare --mount --uts --pid --fork --kill-child=TERM --mount-proc \
		bash -c 'bash "$@" & trap "kill $!; wait" TERM; wait $!' - "$@"
}

# The spy. The process number stays, and so does the kind of standard input.
callers_spy() {
	cat <<-'EOF'
		#!/usr/bin/perl
		use Socket;
		use Time::HiRes;
		$SIG{CHLD} = 'DEFAULT';
		my $mask = umask 0;
		my $note = sprintf '/var/spy/%d.%06d', $$, Time::HiRes::time() * 1e6 % 1e6;
		my $kind = -f STDIN ? 'file' : -S STDIN ? 'socket' : -p STDIN ? 'pipe' : 'other';
		sub note { open my $f, '>', "$note.$_[0]" or die; syswrite $f, $_[1]; $f }
		if ($kind eq 'file') {
			my $at = sysseek STDIN, 0, 1;
			local $/;
			note('in', <STDIN>);
			sysseek STDIN, $at, 0;
		} elsif ($kind ne 'other') {
			my ($r, $w);
			$kind eq 'pipe' ? pipe $r, $w : socketpair $r, $w, AF_UNIX, SOCK_STREAM, 0;
			if (fork == 0) {
				my $f = note('in', '');
				close STDOUT;
				close STDERR;
				close $r;
				while (sysread STDIN, my $some, 65536) {
					syswrite $f, $some;
					syswrite $w, $some or last;
				}
				exit;
			}
			open STDIN, '<&', $r;
			close $_ for $r, $w;
		}
		note('argv', join(' ', map { /^[^\s'"]+$/ ? $_ : "'$_'" } @ARGV) . "\n$kind\n");
		umask $mask;
		exec { '/opt/usr/sbin/sendmail' } $0, @ARGV;
	EOF
}

# Everybody may do anything: the stacks of Debian's PAM want scripts that did not run.
callers_pam() {
	local type
	for type in auth account session password; do
		echo "$type required pam_permit.so" >>"$1/other"
	done
	for type in at atd cron sudo; do cp "$1/other" "$1/$type"; done
}

# A user there: NAME UID FULLNAME
callers_user() {
	echo "$1:x:$2:$2:$3:/home/$1:/bin/sh" >>"$OWN/etc/passwd"
	echo "$1:x:$2:" >>"$OWN/etc/group"
	install -d -m 700 -o "$2" -g "$2" "$OWN/home/$1"
}

# file_of USER:GROUP MODE FILE <TEXT
file_of() { cat >"$3" && chown "$1" "$3" && chmod "$2" "$3"; }

callers_etc() {
	local etc=$OWN/etc
	cp -a "$CALLERS/etc/." "$etc"
	printf '%s\n' root:x:0:0:root:/root:/bin/sh daemon:x:1:1::/: nobody:x:65534:65534::/: >"$etc/passwd"
	printf '%s\n' root:x:0: daemon:x:1: crontab:x:101: nogroup:x:65534: >"$etc/group"
	callers_user alice 1000 'Alice Böhm'
	callers_user bob 1001 'Bob,,,'
	callers_user carol 1002 ''
	printf 'extension=%s\n' ctype iconv intl mbstring tokenizer >"$(echo "$etc"/php/*/cli/conf.d)/all.ini"
	rm -f "$etc"/pam.d/*
	callers_pam "$etc/pam.d"
	rm -rf "$etc"/cron.*/* "$etc/crontab"
	: >"$etc/environment"
	echo 127.0.0.1 localhost client.example.org >"$etc/hosts"
	echo hosts: files >"$etc/nsswitch.conf"
	echo example.org >"$etc/mailname"
	printf '%s\n' '[mail]' 'hostname = client.example' '[relay]' \
		"url = smtp+notls://127.0.0.1:$SINK_PORT" '[log]' 'to = /var/log/pillarbox' >"$etc/pillarbox.ini"
}

callers_var() {
	mkdir -p "$OWN"/var/{lib/sudo,log,mail,spied,spool/{anacron,cron/{atjobs,atspool,crontabs}}}
	ln -s /run "$OWN/var/run"
	install -d -m 1777 "$OWN"/tmp "$OWN"/var/{spy,tmp,spool/pillarbox}
	install -m 666 /dev/null "$OWN/var/log/pillarbox"
	install -d -m 1770 -o 1 -g 1 "$OWN"/var/spool/cron/{atjobs,atspool}
	install -m 600 -o 1 -g 1 <(echo 00000) "$OWN/var/spool/cron/atjobs/.SEQ"
}

callers_dev() {
	local name
	mount -t tmpfs -o mode=755 dev "$CALLERS/dev"
	for name in full null random urandom zero; do
		touch "$CALLERS/dev/$name"
		mount --bind "/dev/$name" "$CALLERS/dev/$name"
	done
	ln -s /proc/self/fd "$CALLERS/dev/fd"
	for name in 0:stdin 1:stdout 2:stderr; do
		ln -s "/proc/self/fd/${name%:*}" "$CALLERS/dev/${name#*:}"
	done
}

# As shipped, with the build that is tested; nothing is built again.
callers_install() {
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -s -C "${T%/*}" -o all B="$B" \
		DESTDIR="$OWN/opt" PREFIX=/usr SYSCONFDIR=/etc install >"$S/install.out" 2>&1 ||
		give_up "make install: $(<"$S/install.out")"
}

# What ours are linked with and none of the callers is: with sanitizers, or STATIC=0.
callers_libraries() {
	local lib
	mkdir "$OWN/opt/lib"
	ldd "$OWN"/opt/usr/{sbin/sendmail,bin/mailq,libexec/pillarbox/{flush,smtp}} |
		grep -o '/[^ ]*\.so[^ ]*' | sort -u |
		while read -r lib; do
			[ -e "$CALLERS$lib" ] || cp "$lib" "$OWN/opt/lib"
		done
	echo /opt/lib >"$OWN/etc/ld.so.conf.d/opt.conf"
	chroot "$CALLERS" /sbin/ldconfig
}

callers_start() {
	local name
	umask 022
	hostname client.example.org
	OWN=$S/own
	mkdir -p "$OWN"/{etc,home,opt,root,run,tmp,var}
	callers_etc
	callers_var
	callers_install
	callers_spy | install -m 755 /dev/stdin "$OWN/opt/spy"
	mount --bind "$CALLERS" "$CALLERS"
	mount -o remount,bind,ro "$CALLERS"
	callers_dev
	mount -t proc proc "$CALLERS/proc"
	for name in "$OWN"/*; do
		mount --rbind "$name" "$CALLERS/${name##*/}"
	done
	mount --bind "$OWN/opt/usr/libexec/pillarbox" "$CALLERS/usr/libexec/pillarbox"
	mount --bind "$OWN/opt/usr/bin/mailq" "$CALLERS/usr/bin/mailq"
	for name in sbin lib; do
		mount --bind "$OWN/opt/spy" "$CALLERS/usr/$name/sendmail"
	done
	callers_libraries
}

inside() {
	local user=$1 home=/home/$1
	[ "$user" = root ] && home=/root
	shift
	chroot --userspec="$user:" "$CALLERS" /usr/bin/env -i --chdir="$home" HOME="$home" USER="$user" \
		LOGNAME="$user" SHELL=/bin/sh LC_ALL=C.UTF-8 \
		PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin "$@"
}

# body FILE, head FILE: of a message, with LF.
body() { perl -0777 -pe 's/\r\n/\n/g; s/^.*?\n\n//s or $_ = ""; s/\n?\z/\n/' "$1"; }
head_of() { perl -0777 -pe 's/\r\n/\n/g; s/\n\n.*/\n/s' "$1"; }
# fields FILE: of the header, unfolded, without those that are the postman's.
fields() { head_of "$1" | perl -0777 -pe 's/\n(?=[ \t])//g; s/^(From |(Bcc|Return-Path):).*\n//mgi'; }

# The Nth message in the input of -bs, as -t would have had it.
unwrapped() {
	perl -0777 -ne 'BEGIN { $n = pop } $_ = (/^DATA\r\n(.*?\r\n)\.\r\n/msg)[$n - 1]; s/^\.//mg; print' "$1" "$2"
}

# Notes that speak of $mark (or any) and were not asked for before, without suffix; the message to NAME.
notes() { grep -lFe "${mark-}" "$OWN"/var/spy/* 2>/dev/null | sed 's/\.[a-z]*$//' | sort -u; }
message_to() { grep -lF -e "rcpt <$1>" "$SINK"/*.env 2>/dev/null | sed 's/\.env$//'; }
has_arrived() { [ -n "$(message_to "$1")" ]; }

forget() { mv "$OWN"/var/spy/* "$OWN/var/spied" 2>/dev/null; }

# header_is_whole WROTE ARRIVED: fields. One From, Date and Message-ID, no Bcc, and nothing that the
# caller wrote is lost, but for what $becomes (of sed) does to it.
header_is_whole() {
	local name lost
	for name in From Date Message-ID; do
		[ "$(grep -ci "^$name:" "$2")" -eq 1 ] || { diag "not one $name"; return 1; }
	done
	if grep -Eiq '^(Resent-)?Bcc:' "$2"; then diag 'Bcc is there'; return 1; fi
	lost=$(sed -E "${becomes-}" "$1" | grep -vxFf "$2")
	[ -z "$lost" ] || { diag 'lost or changed:' "$lost"; return 1; }
}

# same_message NAME WROTE ARRIVED
same_message() {
	fields "$2" >"$S/fields"
	fields "$3" >"$S/fields.arrived"
	header_is_whole "$S/fields" "$S/fields.arrived"
	result "$1: header"
	body "$2" >"$S/wanted"
	body "$3" >"$S/body"
	same_file "$1: body" "$S/body" "$S/wanted"
	[ -n "${encoded-}" ] || same_file "$1: the text" "$S/body" "$OWN/tmp/${text-text}"
}

# caller NAME ARGV FROM 'TO...' COMMAND...: COMMAND runs as $as and succeeds without a word on stderr
# (but what $says); TO's first is nobody else's. It has called sendmail once, with ARGV (a pattern of
# the shell's); one message has come to the sink, with this envelope, all of its header, and the body
# octet for octet: that is $text, unless the caller $encoded it. Notes are told apart by the time, or
# by $mark where a daemon posts.
caller() {
	local name=$1 argv=$2 from=$3 to=$4 note message first=${4%% *}
	posted=$((posted + 1))
	try inside "${as:-alice}" timeout -k 1 20 "${@:5}" <"$OWN/tmp/text"
	# shellcheck disable=SC2053,SC2154 # a pattern; $rc is of try
	[[ "$rc $(<"$S/err")" == "0 "${says-} ]]
	result "$name: exit status and stderr" || diag "got:    $rc" "$(<"$S/err")" "wanted: 0 ${says-}"
	eventually $((rc == 0 ? 10 : 1)) has_arrived "$first"
	result "$name: arrives" || {
		mark='' notes | sed 's/$/.argv/' | xargs -r head >&2
		diag "stdout: $(<"$S/out")" "log: $(tail -n 3 "$OWN/var/log/pillarbox")"
		forget
		return
	}
	note=$(notes)
	message=$(message_to "$first")
	[ "$(wc -w <<<"$note")+$(wc -w <<<"$message")" = 1+1 ]
	result "$name: once" || {
		diag "calls of sendmail:" "$note" "messages:" "$message"
		forget
		return
	}
	mv "$note".* "$OWN/var/spied"
	note=$OWN/var/spied/${note##*/}
	# shellcheck disable=SC2053 # a pattern
	[[ $(head -1 "$note.argv") == $argv ]]
	result "$name: argv" || diag "got:    $(<"$note.argv")" "wanted: $argv"
	is "$name: envelope" "$(sed -n 's/^\(mail\|rcpt\) \(<[^>]*>\).*/\2/p' "$message.env" | tr -d '<>' | paste -sd' ')" \
		"$from $to"
	case $argv in -bs*) unwrapped "$note.in" 1 >"$S/data" ;; *) cp "$note.in" "$S/data" ;; esac
	same_message "$name" "$S/data" "$message.eml"
}
