#!/bin/bash
# SPDX-License-Identifier: ISC
#
# Servers that break off, lie, babble and hang. A row a script of the sink: a message for three
# recipients, the fate of each (s sent, d deferred, b bounced), how many copies of it the server has, and
# a time bound. Thirty rows share a flusher and an smtp, which carry other people's mail as well. Then all
# servers are mended: what was deferred arrives, and nothing else does.
. "${0%/*}/lib.sh"
need openssl
scratch
. "$T/certificates.sh"
authority ours
authority theirs
certificate good ours DNS:localhost,IP:127.0.0.1
certificate expired ours DNS:localhost,IP:127.0.0.1 -days -1
certificate other ours DNS:mail.example
certificate foreign theirs DNS:localhost,IP:127.0.0.1
openssl req -x509 -key "$C/good.key" -days 3 -subj /CN=localhost \
	-addext subjectAltName=DNS:localhost,IP:127.0.0.1 -out "$C/alone.crt"
cat "$C/good.key" "$C/alone.crt" >"$C/alone.pem"
chmod 644 "$C"/*

bound=60 # seconds that a script may take
share=30 # rows a flusher; a configuration has 32 relays at most
names=() wanted=() reasons=() urls=() base=() bodies=() groups=()
size=(0 0) last=() haste=() # of both kinds: rows, their last group; of each group: see hasty.c

# row FATES COPIES [RULE...] [OPTION...]: by $how; a word of the log in $why. $slow: for
# a client that is hasty. $big: so often 300 KB are sent.
row() {
	local i=${#names[@]} name="$how:" kind=${slow:-0} url options=()
	wanted+=("$1 $2") reasons+=("${why:-}") bodies+=("${big:-0}")
	shift 2
	case ${how% *} in
	smtp) url=smtp://127.0.0.1 ;;
	lmtp) url=lmtp://127.0.0.1 options=(-l) ;;
	may) url=smtp://127.0.0.1 options=(-t) ;;
	encrypt) url=smtp://localhost options=(-t) ;;
	verify) url=smtp+tls://127.0.0.1 options=(-t) ;;
	smtps) url=smtps://127.0.0.1 options=(-T) ;;
	auth) url=smtp+notls://joe@127.0.0.1 options=(-u -a joe:sesame -A "${how#* }") ;;
	esac
	[[ ${options[*]} != *-[tT]* ]] || options+=(-k "$C/good.pem")
	base+=("${options[*]}")
	while [ $# -gt 0 ] && [[ $1 != -* ]]; do
		name+=" ${1:0:100};" options+=(-r "$1")
		shift
	done
	names+=("${name%;} $*")
	urls+=("$url")
	if [ $((size[kind]++ % share)) -eq 0 ]; then
		last[kind]=${#haste[@]}
		haste+=($((kind ? 60 : 1)))
	fi
	groups+=("${last[kind]}")
	sink "$i" "${options[@]}" "$@"
}
pids=()
sink() {
	"$B/t/sink" -q -e -P "$S/port.$1" -d "$S/sink.$1" -p "${ports[$1]:-0}" "${@:2}" &
	pids+=($!)
}
there() {
	local i
	for i in "${!names[@]}"; do [ -e "$S/port.$i" ] || return 1; done
}

xs=$(printf 'x%.0s' {1..4000})
block=$(printf 'all work and no play makes jack a dull boy %.0s' {1..20})
for i in {1..350}; do echo "$block"; done >"$S/large"

# The connection ends.
how=smtp
for stage in connect greeting ehlo mail rcpt data body dot; do
	row ddd 000 "$stage close"
	row ddd 000 "$stage reset"
done
row ddd 000 'rcpt b* close'
big=1 row ddd 000 'after 100000 body close'
big=1 row ddd 000 'after 100000 body reset'
why='may arrive twice' row ddd 111 'dot drop'
why='may arrive twice' row ddd 111 'dot quiet; reset'
row sss 111 'quit close'
row sss 111 'quit reset'
row sss 111 'quit stall'

# It is refused.
row ddd 000 'greeting reply 554 5.7.1 go away'
row ddd 000 'greeting reply 450 4.3.2 later'
row ddd 000 'greeting reply 554 5.7.1 go away; close'
row ddd 000 'ehlo reply 554 5.7.1 go away' 'helo reply 554 5.7.1 go away'
row ddd 000 'ehlo reply 500 5.5.1 what' 'helo reply 421 4.3.2 busy'
row ddd 000 'ehlo reply 451 4.3.0 later'
row sss 111 'ehlo reply 554 5.7.1 not by that name'
row sss 111 'ehlo reply 502 5.5.1 what'
for stage in greeting ehlo mail rcpt data dot; do row ddd 000 "count 1-2 $stage reply 421 4.3.2 closing"; done
row ddd 000 'after 1 body reply 421 4.3.2 closing; close'
row ddd 000 'rcpt b* reply 421 4.3.2 closing'
row sss 111 'quit reply 421 4.3.2 closing'
for stage in mail data dot; do
	row bbb 000 "$stage reply 550 5.7.1 no"
	row ddd 000 "$stage reply 451 4.3.0 later"
done
row bbb 000 'rcpt reply 550 5.1.1 nobody'
row bss 011 'rcpt a* reply 550 5.1.1 nobody'
row bds 001 'rcpt a* reply 550 5.1.1 nobody' 'rcpt b* reply 451 4.2.1 later'
row ddd 000 'rcpt reply 450 4.2.0 later'
row dss 011 'rcpt a* reply 552 5.2.2 full'
row bbb 000 'rcpt reply 550 5.1.1 nobody' 'data reply 354 all the same'
row sss 111 'count 2-3 rcpt reply 452 4.5.3 too many'
row sdd 100 'count 2- rcpt reply 452 4.5.3 too many'
row ddd 000 'rcpt reply 452 4.5.3 too many'
row ddd 000 'mail reply 530 5.7.0 log in first'
row bbb 000 'mail reply 555 5.5.4 unsupported'
row bbb 000 'dot reply 552 5.3.4 too much'
big=1 row bbb 000 'after 100000 body reply 552 5.3.4 too much; close'
big=1 row bbb 111 'after 100000 body reply 552 5.3.4 too much'
big=1 row ddd 111 'after 100000 body reply 452 4.3.1 disk full'

# What it says is not SMTP.
for stage in greeting ehlo mail rcpt data dot; do
	row ddd 000 "$stage raw \"hello\\r\\n\""
	row ddd 000 "$stage raw \"25 x\\r\\n\""
	row ddd 000 "$stage raw \"2\\0 x\\r\\n\""
	row ddd 000 "$stage raw \"250-a\\r\\n550 b\\r\\n\""
done
for stage in greeting ehlo mail rcpt data; do row ddd 000 "$stage raw \"250 $xs$xs\\r\\n\""; done
why='may arrive twice' row ddd 111 "dot raw \"250 $xs$xs\\r\\n\""
row ddd 000 'greeting raw "HTTP/1.1 400 Bad Request\r\n\r\n"; close'
row ddd 000 'greeting raw "SSH-2.0-OpenSSH_9.2\r\n"'
row ddd 000 'greeting raw "+OK POP3\r\n"'
row ddd 000 'greeting raw "250 hm\r\n"'
row ddd 000 'greeting raw "199 hm\r\n"'
row ddd 000 'greeting raw "620 hm\r\n"'
row ddd 000 'greeting raw "\xff\xfd\x18\xff\xfd\x20"; close'
row ddd 000 'greeting repeat 0 "220-and so on\r\n"'
row ddd 000 "greeting repeat 300 \"$xs\""
row ddd 000 'greeting repeat 0 "\0"'
row sss 111 'greeting raw "220-a\r\n220-b\r\n220 c\r\n"'
row sss 111 'greeting raw "220\r\n"'
row ddd 000 'ehlo repeat 0 "250-x\r\n"'
row ddd 000 "ehlo repeat 300 \"$xs\""
row ddd 000 "mail repeat 300 \"$xs\""
row ddd 000 'rcpt repeat 0 "550-5.1.1 no\r\n"'
why='may arrive twice' row ddd 111 'dot repeat 0 "250-2.0.0 ok\r\n"'
row ddd 000 'dot reply 354 go on'
row ddd 000 'mail reply 354 go on'
row ddd 000 'ehlo reply 354 go on'
row ddd 000 'data reply 250 2.0.0 ok'
row sss 111 'mail dribble 10ms; reply 250 2.1.0 ok'
row sss 111 'rcpt reply 251 2.1.5 will forward'
row bbb 000 'rcpt raw "550\r\n"'
row bbb 000 'rcpt reply 550 5.1.1 \x1b[2J\x07 \x9b31m \xff evil %s%n'
row bbb 000 'rcpt reply 550 5.9999.1 strange'
row bbb 000 'rcpt reply 550 2.1.5 contradictory'
row ddd 000 'rcpt raw "550-5.1.1 status=sent\r550 bare\r\n550 CR\r\n"'
row sss 111 'dot reply 250 5.0.0 contradictory'

# Line ends, and replies that nobody asked for.
row ddd 000 'greeting inject "250 early\r\n"'
row ddd 000 'ehlo inject "250 more\r\n"'
row ddd 000 'mail inject "250 2.1.5 more\r\n"'
row ddd 000 'data inject "250 2.0.0 done\r\n"'
row ddd 000 'rcpt c* inject "354 go\r\n250 2.0.0 done\r\n"'
big=1 row ddd 000 'rcpt c* inject "354 go\r\n250 2.0.0 done\r\n"'
big=13 row ddd 000 'after 100000 body reply 250 2.0.0 already'
row ddd 000 'rcpt c* inject "354 go\r\n250 2.0.0 done\r\n"' -x PIPELINING
row sss 111 'dot inject "250 2.0.0 more\r\n"'
row sss 111 'dot inject "550 5.7.1 no\r\n"'
row sss 111 'dot inject "421 4.3.2 closing\r\n"; close'
row sss 111 'quit inject "550 5.7.1 no\r\n"'

# What it offers is not so.
row sss 111 -L RCPTMAX=1
row sss 111 -L RCPTMAX=0
row sss 111 -L 'RCPTMAX=99999999999999999999 MAILMAX=-1 RCPTDOMAINMAX= X=Y=Z'
row sss 111 'each 2- mail reply 421 4.7.0 enough; close' -L 'MAILMAX=1 RCPTMAX=1'
row sdd 100 'count 2- mail reply 421 4.7.0 enough; close' -L 'MAILMAX=100 RCPTMAX=1'
row sss 111 'ehlo raw "250-x\r\n250 SIZE 99999999999999999999\r\n"'
row sss 111 'ehlo raw "250-x\r\n250 SIZE -1\r\n"'
row bbb 000 'ehlo raw "250-x\r\n250 SIZE 10\r\n"'
row bbb 000 'dot reply 552 5.3.4 too big' -z 1000000
row ddd 000 'ehlo raw "250-x\r\n250-\0 NUL\r\n250 SIZE 1\r\n"'
row sss 111 'ehlo raw "250-x\r\n250-\x1b[2J\xff SIZE\r\n250 SIZE SIZE 1\r\n"'
row sss 111 'ehlo raw "250-x\n250 SIZE\n"'
row sss 111 -o CHUNKING
for reply in '500 5.5.2 what' '501 5.5.4 what' '502 5.5.1 no BDAT' '503 5.5.1 BDAT first' '421 4.3.2 closing' \
	'451 4.3.0 later' '354 go on'; do
	row ddd 000 "dot reply $reply" -o CHUNKING
done
row bbb 000 'dot reply 554 5.7.1 spam' -o CHUNKING
row ddd 000 'dot close' -o CHUNKING
row ddd 000 'body reset' -o CHUNKING
why='may arrive twice' row ddd 111 'dot drop' -o CHUNKING
row bbb 000 'rcpt reply 550 5.1.1 nobody' -o CHUNKING
row bds 001 'rcpt a* reply 550 5.1.1 nobody' 'rcpt b* reply 450 4.2.0 later' -o CHUNKING
row sss 111 'rcpt c* inject "250 2.0.0 done\r\n"' -o CHUNKING
big=13 row ddd 000 'after 100000 body reply 250 2.0.0 already' -o CHUNKING
big=1 row ddd 000 'after 100000 body close' -o CHUNKING

# LMTP.
how=lmtp
row sss 111
row bds 001 'dot a* reply 550 5.2.1 no' 'dot b* reply 450 4.2.1 later'
row ddd 000 'dot a* close'
row sdd 100 'dot b* close'
why='may arrive twice' row ssd 111 'dot c* drop'
row ddd 000 'dot a* reply 421 4.3.2 closing; close'
row sdd 101 'dot b* raw "25 x\r\n"'
row sss 111 'dot c* inject "250 2.0.0 more\r\n"'
row bbb 000 'rcpt reply 550 5.1.1 nobody'
row bss 011 'rcpt a* reply 550 5.1.1 nobody'
row ddd 000 'rcpt c* inject "354 go\r\n250 1\r\n250 2\r\n250 3\r\n"'
row ddd 000 'ehlo reply 500 5.5.1 what'
row ddd 000 'data reply 421 4.3.2 closing'

# STARTTLS, and what stands around it.
for how in may encrypt verify; do
	row ddd 000 'starttls inject "250 injected\r\n"'
	row ddd 000 'starttls raw "250 injected\r\n220 go\r\n"'
	row ddd 000 'starttls raw "220 go\r\n220 go\r\n"'
	row ddd 000 'count 1 ehlo inject "220 go\r\n"'
	row ddd 000 'starttls raw "22\0 go\r\n"'
done
how=may
row ddd 000 'starttls reply 421 4.7.0 no'
row ddd 000 'starttls close'
for what in 'starttls reply 454 4.7.0 not now' 'starttls reply 500 5.5.1 what' 'tls close' 'tls reset' \
	'tls raw "250 2.0.0 garbage\r\n"' 'tls raw "\x15\x03\x03\x00\x02\x02\x28"' \
	'tls raw "\x16\x03\x03\x40\x00\x02\x00"; close' 'tls repeat 0 "\x17\x03\x03\x00\x01x"'; do
	how=may row sss 111 "$what"
	how=encrypt row ddd 000 "$what"
	how=verify row ddd 000 "$what"
done
for how in may encrypt verify; do row sss 111 'tls repeat 300 "\x16\x03\x03\x00\x04\x00\x00\x00\x00"'; done # HelloRequest
how=may row sss 111 -x STARTTLS
how=encrypt row ddd 000 -x STARTTLS
how=verify row ddd 000 -x STARTTLS
how=may row sss 111 -m 1.1
how=verify row ddd 000 -m 1.1
for certificate in expired other foreign alone; do
	how=may row sss 111 -k "$C/$certificate.pem"
	how=encrypt row sss 111 -k "$C/$certificate.pem"
	how=verify row ddd 000 -k "$C/$certificate.pem"
done
how=verify
row sss 111
row ddd 000 'count 2 ehlo close'
row ddd 000 'count 2 ehlo cut'
row ddd 000 'count 2 ehlo raw "250-x\r\n250 STARTTLS\r\n"; cut'
row ddd 000 'mail clear ""; reply 250 2.1.0 in clear'
row ddd 000 'dot cut'
why='may arrive twice' row ddd 111 'dot quiet; cut'
row ddd 111 'dot clear "250 2.0.0 in clear\r\n"'
how=smtps
row sss 111
row ddd 000 'connect raw "220 plain\r\n"'
row ddd 000 'connect close'
row ddd 000 'tls close'
row ddd 000 'tls raw "\x15\x03\x03\x00\x02\x02\x28"; close'
row ddd 000 -k "$C/expired.pem"

# AUTH, mechanism by mechanism.
for mechanism in PLAIN LOGIN CRAM-MD5 SCRAM-SHA-256 OAUTHBEARER XOAUTH2; do
	how="auth $mechanism"
	row sss 111
	row ddd 000 'auth reply 535 5.7.8 wrong'
	row ddd 000 'auth reply 454 4.7.0 later'
	row ddd 000 'auth close'
	row ddd 000 'auth raw "2\0 welcome\r\n"'
	row ddd 000 'auth reply 250 2.7.0 welcome'
done
for mechanism in LOGIN CRAM-MD5 SCRAM-SHA-256; do
	how="auth $mechanism"
	row ddd 000 'challenge close'
	row ddd 000 'challenge reset'
	row ddd 000 'challenge raw "334 =not base64!\r\n"'
	row ddd 000 "challenge raw \"334 ${xs}${xs}\\r\\n\""
	row ddd 000 'challenge repeat 0 "334-\r\n"'
	row ddd 000 'challenge reply 535 5.7.8 wrong'
	row ddd 000 'challenge raw "334 AA\0AA\r\n"'
done
how='auth SCRAM-SHA-256'
row ddd 000 'challenge raw "334 \r\n"'
row ddd 000 "challenge raw \"334 $(printf 'r=other,s=c2FsdA==,i=4096' | base64)\\r\\n\""
row ddd 000 "challenge raw \"334 $(printf 'e=other-error' | base64)\\r\\n\""
row ddd 000 'count 2 challenge reply 235 2.7.0 unproven'
row ddd 000 "count 2 challenge raw \"334 $(printf 'v=AAAA' | base64)\\r\\n\""
how='auth LOGIN'
row ddd 000 'challenge raw "334 VXNlcm5hbWU6\r\n334 UGFzc3dvcmQ6\r\n"'
how='auth PLAIN'
row ddd 000 'auth raw "334 VXNlcm5hbWU6\r\n"'
row ddd 000 'mail reply 530 5.7.0 log in first'
row ddd 000 -A CRAM-MD4
row ddd 000 -x AUTH

# It hangs, or takes its time. The clock of this smtp runs fast.
slow=1
how=smtp
for stage in connect greeting; do why='timed out while waiting for the greeting' row ddd 000 "$stage stall"; done
why='timed out while sending EHLO' row ddd 000 'ehlo stall'
why='timed out while sending MAIL' row ddd 000 'mail stall'
why='timed out while sending RCPT' row ddd 000 'rcpt b* stall'
why='timed out while sending DATA' row ddd 000 'data stall'
why='timed out after the end .* may arrive twice' row ddd 000 'dot stall'
why='timed out after the end .* may arrive twice' row ddd 111 'dot quiet; stall'
why='timed out after the end .* may arrive twice' row ddd 000 'dot stall' -o CHUNKING
big=13 why='timed out while sending the message' row ddd 000 'after 1000 body stall'
why='timed out while' row ddd 000 "greeting dribble 200ms; reply 220 $xs"
why='timed out while' row ddd 000 "ehlo dribble 200ms; reply 250 $xs"
row sss 111 'dot dribble 100ms; reply 250 2.0.0 at last'
row sss 111 'quit dribble 500ms; reply 221 2.0.0 bye'
how=lmtp
why='timed out' row ssd 110 'dot c* stall'
how=encrypt
why='timed out while sending STARTTLS' row ddd 000 'starttls stall'
why='TLS handshake .* timed out' row ddd 000 'tls stall'
why='TLS handshake .* timed out' row ddd 000 'tls raw "\x16\x03\x03\x40\x00\x02\x00"; stall'
how='auth LOGIN'
why='timed out while' row ddd 000 'challenge stall'
why='timed out while' row ddd 000 'count 2 challenge stall'
why='timed out while' row ddd 000 'auth stall'

# Where they are.
eventually 30 there || give_up "the sinks do not start"
for i in "${!names[@]}"; do ports[i]=$(<"$S/port.$i"); done
sink_start
hasty "$S/hasty"
chmod -R go+rX "$S/hasty"

# of_group G COMMAND...: with the settings of that group, and its sendmail first.
of_group() {
	local PATH=$PATH
	[ "${haste[$1]}" = 1 ] || PATH=$S/hasty/sbin:$PATH
	PILLARBOX_CONFIG=$S/$1.ini "${@:2}"
}
# configure G: a relay a row.
configure() {
	local i set=()
	for i in "${!names[@]}"; do
		[ "${groups[i]}" = "$1" ] || continue
		set+=("relay.r$i.from=s.$i@x.example" "relay.r$i.url=${urls[i]}:${ports[i]}")
		[[ ${names[i]} != auth\ * ]] || set+=("relay.r$i.password=sesame" "relay.r$i.auth=$(cut -d' ' -f2 <<<"${names[i]%%:*}")")
	done
	mkdir -m 1777 "$S/spool.$1"
	of_group "$1" config "relay.url=smtp://127.0.0.1:$SINK_PORT" queue.deliver=queue queue.retry=1h \
		"queue.dir=$S/spool.$1" "queue.socket=$S/run/$1" "queue.post_socket=" smtp.connect_timeout=600s \
		"tls.ca_file=$C/ours.crt" "tls.policies=localhost=encrypt" "log.to=$S/log.$1" "${set[@]}"
}
for g in "${!haste[@]}"; do configure "$g"; done
post() { of_group "$1" sendmail -i -f "$2" "${@:3}"; }
for i in "${!names[@]}"; do
	{
		printf 'Subject: %s\n\nhello\n' "$i"
		for ((j = 0; j < bodies[i]; j++)); do cat "$S/large"; done
	} | post "${groups[i]}" "s.$i@x.example" {a,b,c}".$i@x.example"
done
others=8
for g in "${!haste[@]}"; do
	for ((i = 0; i < others; i++)); do post "$g" good@x.example "good.$g.$i@x.example" <<<hello; done
done

# drain: all groups at the same time.
drain() {
	local i runs=()
	for i in "${!haste[@]}"; do
		of_group "$i" timeout $((2 * bound)) sendmail -q &
		runs+=($!)
	done
	drained=''
	for i in "${runs[@]}"; do wait "$i" || drained+="$? "; done
}
# report: a line a row: fates, copies, the longest delay since the queue was run, bounces.
report() {
	awk -v rows="${#names[@]}" '
	match($0, /to=<[abc]\.[0-9]+@/) && match($0, /to=<[^@]*/) {
		key = substr($0, RSTART + 4, RLENGTH - 4)
		split($0, part, / status=/)
		fate[key] = substr(part[2], 1, 1)
		match($0, / delays=[0-9.\/]*/)
		split(substr($0, RSTART + 8, RLENGTH - 8), part, /\//)
		delay = part[2] + part[3] + part[4] # not while all were being posted
		row = substr(key, 3)
		if (delay > longest[row]) longest[row] = delay
	}
	/^rcpt <s\.[0-9]/ { split($2, part, /[.@]/); bounces[part[2]]++ }
	/^(rcpt|kept) <[abc]\.[0-9]/ { split($2, part, /[<@]/); copies[$1 " " part[2]]++; if ($1 == "kept") lmtp[substr(part[2], 3)] = 1 }
	END {
		for (i = 0; i < rows; i++) {
			f = n = ""
			for (j = 1; j <= 3; j++) {
				key = substr("abc", j, 1) "." i
				f = f (key in fate ? fate[key] : "-")
				n = n (copies[(i in lmtp ? "kept " : "rcpt ") key] + 0)
			}
			print f, n, int(longest[i]), bounces[i] + 0
		}
	}' "$S"/log.* "$S"/sink{,.*}/*.env
}

drain
is "each group came to its end" "$drained" ""
# A sink that stalled writes down what it has when the client has left.
printf '%s\n' "${wanted[@]}" >"$S/wanted"
as_wanted() { report | tee "$S/first" | cut -d' ' -f1,2 | cmp -s - "$S/wanted"; }
eventually 10 as_wanted
mapfile -t first <"$S/first"
at_once=$(cat "$SINK"/*.env | grep -c '^rcpt <good\.')
is "and other mail beside it is there" "$at_once" $((${#haste[@]} * others))
cat "$S"/log.* >"$S/log"
for i in "${!names[@]}"; do
	IFS=' ' read -r fates copies seconds _ <<<"${first[i]}"
	is "${names[i]}" "$fates $copies" "${wanted[i]}" || diag "$(grep "[abc]\\.$i@" "$S/log")"
	[ "$seconds" -le $((haste[groups[i]] * bound)) ]
	result "  in time" || diag "$seconds seconds"
	[ -z "${reasons[i]}" ] || like "  for that reason" "$(grep "to=<[abc]\\.$i@.*status=deferred" "$S/log")" "${reasons[i]}"
done

# All of them are mended.
kill "${pids[@]}"
wait "${pids[@]}" 2>/dev/null
pids=()
rm -f "$S"/port.*
for i in "${!names[@]}"; do
	# shellcheck disable=SC2086
	sink "$i" ${base[i]}
done
eventually 30 there || give_up "the sinks do not come back"
drain
is "each group came to its end again" "$drained" ""
mapfile -t second < <(report)
for i in "${!names[@]}"; do
	IFS=' ' read -r fates copies _ <<<"${first[i]}"
	then=''
	for j in 0 1 2; do
		[ "${fates:j:1}" = d ] && then+=$((${copies:j:1} + 1)) || then+=${copies:j:1}
	done
	IFS=' ' read -r fates2 copies2 _ bounces <<<"${second[i]}"
	[[ $fates != *b* ]]
	is "mended, ${names[i]}" "$fates2 $copies2, $bounces bounces" "${fates//d/s} $then, $? bounces"
done
unlike "nothing crashed" "$(cat "$S"/log.*)" 'smtp died|flusher of uid'
unlike "no control octets in log and bounces" "$(cat "$S"/log.* "$SINK"/*.eml | tr -d '\n\r\t')" $'[\x01-\x08\x0e-\x1f\x7f]'
ok "at least 80 scripts: ${#names[@]}" test "${#names[@]}" -ge 80
done_testing
