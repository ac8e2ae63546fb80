/* SPDX-License-Identifier: ISC */
#include "sys/command.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "mail/buf.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "sys/program.h"

#define LINE_SIZE_MAX (64 * 1024)
#define LOOK_AGAIN_MAX 50 /* milliseconds between looks whether the command has ended */
#define NOT_RUN 127       /* exit status of a child that found nothing to run, as a shell's */

static void
restrict_environment(void)
{
	static const char prefix[] = "PILLARBOX_RELAY_";
	char **to = environ;

	for (char **from = environ; from != NULL && *from != NULL; from++)
		if (strncmp(*from, prefix, sizeof(prefix) - 1) != 0)
			*to++ = *from;
	if (to != NULL)
		*to = NULL;
	if (getenv("PATH") == NULL)
		setenv("PATH", "/usr/local/bin:/usr/bin:/bin", 1);
}

/* In the child. */
static void
run(char *const argv[], int out)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	sigset_t none;

	setpgid(0, 0);
	if (null == -1 || dup2(null, STDIN_FILENO) == -1 || dup2(out, STDOUT_FILENO) == -1)
		_exit(EX_OSERR);
	program_close(-1);
	signal(SIGPIPE, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL); /* a service has its signals blocked but in its sleep */
	restrict_environment();
	execvp(argv[0], argv);
	_exit(NOT_RUN);
}

/* What a command says: the first line is kept, the rest is read and thrown away. */
struct output {
	int fd; /* -1: at its end */
	struct buf line;
};

static void
keep(struct output *o, const char *data, size_t n)
{
	const char *end = memchr(data, '\n', n);

	if (o->line.len == 0 || o->line.data[o->line.len - 1] != '\n')
		buf_add(&o->line, data, end != NULL ? (size_t)(end + 1 - data) : n);
}

/* Read what there is; the descriptor does not block. */
static void
drain(struct output *o)
{
	char part[512];
	ssize_t n = 1;

	while (o->fd != -1 && n > 0) {
		while ((n = read(o->fd, part, sizeof(part))) == -1 && errno == EINTR)
			;
		if (n > 0)
			keep(o, part, (size_t)n);
	}
	if (o->fd != -1 && (n == 0 || errno != EAGAIN)) {
		close(o->fd);
		o->fd = -1;
	}
	explicit_bzero(part, sizeof(part));
}

/* Wait for the end of the child, reading meanwhile. Its status, or -1 when it took too long. */
static int
attend(pid_t pid, struct output *o, unsigned seconds)
{
	int64_t deadline = clock_monotonic() + (int64_t)seconds * 1000;
	int status;

	for (int wait = 1;; wait = wait < LOOK_AGAIN_MAX ? 2 * wait : wait) {
		struct pollfd p = {.fd = o->fd, .events = POLLIN};
		poll(&p, 1, wait);
		drain(o);
		if (waitpid(pid, &status, WNOHANG) == pid) {
			drain(o); /* what it wrote in between */
			return status;
		}
		if (clock_monotonic() >= deadline)
			break;
	}
	kill(-pid, SIGKILL);
	while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
		;
	return -1;
}

/* Start it; the pid, and in o->fd what it says; or -1. */
static pid_t
start(char *const argv[], struct output *o)
{
	int fd[2];
	pid_t pid;

	if (pipe2(fd, O_CLOEXEC) == -1)
		return -1;
	pid = fcntl(fd[0], F_SETFL, O_NONBLOCK) == 0 ? fork() : -1;
	if (pid == 0)
		run(argv, fd[1]);
	close(fd[1]);
	o->fd = fd[0];
	if (pid != -1)
		setpgid(pid, pid); /* as the child does: who comes first does not matter */
	return pid;
}

/* What to say of a status, or NULL when it is that of success. */
static const char *
failure(int status, unsigned seconds, char tmp[COMMAND_TMP])
{
	if (status == -1)
		snprintf(tmp, COMMAND_TMP, "no end after %u seconds", seconds);
	else if (WIFSIGNALED(status))
		snprintf(tmp, COMMAND_TMP, "killed by signal %d", WTERMSIG(status));
	else if (WEXITSTATUS(status) == NOT_RUN)
		snprintf(tmp, COMMAND_TMP, "cannot be run (exit status %d)", NOT_RUN);
	else if (WEXITSTATUS(status) != 0)
		snprintf(tmp, COMMAND_TMP, "exit status %d", WEXITSTATUS(status));
	else
		return NULL;
	return tmp;
}

const char *
command_line(char *dst, size_t size, char *const argv[], unsigned seconds, char tmp[COMMAND_TMP])
{
	struct output o = {.fd = -1, .line = BUF_INIT(size < LINE_SIZE_MAX ? size : LINE_SIZE_MAX)};
	pid_t pid = start(argv, &o);
	const char *wrong =
	    pid != -1 ? failure(attend(pid, &o, seconds), seconds, tmp) : strerror(errno);

	dst[0] = '\0';
	if (wrong == NULL && o.line.error != 0)
		wrong = "line too long";
	if (wrong == NULL && file_first_line(dst, size, &o.line, &wrong) == 0)
		wrong = dst[0] == '\0' ? "first line is empty" : NULL;
	if (o.fd != -1)
		close(o.fd);
	buf_wipe(&o.line);
	return wrong;
}
