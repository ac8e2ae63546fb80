/* SPDX-License-Identifier: ISC */
/*
 * Each act is tried by a child that has entered a role and, what the role forbids, by one that has
 * not, so that it is the sandbox by which it fails.
 */
#include "sys/sandbox.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/sandbox_calls.h"
#include "tap.h"

static char dir[] = "/tmp/pillarbox-sandbox.XXXXXX";
static int spool; /* dir/spool, open */
static in_port_t port[2];
static pid_t stranger;
static char abstract_name[32];

enum role {
	NO_ROLE,
	FLUSH, /* as flush enters it, for dir/spool */
	SMTP,  /* as smtp: dir/read may be read, port[0] connected to */
	SMTP_DEADLY,
	SUPERVISOR,
};

static const char *
below(const char *name)
{
	static char path[64];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void
enter(enum role role)
{
	struct sandbox b;

	if (role == SUPERVISOR)
		sandbox_supervisor();
	if (role == NO_ROLE || role == SUPERVISOR)
		return;
	sandbox_begin(&b, role == FLUSH ? SANDBOX_FILES : SANDBOX_WIRE, false);
	if (role == FLUSH) {
		sandbox_allow_fd(&b, spool, SANDBOX_SPOOL);
		sandbox_allow(&b, below("missing"), SANDBOX_READ);
	} else {
		sandbox_port(&b, ntohs(port[0]));
		sandbox_allow(&b, below("read"), SANDBOX_READ);
	}
	sandbox_enter(&b, role == SMTP_DEADLY);
}

static int
result(long r)
{
	return r == -1 ? errno : 0;
}

static int
try_open(const char *path, int flags)
{
	return result(open(path, flags | O_CLOEXEC, 0600));
}

static int
passwd(void)
{
	return try_open("/etc/passwd", O_RDONLY);
}

static int
read_below(void)
{
	return try_open(below("read/file"), O_RDONLY);
}

static int
write_below(void)
{
	return try_open(below("read/file"), O_WRONLY);
}

static int
create_outside(void)
{
	return try_open(below("new"), O_WRONLY | O_CREAT);
}

static int
remove_outside(void)
{
	return result(unlink(below("other")));
}

static int
list_root(void)
{
	return try_open("/", O_RDONLY | O_DIRECTORY);
}

static int
execute(void)
{
	return result(execl("/bin/true", "true", NULL));
}

static int
use_spool(void)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX, .sun_path = "socket"};
	int fd = openat(spool, "tmp/a", O_WRONLY | O_CREAT | O_EXCL, 0600);
	int sock = socket(AF_UNIX, SOCK_DGRAM, 0), r;

	if (fd == -1 || write(fd, "x", 1) != 1 || fsync(fd) == -1 || sock == -1)
		return errno;
	if (renameat(spool, "tmp/a", spool, "new/a") == -1 || mkdirat(spool, "cur", 0700) == -1)
		return errno;
	r = result(fchdir(spool)) != 0 ? errno
				       : result(bind(sock, (struct sockaddr *)&to, sizeof(to)));
	if (unlinkat(spool, "new/a", 0) == -1 || unlinkat(spool, "socket", 0) == -1)
		return errno;
	return r;
}

static int
move_out(void)
{
	return result(renameat(spool, "old", AT_FDCWD, below("old")));
}

static int
link_in(void)
{
	return result(linkat(AT_FDCWD, below("other"), spool, "other", 0));
}

static int
try_connect(in_port_t to)
{
	struct sockaddr_in sa = {.sin_family = AF_INET, .sin_port = to};
	int sock = socket(AF_INET, SOCK_STREAM, 0);

	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return sock == -1 ? errno : result(connect(sock, (struct sockaddr *)&sa, sizeof(sa)));
}

static int
connect_allowed(void)
{
	return try_connect(port[0]);
}

static int
connect_other(void)
{
	return try_connect(port[1]);
}

static int
inet_socket(void)
{
	return result(socket(AF_INET, SOCK_DGRAM, 0));
}

static int
inet6_socket(void)
{
	return result(socket(AF_INET6, SOCK_STREAM, 0));
}

static int
packet_socket(void)
{
	return result(socket(AF_PACKET, SOCK_DGRAM, 0));
}

static int
bind_port(void)
{
	struct sockaddr_in sa = {.sin_family = AF_INET};
	int sock = socket(AF_INET, SOCK_STREAM, 0);

	return sock == -1 ? errno : result(bind(sock, (struct sockaddr *)&sa, sizeof(sa)));
}

static int
connect_abstract(void)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	size_t len = strlen(abstract_name + 1) + 1;
	int sock = socket(AF_UNIX, SOCK_STREAM, 0);

	memcpy(to.sun_path, abstract_name, len);
	return result(connect(sock, (struct sockaddr *)&to,
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)));
}

static int
signal_stranger(void)
{
	return result(kill(stranger, 0));
}

static int
trace(void)
{
	return result(ptrace(PTRACE_SEIZE, stranger, 0, 0));
}

static int
become_another(void)
{
	return result(syscall(__NR_setuid, 1));
}

static int
new_namespace(void)
{
	return result(syscall(__NR_unshare, 0x10000000));
}

static int
mount_something(void)
{
	return result(syscall(__NR_mount, 0, "/tmp", 0, 0, 0));
}

static int
unknown_call(void)
{
	return result(syscall(9999));
}

static int
clone3_call(void)
{
	return result(syscall(435, NULL, 0)) == EINVAL ? 0 : errno;
}

static int
x32_call(void)
{
	return result(syscall(0x40000000 + __NR_getpid));
}

static int
fork_one(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return result(pid);
}

/* Written, then executed: what shellcode wants. */
static int
executable_memory(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return result(mprotect(p, 4096, PROT_READ | PROT_WRITE | PROT_EXEC));
}

static void *
idle(void *arg)
{
	return arg;
}

static int
start_thread(void)
{
	pthread_t t;
	int error = pthread_create(&t, NULL, idle, NULL);

	return error != 0 ? error : pthread_join(t, NULL);
}

static int
ordinary_life(void)
{
	char *p = malloc(1 << 20);
	struct timespec t;

	if (p == NULL || clock_gettime(CLOCK_REALTIME, &t) == -1)
		return ENOMEM;
	memset(p, 1, 1 << 20);
	free(p);
	return usleep(1) == -1 || getrandom(&t, sizeof(t), 0) == -1 ? errno : 0;
}

static int
abort_oneself(void)
{
	signal(SIGABRT, SIG_DFL);
	raise(SIGABRT);
	return EPERM;
}

/* KILL, SETGID, SETUID and DAC_READ_SEARCH are left, even to a program that is executed. */
static int
few_capabilities(void)
{
	unsigned long long caps = ~0ULL;
	char line[128];
	FILE *f = popen("cat /proc/self/status", "re");

	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		sscanf(line, "CapEff: %llx", &caps);
	if (f != NULL)
		pclose(f);
	return caps == 0xe4 ? 0 : EPERM;
}

#define BY_SIGNAL 1000 /* and the signal */

/* What becomes of an act: an errno, 0, or BY_SIGNAL and more. */
static int
outcome(enum role role, int (*act)(void))
{
	int status;
	pid_t pid;

	fflush(stdout);
	if ((pid = fork()) == 0) {
		setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
		enter(role);
		_exit(act());
	}
	waitpid(pid, &status, 0);
	return WIFSIGNALED(status) ? BY_SIGNAL + WTERMSIG(status) : WEXITSTATUS(status);
}

enum needs { LANDLOCK, SECCOMP, NOTHING };

static const struct {
	const char *name;
	enum role role;
	int (*act)(void);
	int wanted;
	enum needs needs;
} cases[] = {
    {"flush does not open /etc/passwd", FLUSH, passwd, EACCES, LANDLOCK},
    {"flush does not list /", FLUSH, list_root, EACCES, LANDLOCK},
    {"flush makes no file outside", FLUSH, create_outside, EACCES, LANDLOCK},
    {"flush removes none", FLUSH, remove_outside, EACCES, LANDLOCK},
    {"flush moves nothing out", FLUSH, move_out, EACCES, LANDLOCK},
    {"flush links nothing in", FLUSH, link_in, EXDEV, LANDLOCK},
    {"flush has no IPv4", FLUSH, inet_socket, EAFNOSUPPORT, SECCOMP},
    {"flush has no IPv6", FLUSH, inet6_socket, EAFNOSUPPORT, SECCOMP},
    {"flush executes nothing", FLUSH, execute, EPERM, SECCOMP},
    {"flush does not fork", FLUSH, fork_one, EPERM, SECCOMP},
    {"flush traces nobody", FLUSH, trace, EPERM, SECCOMP},
    {"flush becomes nobody else", FLUSH, become_another, EPERM, NOTHING},
    {"flush signals nobody", FLUSH, signal_stranger, EPERM, SECCOMP},
    {"flush talks to no abstract socket", FLUSH, connect_abstract, EPERM, LANDLOCK},
    {"flush makes no memory executable", FLUSH, executable_memory, EPERM, SECCOMP},
    {"flush mounts nothing", FLUSH, mount_something, EPERM, NOTHING},
    {"a newer call is missing for flush", FLUSH, unknown_call, ENOSYS, NOTHING},
    {"flush uses its spool", FLUSH, use_spool, 0, NOTHING},
    {"flush lives", FLUSH, ordinary_life, 0, NOTHING},
    {"flush can abort", FLUSH, abort_oneself, BY_SIGNAL + SIGABRT, NOTHING},
    {"smtp does not open /etc/passwd", SMTP, passwd, EACCES, LANDLOCK},
    {"smtp does not list /", SMTP, list_root, EACCES, LANDLOCK},
    {"smtp writes nothing", SMTP, write_below, EACCES, LANDLOCK},
    {"smtp makes no file", SMTP, create_outside, EACCES, LANDLOCK},
    {"smtp removes none", SMTP, remove_outside, EPERM, SECCOMP},
    {"smtp does not connect elsewhere", SMTP, connect_other, EACCES, LANDLOCK},
    {"smtp takes no port", SMTP, bind_port, EACCES, LANDLOCK},
    {"smtp has no raw packets", SMTP, packet_socket, EAFNOSUPPORT, SECCOMP},
    {"smtp executes nothing", SMTP, execute, EPERM, SECCOMP},
    {"smtp does not fork", SMTP, fork_one, EPERM, SECCOMP},
    {"smtp traces nobody", SMTP, trace, EPERM, SECCOMP},
    {"smtp becomes nobody else", SMTP, become_another, EPERM, NOTHING},
    {"smtp signals nobody", SMTP, signal_stranger, EPERM, SECCOMP},
    {"smtp talks to no abstract socket", SMTP, connect_abstract, EPERM, LANDLOCK},
    {"smtp makes no memory executable", SMTP, executable_memory, EPERM, SECCOMP},
    {"smtp has no namespace of its own", SMTP, new_namespace, EPERM, SECCOMP},
    {"clone3 is missing", SMTP, clone3_call, ENOSYS, SECCOMP},
    {"smtp reads what it may", SMTP, read_below, 0, NOTHING},
    {"smtp connects where it may", SMTP, connect_allowed, 0, NOTHING},
    {"smtp starts threads", SMTP, start_thread, 0, NOTHING},
    {"smtp lives", SMTP, ordinary_life, 0, NOTHING},
    {"smtp can abort", SMTP, abort_oneself, BY_SIGNAL + SIGABRT, NOTHING},
    {"executing ends it", SMTP_DEADLY, execute, BY_SIGNAL + SIGSYS, SECCOMP},
    {"tracing ends it", SMTP_DEADLY, trace, BY_SIGNAL + SIGSYS, SECCOMP},
    {"setuid ends it", SMTP_DEADLY, become_another, BY_SIGNAL + SIGSYS, SECCOMP},
    {"removing ends it", SMTP_DEADLY, remove_outside, BY_SIGNAL + SIGSYS, SECCOMP},
    {"a newer call is missing", SMTP_DEADLY, unknown_call, ENOSYS, NOTHING},
    {"clone3 too", SMTP_DEADLY, clone3_call, ENOSYS, SECCOMP},
    {"other files do not end it", SMTP_DEADLY, passwd, EACCES, LANDLOCK},
    {"nor does writing", SMTP_DEADLY, create_outside, EACCES, NOTHING},
    {"it connects", SMTP_DEADLY, connect_allowed, 0, NOTHING},
    {"it starts threads", SMTP_DEADLY, start_thread, 0, NOTHING},
    {"it lives", SMTP_DEADLY, ordinary_life, 0, NOTHING},
};

static void
make_file(const char *name)
{
	int fd = open(below(name), O_WRONLY | O_CREAT, 0600);

	if (fd != -1)
		close(fd);
}

/* What an act may have changed. */
static void
put_back(void)
{
	static const char *const made[] = {"new", "old", "spool/other"};

	for (size_t i = 0; i < sizeof(made) / sizeof(made[0]); i++)
		unlink(below(made[i]));
	make_file("other");
	make_file("spool/old");
}

/* Some acts are root's; a test as somebody else has nothing to show by them. */
static bool
possible(int (*act)(void))
{
	int r = outcome(NO_ROLE, act);

	return r == 0 || (r == EPERM && geteuid() != 0);
}

static void
try_cases(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (cases[i].needs == SECCOMP && !FILTERS)
			continue;
		put_back();
		if (cases[i].needs != NOTHING)
			ok(possible(cases[i].act), "(without the sandbox it can be done)");
		put_back();
		is_int(outcome(cases[i].role, cases[i].act), cases[i].wanted, cases[i].name);
	}
}

static in_port_t
listen_somewhere(void)
{
	struct sockaddr_in sa = {.sin_family = AF_INET};
	socklen_t len = sizeof(sa);
	int sock = socket(AF_INET, SOCK_STREAM, 0);

	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (sock == -1 || bind(sock, (struct sockaddr *)&sa, len) == -1 ||
	    listen(sock, 100) == -1 || getsockname(sock, (struct sockaddr *)&sa, &len) == -1)
		perror("listen");
	return sa.sin_port;
}

static void
listen_abstract(void)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int n = snprintf(abstract_name + 1, sizeof(abstract_name) - 1, "pillarbox%d", getpid());
	int sock = socket(AF_UNIX, SOCK_STREAM, 0);

	memcpy(sa.sun_path, abstract_name, (size_t)n + 1);
	if (bind(sock, (struct sockaddr *)&sa,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)n + 1)) == -1 ||
	    listen(sock, 100) == -1)
		perror("abstract socket");
}

static void
prepare(void)
{
	static const char *const dirs[] = {"spool", "spool/tmp", "spool/new", "read"};

	if (mkdtemp(dir) == NULL)
		perror("mkdtemp");
	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		mkdir(below(dirs[i]), 0700);
	make_file("read/file");
	spool = open(below("spool"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	port[0] = listen_somewhere();
	port[1] = listen_somewhere();
	listen_abstract();
	if ((stranger = fork()) == 0)
		for (;;)
			pause();
}

static void
finish(void)
{
	static const char *const files[] = {"read/file", "other", "spool/old"};
	static const char *const dirs[] = {
	    "spool/tmp", "spool/new", "spool/cur", "spool", "read", ""};

	put_back();
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		unlink(below(files[i]));
	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		rmdir(below(dirs[i]));
	kill(stranger, SIGKILL);
}

int
main(void)
{
	char lacks[SANDBOX_TEXT];

	prepare();
	sandbox_lacks(lacks);
	is(lacks, FILTERS ? "" : "seccomp", "this kernel has it all");
	try_cases();
	if (FILTERS && sizeof(long) == 8 && __NR_stat != -1) /* x86_64 */
		is_int(outcome(FLUSH, x32_call), BY_SIGNAL + SIGSYS, "calls of x32 end it");
	if (geteuid() == 0)
		is_int(outcome(SUPERVISOR, few_capabilities), 0, "the supervisor's capabilities");
	finish();
	return done();
}
