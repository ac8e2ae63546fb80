#!/bin/bash
# SPDX-License-Identifier: ISC
#
# When nobody can be told: bounces that cannot be delivered, and too many of them. Each is kept once,
# and the postmaster gets a copy where there is one.
. "${0%/*}/lib.sh"
need_root
scratch
spool=$S/spool/$(id -u)
sink_start -r 'rcpt no*@* reply 550 5.1.1 <no@x.example>: unknown user'
# use SETTINGS...: of the next run.
use() { config "relay.url=smtp://127.0.0.1:$SINK_PORT" queue.deliver=queue "mail.aliases=$S/aliases" "$@"; }
fresh() { rm -f "$SINK"/0* "$spool"/*/*; : >"$S/log"; }
files() { find "$spool/$1" -type f | wc -l; }
run() { sendmail -q >"$S/out" 2>&1; }
drained() { run; [ "$(files new) $(files cur)" = "0 0" ]; }
logged() { grep -c "$1" "$S/log"; }
rcpts() { cat "$SINK"/0*.env 2>/dev/null | sed -n 's/^rcpt //p' | sort | tr '\n' ' '; }
post() { sendmail -i "$@" <<<$'Subject: lost letter\n\nthe body'; }
# post_old ARGUMENTS...: a message that is older than a day.
post_old() {
	flushers_end
	post "$@"
	sed -i "s/^arrived .*/arrived $(($(date +%s) - 90000)).000000/" "$spool"/new/*
}

# No alias: it is only kept.
: >"$S/aliases"
use
post -f no@x.example no1@x.example
ok "a bounce that bounces" eventually 20 drained
is "  is kept, the original is gone" "$(files failed) $(messages)" "1 0"
like "  the log" "$(<"$S/log")" 'undeliverable and without a sender to tell: kept in .*/failed'
fresh

# postmaster leads to people.
printf 'postmaster: root, ops@y.example\nroot: admin@x.example\n' >"$S/aliases"
post -f no@x.example no1@x.example
ok "with a postmaster" eventually 20 drained
is "  it is kept all the same" "$(files failed)" 1
is "  and a copy goes to the alias" "$(messages) $(rcpts)" "1 <admin@x.example> <ops@y.example> "
text=$(tr -d '\r' <"$SINK/0001.eml")
like "  from nobody" "$(<"$SINK/0001.env")" 'mail <>'
like "  what it is" "$text" 'To: <ops@y.example>
Subject: Postmaster copy: undeliverable report'
like "  which made it" "$text" 'Auto-Submitted: auto-generated'
like "  whom the bounce did not reach" "$text" 'Final-Recipient: rfc822; no@x.example
Action: failed
Status: 5.1.1'
like "  the bounce is in it" "$text" 'message/rfc822.*Subject: Undelivered mail returned.*no1@x.example'
like "  and the message in that" "$text" 'Subject: lost letter'
like "  the journal" "$(cat "$spool"/failed/*)" ' 0 copied [0-9A-Z]{12}'
like "  the log" "$(<"$S/log")" 'postmaster non-delivery notification: [0-9A-Z]{12}'
like "  mailq shows it" "$(mailq)" $'^[^\n]*\n[0-9A-Z]{12}! .*MAILER-DAEMON'

# A person has it tried again: it fails again, and that is all.
mv "$spool"/failed/* "$spool/cur/"
ok "tried again" eventually 20 drained
is "  it is kept again" "$(files failed)" 1
is "  without another copy" "$(messages) $(logged 'postmaster non-delivery')" "1 1"

# A crash behind the copy's commit: the copy waits, so that it can be seen.
fresh
sink_stop
sink_start -r 'rcpt no*@* reply 550 5.1.1 no' -r 'rcpt *@* reply 450 4.2.0 later'
use
flushers_end
post -f '<>' no@x.example
cp -p "$spool"/new/* "$S/before"
run
is "mail from nobody is kept, the copy waits" "$(files failed) $(files cur)" "1 1"
flushers_end
copy=$(find "$spool/cur" -type f)
id=$(find "$spool/failed" -type f)
cp -p "$S/before" "$spool/cur/${id##*/}"
rm "$id"
run
is "  after a crash there is one copy" "$(files failed) $(find "$spool/cur" -type f)" "1 $copy"
fresh
sink_stop
sink_start -r 'rcpt *@x.example reply 550 5.1.1 no'
use

# The copy fails: it is kept, and no copy is made of it.
printf 'postmaster: admin@x.example\n' >"$S/aliases"
post -f '<>' no@x.example
ok "a copy that fails" eventually 20 drained
is "  is kept, once, beside the first" "$(files failed) $(logged 'postmaster non-delivery')" "2 1"

# Who is local still, behind the aliases, is at mail.domain.
fresh
printf 'postmaster: joe, root\nroot: ops@y.example\n' >"$S/aliases"
use mail.domain=y.example
post -f '<>' no@x.example
ok "a postmaster with a login" eventually 20 drained
is "  gets it at mail.domain" "$(rcpts)" "<joe@y.example> <ops@y.example> "
printf 'postmaster: admin@x.example\n' >"$S/aliases"
use

# Too old is as bad as refused.
fresh
sink_stop
sink_start -r 'rcpt late@* reply 450 4.2.0 later'
use
post_old -f '<>' late@x.example
ok "mail from nobody, older than a day" eventually 20 drained
is "  is given up, with a copy" "$(files failed) $(rcpts)" "1 <admin@x.example> "
like "  that says so" "$(tr -d '\r' <"$SINK/0001.eml")" 'tried for 25 hours and is given up'

# Aliases that nobody can make sense of do no harm.
for aliases in 'postmaster: /dev/null' 'postmaster: |program' 'postmaster: postmaster' 'other: a@y.example'; do
	fresh
	echo "$aliases" >"$S/aliases"
	post_old -f '<>' late@x.example
	ok "$aliases" eventually 20 drained
	is "  it is kept" "$(files failed)" 1
done
rm "$S/aliases"

# A flusher begins to count anew.
flusher_leaves() { eventually 20 test ! -e "$spool/socket"; }

# Too many: the first ones are told of, the others are kept, and nothing is lost.
fresh
sink_stop
sink_start -r 'rcpt no*@* reply 550 5.1.1 no'
ok "the flusher leaves" flusher_leaves
use queue.bounce_rate=5/1h
for i in {1..12}; do post -f s@x.example "no$i@x.example"; done
ok "twelve failures, five reports allowed" eventually 20 drained
is "  five are told of" "$(messages)" 5
is "  seven are kept" "$(files failed)" 7
is "  and no address is in both" "$({ cat "$SINK"/0*.eml | grep -ao '<no[0-9]*@' | sort -u
	grep -aoh '^rcpt <no[0-9]*@' "$spool"/failed/* | cut -c6-; } | sort | uniq -c | grep -vc ' 1 ')" 0
is "  each with a line in the log" "$(logged 'one report more than queue.bounce_rate allows: kept')" 7
stays() { ! eventually 1 test ! -e "$spool/socket"; }
ok "  the flusher stays, though it lingers for a second only" stays
mv "$spool"/failed/* "$spool/cur/"
use queue.bounce_rate=
ok "tried again without a limit" eventually 20 drained
is "  all are told of" "$(messages) $(files failed)" "12 0"

# Copies count as well.
fresh
ok "the flusher leaves" flusher_leaves
echo 'postmaster: admin@x.example' >"$S/aliases"
use queue.bounce_rate=1/1h
for i in 1 2; do post -f '<>' "no$i@x.example"; done
ok "mail from nobody, one copy allowed" eventually 20 drained
is "  both are kept, one is copied" "$(files failed) $(messages)" "2 1"
like "  the log" "$(<"$S/log")" 'no copy for the postmaster: more than queue.bounce_rate allows'
use queue.bounce_rate=
run

# What still waits is not given up for that, and success waits for its turn.
fresh
sink_stop
sink_start -x DSN -r 'rcpt no*@* reply 550 5.1.1 no' -r 'rcpt late@* reply 450 4.2.1 later'
ok "the flusher leaves" flusher_leaves
use queue.bounce_rate=1/1h
post -f s@x.example no1@x.example
post -f s@x.example no2@x.example late@x.example
post -f s@x.example -N success r@x.example
run
run
is "one is told of, two wait" "$(files failed) $(files cur) $(logged notification:)" "0 2 1"
use queue.bounce_rate=
run
ok "  and are told of when there is room" sink_wait 4
is "  one still waits" "$(files failed) $(files cur) $(logged notification:)" "0 1 3"
ok "the sink has nothing to complain of" sink_content
done_testing
