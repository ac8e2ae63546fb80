#!/bin/bash
# SPDX-License-Identifier: ISC
#
# Command lines, environments, descriptors, limits and headers that no caller should have. Whatever they
# are: a status of sysexits, no signal, little memory, an end in time; and 0 only with the whole message
# in the spool, else nothing.

. "${0%/*}/lib.sh"
need perl time timeout python3
scratch
. "$T/bounds.sh"
config queue.deliver=queue relay.url=smtp://127.0.0.1:1
printf 'Subject: x\n\nhello\nthe end\n' >"$S/text"
printf 'hello\r\nthe end\r\n' >"$S/body"
printf 'binary \377\376\001 octets' >"$S/garbage"

# fair NAME COMMAND...: in bounds, and true. What was taken must be $S/body, unless $other.
other=''
fair() {
	local n
	clear_queue
	bounded "${@:2}" <"${input-$S/text}"
	n=$(queued | wc -l)
	if [ "$rc" -ne 0 ]; then
		[ "$n" -eq 0 ] || wrong+=" refused, but $n queued"
	elif [ -z "$other" ]; then
		{ [ "$n" -eq 1 ] && sed '1,/^$/d' "$(queued)" | sed '1,/^\r$/d' | cmp -s - "$S/body"; } || wrong+=" taken, but not whole ($n)"
	fi
	[ -z "$wrong" ] || unfair+="$1:$wrong; "
}
huge=$(perl -e 'print "x" x 100000')
garbage=$(tr -d '\0' <"$S/garbage")

# Each option: without a value, with an empty, huge, garbled one, and a thousand times. -q and -I are no
# posts, and -b has other modes: a flusher that one of them started would take the next ones' messages.
unfair=''
for letter in {a..z} {A..Z} 0 - = '?' $'\377' ' '; do
	case $letter in q | I | b) other=yes ;; *) other='' ;; esac
	fair "-$letter" sendmail -i r@x.example "-$letter"
	fair "-$letter empty" sendmail -i "-$letter" '' r@x.example
	fair "-$letter huge" sendmail -i "-$letter$huge" r@x.example
	fair "-$letter garbage" sendmail -i "-$letter$garbage" r@x.example
	[ -z "$other" ] || eventually 5 sweep TERM 2>/dev/null || unfair+="-$letter: a flusher stays; "
done
is 'options with values that are none' "$unfair" ''
unfair='' other=''
for option in -v -i -t -U -n -oi -odq -fa@b -Fx -Nnever -Vx -h3 -p= -Rfull -Lx -em; do
	# shellcheck disable=SC2046 # words
	fair "$option, a thousand" sendmail $(for i in {1..1000}; do echo "$option"; done) r@x.example
done
is 'options a thousand times' "$unfair" ''

# So many arguments; names of our own that are none.
unfair=''
# shellcheck disable=SC2046
fair '20,000 recipients' sendmail $(for i in {1..20000}; do echo "r$i@x.example"; done)
# shellcheck disable=SC2046
fair '60,000 recipients' sendmail $(for i in {1..60000}; do echo "r$i@x.example"; done)
is '  they are too many' "$rc" 65
# shellcheck disable=SC2046
fair '100,000 flags' sendmail $(yes -- -v | head -n 100000) r@x.example
fair 'a huge recipient' sendmail "$huge@x.example"
fair 'a recipient that is garbage' sendmail "$garbage"
fair 'recipients without end' sendmail "$(perl -e 'print "a," x 40000')"
fair 'comments within comments' sendmail "$(perl -e 'print "(" x 60000')r@x.example"
fair 'groups within groups' sendmail "$(perl -e 'print "g:" x 40000, "r\@x.example", ";" x 40000')"
cat >"$S/execve" <<'END'
# run NAMES VARIABLES: sendmail's argv and its environment as they are, each a JSON list.
import ctypes, json, sys
def array(items):
    return (ctypes.c_char_p * (len(items) + 1))(*[i.encode("latin-1") for i in items], None)
libc = ctypes.CDLL(None)
libc.execve(sys.argv[1].encode(), array(json.loads(sys.argv[2])), array(json.loads(sys.argv[3])))
END
raw() { fair "$1" python3 "$S/execve" "$B/sbin/sendmail" "$2" "${3-[\"PILLARBOX_CONFIG=$PILLARBOX_CONFIG\", \"HOME=$HOME\"]}"; }
own="\"PILLARBOX_CONFIG=$PILLARBOX_CONFIG\""
for name in '' / // - . .. a/ '\u00ff\u00fe' '%s%n' 'sendmail\n' '-bs' "$(perl -e 'print "n" x 100000')"; do
	raw "argv[0] ${name:0:20}" "[\"$name\", \"r@x.example\"]"
done
raw 'argv of nothing' '[]'
is '  names no recipients' "$rc" 64

# Environments.
raw 'an empty environment' '["sendmail", "-f", "a@x.example"]' '[]'
raw 'words that set nothing' '["sendmail", "r@x.example"]' "[\"NOTHING\", \"\", \"=\", \"=x\", \"PILLARBOX_\", \"PILLARBOX_=\", \"PILLARBOX_MAIL\", $own, $own]"
# shellcheck disable=SC2046
fair 'an environment of a megabyte' env $(for i in {1..10}; do echo "V$i=$huge"; done) sendmail r@x.example
for name in PATH HOME TZ LANG LC_ALL NAME USER LOGNAME MAIL XDG_CONFIG_HOME XDG_STATE_HOME TMPDIR IFS MALLOC_ARENA_MAX \
	GLIBC_TUNABLES LD_LIBRARY_PATH NOTIFY_SOCKET CREDENTIALS_DIRECTORY PILLARBOX_RECEPTION; do
	for value in '' "$huge" "$garbage" /dev/full; do
		fair "$name=${value:0:10}" env "$name=$value" "$B/sbin/sendmail" r@x.example
	done
done
is 'words and variables that nobody expects' "$unfair" ''
unfair=''
for key in $(sendmail -bP | sed -n 's/^ *\([a-z]*\)\.\([a-z_0-9]*\) *=.*/\1_\2/p' | tr '[:lower:]' '[:upper:]'); do
	# Without a directory it would go to this machine's service, and a flusher is not wanted here.
	case $key in QUEUE_DIR | QUEUE_DELIVER) continue ;; esac
	for value in '' "$garbage" 99999999999999999999; do
		fair "$key=${value:0:10}" env "PILLARBOX_$key=$value" sendmail r@x.example
	done
done
is 'each setting from an environment that is wrong' "$unfair" ''
ok '  and they were many' test "$(sendmail -bP | wc -l)" -gt 40

# Descriptors.
unfair=''
for closed in '>&-' '2>&-' '>&- 2>&-'; do fair "closed: $closed" bash -c "exec sendmail r@x.example $closed"; done
other=yes
for closed in '<&-' '<&- >&-' '<&- >&- 2>&-'; do fair "closed: $closed" bash -c "exec sendmail r@x.example $closed"; done
for from in / . "$S/none" /dev/null; do fair "input: $from" bash -c "exec sendmail r@x.example <$from || exit 75"; done
fair 'input that can only be written' bash -c 'exec sendmail r@x.example 0>/dev/null'
is 'closed and odd descriptors' "$unfair" ''

# Limits and what else is inherited. A limit on memory may keep the program from being started at all.
unfair='' other=''
for n in 0 1 3 4 5 6 8 12; do fair "-n $n" bash -c "ulimit -n $n; exec \"$B/sbin/sendmail\" r@x.example"; done
for n in 0 1 4; do fair "-f $n" bash -c "trap '' XFSZ; ulimit -f $n; exec sendmail r@x.example"; done
for n in 64 128 512; do fair "-s $n" bash -c "ulimit -s $n; exec sendmail r@x.example"; done
[ "$kilobytes" -gt 65536 ] || for n in 8000 12000 16000 32000; do fair "-v $n" bash -c "ulimit -v $n; exec sendmail r@x.example"; done
fair 'no processes' bash -c 'ulimit -u 1; exec sendmail r@x.example'
for mask in 0 0777; do fair "umask $mask" bash -c "umask $mask; exec sendmail r@x.example"; done
is '  files are their owner'"'"'s alone' "$(queued | xargs stat -c %a)" 600
fair 'no directory' bash -c "mkdir '$S/gone'; cd '$S/gone'; rmdir '$S/gone'; exec '$B/sbin/sendmail' r@x.example"
fair 'signals ignored' bash -c "trap '' PIPE CHLD HUP INT TERM USR1 ALRM; exec sendmail r@x.example"
fair 'signals blocked' python3 -c 'import os, signal; signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
os.execvp("sendmail", ["sendmail", "r@x.example"])'
is 'limits and what else is inherited' "$unfair" ''

# All but a little of the processor time that it may have is gone when it begins; its input never ends.
clear_queue
cat >"$S/spent" <<'END'
import os, resource, sys, time
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
while time.process_time() < 0.95:
    pass
resource.setrlimit(resource.RLIMIT_CPU, (1, resource.RLIM_INFINITY))
os.execvp(sys.argv[1], sys.argv[1:])
END
{
	yes 'a line of a long message' | timeout -k 5 60 python3 "$S/spent" sendmail -i r@x.example
	ended=${PIPESTATUS[1]}
} 2>"$S/err"
is 'the limit of processor time ends it by SIGXCPU' "$ended" $((128 + $(kill -l XCPU)))
is '  and nothing is queued' "$(queued)" ''
ok '  the next one posts' sendmail -i r@x.example <"$S/text"
is '  one message' "$(queued | wc -l)" 1

# Headers. Rows: name ~ status ~ the message, in Perl.
other=yes input=$S/bomb
while IFS='~' read -r name status text; do
	unfair=''
	perl -e 'my $end = "\n\nhello\n"; print eval shift; die $@ if $@' "$text" >"$S/bomb"
	fair "$name" sendmail -i -t
	[ "$rc" = "$status" ] || unfair+=" status $rc: $(head -c 200 "$S/err")"
	is "a header: $name" "$unfair" ''
done <<'END'
a million fields~65~print "To: r\@x.example\n"; print "X-$_: y\n" for 1 .. 1000000; $end
a field of 40 MB~65~print "To: r\@x.example\nX: "; print "y" x 1000 for 1 .. 40000; $end
a million folds~65~"To: r\@x.example\nX: y\n" . " z\n" x 1000000 . $end
100,000 recipients~65~"To: " . join(",\n ", map { "r$_\@x.example" } 1 .. 100000) . $end
40,000 recipients~0~"To: " . join(",\n ", map { "r$_\@x.example" } 1 .. 40000) . $end
one recipient 40,000 times~0~"To: " . join(",\n ", ("r\@x.example") x 40000) . $end
10,000 fields of recipients~0~"To: r\@x.example\n" x 10000 . $end
comments 90 deep~0~"To: " . "(" x 90 . ")" x 90 . " r\@x.example" . $end
comments 10,000 deep~65~"To: " . "(" x 10000 . ")" x 10000 . " r\@x.example" . $end
groups 10,000 deep~0~"To: " . "g:" x 10000 . "r\@x.example" . ";" x 10000 . $end
a quote without end~65~"To: \"" . "\\\"" x 500000 . $end
angles without end~65~"To: " . "<" x 500000 . $end
parts 10,000 deep~0~"To: r\@x.example\nContent-Type: multipart/mixed; boundary=b0\n\n" . join('', map { "--b" . ($_ - 1) . "\nContent-Type: multipart/mixed; boundary=b$_\n\n" } 1 .. 10000)
1,000 Received~69~"Received: x\n" x 1000 . "To: r\@x.example$end"
a From of a megabyte~0~"From: " . "x" x 1000000 . " <a\@x.example>\nTo: r\@x.example$end"
a name of a megabyte~0~"To: r\@x.example\n" . "N" x 1000000 . ": x$end"
NULs, CRs and octets above~0~"To: r\@x.example\nX: \0\r\0\r\r\377\376\nSubject: \200$end"
Bcc of 30,000~0~"Bcc: " . join(", ", map { "r$_\@x.example" } 1 .. 30000) . $end
END
done_testing
