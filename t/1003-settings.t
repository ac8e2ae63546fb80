#!/bin/bash
# SPDX-License-Identifier: ISC
#
# Settings: where they come from, what mistakes get, and that none of them loses mail.
. "${0%/*}/lib.sh"
need strace
scratch
config queue.deliver=queue
show() { sendmail -bP | grep -F "$1 = "; }

like "-bP shows a value and where it came from" "$(show queue.deliver)" "^queue.deliver = queue +; $S/pillarbox.ini:[0-9]+$"
like "a default" "$(show tls.policy)" '^tls.policy = auto +; default$'
export PILLARBOX_TLS_POLICY=verify
like "the environment wins" "$(show tls.policy)" '^tls.policy = verify +; environment$'
unset PILLARBOX_TLS_POLICY
is "every setting of the table is shown" "$(sendmail -bP | wc -l)" "$(grep -c '^SETTING(' "$T/../lib/sys/settings.def")"
config relay.password=s3cret 'relay.url=smtps://me:hid@x.example'
unlike "secrets are not shown" "$(sendmail -bP)" 's3cret|hid'

# The user's own file.
mkdir -p "$HOME/.config"
printf '[mail]\ndomain = own.example\n' >"$HOME/.config/pillarbox.ini"
unset PILLARBOX_CONFIG
like "the user's own file" "$(show mail.domain)" "^mail.domain = own.example +; $HOME/.config/pillarbox.ini:2$"
export PILLARBOX_CONFIG=$S/pillarbox.ini

# Mistakes: file, line and key on stderr and in the log; the message is queued all the same.
mistake() {
	config queue.deliver=queue
	printf '%s\n' "${@:2}" >>"$PILLARBOX_CONFIG"
	try sendmail r@x.example <<<hello
	is "$1: queued all the same" "$rc" 0
	like "  and said" "$(cat "$S/err")" "^sendmail: $S/pillarbox.ini:[0-9]+: .*$1"
	like "  and logged" "$(cat "$S/log")" "pillarbox.ini:[0-9]+: .*$1"
}
mistake 'relay.url: ' '[relay]' 'url = gopher://x'
mistake 'relay.ulr: unknown key' '[relay]' 'ulr = smtp://x'
mistake 'relais' '[relais]' 'url = smtp://x'
mistake 'queue.lifetime: ' '[queue]' 'lifetime = soon'
mistake 'too long' '[relay]' "url = smtp://$(printf 'x%.0s' {1..300})"
rm "$PILLARBOX_CONFIG"
try env PILLARBOX_QUEUE_DIR="$S/spool" PILLARBOX_QUEUE_DELIVER=queue sendmail r@x.example <<<hello
like "a configuration that is not there" "$rc $(cat "$S/err")" "^0 sendmail: $S/pillarbox.ini: No such file"

# A broken relay: the mail waits, and mailq says why.
config 'relay.url=smtp://[broken'
ok "posted" sendmail -i -f s@x.example r@x.example <<<hello 2>/dev/null
why() { [[ $(mailq 2>/dev/null) =~ pillarbox.ini:[0-9]+:\ relay.url ]]; }
ok "the reason is in mailq, with file and line" eventually 10 why
sink_start
config "relay.url=smtp://127.0.0.1:$SINK_PORT"
ok "-q after the repair" sendmail -q
ok "delivers it" arrived 1

# A password that cannot be read. (smtp has its settings from its start: a new one, then.)
ok "the flusher leaves" eventually 10 test ! -e "$S/spool/$(id -u)/socket"
config "relay.url=smtp+notls://me@127.0.0.1:$SINK_PORT" "relay.password_file=$S/none"
ok "posted" sendmail -i -f s@x.example r@x.example <<<hello
why() { [[ $(mailq) =~ password_file\ $S/none:\ No\ such\ file ]]; }
ok "the reason is in mailq" eventually 10 why
# A file that the system cannot read just now may name another queue: not a post into the built-in one.
config queue.deliver=queue
for call in openat:EMFILE openat:EIO read:EIO; do
	try strace -qq -o /dev/null -P "$PILLARBOX_CONFIG" -e "inject=${call%:*}:error=${call#*:}" \
		"$B/sbin/sendmail" r@x.example <<<text
	is "${call#*:} of the settings: try again" "$rc $(<"$S/err")" \
		"75 sendmail: cannot read the settings: $(perl -MPOSIX -e 'print strerror(eval $ARGV[0])' "${call#*:}"); nothing was queued"
done
done_testing
