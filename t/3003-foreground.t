#!/bin/bash
# SPDX-License-Identifier: ISC
#
# -odi: the outcome of the first attempt is the exit status.
. "${0%/*}/lib.sh"
scratch
sink_start -r 'rcpt user@* reply 550 5.1.1 no such user' -r 'rcpt host@* reply 550 5.1.2 no such host' \
	-r 'rcpt policy@* reply 554 5.7.1 not you' -r 'rcpt later@* reply 451 4.2.1 later' -r 'rcpt slow@* stall'
config "relay.url=smtp://127.0.0.1:$SINK_PORT" queue.wait=2s
post() { sendmail -i -odi -f s@x.example "$@" <<<hello; }

try post good@x.example
is "sent: 0, and it is there already" "$rc $(messages)" "0 1"
try post user@x.example
is "no such user: 67" "$rc" 67
try post host@x.example
is "no such host: 68" "$rc" 68
try post policy@x.example
is "refused otherwise: 69" "$rc" 69
try post good@x.example user@x.example
is "one of two: the failure" "$rc" 67
try post later@x.example
is "deferred: queued, 0" "$rc" 0
try post slow@x.example
is "no outcome in time: queued, 0" "$rc" 0
like "it is there" "$(mailq)" slow@x.example
is "silent" "$(cat "$S/out" "$S/err")" ""
sink_stop
try post down@x.example
is "nobody there: queued, 0" "$rc" 0
config "relay.url=smtp://127.0.0.1:$SINK_PORT" queue.deliver=foreground
try sendmail -f s@x.example down@x.example <<<hello
is "by setting too" "$rc" 0
like "it had its attempt" "$(mailq)" 'Connection refused'
done_testing
