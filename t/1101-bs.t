#!/bin/bash
# SPDX-License-Identifier: ISC
#
# sendmail -bs: SMTP on standard input and output, by pipes, sockets, and real clients. The dialogue
# itself has t/unit/smtp_server.c.

. "${0%/*}/lib.sh"
need perl swaks
scratch
config queue.deliver=queue

queued() { find "$S/spool" -path '*/new/*' -type f | sort; }
count() { queued | wc -l; }
clear_queue() { find "$S/spool" -type f -path '*/new/*' -delete; }
leftovers() { find "$S"/spool/*/tmp -type f; }
# head_of, body_of FILE: the envelope's addresses on a line; the message behind its header.
head_of() { sed -n '/^$/q; /^from\|^rcpt/p' "$1" | tr '\n' ' '; }
body_of() { sed '1,/^$/d' "$1" | sed '1,/^\r$/d'; }

# bs INPUT [ARGS...]: a session with all of INPUT (escapes of printf %b) at once; its replies without CR.
bs() {
	printf '%b' "$1" | sendmail -bs "${@:2}" >"$S/raw" 2>"$S/err"
	rc=$?
	tr -d '\r' <"$S/raw" >"$S/out"
}
codes() { grep -Eo '^[0-9]{3} ' "$S/out" | tr -d '\n'; }
hello='EHLO c\r\n'
envelope='MAIL FROM:<a@x.example>\r\nRCPT TO:<b@x.example>\r\n'
mail="${envelope}DATA\r\n"

# Several messages in a session.
bs "${hello}${mail}Subject: one\r\n\r\nfirst\r\n.\r\n${mail}Subject: two\r\n\r\n..second\r\n.\r\nQUIT\r\n"
is 'two messages: replies' "$rc $(codes)" '0 220 250 250 250 354 250 250 250 354 250 221 '
is '  nothing on stderr' "$(cat "$S/err")" ''
is '  both are queued' "$(count)" 2
is '  their IDs were told' "$(sed -n 's/^250 2.0.0 Ok: queued as //p' "$S/out" | sort)" \
	"$(queued | xargs -n1 basename)"
is '  the envelope' "$(head_of "$(queued | head -1)")" 'from <a@x.example> rcpt <b@x.example> '
is '  the dot is unstuffed' "$(body_of "$(queued | tail -1)")" $'.second\r'
like '  Received' "$(cat "$(queued | head -1)")" $'\twith ESMTP id '
unlike '  all line ends are CRLF' "$(LC_ALL=C sed 's/\r$//' "$S/raw" | tr -d '\n')" $'\r'
is '  nothing is left in tmp/' "$(leftovers)" ''

# The header is completed as with -t.
clear_queue
bs "HELO c\r\nMAIL FROM:<cron>\r\nRCPT TO:<root>\r\nDATA\r\nTo: root\r\nBcc: secret@x.example,\r\n more@x.example\r\nSubject: s\r\n\r\nx\r\n.\r\nQUIT\r\n"
message=$(cat "$(queued)")
is 'bare names' "$(head_of "$(queued)")" 'from <cron@example.org> rcpt <root@example.org> '
like '  in the header too' "$message" $'\nTo: root@example.org\r'
unlike '  Bcc is removed' "$message" 'secret@|more@|[Bb]cc'
like '  From, Date, Message-ID are added' "$message" 'From: .*Date: .*Message-ID: '
like '  with SMTP after HELO' "$message" $'\twith SMTP id '

# Content: octet for octet.
clear_queue
awk 'BEGIN { for (i = 0; i < 2000; i++) { s = ""; for (j = i % 97; j > 0; j--) s = s "."
	printf "%s line %d \303\274 %s\r\n", s, i, s } }' >"$S/text"
{
	printf '%b' "${hello}MAIL FROM:<a@x.example> BODY=8BITMIME\r\nRCPT TO:<b@x.example>\r\nDATA\r\nFrom: a@x.example\r\n\r\n"
	sed 's/^\./../' "$S/text"
	printf '.\r\nQUIT\r\n'
} | sendmail -bs >"$S/out"
body_of "$(queued)" >"$S/got"
same_file '8-bit text with dots' "$S/got" "$S/text"
like '  is 8BITMIME' "$(cat "$(queued)")" 'body 8BITMIME'

# Parameters reach the spool.
clear_queue
bs "${hello}MAIL FROM:<a@x.example> RET=HDRS ENVID=QQ+2B1 SIZE=10\r\nRCPT TO:<b@x.example> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;o@x\r\nBDAT 14\r\nSubject: s\r\n\r\nBDAT 7 LAST\r\nQUIT\r\n.QUIT\r\n"
is 'DSN and BDAT' "$rc $(codes)" '0 220 250 250 250 250 250 221 '
is '  the spool has them' "$(sed -n '/^$/q; /^envid\|^ret\|^rcpt/p' "$(queued)" | tr '\n' ' ')" \
	'envid QQ+2B1 ret HDRS rcpt <b@x.example> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;o@x '
is '  octets of a chunk are no commands' "$(body_of "$(queued)")" $'QUIT\r\n.\r'

# The end of the input. Rows: name, input, exit status, messages.
while IFS='|' read -r name input status n; do
	clear_queue
	bs "$input"
	is "$name: exit status" "$rc" "$status"
	is '  queued' "$(count)" "$n"
	is '  silent, nothing left' "$(cat "$S/err")$(leftovers)" ''
done <<-END
	nothing at all||0|0
	QUIT|QUIT\r\n|0|0
	end after EHLO|$hello|0|0
	end in a command|${hello}MAIL FR|0|0
	end after RCPT|$hello$envelope|0|0
	end behind a message|$hello${mail}x\r\n.\r\n|0|1
	all refused|FOO\r\nDATA\r\nQUIT\r\n|0|0
	end in DATA|$hello${mail}Subject: x\r\n\r\nhalf\r\n|75|0
	end before the header's end|$hello${mail}Subject|75|0
	end right after DATA|$hello$mail|75|0
	end at the dot|$hello${mail}x\r\n.|75|0
	end at the dot's CR|$hello${mail}x\r\n.\r|75|0
	a dot with LF|$hello${mail}x\r\n.\n|75|0
	a dot behind LF|$hello${mail}x\n.\r\n|75|0
	end in DATA of the second|$hello${mail}x\r\n.\r\n${mail}y|75|1
	end in a chunk|$hello${envelope}BDAT 9 LAST\r\nhalf|75|0
	end before the last chunk|$hello${envelope}BDAT 1\r\nx|75|0
	reset before the last chunk|$hello${envelope}BDAT 1\r\nxRSET\r\n|0|0
	LF for commands only|EHLO c\nMAIL FROM:<a@x>\nRCPT TO:<b@x>\nDATA\nx\n.\nQUIT\n|75|0
	LF for commands|EHLO c\nMAIL FROM:<a@x>\nRCPT TO:<b@x>\nDATA\nx\r\n.\r\nQUIT\n|0|1
END

# Smuggling: one message whatever stands in it, and it goes out harmless.
evil='MAIL FROM:<evil@x.example>\r\nRCPT TO:<victim@x.example>\r\nDATA\r\nsmuggled\r\n'
for end in '\n.\n' '\n.\r\n' '\r\n.\n' '\r.\r' '\r\n.\r' '\n.\r' '\r.\r\n' '\r\n\0.\r\n' '\r\n.\0\r\n'; do
	clear_queue
	bs "${hello}${mail}From: a@x.example\r\n\r\nx${end}${evil}.\r\nQUIT\r\n"
	is "smuggling by ${end//\\/_}: one message" "$rc $(codes) $(count)" '0 220 250 250 250 354 250 221  1'
	is '  to one recipient' "$(head_of "$(queued)")" 'from <a@x.example> rcpt <b@x.example> '
	is '  no bare CR, LF or NUL' "$(body_of "$(queued)" | sed 's/\r$//' | LC_ALL=C tr -dc '\r\0' | wc -c)" 0
done
clear_queue
bs "${hello}MAIL FROM:<a@x.example>\r\nRCPT TO:<b@x.example>\nRCPT TO:<evil@x.example>\r\nDATA\r\nSubject: x\r\n\r\nMAIL FROM:<evil@x.example>\r\n"
like 'a LF in an address is no second command' "$(cat "$S/out")" $'\n500 5.5.2 [^\n]*LF'
like '  a message after a refused DATA ends the session' "$(tail -1 "$S/out")" '^421 '
is '  with nothing queued' "$(count)" 0

# What the spool cannot take.
received=$(for i in {1..60}; do printf 'Received: by %s.example\\r\\n' "$i"; done)
bs "${hello}${mail}${received}\r\nx\r\n.\r\nNOOP\r\n"
like 'a mail loop' "$(cat "$S/out")" $'\n554 5.4.6 mail loop: [^\n]*\n250 2.0.0 Ok$'
bs "${hello}${mail}X: $(printf '%*s' 100 '' | tr ' ' x)\r\n.\r\n"
is 'the session before had no fault' "$(count)" 1
clear_queue
head -c 300000 /dev/zero | tr '\0' 'x' | fold -w 70 | sed 's/$/\r/' >"$S/big"
{ printf '%b' "${hello}${mail}\r\n"; cat "$S/big"; printf '\r\n.\r\nNOOP\r\n'; } |
	bash -c 'trap "" XFSZ; ulimit -f 100; exec sendmail -bs' >"$S/out" 2>"$S/err"
like 'no room: the content is skipped' "$(tr -d '\r' <"$S/out")" $'\n354 [^\n]*\n451 4.3.0 [^\n]*\n250 2.0.0 Ok$'
is '  nothing is queued or left' "$(count)$(leftovers)" 0
try sh -c 'exec sendmail -bs >/dev/full' < <(printf '%b' "$hello")
is 'replies cannot be written' "$rc" 74
try sh -c "printf '$hello${mail}x\r\n.\r\nQUIT\r\n' | (sendmail -bs; echo \$? >$S/status) | head -c 1"
like 'the caller does not read: it ends' "$(cat "$S/status")" '^(0|74)$'

# The log.
like 'the log: accepted' "$(cat "$S/log")" ': helo=<c>, proto=ESMTP, nrcpt=1'
like '  refused' "$(cat "$S/log")" 'NOQUEUE: reject: DATA from local: 451 4\.3\.0 .*; from=<a@x.example> nrcpt=1 proto=ESMTP helo=<c>'
like '  cut off' "$(cat "$S/log")" 'lost connection after DATA from local'
bs "${hello}AUTH PLAIN c2VjcmV0\r\nRCPT TO:<\0033[31m@>\r\n"
unlike '  no password and no control character' "$(cat "$S/log")" $'c2VjcmV0|\e'

# Options around it, in any order.
for options in '-bs' '-bs -i' '-i -bs' '-odq -oem -bs' '-bs -odq -oem -om' '-t -bs' '-oi -bs -v'; do
	clear_queue
	# shellcheck disable=SC2086
	try sendmail $options < <(printf '%b' "${hello}${mail}x\r\n.\r\nQUIT\r\n")
	is "$options" "$rc $(count) $(cat "$S/err")" '0 1 '
done

# A caller that waits for each reply. C: it says; S: the reply's last line begins so; Q: so many
# messages are in new/; W: a command succeeds, within ten seconds.
cat >"$S/talk" <<'END'
use strict; use warnings; use IPC::Open2;
$SIG{ALRM} = sub { print "no reply\n"; exit 1 };
my $pid = open2(my $out, my $in, @ARGV);
binmode $_ for $in, $out;
while (my $line = <STDIN>) {
	chomp $line;
	my ($kind, $text) = $line =~ /^(.): ?(.*)/ or die $line;
	alarm 20;
	if ($kind eq 'C') {
		syswrite $in, $text =~ s/\|/\r\n/gr . "\r\n";
	} elsif ($kind eq 'S') {
		sysread $out, my $reply, 65536;
		my @lines = split /\r\n/, $reply;
		my $got = join '|', map { /^\d{3} / ? substr $_, 0, 3 : () } @lines;
		print "wanted $text, got $reply\n" and exit 1 if $got ne $text;
	} elsif ($kind eq 'Q') {
		my @files = grep { -f } glob "$ENV{S}/spool/*/new/*";
		print "wanted $text, are ", scalar @files, "\n" and exit 1 if @files != $text;
	} else {
		my $tries = 0;
		while (system $text) { select undef, undef, undef, 0.02; print "$text\n" and exit 1 if $tries++ > 500 }
	}
}
close $in;
waitpid $pid, 0;
exit $? >> 8;
END
export S SINK
talk() { perl "$S/talk" sendmail -bs "$@"; }
clear_queue
ok 'each reply comes at once, those to a group in one piece; 250 after the commit' talk <<'END'
S: 220
C: EHLO c
S: 250
C: MAIL FROM:<a@x.example>|RCPT TO:<b@x.example>|RCPT TO:<bad@>|DATA
S: 250|250|501|354
C: Subject: x||hello
Q: 0
C: .
S: 250
Q: 1
C: MAIL FROM:<a@x.example>|RCPT TO:<b@x.example>|BDAT 3|x
S: 250|250|250
C: BDAT 0
S: 250
Q: 1
C: BDAT 0 LAST
S: 250
Q: 2
C: QUIT
S: 221
END

# The message is on its way while the session goes on.
clear_queue
sink_start
config "relay.url=smtp://127.0.0.1:$SINK_PORT"
ok 'delivery begins when the input is idle' talk <<'END'
S: 220
C: EHLO c
S: 250
C: MAIL FROM:<a@x.example>|RCPT TO:<b@x.example>|DATA
S: 250|250|354
C: Subject: x||.. hello|.
S: 250
W: test -e "$SINK/0001.env"
C: NOOP
S: 250
C: MAIL FROM:<a@x.example>|RCPT TO:<c@x.example>|DATA
S: 250|250|354
C: Subject: y||.|QUIT
S: 250|221
END
ok '  and at its end' sink_wait 2
like '  the dot arrives' "$(cat "$SINK/0001.eml")" $'\r\n. hello\r'

# Real clients: swaks by a pipe, Net::SMTP by a socket as inetd and systemd hand it over.
try swaks --pipe "$B/sbin/sendmail -bs" --helo swaks.example --from s@x.example --to r@x.example,q@x.example \
	--header 'Subject: by swaks' --body $'one\n.\n.two'
is 'swaks: exit status' "$rc" 0
ok '  arrives' sink_wait 3
like '  its text' "$(cat "$SINK/0003.eml")" $'by swaks\r.*one\r\n\\.\r\n\\.two\r'

cat >"$S/client" <<'END'
use strict; use warnings; use IO::Socket::INET; use Net::SMTP;
my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1) or die;
if (fork == 0) {
	my $c = $listener->accept;
	open STDIN, '<&', $c; open STDOUT, '>&', $c;
	close $_ for $c, $listener;
	exec @ARGV;
}
my $smtp = Net::SMTP->new('127.0.0.1', Port => $listener->sockport, Hello => 'perl.example', Timeout => 20) or die;
defined $smtp->supports($_) or die $_ for qw(PIPELINING SIZE 8BITMIME SMTPUTF8 DSN CHUNKING ENHANCEDSTATUSCODES);
for my $n (1 .. 2) {
	$smtp->mail('s@x.example', Bits => 8, Return => 'HDRS', Envelope => "e$n") or die $smtp->message;
	my @good = $smtp->recipient("r$n\@x.example", 'bad@', "q$n\@x.example",
		{ Notify => ['FAILURE', 'DELAY'], SkipBad => 1 });
	die "@good" unless @good == 2;
	$smtp->data("Subject: by perl $n\n", "\n", ".dots\n", "..\n", ".\n") or die $smtp->message;
}
$smtp->mail('s@x.example') or die; $smtp->to('bad@') and die; $smtp->reset or die;
$smtp->verify('r') or die; $smtp->help or die;
$smtp->quit or die;
wait; exit $? >> 8;
END
ok 'Net::SMTP' perl "$S/client" sendmail -bs
ok '  both arrive' sink_wait 5
like '  their text' "$(cat "$SINK/0005.eml" "$SINK/0004.eml")" $'\r\n\\.dots\r\n\\.\\.\r\n\\.\r\n'
ok 'no violations' sink_content

done_testing
