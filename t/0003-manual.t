#!/bin/bash
# SPDX-License-Identifier: ISC
#
# The manual pages say what the tables say, and are well formed.
. "${0%/*}/lib.sh"
need mandoc
cd "$T/.." || exit 1
for page in sendmail/*.8 mailq/*.1 etc/*.5; do
	is "$page is clean" "$(mandoc -Tlint -Wwarning "$page" 2>&1 | grep -v 'referenced manual not found')" ""
done
letters() { sed -n "s/^    {'\(.\)', .*/\1/p" sendmail/options.c | sort -u; }
documented() { sed -n 's/^\.It Fl \(.\).*/\1/p' sendmail/sendmail.8 | sort -u; }
is "sendmail(8) has every option, and no other" "$(documented | tr -d '\n')" "$(letters | tr -d '\n')"
mailq_options() { sed -nE "s/^    \{('(.)'|0), (NULL|\"([a-z-]*)\"), .*/\2 \4/p" mailq/options.c; }
while read -r letter name; do
	[ "${#letter}" -le 1 ] || name=$letter letter=''
	ok "mailq(1) has ${letter:--$name}" grep -qE \
		"^\.It Fl ${letter:+$letter}${letter:+${name:+ , Fl }}${name:+-$name}( Ar .*)?$" mailq/mailq.1
done < <(mailq_options)
is 'mailq(1) has no other option' "$(grep -c '^\.It Fl' mailq/mailq.1)" "$(mailq_options | wc -l)"
keys() { sed -n 's/^SETTING(\([a-z]*\), \([a-z_]*\),.*/\1.\2/p' lib/sys/settings.def; }
for key in $(keys); do
	ok "pillarbox.ini(5) has $key" grep -qE "^\.It .*\b${key#*.}\b" etc/pillarbox.ini.5
	ok "etc/pillarbox.ini has $key" grep -qE "^;? *${key#*.} *=" etc/pillarbox.ini
done
for key in $(sed -n 's/^RELAY_SETTING(\([a-z_]*\),.*/\1/p' lib/sys/relay.def); do
	ok "pillarbox.ini(5) has relay.NAME.$key" grep -qE "^\.(It )?.*\b$key\b" \
		<(sed -n '/^\.Ss Sections relay.NAME/,/^\.Ss Section tls/p' etc/pillarbox.ini.5)
done
done_testing
