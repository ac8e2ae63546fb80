#!/bin/bash
# SPDX-License-Identifier: ISC
# mailq -j: objects with the keys of Postfix's postqueue -j, on spools of every state.
. "${0%/*}/lib.sh"
scratch
config queue.deliver=queue
need perl jq /usr/bin/python3
# shellcheck source=t/queue.sh
. "$T/queue.sh"

# fits_schema FILE: every line of it is an object that fits mailq.schema.json.
fits_schema() {
	/usr/bin/python3 - "$T/mailq.schema.json" "$1" <<-'END'
		import json, jsonschema, sys
		schema = json.load(open(sys.argv[1]))
		jsonschema.Draft202012Validator.check_schema(schema)
		check = jsonschema.Draft202012Validator(schema)
		lines = open(sys.argv[2], encoding='utf-8').read().splitlines()
		bad = [e for line in lines for e in check.iter_errors(json.loads(line))]
		if bad:
		    sys.exit('\n'.join(e.message for e in bad))
		sys.exit(not lines)
	END
}

# of ID FILTER: what jq says of an entry.
of() { mailq -j | jq -rc "select(.queue_id == \"$1\") | $2"; }

try mailq -j
is 'no spool: nothing, and no error' "$rc $(cat "$S/out" "$S/err")" '0 '
empty_queue
try mailq -j
is 'empty: nothing, and no error' "$rc $(cat "$S/out" "$S/err")" '0 '

message new 1N5X24Q8R0A0 1795450385 1234 sender@host.example recipient@example.org </dev/null
message cur 1N5X24Q8R0A1 1793552400 2345 '' one@example.org sent@example.org two@example.org new@example.org <<'END'
@1793552460 0 4.4.1 an older reason
@1793552470 1 2.0.0 250 2.0.0 Ok
@1793552480 0 4.4.1 connect to 127.0.0.1[127.0.0.1]:9: Connection refused
@1793552490 2 4.2.2 mailbox "full" \o/
END
touch -d @1793556000 "$QUEUE/cur/1N5X24Q8R0A1"
message hold 1N5X24Q8R0A2 1795450385 1 a@x.example b@x.example </dev/null
message failed 1N5X24Q8R0A3 1795450385 1 '' b@x.example <<'END'
@1795450386 0 5.1.1 unknown user
@1795450386 0 told null sender
END
message cur 1N5X24Q8R0A4 1795450385 1 a@x.example b@x.example </dev/null
lock_message "$QUEUE/cur/1N5X24Q8R0A4"
mkfifo -m 600 "$QUEUE/new/1N5X24Q8R0A5"
ln -s /etc/passwd "$QUEUE/cur/1N5X24Q8R0A6"
touch -h -d @1795450391 "$QUEUE"/*/1N5X24Q8R0A[56]
printf '@1795450386 0 4.0.0 \033[31mred\007 "\\ \302\233 \377 \303\274 \342\200\256\n' >"$S/journal"
message cur 1N5X24Q8R0B0 1795450385 10 '"a\"b"@x.example' 'ü@x.example' <"$S/journal"

try mailq -j
is 'damaged files: the status says so' "$rc $(cat "$S/err")" '65 '
is 'a line each' "$(jq -r .queue_id <"$S/out" | tr '\n' ' ')" \
	'1N5X24Q8R0A0 1N5X24Q8R0A1 1N5X24Q8R0A2 1N5X24Q8R0A3 1N5X24Q8R0A4 1N5X24Q8R0A5 1N5X24Q8R0A6 1N5X24Q8R0B0 '
is 'their states' "$(jq -r .queue_name <"$S/out" | tr '\n' ' ')" \
	'incoming deferred hold failed active damaged damaged deferred '
ok 'they fit the schema' fits_schema "$S/out"
unlock_message

# Octet for octet what Postfix 3.7 said of such a message, up to what is ours
postfix='{"queue_name": "deferred", "queue_id": "1N5X24Q8R0A1", "arrival_time": 1793552400, "message_size": 2345, "forced_expire": false, "sender": "MAILER-DAEMON", "recipients": [{"address": "one@example.org", "delay_reason": "connect to 127.0.0.1[127.0.0.1]:9: Connection refused"}, {"address": "two@example.org", "delay_reason": "mailbox \"full\" \\o/"}, {"address": "new@example.org"}]}'
is 'as Postfix has it' "$(mailq -j 1N5X24Q8R0A1 | sed -E \
	's/, "attempts": [0-9]+(, "last_attempt": [0-9]+, "last_status": "[0-9.]+")?\}/}/g; s/\], "owner".*/]}/')" "$postfix"
is 'what is more, of recipients' "$(of 1N5X24Q8R0A1 '[.recipients[] | .attempts, .last_attempt, .last_status]')" \
	'[2,1793552480,"4.4.1",1,1793552490,"4.2.2",0,null,null]'
is 'what is more, of the message' "$(of 1N5X24Q8R0A1 '[.owner, .attempts, .next_attempt, .last_status]')" \
	"[$(id -u),2,1793556000,\"4.2.2\"]"
is 'never tried' "$(of 1N5X24Q8R0A0 '[.attempts, .next_attempt, .last_status, .recipients[0].delay_reason]')" \
	'[0,1795450385,null,null]'
is 'what waits for a person has no next attempt' \
	"$(mailq -j | jq -c 'select(.next_attempt == null) | .queue_name' | sort -u | tr '\n' ' ')" \
	'"damaged" "failed" "hold" '
is 'damaged: why' "$(of 1N5X24Q8R0A5 '.damaged, .message_size, .arrival_time')" \
	$'not a regular file\n0\n1795450391'
is 'hostile text' "$(of 1N5X24Q8R0B0 '.recipients[0].delay_reason')" '?[31mred? "\ ? ? ü ?'
is 'hostile addresses' "$(of 1N5X24Q8R0B0 '.sender, .recipients[0].address')" $'"a\\"b"@x.example\nü@x.example'
is 'no control character' "$(mailq -j | LC_ALL=C grep -c '[[:cntrl:]]')" 0

# Selections, IDs, the other name, a reader that goes away
is 'a selection' "$(mailq -j --state hold,failed | jq -r .queue_id | tr '\n' ' ')" '1N5X24Q8R0A2 1N5X24Q8R0A3 '
try mailq -j 1N5X24Q8R0A2 1N5X24Q8R099
is 'an ID that is not there' "$rc $(jq -r .queue_id "$S/out") $(cat "$S/err")" \
	'68 1N5X24Q8R0A2 mailq: 1N5X24Q8R099: no such message in the queue'
ln -s "$(command -v mailq)" "$S/postqueue"
is 'postqueue -j' "$("$S/postqueue" -j)" "$(mailq -j)"
mailq -j >/dev/full 2>"$S/err"
is 'a full disk' "$? $(cat "$S/err")" '74 mailq: standard output: No space left on device'

# Many recipients
empty_queue
mapfile -t many < <(printf 'user%d@example.org\n' {1..5000})
message new 1N5X24Q8R0A0 1795450385 1 a@x.example "${many[@]}" </dev/null
is 'many recipients' "$(mailq -j | jq -r '.recipients | length, .[4999].address')" $'5000\nuser5000@example.org'
mailq -j >"$S/out"
ok 'many recipients: the schema' fits_schema "$S/out"

# Our own mail
empty_queue
sendmail -i -odq -f s@x.example r1@x.example r2@x.example <<<'hello'
mailq -j >"$S/out"
ok 'posted by sendmail: the schema' fits_schema "$S/out"
is 'posted by sendmail' "$(jq -rc '[.queue_id, .sender, .recipients[].address]' "$S/out")" \
	"[\"$(ls "$QUEUE/new")\",\"s@x.example\",\"r1@x.example\",\"r2@x.example\"]"

done_testing
