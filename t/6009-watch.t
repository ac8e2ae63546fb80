#!/bin/bash
# SPDX-License-Identifier: ISC
# mailq --watch, and sendmail -q on a terminal, which tmux is.
. "${0%/*}/lib.sh"
need_root
scratch
need tmux
sink_start -r 'rcpt bad@* reply 550 5.1.1 no' -r 'rcpt late@* reply 450 4.2.0 later'
config queue.deliver=queue "relay.url=smtp://127.0.0.1:$SINK_PORT"

export TMUX_TMPDIR=$S SHELL=$BASH # it goes on behind a C-c, which not every shell does
server=0
open_terminal() { # COMMAND
	server=$((server + 1))
	rm -f "$S/done"
	tmux -L $server -f /dev/null new-session -d -x 100 -y 20 "echo before; $*; echo \$? >$S/done; stty -a >$S/tty; exec sleep 100"
}
seen() { tmux -L $server capture-pane -p -t 0 2>/dev/null; }
shows() { seen | grep -q "$1"; }
ended() { [ -s "$S/tty" ]; }
close_terminal() { rm -f "$S/tty"; tmux -L $server kill-server; }

refuses 64 mailq --watch </dev/null
refuses 64 mailq --watch -j
for key in q C-c; do
	open_terminal mailq --watch
	ok "$key: the list" eventually 20 shows 'Mail queue is empty'
	ok '  says how to leave' shows 'q quits'
	sendmail -odq -f s@x.example new@x.example <<<x
	ok '  shows what comes' eventually 20 shows new@x.example
	mailq -y -d ALL 2>/dev/null
	ok '  and that it goes' eventually 20 shows 'Mail queue is empty'
	tmux -L $server send-keys $key
	ok '  it quits' eventually 20 ended
	is '  the exit status' "$(cat "$S/done")" 0
	like '  the terminal is as before: its modes' "$(cat "$S/tty")" ' icanon .* echo '
	ok '  its screen' shows before
	ok '  without the list' test -z "$(seen | grep 'q quits')"
	close_terminal
done
for i in {1..40}; do sendmail -odq -f s@x.example "r$i@x.example" <<<x; done
open_terminal mailq --watch
ok 'what does not fit is cut, the head stays' eventually 20 shows 'q quits'
ok '  with what comes first' shows r1@x.example
close_terminal

# Without a bounce, which this run or the next one would send.
sendmail -odq -N never -f s@x.example bad@x.example late@x.example <<<x
open_terminal sendmail -q
ok 'a queue run ends' eventually 60 ended
ok '  with its sums' shows 'sendmail: 42 of 42: 40 sent, 1 deferred, 1 failed; .*/s$'
close_terminal
mailq -y -d ALL 2>/dev/null
open_terminal sendmail -q
ok 'nothing waits' eventually 60 ended
ok '  nothing is shown' test -z "$(seen | grep sendmail:)"
close_terminal
eventually 10 flushers_gone
sendmail -odq -f s@x.example v@x.example <<<x
open_terminal sendmail -q -v
ok '-v, too' eventually 60 ended
ok '  each recipient' shows ' 2.0.0 <v@x.example> 250'
ok '  and the sums' shows 'sendmail: 1 of 1: 1 sent'
close_terminal
eventually 10 flushers_gone
sendmail -odq -f s@x.example quiet@x.example <<<x
sendmail -odq -f s@x.example other@x.example <<<x
open_terminal sendmail -qRquiet@
ok 'a part of the queue' eventually 60 ended
ok '  with its sums' shows 'sendmail: 1 of 1: 1 sent'
close_terminal
sendmail -odq -f s@x.example quiet@x.example <<<x
try sendmail -q
is 'quiet without a terminal' "$rc$(cat "$S/out" "$S/err")" 0
ok 'no violations' sink_content
done_testing
