#!/bin/bash
# SPDX-License-Identifier: ISC
#
# -bd and -bD of an ordinary user: a flusher that stays; SIGHUP reads the settings again.
. "${0%/*}/lib.sh"
need_root
need setpriv pgrep
scratch
sink_start
mkdir "$S/prefix"
cp -r "$B/sbin" "$B/bin" "$B/libexec" "$S/prefix"
user=12001
as() { setpriv --reuid $user --regid $user --clear-groups "$@"; }
sendmail() { as "$S/prefix/sbin/sendmail" "$@"; }
settings() {
	config "relay.url=smtp://127.0.0.1:$SINK_PORT" log.to=syslog
	chmod 644 "$PILLARBOX_CONFIG"
}
settings
alone() { [ "$(running flush $user | wc -l)" = 1 ]; }

ok "-bd returns" sendmail -bd
ok "a flusher runs" eventually 5 alone
ok "and listens" eventually 5 test -S "$S/spool/$user/socket"
first=$(running flush)
ok "a post" sendmail -f s@x.example r@x.example <<<hello
ok "is delivered" sink_wait 1
sleep 2
is "by the one that stays" "$(running flush)" "$first"
sink_stop
old=$SINK_PORT
rm -f "$SINK"/0*
sink_start
settings
ok "SIGHUP" kill -HUP "$first"
ok "a post after it" sendmail -f s@x.example r2@x.example <<<hello
like "goes to the new relay ($SINK_PORT, not $old)" "$(sink_wait 1 && cat "$SINK"/*.env)" 'rcpt <r2@x.example>'
ok "-bd once more leaves the first alone" sendmail -bd
sleep 0.5
is "one flusher a spool" "$(running flush)" "$first"
ok "SIGTERM" kill "$first"
none() { [ -z "$(running flush)" ]; }
ok "ends it" eventually 3 none
done_testing
