#!/bin/bash
# SPDX-License-Identifier: ISC
#
# flush is killed before its system calls while it reports: a failure and a delay to the sender, a
# failure of mail from nobody to the postmaster. After another run each is there, once: the reports
# wait, so that all that were ever made can be counted.
. "${0%/*}/lib.sh"
. "$T/crash.sh"
scratch
sink_start -r 'rcpt refused@* reply 550 5.1.1 no such user' -r 'rcpt *@* reply 450 4.2.1 later'
echo 'postmaster: admin@x.example' >"$S/aliases"

queue() {
	local spool=$S/spool.$1/$(id -u)
	config "relay.url=smtp://127.0.0.1:$SINK_PORT" queue.deliver=queue "queue.dir=$S/spool.$1" log.to=auto \
		queue.delay_warning=1h "mail.aliases=$S/aliases"
	mkdir -m 1777 "$S/spool.$1"
	sendmail -i -f s@x.example refused@x.example late@x.example <<<$'Subject: x\n\nboth'
	sendmail -i -f '<>' refused@x.example <<<$'Subject: x\n\nfrom nobody'
	sed -i "s/^arrived .*/arrived $(($(date +%s) - 7200)).000000/" "$spool"/new/*
}

# What there is: reports by their subjects, other mail by its body, and where; what the journals say.
state() {
	(
		cd "$S/spool.$1/$(id -u)" || exit
		for file in {new,cur,failed}/*; do
			[ -f "$file" ] && echo "${file%/*}: $(tr -d '\r' <"$file" |
				grep -m 1 -xE 'both|from nobody|Subject: (Undel|Delay|Postm).*') $(
				grep -aoE '^@[0-9]+ [0-9] (told|warned|copied)' "$file" | cut -d' ' -f2- | paste -sd,)"
		done
	) | sort
}
wanted='cur: Subject: Delayed mail (still being retried) 
cur: Subject: Postmaster copy: undeliverable report 0 copied
cur: Subject: Undelivered mail returned to sender 
cur: both 0 told,1 warned
failed: from nobody 0 copied'
told() { sendmail -q >"$S/out" 2>&1; [ "$(state "$1")" = "$wanted" ]; }

queue 0
steps -m flush "$B/sbin/sendmail" -q
calls=$(<"$S/step")
ok "a run that is not killed" eventually 30 told 0
wrong='' serial=0
for call in $(points "$calls"); do
	queue $((++serial))
	steps -m flush -n "$call" "$B/sbin/sendmail" -q 2>/dev/null
	eventually 30 told $serial && continue
	wrong+=" $call"
	diag "killed before $(<"$S/step"):" "$(state $serial)"
done
is "each is told once after a kill before each of $calls calls" "$wrong" ''
ok "no violations" sink_content
done_testing
