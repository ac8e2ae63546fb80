#!/bin/bash
# SPDX-License-Identifier: ISC
#
# Messages made fit for what the server offers: encoded where it has no 8BITMIME, and no SMTPUTF8
# asked for where none is needed.
. "${0%/*}/lib.sh"
need_root
need perl
scratch

# What a reader sees of a message: its leaves, decoded, each behind its type. Labels apart.
cat >"$S/mime" <<'PERL'
use strict; use warnings; use MIME::Base64; use MIME::QuotedPrint;
sub part {
	my ($text, $depth) = @_;
	my ($head, $body) = $text =~ /\A(.*?\n)\n(.*)\z/s ? ($1, $2) : ($text, '');
	$head =~ s/\n(?=[ \t])//g;
	my ($type) = $head =~ /^Content-Type:\s*(\S[^\n]*)/mi;
	my ($encoding) = $head =~ /^Content-Transfer-Encoding:\s*(\S+)/mi;
	$type //= 'text/plain';
	print '-' x $depth, $type =~ s/;.*//r, "\n";
	if ($type =~ /boundary="?([^";]+)/) {
		my @parts = split /^--\Q$1\E(?:--)?[ \t]*\n/m, $body;
		pop @parts; shift @parts;
		part(s/\n\z//r, $depth + 1) for @parts;
	} elsif ($type =~ m{^message/rfc822}i) {
		part($body, $depth + 1);
	} else {
		$body = decode_qp($body) if lc($encoding // '') eq 'quoted-printable';
		$body = decode_base64($body) =~ s/\r\n/\n/gr if lc($encoding // '') eq 'base64';
		print $body, "\n";
	}
}
local $/; binmode STDIN; binmode STDOUT;
part(<STDIN> =~ s/\r\n/\n/gr, 0);
PERL
seen() { perl "$S/mime"; }
wide() { LC_ALL=C grep -c $'[\x80-\xff]' "$1"; }

# there NAME: one message came, into $S/eml with LF; who reads it sees what is in $S/in.
there() {
	is "$1: arrives" "$(messages)" 1
	cat "$SINK"/0*.eml | tr -d '\r' >"$S/eml"
	seen <"$S/eml" >"$S/got"
	seen <"$S/in" >"$S/wanted"
	same_file "  says the same" "$S/got" "$S/wanted"
	rm -f "$SINK"/0*.eml
}
post() { rm -f "$SINK"/0*; sendmail -i -f s@x.example r@x.example "$@" <"$S/in"; }
arrives() { ok "$1: is posted" post -odi && there "$1"; }
seven() { is "  in 7 bits" "$(wide "$S/eml")" 0; }

sink_start -x 8BITMIME,SMTPUTF8
config "relay.url=smtp://127.0.0.1:$SINK_PORT"
mime='MIME-Version: 1.0'
label='Content-Transfer-Encoding: 8bit'
text='Content-Type: text/plain; charset=utf-8'

printf '%s\n' "$mime" "$text" "$label" '' 'Grüße, = and' '.' '..dots' '' >"$S/in"
arrives "a text"
seven
like "  quoted-printable" "$(<"$S/eml")" 'Content-Transfer-Encoding: quoted-printable'
is "  MAIL has neither BODY nor a wrong SIZE" "$(grep -h '^mail' "$SINK"/0*.env)" 'mail <s@x.example>'

printf '%s\n' 'Subject: none of it labelled' '' 'naïve' >"$S/in"
arrives "a text of a program that knows nothing of MIME"
seven
like "  is labelled" "$(<"$S/eml")" 'charset=utf-8'

printf '%s\n' "$mime" 'Content-Type: multipart/mixed; boundary=outer' "$label" '' '--outer' \
	'Content-Type: multipart/alternative; boundary="in ner"' "$label" '' '--in ner' "$text" "$label" '' \
	'ä' '--in ner' 'Content-Type: text/html; charset=utf-8' "$label" '' '<p>ä' '--in ner--' '--outer' \
	'Content-Type: message/rfc822' '' 'Subject: inside' "$mime" "$text" "$label" '' 'ö' '--outer' \
	'Content-Type: text/plain' '' 'plain' '--outer--' >"$S/in"
arrives "parts in parts"
seven
is "  no label promises more" "$(grep -ci 'encoding: 8bit' "$S/eml")" 0
like "  what was plain stays so" "$(<"$S/eml")" $'Content-Type: text/plain\n\nplain\n'

{
	printf '%s\n' "$mime" 'Content-Type: application/octet-stream' 'Content-Transfer-Encoding: binary' ''
	perl -e 'srand 1; print pack("C*", map { 128 + int rand 128 } 1 .. 60), "\n" for 1 .. 200'
} >"$S/in"
arrives "what is hardly text"
seven
like "  becomes base64" "$(<"$S/eml")" 'Content-Transfer-Encoding: base64'

printf '%s\n' 'DKIM-Signature: v=1; b=x' "$mime" "$text" "$label" '' 'signed, and schön' >"$S/in"
arrives "a text with a DKIM-Signature"
seven

# In constant memory.
config "relay.url=smtp://127.0.0.1:$SINK_PORT" queue.deliver=queue
{
	printf '%s\n' "$mime" "$text" "$label" ''
	yes 'zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich, 01234567890' | head -c 20000000
	echo
} >"$S/in"
ok "20 MB are posted" post
sendmail -q & flushing=$!
peak=0
while kill -0 $flushing 2>/dev/null; do
	for p in $(running smtp); do
		now=$(awk '/^VmHWM/ { print $2 }' "/proc/$p/status" 2>/dev/null)
		[ "${now:-0}" -le "$peak" ] || peak=$now
	done
	sleep 0.05
done
there "20 MB"
seven
diag "smtp had $peak kB at most"
[ "$B" != "${B%san}" ] || ok "in less memory than that" test "$peak" -gt 0 -a "$peak" -lt 16384
ok "the sink has nothing to complain of" sink_content

# What MIME forbids to encode goes as it is, like 8-bit octets in a header.
config "relay.url=smtp://127.0.0.1:$SINK_PORT"
printf '%s\n' "$mime" 'Content-Type: multipart/signed; boundary=b; protocol="x/y"; micalg=z' '' \
	'--b' "$text" "$label" '' 'unterschrieben, für immer' '--b' 'Content-Type: x/y' '' 'sig' '--b--' >"$S/in"
arrives "what is signed"
is "  as it was" "$(wide "$S/eml")" 1
printf 'Subject: Gr\374\337e\n\nbody\n' >"$S/in"
arrives "a header in Latin 1"
is "  as it was" "$(wide "$S/eml")" 1
is "  the sink saw these two" "$(grep -c '8-bit octet without BODY' "$SINK/violations") $(wc -l <"$SINK/violations")" "2 2"
rm "$SINK/violations"
sink_stop

# The same octets where they are welcome.
sink_start
config "relay.url=smtp://127.0.0.1:$SINK_PORT"
ok "the flusher leaves" eventually 10 test ! -e "$S/spool/$(id -u)/socket"
printf '%s\n' "$mime" "$text" "$label" '' 'Grüße' >"$S/in"
arrives "to a server with 8BITMIME"
is "  octet for octet" "$(tail -n 1 "$S/eml")" 'Grüße'
like "  announced" "$(cat "$SINK"/0*.env)" 'BODY=8BITMIME'

# SMTPUTF8 is for addresses.
printf 'Subject: Gr\303\274\303\237e\n\nbody\n' >"$S/in"
arrives "a header in UTF-8"
unlike "  needs no SMTPUTF8" "$(cat "$SINK"/0*.env)" 'SMTPUTF8'
printf 'To: "J\303\266rg" <j\303\266rg@x.example>\n\nbody\n' >"$S/in"
arrives "an address in UTF-8"
like "  needs it" "$(cat "$SINK"/0*.env)" 'mail <s@x.example> .*BODY=8BITMIME SMTPUTF8'
rm -f "$SINK"/0*
sendmail -i -odi -f $'j\303\266rg@x.example' r@x.example </dev/null
like "a sender, too" "$(cat "$SINK"/0*.env)" $'mail <j\303\266rg@x.example> .*SMTPUTF8'
ok "the sink has nothing to complain of" sink_content
sink_stop
sink_start -x SMTPUTF8
config "relay.url=smtp://127.0.0.1:$SINK_PORT"
ok "the flusher leaves" eventually 10 test ! -e "$S/spool/$(id -u)/socket"
printf 'Subject: \303\274ber\n\nbody\n' >"$S/in"
arrives "a server without it gets the header in UTF-8"
rm -f "$SINK"/0*
sendmail -i -odi -f s@x.example $'j\303\266rg@x.example' r@x.example <"$S/in"
ok "of two recipients one needs it" sink_wait 2
like "  the other gets the message" "$(cat "$SINK"/0*.env)" 'rcpt <r@x.example>'
like "  of the one the sender is told" "$(cat "$SINK"/0*.eml)" \
	$'Final-Recipient: utf-8; j\303\266rg@x.example.*Status: 5.6.7'
rm -f "$SINK"/0*
printf 'To: j\303\266rg@x.example\n\nbody\n' >"$S/in"
try sendmail -i -odi -f s@x.example r@x.example <"$S/in"
ok "an address in the header that needs it" sink_wait 1
like "  is reported" "$(cat "$SINK"/0*.eml)" 'Status: 5.6.7.*needs SMTPUTF8'
ok "the sink has nothing to complain of" sink_content
done_testing
