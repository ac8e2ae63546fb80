/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/log.h"
#include "sys/program.h"
#include "tap.h"

static char dir[] = "/tmp/pillarbox-program.XXXXXX";

/* In a child, since it changes the process; the exit status names the line that was wrong. */
static void
in_child(int (*check)(void), const char *what)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0)
		_exit(check());
	waitpid(pid, &status, 0);
	ok(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s", what);
	if (status != 0)
		printf("# status %x: line %d\n", (unsigned)status, WEXITSTATUS(status));
}

#define CHECK(condition)                           \
	do                                         \
		if (!(condition))                  \
			return __LINE__ % 255 + 1; \
	while (0)

static bool
is_null(int fd)
{
	struct stat st, null;

	return fstat(fd, &st) == 0 && stat("/dev/null", &null) == 0 && st.st_rdev == null.st_rdev;
}

static int
begin_closed(void)
{
	for (int fd = 0; fd < 3; fd++)
		close(fd);
	program_begin();
	CHECK(is_null(0) && is_null(1) && is_null(2));
	CHECK(fcntl(0, F_GETFD) == 0 && fcntl(2, F_GETFD) == 0);
	CHECK((fcntl(0, F_GETFL) & O_ACCMODE) == O_RDONLY);
	CHECK((fcntl(1, F_GETFL) & O_ACCMODE) == O_WRONLY);
	return 0;
}

static int
begin_some(void)
{
	int p[2];
	struct stat st;

	CHECK(pipe(p) == 0 && dup2(p[1], 2) == 2);
	close(1);
	program_begin();
	CHECK(is_null(1));
	CHECK(fstat(2, &st) == 0 && S_ISFIFO(st.st_mode));
	return 0;
}

static int
begin_signals(void)
{
	sigset_t set;
	struct sigaction sa;

	signal(SIGCHLD, SIG_IGN);
	signal(SIGPIPE, SIG_DFL);
	sigfillset(&set);
	sigprocmask(SIG_SETMASK, &set, NULL);
	umask(0777);
	program_begin();
	CHECK(umask(0) == 077);
	CHECK(sigaction(SIGPIPE, NULL, &sa) == 0 && sa.sa_handler == SIG_IGN);
	CHECK(sigaction(SIGCHLD, NULL, &sa) == 0 && sa.sa_handler == SIG_DFL);
	CHECK(sigprocmask(SIG_SETMASK, NULL, &set) == 0 && !sigismember(&set, SIGTERM));
	return 0;
}

static int
open_descriptors(void)
{
	int n = 0;

	for (int fd = 0; fd < 1000; fd++)
		n += fcntl(fd, F_GETFD) != -1;
	return n;
}

static int
detach_keeping(void)
{
	int keep;

	for (int fd = 10; fd < 600; fd += 7)
		dup2(0, fd);
	keep = dup2(1, 333);
	program_detach(keep);
	CHECK(getsid(0) == getpid());
	CHECK(is_null(0) && is_null(1) && is_null(2));
	CHECK(fcntl(keep, F_GETFD) != -1);
	CHECK(open_descriptors() == 4);
	return 0;
}

static int
detach_next(void)
{
	CHECK(dup2(1, 3) == 3);
	program_detach(3);
	CHECK(open_descriptors() == 4 && fcntl(3, F_GETFD) != -1);
	program_detach(-1);
	CHECK(open_descriptors() == 3);
	return 0;
}

static int
detach_full(void)
{
	struct rlimit few = {16, 16};

	CHECK(setrlimit(RLIMIT_NOFILE, &few) == 0);
	while (dup(0) != -1)
		;
	program_detach(-1);
	CHECK(open_descriptors() == 3 && is_null(2));
	return 0;
}

/* The log's file must not be written to by the number that its descriptor had. */
static int
detach_logging(void)
{
	char log[sizeof(dir) + 8], victim[sizeof(dir) + 8];
	struct stat st;

	snprintf(log, sizeof(log), "%s/log", dir);
	snprintf(victim, sizeof(victim), "%s/victim", dir);
	log_open("test", log, FORMAT_PLAIN, "host", false);
	log_info("one");
	program_detach(-1);
	for (int i = 0; i < 8; i++)
		CHECK(open(victim, O_WRONLY | O_CREAT | O_APPEND, 0600) != -1);
	log_info("two");
	CHECK(stat(victim, &st) == 0 && st.st_size == 0);
	CHECK(stat(log, &st) == 0 && st.st_size > 80);
	CHECK(unlink(log) == 0 && unlink(victim) == 0);
	return 0;
}

/* Without a /dev/null the numbers are taken all the same. */
static int
no_dev_null(void)
{
	if (chroot(dir) == -1)
		return errno == EPERM ? 0 : 1;
	for (int fd = 0; fd < 3; fd++)
		close(fd);
	program_begin();
	CHECK(open("/", O_RDONLY) == 3);
	CHECK(write(1, "x", 1) == -1 && read(0, dir, 1) == -1);
	program_detach(-1);
	CHECK(open("/", O_RDONLY) == 3);
	return 0;
}

static void
paths(void)
{
	char path[PATH_MAX];

	is_int(program_path(path, sizeof(path), PROGRAM_FLUSH), 0, "a path");
	is(path, LIBEXECDIR "/flush", "is the built-in one when we are installed nowhere");
	is_int(program_path(path, sizeof(path), PROGRAM_MAILQ), 0, "mailq");
	is(path, BINDIR "/mailq", "is in another folder");
	is_int(program_path(path, 5, PROGRAM_SMTP), -1, "too small");
	is(path, "", "is empty then");
}

/* This test again, as <dir>/sbin/sendmail; it says what it finds. */
static void
installed(const char *self)
{
	static const char *const names[] = {
	    "libexec/pillarbox/flush", "libexec/pillarbox", "libexec", "sbin/sendmail", "sbin"};
	char command[3 * PATH_MAX], got[PATH_MAX] = "", want[PATH_MAX], path[sizeof(dir) + 64];
	FILE *p;

	fflush(stdout);
	snprintf(command, sizeof(command),
	    "mkdir -p %s/sbin %s/libexec/pillarbox && cp %s %s/sbin/sendmail && "
	    "touch %s/libexec/pillarbox/flush && chmod 755 %s/libexec/pillarbox/flush && "
	    "exec %s/sbin/sendmail path",
	    dir, dir, self, dir, dir, dir, dir);
	p = popen(command, "re");
	if (p == NULL || fgets(got, sizeof(got), p) == NULL)
		got[0] = '\0';
	snprintf(want, sizeof(want), "%s/libexec/pillarbox/flush %s\n", dir, LIBEXECDIR "/smtp");
	is(got, want, "next to where we are installed, when it is there");
	if (p != NULL)
		pclose(p);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		remove(path);
	}
}

int
main(int argc, char **argv)
{
	char flush[PATH_MAX], smtp[PATH_MAX];

	if (argc == 2) {
		program_path(flush, sizeof(flush), PROGRAM_FLUSH);
		program_path(smtp, sizeof(smtp), PROGRAM_SMTP);
		printf("%s %s\n", flush, smtp);
		return 0;
	}
	if (mkdtemp(dir) == NULL)
		return 1;
	in_child(begin_closed, "closed descriptors are on /dev/null");
	in_child(begin_some, "open ones are left alone");
	in_child(begin_signals, "signals and umask");
	in_child(detach_keeping, "detached, with one descriptor");
	in_child(detach_next, "with descriptor 3");
	in_child(detach_full, "with a full table");
	in_child(detach_logging, "the log opens its own again");
	in_child(no_dev_null, "without /dev/null");
	paths();
	installed(argv[0]);
	rmdir(dir);
	return done();
}
