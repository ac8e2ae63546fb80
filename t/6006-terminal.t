#!/bin/bash
# SPDX-License-Identifier: ISC
# mailq on a terminal, which tmux is; and -v, there and in a pipe.
. "${0%/*}/lib.sh"
scratch
config queue.deliver=queue
need perl tmux
# shellcheck source=t/queue.sh
. "$T/queue.sh"
empty_queue

# screen WIDTH COMMAND...: what is seen of it, in $S/screen; $S/coloured: with escape sequences. Each
# has a server of its own: one that is told to go may still take the next session.
screen() {
	local width=$1
	shift
	rm -f "$S/done"
	server=$((server + 1))
	tmux -L "$server" -f /dev/null new-session -d -x "$width" -y 60 \
		"env LC_ALL=C.UTF-8 ${environment-} $*; echo \$? >$S/done; echo over; exec sleep 100"
	eventually 20 is_over || diag 'it does not end'
	tmux -L "$server" capture-pane -p -e -t 0 | sed '/^over/,$d' >"$S/coloured"
	tmux -L "$server" capture-pane -p -t 0 | sed '/^over/,$d' >"$S/screen"
	tmux -L "$server" kill-server
}
is_over() { tmux -L "$server" capture-pane -p -t 0 2>/dev/null | grep -qx over; }
server=0
export TMUX_TMPDIR=$S

seen() { cat "$S/screen"; }
widest() { perl -CS -Mutf8 -ne 'chomp; $n = length if length > $n; END { print $n }' "$S/screen"; }

screen 80 mailq
is 'empty' "$(seen)" 'Mail queue is empty'

now=$(date +%s)
message new 1N5X24Q8R001 $((now - 3660)) 999 alice@example.org bob@example.net </dev/null
message cur 1N5X24Q8R002 $((now - 7260)) 2345 carol@example.org bob@example.net eve@other.example mallory@example.net <<END
@$((now - 7100)) 0 4.4.1 connect to mx.example.net[192.0.2.1]:25: Connection timed out after a while, and more of that which is long
@$((now - 7100)) 1 4.2.1 Greylisted
@$((now - 7100)) 2 4.2.1 Greylisted
END
touch -d @$((now + 7200 + 600)) "$QUEUE/cur/1N5X24Q8R002"
message hold 1N5X24Q8R003 $((now - 864000 - 60)) 5242880 '' b@example.net </dev/null
message failed 1N5X24Q8R004 $((now - 4000)) 10 '' c@example.net <<END
@$((now - 4)) 0 5.1.1 unknown user
@$((now - 4)) 0 told null sender
END
message cur 1N5X24Q8R005 $((now - 3660)) 1025 a@example.org d@example.net </dev/null
lock_message "$QUEUE/cur/1N5X24Q8R005"
echo nonsense >"$QUEUE/new/1N5X24Q8R006"
chmod 600 "$QUEUE/new/1N5X24Q8R006"
touch -d @$((now - 3660)) "$QUEUE/new/1N5X24Q8R006"

owner=''
[ "$(id -u)" != 0 ] || owner='root (uid 0)'$'\n'
screen 80 mailq
is 'as a person sees it' "$(grep -v '^mailq: nobody' "$S/screen")" "${owner}ID            STATE      SIZE   AGE  NEXT  SENDER
1N5X24Q8R001  incoming    999    1h   now  alice@example.org
  bob@example.net
1N5X24Q8R002  deferred   2.3K    2h    2h  carol@example.org
  bob@example.net
      connect to mx.example.net[192.0.2.1]:25: Connection timed out after a
      while, and more of that which is long
  eve@other.example
      Greylisted
  mallory@example.net
1N5X24Q8R003  hold       5.0M   10d     -  MAILER-DAEMON
  b@example.net
1N5X24Q8R004  failed       10    1h     -  MAILER-DAEMON
  c@example.net
      unknown user
1N5X24Q8R005  active     1.1K    1h   now  a@example.org
  d@example.net
1N5X24Q8R006  damaged       9    1h     -  not a spool file

6 messages, 5.1M: 1 incoming, 1 active, 1 deferred, 1 hold, 1 failed, 1 damaged"
is 'the exit status is the same' "$(cat "$S/done")" 65
like 'nobody delivers: is said' "$(seen)" 'mailq: nobody is delivering'
ok 'in colour' grep -q $'\033\[3[0-9]' "$S/coloured"
environment=NO_COLOR=1 screen 80 mailq
unlike 'NO_COLOR' "$(cat "$S/coloured")" $'\033'
environment=TERM=dumb screen 80 mailq
unlike 'TERM=dumb' "$(cat "$S/coloured")" $'\033'
for width in 20 30 42 43 62 63 100 200; do
	screen "$width" "mailq 2>/dev/null"
	ok "$width columns: nothing is wider" test "$(widest)" -le "$width"
	is "$width columns: each ID begins a line" "$(grep -c '^1N5X24Q8R00' "$S/screen")" 6
	like "$width columns: what is said" "$(seen | tr -d '\n ')" \
		'connecttomx.example.net\[192.0.2.1\]:25:Connectiontimedoutafterawhile,andmoreofthatwhichislong'
done
screen 80 mailq -p
like '-p is Postfix'\''s form' "$(seen)" '^-Queue ID-  --Size--'
screen 80 "mailq 2>/dev/null | cat"
like 'a pipe is, too' "$(seen)" '^-Queue ID-  --Size--'
screen 80 "mailq --state hold,active 2>/dev/null"
like 'a selection' "$(seen)" '2 messages, 5.1M: 1 active, 1 hold$'
screen 80 "mailq --state deferred 2>/dev/null"
like 'the next attempt' "$(seen)" '1 message, 2.3K: 1 deferred; next attempt in 2h$'
unlock_message

# -v
verbose() { mailq -v "$1"; }
like '-v: state' "$(verbose 1N5X24Q8R002)" \
	$'\n'"    deferred, in $QUEUE/cur of uid $(id -u)"$'\n'"    arrived ....-..-.. ..:..:.., 2h ago, posted by uid $(id -u), 7BIT, 1 attempt"$'\n'
like '-v: next attempt' "$(verbose 1N5X24Q8R002)" $'\n    next attempt ....-..-.. ..:..:.., in 2h\n'
like '-v: next attempt, none' "$(verbose 1N5X24Q8R003)" $'\n    no further attempt until somebody decides\n'
like '-v: next attempt, now' "$(verbose 1N5X24Q8R001)" $'\n    next attempt as soon as possible\n'
like '-v: damaged' "$(verbose 1N5X24Q8R006)" "    damaged, in $QUEUE/new of uid"
like '-v: envelope' "$(verbose 1N5X24Q8R002)" $'\n    from <carol@example.org>\n    rcpt <bob@example.net>\n    rcpt <eve@other.example>\n'
like '-v: history' "$(verbose 1N5X24Q8R002)" \
	$'\n    20..-..-.. ..:..:.. <bob@example.net> 4.4.1 connect to [^\n]*\n    20..-..-.. ..:..:.. <eve@other.example> 4.2.1 Greylisted\n'
like '-v: what was told' "$(verbose 1N5X24Q8R004)" $'<c@example.net> told null sender\n'
is '-v: lines that begin as an entry does' "$(mailq -v | grep -c '^[A-F0-9]')" 6
is '-v: the last line stays' "$(mailq -v | tail -n 1)" "$(mailq | tail -n 1)"
is 'sendmail -bp -v is the same' "$(sendmail -bp -v)" "$(mailq -v)"
screen 100 "mailq -v 1N5X24Q8R002"
like '-v on a terminal' "$(seen)" $'\n      Greylisted\n  mallory@example.net\n    deferred, in '
empty_queue
sendmail -odq -f s@x.example -N delay,failure -R hdrs -V id+1 r@x.example <<<hello
like '-v: parameters' "$(mailq -v)" $'\n    envid id\\+2B1\n    ret HDRS\n    from <s@x.example>\n    rcpt <r@x.example> NOTIFY=FAILURE,DELAY'

# Hostile text, of every kind, on both forms
empty_queue
printf '@1795450386 0 4.0.0 \033[31mred\007 \302\233 \377 \342\200\256 \033]0;title\007 \303\274\344\270\255\345\233\275\n@1795450386 0 \033[2J \033[2J\n@1795450387 9 4.0.0 nobody\n' >"$S/journal"
message cur 1N5X24Q8R0B0 1795450385 10 '"\e[31m"@x.example' '中国ü@x.example' <"$S/journal"
for options in '' -p -v -j --summary --check -m; do
	mailq $options >"$S/out" 2>"$S/err"
	is "hostile text, mailq $options" "$(LC_ALL=C grep -c $'[\001-\011\013-\037\177]' "$S/out")" 0
	unlike "hostile text, mailq $options, C1 and turns" "$(cat "$S/out")" $'\302\233|\342\200\256'
done
environment=NO_COLOR=1 screen 60 mailq -v
ok 'hostile text on a terminal' grep -qF '?[31mred? ? ? ? ?]0;title? ü中国' "$S/screen"
unlike 'hostile text on a terminal: no sequence' "$(cat "$S/coloured")" $'\033'
ok 'wide characters are counted' test -n "$(grep -F '中国ü@x.example' "$S/screen")"

# Root: a line for each owner
if [ "$(id -u)" = 0 ]; then
	QUEUE=$S/spool/4242
	empty_queue
	message new 1N5X24Q8R0C0 "$now" 10 a@example.org b@example.net </dev/null
	chown -R 4242:4242 "$QUEUE"
	screen 80 "mailq 2>/dev/null"
	is 'owners' "$(grep -o '.*(uid .*' "$S/screen" | sort | tr '\n' ' ')" 'root (uid 0) uid4242 (uid 4242) '
	is 'owners: one head' "$(grep -c '^ID ' "$S/screen")" 1
fi

done_testing
