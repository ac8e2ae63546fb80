#!/bin/bash
# SPDX-License-Identifier: ISC
#
# The exit statuses, each row of sendmail(8)'s table that can be brought about from outside.
. "${0%/*}/lib.sh"
scratch
sink_start -r 'rcpt host@* reply 550 5.1.2 no such host' -r 'rcpt policy@* reply 550 5.7.1 no'
printf 'pipe: |/x\n' >"$S/aliases"
chmod 644 "$S/aliases"
config "relay.url=smtp://127.0.0.1:$SINK_PORT" "mail.aliases=$S/aliases"
tested=()
# status CODE WHY COMMAND...
status() {
	try "${@:3}"
	is "$1: $2" "$rc" "$1"
	tested+=("$1")
}
post() { sendmail "$@" <<<$'Subject: x\n\nhello'; }
status 0 "queued" post -odq a@x.example
status 64 "no recipients" post
status 64 "an option that is none" post -Z
status 64 "an option without its value" post -f
status 65 "no address" post 'a b c@'
status 65 "no sender" post -f 'a b' a@x.example
status 67 "an alias that leads to nobody" post pipe
status 68 "-odi: no such host" post -odi host@x.example
status 69 "-odi: refused" post -odi policy@x.example
(for _ in {1..60}; do echo 'Received: by x'; done; echo; echo b) >"$S/loop"
loop() { sendmail a@x.example <"$S/loop"; }
status 69 "a mail loop" loop
mkdir -p "$S/alone/sbin"
cp "$B/sbin/sendmail" "$S/alone/sbin/sendmail"
alone() { env PATH=/nonexistent "$S/alone/sbin/sendmail" -bp; }
if [ ! -e /usr/local/bin/mailq ]; then status 72 "a program of ours is missing" alone; fi
full() { sendmail -bP >/dev/full; }
status 74 "standard output takes nothing" full
directory() { sendmail a@x.example </; }
status 75 "the input breaks off" directory
host=$(hostname)
config "queue.dir=$S/aliases/x"
unset HOME
status 75 "no spool" post a@x.example
config 'mail.domain=a..b' "mail.hostname=$host"
status 78 "mail.domain is no domain" post -odq login

listed() { sed -n '/^\.Sh EXIT STATUS/,/^\.Sh [^E]/s/^\.It [A-Za-z ]*\([0-9][0-9]*\).*/\1/p' "$T/../sendmail/sendmail.8" | sort -u; }
for code in "${tested[@]}"; do
	ok "sendmail(8) lists $code" grep -qx "$code" <(listed)
done
done_testing
