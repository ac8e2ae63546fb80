#!/bin/bash
# SPDX-License-Identifier: ISC
# mailq: Postfix's form, octet for octet, on spools that we made by hand and on our own.
. "${0%/*}/lib.sh"
scratch
config queue.deliver=queue
need perl

# shellcheck source=t/queue.sh
. "$T/queue.sh"
need_root
spool=$QUEUE
header='-Queue ID-  --Size-- ----Arrival Time---- -Sender/Recipient-------'
at41='                                         '

# listing NAME   stdin is what mailq shall say, to the octet, with status 0 and nothing on stderr
listing() {
	cat >"$S/wanted"
	try mailq
	same_file "$1" "$S/out" "$S/wanted"
	is "$1: status 0, silent" "$rc $(cat "$S/err")" '0 '
}

# Nothing
listing 'no spool yet' <<<'Mail queue is empty'
empty_queue
listing 'an empty spool' <<<'Mail queue is empty'
touch "$spool/tmp/1N5X24Q8R0A0"
listing 'tmp/ is not shown' <<<'Mail queue is empty'

# One, never tried
message new 1N5X24Q8R0A0 1795450385 1234 sender@host.example recipient@example.org </dev/null
listing 'one' <<END
$header
1N5X24Q8R0A0      1234 Mon Nov 23 16:13:05  sender@host.example
${at41}recipient@example.org

-- 1 Kbytes in 1 Request.
END

# Deferred; a day of one digit; the null sender; two states in order of the IDs
message cur 1N5X24Q8R0A1 1793552400 2345 '' recipient@example.org <<'END'
@1793552460 0 4.4.1 connect to relay.example[192.0.2.1]:25: Connection refused
END
listing 'two' <<END
$header
1N5X24Q8R0A0      1234 Mon Nov 23 16:13:05  sender@host.example
${at41}recipient@example.org

1N5X24Q8R0A1      2345 Sun Nov  1 17:00:00  MAILER-DAEMON
                  (connect to relay.example[192.0.2.1]:25: Connection refused)
${at41}recipient@example.org

-- 3 Kbytes in 2 Requests.
END
is 'counted by their first character' "$(mailq | grep -c '^[A-F0-9]')" 2
is 'counted by the last line' "$(mailq | tail -n1 | awk '{print $5}')" 2
like 'the time is local' "$(TZ=XYZ-5 mailq)" 'Sun Nov  1 22:00:00'

# Recipients: what was delivered or reported is gone, a reason stands once before its recipients
empty_queue
message cur 1N5X24Q8R0A2 1795450385 10 a@x.example \
	sent@x.example one@x.example two@x.example other@x.example new@x.example \
	failed@x.example told@x.example <<'END'
@1795450386 0 2.0.0 250 2.0.0 Ok: queued as 42
@1795450386 1 4.0.0 an older reason
@1795450387 1 4.2.1 host mx.x[192.0.2.1] said: 450 4.2.1 Greylisted (in reply to RCPT TO command)
@1795450387 2 4.2.1 host mx.x[192.0.2.1] said: 450 4.2.1 Greylisted (in reply to RCPT TO command)
@1795450387 3 4.2.2 mailbox full
@1795450387 5 5.1.1 no such user
@1795450387 6 5.1.1 no such user
@1795450388 6 told 1N5X24Q8R0A9
@1795450389 1 2.0.0 torn in the mid
END
truncate -s -1 "$spool/cur/1N5X24Q8R0A2"
listing 'recipients' <<END
$header
1N5X24Q8R0A2        10 Mon Nov 23 16:13:05  a@x.example
(host mx.x[192.0.2.1] said: 450 4.2.1 Greylisted (in reply to RCPT TO command))
${at41}one@x.example
${at41}two@x.example
                                                                (mailbox full)
${at41}other@x.example
                                                          (reason unavailable)
${at41}new@x.example
                                                                (no such user)
${at41}failed@x.example

-- 0 Kbytes in 1 Request.
END

# The other states, and what cannot be read: a file of nonsense, links, a pipe, one cut short
empty_queue
message hold 1N5X24Q8R0A3 1795450385 100 h@x.example r@x.example </dev/null
message failed 1N5X24Q8R0A4 1795450386 200 '' s@x.example <<'END'
@1795450387 0 5.1.1 unknown user
@1795450387 0 told null sender
END
echo 'not a spool file' >"$spool/cur/1N5X24Q8R0A5"
chmod 600 "$spool/cur/1N5X24Q8R0A5"
ln -s /etc/passwd "$spool/new/1N5X24Q8R0A6"
mkfifo -m 600 "$spool/new/1N5X24Q8R0A7"
message new 1N5X24Q8R0A8 1795450390 300 s@x.example r@x.example </dev/null
truncate -s -1 "$spool/new/1N5X24Q8R0A8"
touch -h -d @1795450391 "$spool"/cur/*A5 "$spool"/new/*A[678]
size=$(stat -c %s "$spool/new/1N5X24Q8R0A8")
mailq 2>"$S/err" | sed 's/(damaged: [^)]*)/(damaged: why)/' >"$S/out"
is 'on hold, failed, damaged' "$(cat "$S/out")" "$header
1N5X24Q8R0A3!      100 Mon Nov 23 16:13:05  h@x.example
${at41}r@x.example

1N5X24Q8R0A4!      200 Mon Nov 23 16:13:06  MAILER-DAEMON
                                                                (unknown user)
${at41}s@x.example

1N5X24Q8R0A5        17 Mon Nov 23 16:13:11  (damaged: why)

1N5X24Q8R0A6        11 Mon Nov 23 16:13:11  (damaged: why)

1N5X24Q8R0A7         0 Mon Nov 23 16:13:11  (damaged: why)

1N5X24Q8R0A8 $(printf %9d "$size") Mon Nov 23 16:13:11  (damaged: why)

-- 0 Kbytes in 6 Requests."
is 'on hold, failed, damaged: silent' "$(cat "$S/err")" ''
try mailq
is 'damaged: the exit status says so' "$rc" 65
like 'damaged: says why' "$(mailq)" '1N5X24Q8R0A7 .*\(damaged: not a regular file\)'

# A name that is no queue ID is no entry, and is not passed over in silence
empty_queue
touch "$spool/new/readme"
try mailq
is 'junk is no entry' "$rc $(cat "$S/out")" '0 Mail queue is empty'
is 'junk is named' "$(cat "$S/err")" \
	"mailq: $spool/new: 1 file(s) that are no messages, such as readme"

# Somebody else's text cannot speak to the terminal
empty_queue
printf '@1795450386 0 4.0.0 \033[31mred\007 \302\233 \377 \303\274\n' >"$S/journal"
message cur 1N5X24Q8R0B0 1795450385 10 a@x.example b@x.example <"$S/journal"
is 'control characters' "$(mailq | sed -n '3s/^ *//p')" '(?[31mred? ? ? ü)'

# Being delivered: somebody holds a lock on the file
message cur 1N5X24Q8R0B1 1795450386 10 a@x.example b@x.example </dev/null
lock_message "$spool/cur/1N5X24Q8R0B1"
like 'being delivered' "$(mailq)" $'\n1N5X24Q8R0B1\\*       10 Mon'
is 'only that one' "$(mailq | grep -c '^[A-Z0-9]*\*')" 1
unlock_message
is 'no longer being delivered' "$(mailq | grep -c '^[A-Z0-9]*\*')" 0

# Order of arrival over two states
empty_queue
for i in {100..399}; do
	state=$([ $((i % 2)) = 0 ] && echo new || echo cur)
	message "$state" "1N5X24Q8R$i" 1795450385 1024 a@x.example b@x.example </dev/null
done
is '300 in order' "$(mailq | grep '^[A-F0-9]' | cut -c10-12)" "$(seq 100 399)"
is '300 counted' "$(mailq | tail -n1)" '-- 300 Kbytes in 300 Requests.'
{ mailq 2>"$S/err"; echo $? >"$S/rc"; } | :
is 'a reader that goes away is no error' "$(cat "$S/rc" "$S/err")" 0
mailq >/dev/full 2>"$S/err"
is 'a full disk is' "$? $(cat "$S/err")" '74 mailq: standard output: No space left on device'

# Our own mail
empty_queue
sendmail -i -odq -f s@x.example r1@x.example r2@x.example <<<'hello'
id=$(ls "$spool/new")
size=$(sed -n 's/^size 0*//p' "$spool/new/$id" | head -n1)
like 'posted by sendmail' "$(mailq)" "$id $(printf %9d "$size") ... ... .. ..:..:..  s@x.example
${at41}r1@x.example
${at41}r2@x.example

-- 0 Kbytes in 1 Request.\$"
is 'sendmail -bp is the same' "$(sendmail -bp)" "$(mailq)"
is 'mailq -p is the same' "$(mailq -p)" "$(mailq)"

# Names and options
empty_queue
ln -s "$(command -v mailq)" "$S/postqueue"
is 'postqueue -p' "$("$S/postqueue" -p)" 'Mail queue is empty'
refuses 64 "$S/postqueue"
sink_start
config "relay.url=smtp://127.0.0.1:$SINK_PORT" queue.deliver=queue
sendmail -i -f s@x.example r@x.example <<<'hello'
try "$S/postqueue" -f
is 'postqueue -f delivers' "$rc $(cat "$S/out" "$S/err") $(messages)" '0  1'
ok 'the sink is content' sink_content
ok 'its flusher goes' eventually 10 flushers_gone
refuses 64 mailq -f -j
refuses 64 mailq -f --state hold
refuses 64 mailq -x
refuses 64 mailq all
refuses 64 mailq --older
refuses 64 mailq --older soon
refuses 64 mailq --state lost
like 'each is said' "$(mailq --state hold,lost 2>&1)" '^mailq: hold,lost: states are incoming, '
try mailq --help
is 'help is no error' "$rc $(cat "$S/err")" '0 '
for option in $(sed -n 's/^    {0, "\([a-z]*\)".*/\1/p' "$T/../mailq/options.c"); do
	ok "help has --$option" grep -q -- " --$option" "$S/out"
done

# A spool that is open to others is refused and named, and not called empty
chmod 777 "$spool"
try mailq
is 'open to others: not called empty' "$rc $(cat "$S/out")" '69 '
like 'open to others: named' "$(cat "$S/err")" "^mailq: .*$spool"
chmod 700 "$spool"

# Root sees everybody's, each through a child that has become the owner
if [ "$(id -u)" = 0 ]; then
	theirs=$S/spool/4242
	message new 1N5X24Q8R0C1 1795450385 1000 root@x.example b@x.example </dev/null
	mkdir -m 700 "$theirs" "$theirs"/{tmp,new,cur,hold,failed}
	sed 's/^id .*/id 1N5X24Q8R0C0/; s/root@/user@/' "$spool/new/1N5X24Q8R0C1" \
		>"$theirs/new/1N5X24Q8R0C0"
	chmod 600 "$theirs/new/1N5X24Q8R0C0"
	ln -s "$spool/new/1N5X24Q8R0C1" "$theirs/new/1N5X24Q8R0C2"
	chown -hR 4242:4242 "$theirs"
	ln "$spool/new/1N5X24Q8R0C1" "$theirs/new/1N5X24Q8R0C3"
	out=$(mailq)
	is 'root: one list of everybody' \
		"$(grep -c '^-Queue' <<<"$out") $(grep -c '^[A-F0-9]' <<<"$out")" '1 4'
	like 'root: the other one' "$out" '1N5X24Q8R0C0 .* user@x.example'
	like 'root: links are not followed' "$out" '1N5X24Q8R0C2 .*\(damaged: a symbolic link\)'
	like 'root: nor hard ones' "$out" '1N5X24Q8R0C3 .*\(damaged: '
	like 'root: one sum' "$out" 'in 4 Requests\.$'
fi

done_testing
