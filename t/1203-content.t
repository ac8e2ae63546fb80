#!/bin/bash
# SPDX-License-Identifier: ISC
#
# Lines longer than 998 octets are made legal at injection, without loss, and never refused later.
. "${0%/*}/lib.sh"
need perl
scratch
sink_start
config "relay.url=smtp://127.0.0.1:$SINK_PORT" queue.deliver=foreground

n=0
# arrives NAME INPUT: it is posted and arrives; the header in $S/head, the body in $S/body, with LF.
arrives() {
	rm -f "$SINK"/0*
	n=$((n + 1))
	try sendmail -i -f s@x.example r@x.example <"$2"
	is "$1: accepted, and there" "$rc $(cat "$S/err") $(messages)" "0  1"
	tr -d '\r' <"$SINK"/*.eml >"$S/eml"
	sed '/^$/q' "$S/eml" >"$S/head"
	sed '1,/^$/d' "$S/eml" >"$S/body"
	is "  no line over 998 octets" "$(LC_ALL=C awk 'length > 998' "$S/eml" | wc -l)" 0
}
decoded() { perl -MMIME::QuotedPrint -0777 -ne 'print decode_qp($_)' "$S/body"; }
long=$(printf 'word %.0s' {1..2000})

printf 'To: r@x.example\nSubject: long\n\nshort\n%s\n.dot\n\303\274ber\n' "$long" >"$S/in"
arrives "a long line" "$S/in"
like "  quoted-printable" "$(cat "$S/head")" 'Content-Transfer-Encoding: quoted-printable'
like "  with MIME-Version and charset" "$(cat "$S/head")" 'MIME-Version: 1.0.*charset=.?utf-8|charset=.?utf-8.*MIME-Version: 1.0'
decoded >"$S/got"
sed '1,/^$/d' "$S/in" >"$S/wanted"
same_file "  decodes to what was posted" "$S/got" "$S/wanted"
like "  the log says so" "$(cat "$S/log")" 'lines longer than 998 octets were encoded'

printf 'To: r@x.example\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nplain\n--b\nContent-Type: text/html\n\n%s\n--b--\n' "$long" >"$S/in"
arrives "a part of a multipart" "$S/in"
is "  that part only is encoded" "$(grep -c quoted-printable "$S/body")" 1
like "  the other is as it was" "$(cat "$S/body")" $'Content-Type: text/plain\n\nplain\n'

printf 'To: r@x.example\nReferences: %s\nSubject: x\n\nbody\n' "$(printf '<%s@x> ' {1..400})" >"$S/in"
arrives "a long header line" "$S/in"
is "  is folded, nothing lost" "$(perl -0777 -pe 's/\n(?=[ \t])//g' "$S/head" | sed -n 's/^References: //p' | tr -s ' ' | sed 's/ $//')" \
	"$(sed -n 's/^References: //p' "$S/in" | sed 's/ $//')"

head -c 3000000 /dev/zero | tr '\0' x >"$S/in"
{ printf 'To: r@x.example\n\n'; cat "$S/in"; echo; } >"$S/in2"
arrives "a line of 3 MB" "$S/in2"
is "  decodes" "$(decoded | tr -d '\n' | wc -c)" 3000000

printf 'To: r@x.example\n\nshort \303\274ber\n' >"$S/in"
arrives "a message without long lines" "$S/in"
unlike "  stays as it is" "$(cat "$S/head")" 'Transfer-Encoding|MIME-Version'
ok "the sink has nothing to complain of" sink_content
is "nothing is left in tmp/" "$(find "$S"/spool/*/tmp -type f)" ""
done_testing
