# SPDX-License-Identifier: ISC
# shellcheck shell=bash
#
# memory.sh: what our processes hold while they deliver; `run` sources it.

memory_limit=12288 # KB

# Everything of ours that runs, in KB: the sum of PSS, pages that several share divided among them,
# without those of OpenSSL's libraries.
ours_smaps() {
	find /proc/[0-9]*/exe -lname "$B/sbin/*" -o -lname "$B/libexec/*" | sed 's/exe$/smaps/'
} 2>/dev/null

pss_sum() {
	ours_smaps | xargs -r cat 2>/dev/null | awk '/^[0-9a-f]+-[0-9a-f]+ / { ours = $6 !~ /lib(ssl|crypto)\.so/ }
		ours && $1 == "Pss:" { n += $2 } END { print n + 0 }'
}

# memory_of NAME SINK-OPTION POLICY: the most while 100 MB are delivered, after TLS is set up.
memory_of() {
	local kb most=0 samples=0
	note "delivering 100 MB, $1"
	sink_count "$2"
	empty_queues
	settings "$SINK_PORT"
	printf '[tls]\npolicy = %s\n' "$3" >>"$PILLARBOX_CONFIG"
	"${post[@]}" <"$S/100m" || stop 'post'
	"$B/sbin/sendmail" -q &
	until read -r -t 0.05 _ <&"$arrivals"; do
		kb=$(pss_sum) samples=$((samples + 1))
		[ "$kb" -le "$most" ] || most=$kb
	done
	wait $!
	ours_end
	sink_count_end
	note "  $most KB at most, seen $samples times"
	row "drain 100 MB, $1, all processes" "$memory_limit" "$most" KB 'under 1'
}

# attempted N: a message with recipients at N addresses, none of which answers. What flush holds when
# smtp is gone is in $held, in KB.
attempted() {
	local i
	empty_queues
	{
		for ((i = 0; i < $1; i++)); do echo "Bcc: rcpt@[127.9.$((i / 250)).$((i % 250 + 1))]"; done
		cat "$S/2k"
	} >"$S/many"
	settings
	sed -i '/^url/d' "$PILLARBOX_CONFIG"
	"${post[0]}" -oi -t -f sender@client.example <"$S/many" || stop 'post'
	"$B/sbin/sendmail" -q
	eventually 20 smtp_gone || stop 'smtp does not end'
	held=$(awk '/^VmRSS:/ { print $2 }' "/proc/$(running flush)/status")
	kill "$(running flush)"
	ours_end
}

smtp_gone() { [ -z "$(running smtp)" ]; }

dead() {
	local few held
	note '10,000 destinations that are dead'
	attempted 10
	few=$held
	attempted 10000
	note "  flush holds $few KB with 10 of them, $held KB with all"
	row 'a dead destination' 320 $(((held - few) * 1024 / 9990)) octets 'under 1'
}

memory_part() {
	section limit
	memory_of plain '' none
	memory_of starttls -t encrypt
	dead
}
