#!/bin/bash
# SPDX-License-Identifier: ISC
#
# The sandboxes of the processes that deliver, as they are during a delivery. What each role cannot
# do is unit/sandbox.c's.
. "${0%/*}/lib.sh"
need_root
need setpriv pgrep strace cc unshare
if [ -z "${INSIDE:-}" ]; then INSIDE=1 exec unshare --mount "$0"; fi
scratch
mkdir "$S/prefix"
cp -r "$B/sbin" "$B/bin" "$B/libexec" "$S/prefix"
PATH=$S/prefix/sbin:$S/prefix/bin:$PATH
chmod 711 "$S"
# What a sanitizer's build leaves out.
filtered=2
! sanitized || filtered=0

settings() {
	config "relay.url=smtp://127.0.0.1:$SINK_PORT" "$@"
	chmod 644 "$PILLARBOX_CONFIG"
}
as() { setpriv --reuid "$1" --regid "$1" --clear-groups "${@:2}"; }
post_as() { as "$1" sendmail -f "u$1@x.example" "${@:2}" r@x.example <<<"from $1" 2>"$S/err"; }
listens() { eventually 10 test -S "$S/run/socket"; }

# state PID: what it has given up, in a line.
state() {
	awk '/^(CapPrm|CapEff|CapBnd|NoNewPrivs|Seccomp):/ {printf "%s%s", sep, $2; sep = " "}' \
		"/proc/$1/status"
}
none=0000000000000000
few=00000000000000e4 # KILL, SETGID, SETUID, DAC_READ_SEARCH

# What a flusher can do, by a debugger that makes the calls in its place; this one knows x86_64.
cat >"$S/inject.c" <<'C'
/* inject PID: has a process that sleeps in a system call make others, and tells what they gave. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>

static pid_t pid;
static struct user_regs_struct before;

static void
call(const char *act, long nr, const char *path, long a, long b, long c, long d)
{
	struct user_regs_struct r = before;
	unsigned long at = (before.rsp - 8192) & ~15UL;
	struct iovec from = {(void *)path, path ? strlen(path) + 1 : 0}, to = {(void *)at, from.iov_len};
	int status;

	if (path != NULL && process_vm_writev(pid, &from, 1, &to, 1, 0) == -1)
		exit(2);
	r.rip -= 2; /* the instruction that made the call it sleeps in */
	r.orig_rax = (unsigned long)-1;
	r.rax = (unsigned long)nr;
	r.rdi = (unsigned long)(path != NULL && a == 0 ? (long)at : a);
	r.rsi = (unsigned long)(path != NULL && a != 0 ? (long)at : b);
	r.rdx = (unsigned long)c;
	r.r10 = (unsigned long)d;
	if (ptrace(PTRACE_SETREGS, pid, 0, &r) || ptrace(PTRACE_SINGLESTEP, pid, 0, 0) ||
	    waitpid(pid, &status, __WALL) != pid || ptrace(PTRACE_GETREGS, pid, 0, &r))
		exit(3);
	printf("%s=%s ", act, (long)r.rax < 0 ? strerrorname_np((int)-(long)r.rax) : "done");
}

/* Where it sleeps, waiting for something to do. */
static int
stop(void)
{
	int status;

	return ptrace(PTRACE_SEIZE, pid, 0, 0) || ptrace(PTRACE_INTERRUPT, pid, 0, 0) ||
	       waitpid(pid, &status, __WALL) != pid || ptrace(PTRACE_GETREGS, pid, 0, &before);
}

int
main(int argc, char **argv)
{
	pid = argc == 3 ? atoi(argv[1]) : 0;
	for (int i = 0; before.orig_rax != SYS_ppoll; i++) {
		if (i == 1000 || stop() != 0)
			return 1;
		if (before.orig_rax != SYS_ppoll)
			ptrace(PTRACE_DETACH, pid, 0, 0);
	}
	call("passwd", SYS_openat, "/etc/passwd", AT_FDCWD, 0, O_RDONLY, 0);
	call("outside", SYS_openat, argv[2], AT_FDCWD, 0, O_WRONLY | O_CREAT, 0600);
	call("hosts", SYS_openat, "/etc/hosts", AT_FDCWD, 0, O_RDONLY, 0);
	call("inet", SYS_socket, NULL, AF_INET, SOCK_STREAM, 0, 0);
	call("unix", SYS_socket, NULL, AF_UNIX, SOCK_DGRAM, 0, 0);
	call("exec", SYS_execve, "/bin/true", 0, 0, 0, 0);
	call("trace", SYS_ptrace, NULL, PTRACE_TRACEME, 0, 0, 0);
	call("setuid", SYS_setuid, NULL, 0, 0, 0, 0);
	call("fork", SYS_fork, NULL, 0, 0, 0, 0);
	puts("");
	ptrace(PTRACE_SETREGS, pid, 0, &before);
	ptrace(PTRACE_DETACH, pid, 0, 0);
	return 0;
}
C
injects=false
if [ "$(uname -m)" = x86_64 ] && [ $filtered = 2 ]; then
	cc -D_GNU_SOURCE -o "$S/inject" "$S/inject.c" || give_up "cannot compile"
	injects=true
fi
# tries NAME PID: what it is allowed to is what a flusher is.
tries() {
	$injects || return 0
	is "$1 can do nothing else" "$("$S/inject" "$2" "$S/outside")" \
		"passwd=EACCES outside=EACCES hosts=done inet=EAFNOSUPPORT unix=done exec=EPERM trace=EPERM setuid=EPERM fork=EPERM "
}

# The system flusher. The first message hangs in the sink until we have looked.
sink_start -r 'count 1 dot delay 5s'
settings
sendmail -bD 2>"$S/service.log" &
service=$!
ok "the service listens" listens
ok "a post" post_as 12001
taken() { grep -qs ' DATA\| BDAT' "$SINK/commands.log"; }
ok "is on its way" eventually 20 taken
is "the supervisor can do little" "$(state $service)" "$few $few $few 1 0"
is "the flusher of a user can do less" "$(state "$(running flush 12001)")" \
	"$none $none $few 1 $filtered"
tries "the flusher of a user" "$(running flush 12001)"
ok "it arrives" sink_wait 1
is "smtp has nothing" "$(state "$(pgrep -P "$service" -x smtp)")" "$none $none $few 1 $filtered"
kill $service
wait $service
is "the service ends well" $? 0 || diag "$(cat "$S/service.log")"
unlike "nothing is missed here" "$(cat "$S/log")" 'this system has no Landlock'
sink_stop

# A real smtp, taken over: what it tries with its first connection. It has read a certificate, the
# settings and an account by then; threads look names up.
cat >"$S/acts.c" <<'C'
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int (*connect_truly)(int, const struct sockaddr *, socklen_t);
static char spool[256]; /* main() takes the environment away */
static int port;

static void __attribute__((constructor))
begin(void)
{
	connect_truly = (int (*)(int, const struct sockaddr *, socklen_t))dlsym(RTLD_NEXT, "connect");
	snprintf(spool, sizeof(spool), "%s", getenv("ACTS_SPOOL") ? getenv("ACTS_SPOOL") : "");
	port = getenv("ACTS_PORT") ? atoi(getenv("ACTS_PORT")) : 0;
}

static void
say(const char *act, int r)
{
	dprintf(2, "%s=%s\n", act, r == -1 ? strerrorname_np(errno) : "done");
}

static void
act(void)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((in_port_t)port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	char *argv[] = {"true", NULL};

	say("passwd", open("/etc/passwd", O_RDONLY));
	say("spool", open(spool, O_RDONLY | O_DIRECTORY));
	say("tmp", open("/tmp/pillarbox-acts", O_WRONLY | O_CREAT, 0600));
	say("hosts", open("/etc/hosts", O_RDONLY));
	say("port", connect_truly(socket(AF_INET, SOCK_STREAM, 0), (void *)&to, sizeof(to)));
	say("kill", kill(getppid(), 0));
	if (getenv("LEFT"))
		say("environment", 0);
	say("exec", execv("/bin/true", argv));
}

int
connect(int fd, const struct sockaddr *to, socklen_t len)
{
	static int acted;

	if (to->sa_family == AF_INET && !acted++)
		act();
	return connect_truly(fd, to, len);
}
C
cc -D_GNU_SOURCE -shared -fPIC -o "$S/acts.so" "$S/acts.c" -ldl || give_up "cannot compile"
chmod 755 "$S/acts.so"
# Started by what stands in smtp's place: a service hands on nothing of its environment.
cat >"$S/wrap.c" <<'C'
#include <stdlib.h>
#include <unistd.h>
int
main(void)
{
	char *argv[] = {"smtp", NULL};

	setenv("LD_PRELOAD", S "/acts.so", 1);
	setenv("ACTS_SPOOL", S "/spool", 1);
	setenv("ACTS_PORT", "9", 1);
	execv(S "/prefix/smtp", argv);
	return 72;
}
C
mv "$S/prefix/libexec/pillarbox/smtp" "$S/prefix/smtp"
cc -D_GNU_SOURCE -DS="\"$S\"" -o "$S/prefix/libexec/pillarbox/smtp" "$S/wrap.c" || give_up "cannot compile"

# taken_over SETTING...: the system flusher with such an smtp; what became of it, in $acts.
taken_over() {
	rm -rf "$SINK" "$S/run/socket" "$S/log" "$S/acts" "$S"/spool/*/*/*
	sink_start -T
	openssl_ca=$SINK/cert.pem
	settings "relay.url=smtps://localhost:$SINK_PORT" "tls.ca_file=$openssl_ca" "$@"
	mkfifo -m 622 "$S/pipe"
	cat "$S/pipe" >"$S/acts" &
	"$S/prefix/sbin/sendmail" -bD 2>"$S/pipe" &
	service=$!
	ok "the service listens ($*)" listens
	ok "a post" post_as 12001
}
service_ends() {
	kill $service
	wait $service
	sink_stop
	rm "$S/pipe"
	acts=$(grep = "$S/acts" | tr '\n' ' ')
}
if [ $filtered = 2 ]; then
	taken_over smtp.sandbox=refuse
	ok "arrives all the same, over verified TLS" sink_wait 1
	service_ends
	is "smtp cannot do what it tries" "$acts" \
		"passwd=EACCES spool=EACCES tmp=EACCES hosts=done port=EACCES kill=EPERM exec=EPERM "
	taken_over smtp.sandbox=off
	tried() { grep -qs kill= "$S/acts"; }
	ok "without the sandbox" eventually 10 tried
	service_ends
	like "it could do most of it" "$acts" "passwd=done spool=done .*hosts=done port=ECONNREFUSED"
	taken_over
	killed() { grep -qs 'ended by its sandbox' "$S/log"; }
	ok "by default the first such call is its last" eventually 10 killed
	service_ends
	is "files are refused, nothing more" "$acts" \
		"passwd=EACCES spool=EACCES tmp=EACCES hosts=done port=EACCES kill=EPERM "
	is "the mail waits" "$(mail_in "$S"/spool/12001/{new,cur})" 1
fi
mv "$S/prefix/smtp" "$S/prefix/libexec/pillarbox/smtp"

# A flusher of one's own, and the starter beside it, which is in no sandbox: password_command may
# be anything.
rm -rf "$SINK" "$S/log" "$S"/spool/*/*/*
sink_start -T -a joe:right -r 'rcpt late@* reply 450 4.2.0 later'
mkdir -m 777 "$S/ran"
cat >"$S/command" <<X
#!/bin/sh
grep -E '^(NoNewPrivs|Seccomp):' /proc/self/status | cut -f2 | tr '\n' ' ' >$S/ran/state
echo right
X
chmod 755 "$S/command"
settings "relay.url=smtps://joe@localhost:$SINK_PORT" "tls.ca_file=$SINK/cert.pem" \
	"relay.password_command=$S/command" queue.retry=1s log.to=syslog queue.watchdog=1s
all=$(as 12001 awk '/^CapBnd:/ {print $2}' /proc/self/status)
ok "a post without a service" post_as 12001
ok "one that has to wait" as 12001 sendmail -f u12001@x.example late@x.example <<<late
ok "is delivered, with the password of the command" sink_wait 1
is "the flusher can do little" "$(state "$(running flush 12001)")" "$none $none $all 1 $filtered"
tries "a flusher of one's own" "$(running flush 12001)"
is "smtp too" "$(state "$(running smtp 12001)")" "$none $none $all 1 $filtered"
is "the starter is as it was" "$(state "$(running flush-starter 12001)")" "$none $none $all 0 0"
is "the command ran outside" "$(<"$S/ran/state")" '0 0 '
stuck=$(running smtp 12001)
ok "smtp is stopped" kill -STOP "$stuck"
another_smtp() { [ -n "$(running smtp 12001)" ]; }
gone() { ! kill -0 "$1" 2>/dev/null; }
ok "and ended by the starter, which the flusher asks to" eventually 20 gone "$stuck"
ok "there is another" eventually 20 another_smtp
first=$(running flush 12001)
ok "the starter is killed" kill -KILL "$(running flush-starter 12001)"
kill $(running smtp 12001)
ok "the flusher leaves" eventually 20 gone "$first"
ok "another post" post_as 12001
ok "has another flusher" sink_wait 2
first=$(running flush 12001) starter=$(running flush-starter 12001)
ok "a starter is told to leave" kill "$starter"
ok "its flusher is killed" kill -KILL "$first"
ok "the starter leaves with it" eventually 20 gone "$starter"
sink_stop

# A file of the resolver is replaced, as editors and network managers do it: the one that smtp may
# read is no more.
mkdir "$S/etc"
for file in group hosts ld.so.cache localtime nsswitch.conf passwd resolv.conf services; do
	cp -a "/etc/$file" "$S/etc"
done
mount --bind "$S/etc" /etc || give_up "cannot mount"
echo '127.0.0.1 relay.test' >>/etc/hosts
rm -rf "$SINK" "$S/run/socket" "$S/log" "$S"/spool/*/*/*
sink_start
settings "relay.url=smtp://relay.test:$SINK_PORT" queue.retry=1s
sendmail -bD 2>"$S/service.log" &
service=$!
ok "the service listens" listens
ok "a post" post_as 12001
ok "is delivered to a name in /etc/hosts" sink_wait 1
first=$(pgrep -P "$service" -x smtp)
cp /etc/hosts /etc/hosts.new
mv /etc/hosts.new /etc/hosts
posts=1
another() {
	post_as 12001 && posts=$((posts + 1))
	case "$(pgrep -P "$service" -x smtp)" in '' | "$first") return 1 ;; esac
}
ok "what is posted after that is passed on to another smtp" eventually 10 another
ok "and all is delivered" sink_wait $posts
kill $service
wait $service
sink_stop
umount /etc

# A kernel that has none of it.
rm -rf "$SINK" "$S/run/socket" "$S/log" "$S"/spool/*/*/*
sink_start
settings
strace -f -qq -o "$S/trace" -e trace=landlock_create_ruleset,seccomp \
	-e inject=landlock_create_ruleset:error=ENOSYS -e inject=seccomp:error=ENOSYS \
	"$S/prefix/sbin/sendmail" -bD 2>"$S/service.log" &
tracer=$!
ok "the service starts without it" listens
ok "a post" post_as 12001
ok "is delivered" sink_wait 1
kill $(pgrep -P $tracer)
wait $tracer
is "once, the log says what is missing" "$(grep -c 'this system has no Landlock, seccomp' "$S/log")" 1
like "it was asked for" "$(cat "$S/trace")" 'ENOSYS'
ok "no violations" sink_content
done_testing
