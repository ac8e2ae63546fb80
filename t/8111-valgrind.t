#!/bin/bash
# SPDX-License-Identifier: ISC
#
# What runs long, under valgrind: the service with the flusher of a user, smtp, and sendmail -bs. Posts,
# bounces, mail that waits, a reload, a flusher that leaves: no error, no leak, no descriptor too many.
. "${0%/*}/lib.sh"
need_root
need setpriv valgrind pgrep
[ -x "$B/plain/sbin/sendmail" ] || give_up "needs $B/plain (make plain)"
scratch
user=12001

# tree/ has what posts; flush in it is what t/watched.c says, and so on down to the real ones.
real=$S/tree/real
mkdir -p "$S/tree/findings" "$real/findings"
chmod 1777 "$S/tree/findings" "$real/findings"
for tree in "$S/tree" "$real" "$real/real"; do
	mkdir -p "$tree/lib"
	cp -r "$B"/plain/{sbin,bin,libexec} "$tree"
	cp -r "$B/plain/lib/pillarbox" "$tree/lib"
done
cp "$B/t/watched" "$S/tree/libexec/pillarbox/flush"
cp "$B/t/watched" "$real/libexec/pillarbox/smtp"
PATH=$S/tree/sbin:$S/tree/bin:$PATH

logged() { grep -sqE "$1" "$S/log"; }
settings() {
	config "relay.url=smtp://127.0.0.1:$SINK_PORT" queue.retry=1h queue.smtp_linger=1 smtp.sandbox=off "$@"
	chmod 644 "$PILLARBOX_CONFIG"
	touch "$S/log"
	chmod 666 "$S/log"
}
post() { setpriv --reuid $user --regid $user --clear-groups sendmail -i -f s@x.example "$@"; }
gone() { ! kill -0 "$1" 2>/dev/null; }
descriptors() { find "/proc/$service/fd" -regex '.*/[0-9][0-9]?[0-9]?' | wc -l; } # valgrind's own are higher

sink_start -r 'rcpt bad@* reply 550 5.1.1 nobody' -r 'rcpt late@* reply 450 4.2.0 later'
settings
sendmail -bD & service=$!
ok "the service starts" eventually 60 logged "started: serving"
before=$(descriptors)
post r@x.example <<<hello
ok "mail goes through it" sink_wait 1 60
alone() { [ -z "$(pgrep -P "$service")" ]; }
ok "its flusher leaves, and smtp" eventually 60 alone
for i in 1 2 3; do post good@x.example bad@x.example late@x.example <<<"number $i"; done
ok "more of it, and bounces" sink_wait 7 60
mv "$S/log" "$S/log.plain"
settings log.format=json
kill -HUP "$service"
ok "a reload" eventually 30 logged 'settings read again'
post after@x.example <<<hello
ok "mail after it" sink_wait 8 60

# The same by SMTP, watched itself.
valgrind -q --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite --track-fds=yes \
	--log-file="$real/findings/sendmail.%p" "$real/sbin/sendmail" -bs -odq >"$S/said" < <(sed 's/$/\r/' <<'X'
EHLO client
MAIL FROM:<s@x.example>
RCPT TO:<one@x.example>
RCPT TO:<@>
DATA
Subject: one

hello
.
MAIL FROM:<s@x.example> SIZE=x
NONSENSE
MAIL FROM:<s@x.example>
RCPT TO:<two@x.example>
DATA
Subject: two

hello
.
QUIT
X
)
is "sendmail -bs" "$? $(grep -c '^250 2.0.0' "$S/said")" "0 2"
setpriv --reuid $user --regid $user --clear-groups sendmail -q
sendmail -q
ok "what it took arrives" sink_wait 10 60
ok "all leave again" eventually 60 alone
fewer() { [ "$(descriptors)" -le "$before" ]; } # a link goes after its process
ok "the service has no more descriptors than when it began" eventually 30 fewer
kill "$service"
ok "it ends" eventually 60 gone "$service"
# That of the last queue run, too, which stays while mail waits: as valgrind's their names are not flush.
left() {
	pgrep -f "$real/" >"$S/pids" || return 0
	xargs kill <"$S/pids" 2>/dev/null
	return 1
}
ok "and all others" eventually 60 left
# findings PROGRAM: without what this valgrind does not know (a sandbox's calls), and without descriptors
# that were inherited or that a process has from one place in the program only: it leaves that to exit().
findings() {
	cat "$S"/tree{,/real}/findings/"$1".* 2>/dev/null | perl -00 -pe 's/^--\d+-- .*\n//mg; s/^==\d+== FILE DESC.*\n//mg;
		s/^(==\d+==) \n/\n/mg' | perl -00 -ne 'next unless /\S/;
		if (/^==(\d+)== Open /) { next if /inherited/; my $pid = $1; my $place = join " ", $pid, /^.* Open [^:]*?\d*: (.*)/, /\((\w+\.c:\d+)\)/g;
			print "twice: $_" if $seen{$place}++; next }
		print'
}
for program in flush smtp sendmail; do
	ok "$program was watched" test -n "$(find "$S/tree/findings" "$real/findings" -name "$program.*")"
	is "valgrind has nothing to say of $program" "$(findings "$program" | head -80)" ""
done
unlike "nothing died" "$(cat "$S/log.plain" "$S/log")" 'smtp (died|ended|does)|flusher of uid'
ok "the sink has nothing to complain of" sink_content
done_testing
