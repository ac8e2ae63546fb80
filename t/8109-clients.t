#!/bin/bash
# SPDX-License-Identifier: ISC
#
# SMTP on standard input from callers that misbehave, at every stage; and crowds of callers. Whatever they
# do: a status of sysexits, no signal, little memory, an end in time; and 250 only with the whole message
# in the spool, else nothing.

. "${0%/*}/lib.sh"
need_root
need perl time timeout setpriv strace
scratch
. "$T/bounds.sh"
config queue.deliver=queue

# Rows: name ~ status ~ messages ~ REGEX of the replies' codes, of a run five at most ~ input, in Perl.
# $h EHLO, $m MAIL, $r RCPT, $d DATA, $x a message with its dot, $q QUIT.
cat >"$S/say" <<'END'
my ($h, $m, $r, $d, $x, $q) = ("EHLO c\r\n", "MAIL FROM:<a\@x.example>\r\n", "RCPT TO:<b\@x.example>\r\n",
	"DATA\r\n", "Subject: x\r\n\r\nhello\r\n.\r\n", "QUIT\r\n");
binmode STDOUT;
$SIG{PIPE} = 'IGNORE';
sub often { my ($n, $text) = @_; while ($n-- > 0) { print $text or exit } }
print eval shift;
die $@ if $@;
END
row() { # NAME STATUS MESSAGES REGEX INPUT
	clear_queue
	bounded sendmail -bs < <(perl "$S/say" "$5" 2>"$S/say.err")
	codes=$(tr -d '\r' <"$S/out" | grep -Eo '^[0-9]{3} ' | awk '{ n = $1 == last ? n + 1 : 1; last = $1 } n <= 5' | tr -d '\n')
	n=$(queued | wc -l)
	[ -z "$(sed 's/\r$//' "$S/out" | LC_ALL=C tr -d '\n -~')" ] || wrong+=' octets that no reply has'
	[ -z "$(awk 'length > 511' "$S/out")" ] || wrong+=' a reply that is too long'
	[ -z "$(<"$S/err")" ] || wrong+=" stderr: $(head -c 200 "$S/err")"
	[ "$rc $n$wrong" = "$2 $3" ] && [[ $codes =~ $4 ]]
	result "-bs: $1" || diag "status $rc, queued $n,$wrong codes $codes" "$(tail -3 "$S/out" | cut -c1-300)" "$(<"$S/say.err")"
}
while IFS='~' read -r name status n regex input; do
	case $name in '' | '#'*) ;; *) row "$name" "$status" "$n" "$regex" "$input" ;; esac
done <<'END'
# Lines
a line without end, 40 MB~0~0~^220 $~often(40000, "x" x 1000); ''
a command of 3,000 octets~0~0~^220 500 250 221 $~"NOOP " . "x" x 3000 . "\r\n$h$q"
the longest that is none too long~0~0~^220 250 250 221 $~$h . "NOOP " . "x" x 2041 . "\r\n$q"
garbage without end~0~0~( 500)+ 421 $~often(100000, "garbage\r\n"); ''
empty lines without end~0~0~( 500)+ 421 $~often(100000, "\r\n"); ''
binary noise~0~0~^220 .*$~srand(7); join '', map { chr int rand 256 } 1 .. 300000
NUL in a command~0~0~^220 250 500 221 $~"$h" . "MAIL FROM:<a\0\@x.example>\r\n$q"
NULs only, 10 MB~0~0~^220 $~often(10000, "\0" x 1000); ''
bare LF behind CRLF~0~0~^220 250 500 ~$h . "MAIL FROM:<a\@x>\nRCPT TO:<b\@x>\r\n$q"
bare CR in a command~0~0~^220 250 500 503 221 $~$h . "MAIL FROM:<a\@x>\rRCPT TO:<b\@x>\r\n$r$q"
CR CR LF~0~0~^220 (250|50[01]) ~"EHLO c\r\r\n$q"
CRs only~0~0~^220 ~"\r" x 100000
LF for all, and a message~75~0~354 ~"EHLO c\nMAIL FROM:<a\@x>\nRCPT TO:<b\@x>\nDATA\nx\n.\nQUIT\n"
telnet's options~0~0~^220 500 ~"\xff\xfb\x01\xff\xfd\x03\r\n$q"
ClientHello~0~0~^220 (500 )?~"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" . "\x5a" x 500
HTTP~0~0~421 $~"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 300\r\n\r\n$h$m$r$d$x"
a proxy's line~0~0~^220 50~"PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n$q"
# Order
all before EHLO~0~0~^220 503 503 503 221 $~"$m$r$d$q"
RCPT before MAIL~0~0~^220 250 503 221 $~"$h$r$q"
DATA before MAIL~0~0~^220 250 503 221 $~"$h$d$q"
DATA before RCPT~0~0~^220 250 250 503 221 $~"$h$m$d$q"
MAIL twice~0~0~^220 250 250 503 221 $~"$h$m$m$q"
BDAT before MAIL~0~0~^220 250 503 221 $~$h . "BDAT 5 LAST\r\nhello$q"
BDAT before RCPT~0~0~^220 250 250 50?3~$h . $m . "BDAT 5 LAST\r\nhello$q"
EHLO in a transaction~0~0~250 250 250 503 221 $~"$h$m$r$h$d$q"
RSET in a transaction~0~0~250 250 250 250 503 221 $~"$h$m${r}RSET\r\n$d$q"
RSET 100,000 times~0~0~250 221 $~print $h; often(100000, "RSET\r\n"); $q
MAIL and RSET 30,000 times~0~0~250 221 $~print $h; often(30000, "${m}RSET\r\n"); $q
a refused DATA, and the message all the same~0~0~421 $~"$h${d}Subject: x\r\nFrom: y\r\n\r\nRCPT TO:<evil\@x>\r\n.\r\n"
behind QUIT~0~0~^220 250 221 $~"$h$q$h$m$r$d$x"
a message behind QUIT's message~0~1~^220 250 250 250 354 250 221 $~"$h$m$r$d$x$q$m$r$d$x"
STARTTLS, which there is not~0~0~^220 250 502 221 $~"${h}STARTTLS\r\n$q"
STARTTLS, and a message~0~1~^220 250 502 250 250 354 250 221 $~"${h}STARTTLS\r\n$m$r$d$x$q"
AUTH, which there is not~0~0~^220 250 502 221 $~"${h}AUTH PLAIN AGEAYg==\r\n$q"
commands of others~0~0~^220 250 502 502 500 500 500 500 500 221 $~$h . join('', map { "$_\r\n" } qw(TURN ETRN XCLIENT XFORWARD SEND SAML ATRN BURL)) . $q
VRFY, EXPN, HELP~0~0~^220 250 252 ~"${h}VRFY root\r\nEXPN list\r\nHELP\r\n$q"
arguments where there are none~0~0~^220 250 501~"${h}RSET x\r\nDATA x\r\n$q"
EHLO without a name~0~0~^220 501 ~"EHLO\r\n$q"
EHLO of 1,500 octets~0~0~^220 501 ~"EHLO " . "x" x 1500 . "\r\n$q"
EHLO with 8 bits~0~0~^220 501 ~"EHLO \xff\xfe\r\n$q"
# Addresses
100,000 recipients~0~1~250 452 .*354 250 221 $~print "$h$m"; often(1, "RCPT TO:<r$_\@x.example>\r\n") for 1 .. 100000; "$d$x$q"
the same one 100,000 times~0~1~354 250 221 $~print "$h$m"; often(100000, $r); "$d$x$q"
1,000 bad ones~0~0~421 $~print "$h$m"; often(1000, "RCPT TO:<bad@>\r\n"); "$d$x$q"
nobody~0~0~^220 250 250 501 ~$h . $m . "RCPT TO:<>\r\n$q"
8 bits without SMTPUTF8~0~0~^220 250 553 221 $~$h . "MAIL FROM:<\xc3\xbc\@x.example>\r\n$q"
8 bits that are no UTF-8~0~0~^220 250 501 221 $~$h . "MAIL FROM:<\xff\@x.example> SMTPUTF8\r\n$q"
overlong UTF-8~0~0~^220 250 501 221 $~$h . "MAIL FROM:<\xc0\xaf\@x.example> SMTPUTF8\r\n$q"
a surrogate~0~0~^220 250 501 221 $~$h . "MAIL FROM:<\xed\xa0\x80\@x.example> SMTPUTF8\r\n$q"
a local part of 400 octets~0~0~^220 250 501 ~$h . "MAIL FROM:<" . "a" x 400 . "\@x.example>\r\n$q"
300 labels~0~0~^220 250 501 ~$h . "MAIL FROM:<a\@" . "a." x 300 . "b>\r\n$q"
angles without end~0~0~^220 250 501 ~$h . "MAIL FROM:" . "<" x 1000 . "\r\n$q"
quotes without end~0~0~^220 250 501 ~$h . "MAIL FROM:<\"" . "\\\"" x 900 . "\@x>\r\n$q"
comments without end~0~0~^220 250 501 ~$h . "MAIL FROM:" . "(" x 1900 . "\r\n$q"
text behind the address~0~0~^220 250 5~$h . "MAIL FROM:<a\@x.example>garbage\r\n$q"
two addresses~0~0~^220 250 250 501 ~$h . $m . "RCPT TO:<a\@x>,<b\@x>\r\n$q"
escapes and tabs~0~0~^220 250 500 221 $~$h . "MAIL FROM:<a\e[2J\t\@x>\r\n$q"
# Parameters
SIZE of 30 digits~0~0~^220 250 501 221 $~$h . "MAIL FROM:<a\@x> SIZE=" . "9" x 30 . "\r\n$q"
SIZE below nothing~0~0~^220 250 501 ~$h . "MAIL FROM:<a\@x> SIZE=-1\r\n$q"
SIZE without a value~0~0~^220 250 501 ~$h . "MAIL FROM:<a\@x> SIZE\r\n$q"
BODY that there is not~0~0~^220 250 50[14] ~$h . "MAIL FROM:<a\@x> BODY=BINARYMIME\r\n$q"
BODY twice~0~0~^220 250 (250|501) ~$h . "MAIL FROM:<a\@x> BODY=7BIT BODY=8BITMIME\r\n$q"
400 parameters~0~0~^220 250 555 221 $~$h . "MAIL FROM:<a\@x>" . " X=1" x 400 . "\r\n$q"
a parameter without a name~0~0~^220 250 555 221 $~$h . "MAIL FROM:<a\@x> =x\r\n$q"
ENVID of 1,000 octets~0~0~^220 250 501 ~$h . "MAIL FROM:<a\@x> ENVID=" . "e" x 1000 . "\r\n$q"
ENVID with an end of line in it~0~0~^220 250 501 ~$h . "MAIL FROM:<a\@x> ENVID=+0D+0ARCPT\r\n$q"
NOTIFY=NEVER and more~0~0~^220 250 250 501 ~$h . $m . "RCPT TO:<a\@x> NOTIFY=NEVER,SUCCESS\r\n$q"
ORCPT without a type~0~0~^220 250 250 501 ~$h . $m . "RCPT TO:<a\@x> ORCPT=x\r\n$q"
MAIL's parameters for RCPT~0~0~^220 250 250 5~$h . $m . "RCPT TO:<a\@x> SIZE=1\r\n$q"
after HELO no parameters~0~0~^220 250 ~"HELO c\r\nMAIL FROM:<a\@x> SIZE=1\r\n$q"
# Content
half a DATA~75~0~354 $~"$h$m$r${d}Subject: x\r\n\r\nhalf"
a header that never ends~0~0~354 554 221 $~print "$h$m$r$d"; often(1000, "X: y\r\n" . (" " . "z" x 70 . "\r\n") x 200); "\r\n.\r\n$q"
a field of 40 MB~0~0~354 554 221 $~print "$h$m$r${d}X: "; often(40000, "z" x 1000); "\r\n\r\n.\r\n$q"
a body line of 40 MB~0~1~354 250 221 $~print "$h$m$r${d}Subject: x\r\n\r\n"; often(40000, "z" x 1000); "\r\n.\r\n$q"
only a dot~0~1~354 250 221 $~"$h$m$r$d.\r\n$q"
only dots~0~1~354 250 221 $~"$h$m$r$d" . "..\r\n" x 10000 . ".\r\n$q"
dot, space~75~0~354 $~"$h$m$r$d\r\n. \r\n$q"
dot, CR CR LF~75~0~354 $~"$h$m$r$d\r\n.\r\r\n$q"
a million dots~0~1~354 250 221 $~"$h$m$r$d\r\n" . "." x 1000000 . "\r\n.\r\n$q"
NULs in it, 10 MB~0~1~354 250 221 $~print "$h$m$r$d\r\n"; often(10000, "\0" x 1000); "\r\n.\r\n$q"
CRs in it, 1 MB~0~1~354 250 221 $~"$h$m$r$d\r\n" . "\r" x 1000000 . "\n\r\n.\r\n$q"
1,000 Received~0~0~354 554 221 $~"$h$m$r$d" . "Received: x\r\n" x 1000 . "\r\n.\r\n$q"
# BDAT
BDAT that says too much~75~0~^220 250 250 250 $~$h . $m . $r . "BDAT 100 LAST\r\nshort\r\n$q"
BDAT that says too little~0~1~250 250 500~$h . $m . $r . "BDAT 5 LAST\r\nhello world\r\n$q"
BDAT below nothing~0~0~^220 250 250 250 421 $~$h . $m . $r . "BDAT -1\r\n$q"
BDAT of 30 digits~0~0~^220 250 250 250 421 $~$h . $m . $r . "BDAT " . "9" x 30 . "\r\n$q"
BDAT in hexadecimal~0~0~^220 250 250 250 421 $~$h . $m . $r . "BDAT 0x10\r\n$q"
BDAT FIRST~0~0~^220 250 250 250 421 $~$h . $m . $r . "BDAT 5 FIRST\r\nhello\r\n$q"
BDAT of nothing, and nothing~0~1~250 250 250 250 221 $~$h . $m . $r . "BDAT 0 LAST\r\n$q"
BDAT of nothing 100,000 times~0~1~250 221 $~print "$h$m$r"; often(100000, "BDAT 0\r\n"); "BDAT 3 LAST\r\nx\r\n$q"
DATA behind BDAT~75~0~250 250 250 250 503~$h . $m . $r . "BDAT 1\r\nx$d"
MAIL behind BDAT~75~0~250 250 250 250 503~$h . $m . $r . "BDAT 1\r\nx$m"
BDAT of 4 GB and a bit~75~0~250 250 250 $~$h . $m . $r . "BDAT 4294967297 LAST\r\nx"
END

# The end of the input behind each octet of a session: within a message 75 and nothing, behind it the whole.
cat >"$S/cut" <<'END'
use strict; use warnings;
my @wrong;
sub status { my ($text) = @_; open my $p, '|-', 'sendmail -bs >/dev/null' or die; print $p $text; close $p; $? }
sub queued { scalar @{[glob "$ENV{S}/spool/*/new/*"]} }
for my $content ("DATA\r\n^Subject: x\r\n\r\n..\r\nhello\r\n.\r\n\$", "BDAT 14\r\n^Subject: x\r\n\r\nBDAT 7 LAST\r\nhello\r\n\$") {
	my $text = "EHLO c\r\nMAIL FROM:<a\@x.example>\r\nRCPT TO:<b\@x.example>\r\n${content}NOOP\r\nQUIT\r\n";
	my $begin = index $text, '^';
	$text =~ s/\^//;
	my $end = index $text, '$';
	$text =~ s/\$//;
	for my $n (0 .. length $text) {
		my $status = status(substr $text, 0, $n);
		my ($wanted, $messages) = ($n >= $begin && $n < $end ? 75 << 8 : 0, $n >= $end ? 1 : 0);
		push @wrong, "$n: $status " . queued() if $status != $wanted || queued() != $messages;
		unlink glob "$ENV{S}/spool/*/new/*";
	}
}
print "@wrong";
END
export S SINK
is 'the end of the input behind each octet' "$(perl "$S/cut")" ''

# Nothing comes for too long: the poll that waits for more says that time is up.
mkfifo "$S/pipe"
silence() { # NAME NTH STATUS INPUT
	clear_queue
	exec 7<>"$S/pipe"
	printf '%b' "$4" >&7
	strace -o /dev/null -e inject=poll:retval=0:when="$2" "$B/sbin/sendmail" -bs <&7 >"$S/out" 2>"$S/err"
	is "silence $1" "$? $(queued | wc -l) $(tail -n 1 "$S/out" | tr -d '\r')" \
		"$3 0 421 4.4.2 Nothing came for too long, closing the connection"
	exec 7>&-
}
mail='EHLO c\r\nMAIL FROM:<a@x.example>\r\nRCPT TO:<b@x.example>\r\n'
silence 'from the start' 4 0 ''
silence 'in a command' 6 0 'EHLO c\r\nMAIL FR'
silence 'after RCPT' 6 0 "$mail"
silence 'after DATA' 6 75 "${mail}DATA\r\n"
silence 'in a message' 6 75 "${mail}DATA\r\nSubject: x\r\n\r\nhalf"
silence 'between chunks' 6 75 "${mail}BDAT 2\r\nx\n"
silence 'in a chunk' 6 75 "${mail}BDAT 20 LAST\r\nhalf"

# crowd COUNT USERS: COUNT callers at the same moment, each with its own message, as users from 12001 on
# (0: as we are). Says how many did not exit with 0.
cat >"$S/crowd" <<'END'
use strict; use warnings;
my ($count, $users) = @ARGV;
pipe my $go, my $hold or die;
for my $n (1 .. $count) {
	next if fork // die;
	open STDIN, '<', "$ENV{S}/messages/$n" or die;
	if ($users) {
		my $id = 12001 + $n % $users;
		($(, $)) = ($id, "$id $id");
		($<, $>) = ($id, $id);
	}
	close $hold;
	sysread $go, my $nothing, 1;
	exec 'sendmail', '-i', '-f', "u\@p$n.example", "r\@p$n.example";
}
close $hold;
my $failed = 0;
while (wait != -1) { $failed++ if $? }
print $failed;
END
cat >"$S/write" <<'END'
use strict; use warnings;
for my $n (1 .. $ARGV[0]) {
	srand $n;
	open my $f, '>', "$ENV{S}/messages/$n" or die;
	print $f "Subject: $n\n\n", map { ('.' x rand 3) . join('', map { chr 33 + rand 90 } 1 .. rand 70) . "\n" } 1 .. 1 + rand 100;
}
END
# Numbers of messages that did not come once, octet for octet.
cat >"$S/compare" <<'END'
use strict; use warnings;
my %seen;
sub text { local (@ARGV, $/) = @_; <> }
for my $file (glob "$ENV{SINK}/*.eml") {
	my ($head, $body) = split /\r\n\r\n/, text($file), 2;
	my ($n) = $head =~ /^Subject: (\d+)/m or die $file;
	my $wanted = text("$ENV{S}/messages/$n") =~ s/^.*?\n\n//sr =~ s/\n/\r\n/gr;
	$seen{$n} += $body eq $wanted ? 1 : 1000;
}
my @wrong = grep { ($seen{$_} // 0) != 1 } 1 .. $ARGV[0];
print @wrong > 20 ? @wrong . ' of them' : "@wrong";
END
mkdir "$S/messages"
perl "$S/write" 1000
clear_queue
sink_start
config "relay.url=smtp://127.0.0.1:$SINK_PORT"
is '1,000 callers at the same moment: all are told yes' "$(perl "$S/crowd" 1000 0 2>&1 | tail -n 1)" 0
ok '  all is delivered' eventually 120 queue_is_empty
is '  once, octet for octet' "$(perl "$S/compare" 1000)" ''
is '  nothing is left' "$(leftovers)" ''

# Of a hundred users, beside a service. They need not be able to reach the build folder.
mkdir "$S/prefix"
cp -r "$B/sbin" "$B/bin" "$B/libexec" "$S/prefix"
PATH=$S/prefix/sbin:$S/prefix/bin:$PATH
chmod 711 "$S"
chmod -R a+rX "$S/messages"
sink_stop
rm -rf "$SINK"
sink_start
config "relay.url=smtp://127.0.0.1:$SINK_PORT" log.to=auto
chmod 644 "$PILLARBOX_CONFIG"
unset HOME
sendmail -bD 2>"$S/service.log" &
service=$!
ok 'the service starts' eventually 20 test -S "$S/run/socket"
is '1,000 callers of 100 users: all are told yes' "$(perl "$S/crowd" 1000 100 2>&1 | tail -n 1)" 0
all_gone() { [ -z "$(find "$S"/spool/*/{new,cur,tmp,failed} -type f)" ]; }
ok '  all is delivered' eventually 120 all_gone
is '  once, octet for octet' "$(perl "$S/compare" 1000)" ''
is '  from a hundred directories' "$(find "$S/spool" -mindepth 1 -maxdepth 1 -name '12*' | wc -l)" 100
kill $service
ok '  the service ends well' wait $service
ok 'no violations' sink_content
done_testing
