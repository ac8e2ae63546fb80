#!/bin/bash
# SPDX-License-Identifier: ISC
# The dialogue with servers, by sendmail -q -v and mailq -v -i: whole, harmless, without secrets, and of
# one's own mail only.
. "${0%/*}/lib.sh"
need_root
need setpriv base64
scratch
# Other users run the programs, and may not be able to reach the build folder.
mkdir "$S/prefix"
cp -r "$B/sbin" "$B/bin" "$B/libexec" "$S/prefix"
PATH=$S/prefix/sbin:$S/prefix/bin:$PATH
chmod 711 "$S"
settings() {
	config queue.deliver=queue smtp.connections=1 "$@"
	chmod 644 "$PILLARBOX_CONFIG"
}
flusher_gone() { [ -z "$(running flush)" ]; }
as() { setpriv --reuid "$1" --regid "$1" --clear-groups "${@:2}"; }
dialogue() { grep '^\[' "$S/out" | sed "s/$SINK_PORT/PORT/g; s/$id/ID/g"; }
post() { # [UID]
	as "${1-0}" sendmail -f s@x.example "u${1-0}@x.example" <<<$'Subject: x\n\nthe content'
	id=$(ls "$S/spool/${1-0}/new")
}

# A flusher that is started for it, and the same one later
sink_start -x PIPELINING,SIZE,8BITMIME,SMTPUTF8,DSN \
	-r 'count 2 rcpt raw "450-4.2.1 no\x1b[31m such\x07\r\n450 4.2.1 \xff user\r\n"'
settings "relay.url=smtp://127.0.0.1:$SINK_PORT" queue.linger=60
post
try sendmail -q -v
is 'sendmail -q -v' "$rc $(dialogue)" '0 [1] === connecting to 127.0.0.1[127.0.0.1]:PORT
[1] <<< 220 localhost ESMTP sink
[1] >>> EHLO client.example
[1] <<< 250-localhost greets client.example
[1] <<< 250 ENHANCEDSTATUSCODES
[1] === ID, to 127.0.0.1[127.0.0.1]:PORT
[1] >>> MAIL FROM:<s@x.example>
[1] <<< 250 2.1.0 Ok
[1] >>> RCPT TO:<u0@x.example>
[1] <<< 250 2.1.5 Ok
[1] >>> DATA
[1] <<< 354 go ahead
[1] >>> .
[1] <<< 250 2.0.0 Ok: queued as 1.1'
is '  and what came of it' "$(grep -v '^\[' "$S/out")" "$id 2.0.0 <u0@x.example> 250 2.0.0 Ok: queued as 1.1"
post
try mailq -v -i "$id"
is 'mailq -v -i, of a server that says unfit things' "$rc $(dialogue | sed -n '/=== ID/,/^... <<< 450 /p' | cut -c5-)" \
	'75 === ID, to 127.0.0.1[127.0.0.1]:PORT
>>> MAIL FROM:<s@x.example>
<<< 250 2.1.0 Ok
>>> RCPT TO:<u0@x.example>
<<< 450-4.2.1 no?[31m such?
<<< 450 4.2.1 ? user'
try mailq -i "$id"
is 'without -v there is none' "$rc $(sed 's/ as .*//' "$S/out")" "0 $id 2.0.0 <u0@x.example> 250 2.0.0 Ok: queued"
post
try sendmail -q
is '  nor by sendmail -q' "$rc $(cat "$S/out")" '0 '
sink_stop
post
try sendmail -v -qI"$id"
like 'of a server that is not there' "$(dialogue)" '^\[[0-9]+\] === connecting to 127.*'$'\n''\[[0-9]+\] === connect to 127.0.0.1\[127.0.0.1\]:PORT: Connection refused$'
mailq -y -d ALL 2>/dev/null
kill "$(running flush)" 2>/dev/null
ok 'no violations' sink_content

# What AUTH says, in any mechanism, and in the mouth of a server that repeats it
password=Op3n-se5ame
post
plain=$(printf '\0joe\0%s' $password | base64)
only=$(printf '%s' $password | base64)
declare -A quoted=([PLAIN]=$plain [LOGIN]=$only)
for mechanism in PLAIN LOGIN SCRAM-SHA-256; do
	eventually 10 flusher_gone
	rm -rf "$SINK"
	sink_start -T -a joe:$password -A $mechanism \
		-r "auth reply 535 5.7.8 is it ${quoted[$mechanism]-} or $password"
	settings "relay.url=smtps://joe:$password@localhost:$SINK_PORT" "tls.ca_file=$SINK/cert.pem" queue.linger=0
	try sendmail -q -v
	like "$mechanism: is seen" "$(dialogue)" ">>> AUTH $mechanism"
	like '  and TLS' "$(dialogue)" '=== TLSv1\.'
	like '  and the verdict' "$(dialogue)" '<<< 535 5.7.8 is it '
	unlike '  without secrets' "$(dialogue)" "$password|$only|${plain:0:12}"
	is '  which are stars' "$(dialogue | sed -n '/>>> AUTH/,$s/.* >>> \(AUTH [A-Z0-9-]*\)* *//p' | sort -u | xargs)" '***'
	sink_stop
done
mailq -y -d ALL 2>/dev/null
eventually 10 flusher_gone

# The system flusher: one session has the mail of two owners
rm -rf "$SINK"
sink_start -r 'mail delay 50ms'
settings "relay.url=smtp://127.0.0.1:$SINK_PORT" queue.retry=1h
for i in {1..8}; do as 4243 sendmail -f s@x.example "u4243.$i@x.example" <<<x; done
for i in {1..8}; do as 4242 sendmail -f s@x.example "u4242.$i@x.example" <<<x; done
sendmail -bD 2>"$S/service.log" &
ok 'the service is there' eventually 10 test -S "$S/run/socket"
as 4242 sendmail -q -v >"$S/out" 2>"$S/err"
ok 'all of it arrives' sink_wait 16
is 'an owner sees the dialogue about his mail, as far as it was not on its way' \
	"$(grep -c '>>> RCPT' "$S/out")" "$(grep -c '=== [0-9A-Z]*, to' "$S/out")"
unlike '  and about nobody else'"'"'s' "$(<"$S/out")" u4243
is '  over a session that had both' "$(cat "$SINK/connections")" 1
for i in 1 2; do as 4243 sendmail -f s@x.example "again$i@x.example" <<<x; done
as 4242 sendmail -f s@x.example "mine@x.example" <<<x
as 4243 sendmail -q -v >"$S/out4243" &
as 4242 sendmail -q -v >"$S/out"
wait $!
ok 'two who watch' grep -q '>>> RCPT TO:<mine' "$S/out"
is '  see their own' "$(grep -l 'mine@' "$S/out4243")$(grep -l 'again.@' "$S/out")$(grep -c '>>> RCPT TO:<again' "$S/out4243")" 2
ok 'no violations' sink_content
done_testing
