#!/bin/bash
# SPDX-License-Identifier: ISC
#
# What options do to the envelope, to Received and to the log; queue runs of a part; other names.
. "${0%/*}/lib.sh"
scratch
sink_start
config "relay.url=smtp://127.0.0.1:$SINK_PORT" queue.deliver=queue

queued() { find "$S"/spool/*/new -type f; }
# head ARGS...: the head and the message of what is queued by these.
head_of() {
	find "$S/spool" -path '*/new/*' -type f -delete
	sendmail -i -f s@x.example "$@" r@x.example <<<$'Subject: x\n\nbody'
	cat "$(queued)"
}
like "-N" "$(head_of -N success,delay)" $'rcpt <r@x.example> NOTIFY=SUCCESS,DELAY\n'
like "-N never stands alone" "$(head_of -N failure,never)" $'rcpt <r@x.example> NOTIFY=NEVER\n'
like "-N with a word that is none is ignored" "$(head_of -N sometimes)" $'rcpt <r@x.example>\n'
like "-R" "$(head_of -R HDRS)" $'\nret HDRS\n'
like "-V, as xtext" "$(head_of -V 'a+b c')" $'\nenvid a\\+2Bb\\+20c\n'
like "-p" "$(head_of -p UUCP:far.example)" 'Received: from far.example by client.example \(Pillarbox, from userid [0-9]+\).*with UUCP id '
like "-O requiretls" "$(head_of -O RequireTLS)" $'\nrequiretls\n'
unlike "-p cannot inject" "$(head_of -p $'X:y\r\nBcc: z')" $'\nBcc: z'
(for _ in {1..45}; do echo 'Received: by x'; done; echo; echo b) >"$S/hops"
ok "45 Received fields are no loop" sendmail r@x.example <"$S/hops"
refuses 69 sendmail -h 10 r@x.example <"$S/hops"
refuses 64 sendmail -h ten r@x.example </dev/null
sendmail -L cronjob r@x.example <<<hello
like "-L" "$(cat "$S/log")" 'pillarbox/cronjob\[[0-9]+\]: '
head_of -U >/dev/null
find "$S/spool" -path '*/new/*' -type f -delete
printf 'Subject: \303\274ber\n\nbody\n' | sendmail r@x.example
like "8-bit in a header is 8BITMIME" "$(cat "$(queued)")" $'\nbody 8BITMIME\n'
find "$S/spool" -path '*/new/*' -type f -delete
printf 'Subject: \303\274ber\n\nbody\n' | sendmail -O SMTPUTF8 r@x.example
like "with -O SMTPUTF8 it is SMTPUTF8" "$(cat "$(queued)")" $'\nbody SMTPUTF8\n'
find "$S/spool" -path '*/new/*' -type f -delete
sendmail -f $'\303\274ser@x.example' r@x.example </dev/null
like "a sender who needs it is SMTPUTF8" "$(cat "$(queued)")" $'\nbody SMTPUTF8\n'
find "$S/spool" -path '*/new/*' -type f -delete
printf 'To: \303\274ser@x.example\n\nbody\n' | sendmail r@x.example
like "an address in the header, too" "$(cat "$(queued)")" $'\nbody SMTPUTF8\n'
find "$S/spool" -path '*/new/*' -type f -delete
sendmail $'\303\274ser@x.example' </dev/null
like "a recipient is left to the delivery" "$(cat "$(queued)")" $'\nbody 7BIT'

# NAME, as real sendmail has it; -F over it.
find "$S/spool" -path '*/new/*' -type f -delete
NAME='Env Name' sendmail -f s@x.example r@x.example <<<hello
like "NAME" "$(cat "$(queued)")" 'From: Env Name <s@x.example>'
find "$S/spool" -path '*/new/*' -type f -delete
NAME='Env Name' sendmail -F 'Arg Name' -f s@x.example r@x.example <<<hello
like "-F over it" "$(cat "$(queued)")" 'From: Arg Name <s@x.example>'

# A part of what waits. (What was never tried goes with the first flusher that runs.)
sink_stop
sink_start -p "$SINK_PORT" -r 'rcpt * reply 451 4.2.1 later'
find "$S/spool" -path '*/new/*' -type f -delete
for r in anna bert carl; do sendmail -f "from-$r@x.example" "$r@x.example" <<<"$r"; done
sendmail -f '<>' nobody@x.example <<<nobody
left() { mailq | sed -n 's/^ \{41\}\(.*\)@x.example/\1/p' | sort | tr '\n' ' '; }
sendmail -q
is "all wait" "$(left)" "anna bert carl nobody "
id=$(mailq | grep -B3 nobody@ | sed -n 's/^\([0-9A-Z]\{12\}\).*/\1/p' | tail -1)
sink_stop
rm -rf "$SINK"
sink_start -p "$SINK_PORT"
ok "-qRbert" sendmail -qRBERT
is "takes the one to bert" "$(left)" "anna carl nobody "
ok "-qSfrom-carl" sendmail -qSfrom-carl
is "takes the one from carl" "$(left)" "anna nobody "
ok "-q!S<>" sendmail '-q!S<>'
is "takes all but the one from nobody" "$(left)" "nobody "
ok "-qIid" sendmail "-qI$id"
ok "takes that one" queue_is_empty
is "each arrived once" "$(messages)" 4
refuses 64 sendmail -qR
refuses 64 sendmail '-q!x'
sendmail r@x.example <<<hello
ln -s "$B/sbin/sendmail" "$S/runq"
ok "runq" "$S/runq"
ok "runs the queue" queue_is_empty
for option in -q0 -qf; do
	sendmail r@x.example <<<hello
	ok "$option" sendmail $option
	ok "runs the queue" queue_is_empty
done
ln -s "$B/sbin/sendmail" "$S/hoststat"
like "hoststat says that there is none" "$("$S/hoststat")" 'no host status'
done_testing
