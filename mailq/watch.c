/* SPDX-License-Identifier: ISC */
#include "watch.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "sys/clock.h"

#define EVERY 1000                   /* milliseconds */
#define ENTER "\033[?1049h\033[?25l" /* the other screen, without a cursor */
#define LEAVE "\033[?25h\033[?1049l"
#define HOME "\033[H"
#define ERASE_LINE "\033[K"
#define ERASE_BELOW "\033[J"

static volatile sig_atomic_t stopped;

static void
stop(int signal)
{
	(void)signal;
	stopped = 1;
}

/* A changed size of the window only ends the sleep. */
static void
ignore(int signal)
{
	(void)signal;
}

static void
catch_signals(void)
{
	static const int ends[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
	struct sigaction a = {.sa_handler = stop}, window = {.sa_handler = ignore};

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		sigaction(ends[i], &a, NULL);
	sigaction(SIGWINCH, &window, NULL);
}

/* Keys come at once and unseen. */
static void
use_keys(struct termios *before)
{
	struct termios t;

	if (tcgetattr(STDIN_FILENO, before) == -1)
		return;
	t = *before;
	t.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	tcsetattr(STDIN_FILENO, TCSADRAIN, &t);
}

/* What the list says, in a file of no name. -1: it cannot be had. */
static int
draw(struct run *r, int (*list)(struct run *r), unsigned columns)
{
	int fd = memfd_create("mailq", MFD_CLOEXEC), status;
	char width[16];
	pid_t pid = -1;

	*r->total = (struct total){0};
	memset(r->memory, 0, r->act->memory);
	memset(r->found, 0, r->options->selection.nids);
	if (fd == -1 || (pid = fork()) == -1) {
		if (fd != -1)
			close(fd);
		return -1;
	}
	if (pid == 0) {
		snprintf(width, sizeof(width), "%u", columns);
		setenv("COLUMNS", width, 1);
		dup2(fd, STDOUT_FILENO);
		dup2(fd, STDERR_FILENO);
		r->now = clock_seconds();
		status = list(r);
		fflush(stdout);
		_exit(status);
	}
	while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
		;
	return fd;
}

/* As many lines as there is room for; one more would scroll. */
static void
show(int fd, unsigned rows)
{
	time_t now = (time_t)clock_seconds();
	struct tm tm;
	char head[64] = "";
	FILE *file = fdopen(fd, "r");
	char *line = NULL;
	size_t size = 0;

	if (file == NULL) {
		close(fd);
		return;
	}
	rewind(file);
	if (localtime_r(&now, &tm) != NULL)
		strftime(head, sizeof(head), "mailq at %H:%M:%S; q quits", &tm);
	printf(HOME "%s" ERASE_LINE "\r\n", head);
	for (unsigned i = 2; i < rows && getline(&line, &size, file) != -1; i++) {
		line[strcspn(line, "\n")] = '\0';
		printf("%s" ERASE_LINE "\r\n", line);
	}
	fputs(ERASE_BELOW, stdout);
	fflush(stdout);
	free(line);
	fclose(file);
}

/* Sleep, or until a key is pressed: whether it was q, or there is nobody any more. */
static bool
quits(void)
{
	struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};
	char key;

	if (poll(&p, 1, EVERY) <= 0)
		return false;
	return read(STDIN_FILENO, &key, 1) != 1 || key == 'q' || key == 'Q';
}

int
watch(struct run *r, int (*list)(struct run *r))
{
	struct termios before;
	struct winsize w;
	int fd = 0;

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
		fputs("mailq: --watch needs a terminal\n", stderr);
		return EX_USAGE;
	}
	catch_signals();
	use_keys(&before);
	fputs(ENTER, stdout);
	do {
		if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == -1 || w.ws_row < 3 || w.ws_col == 0)
			w = (struct winsize){.ws_row = 24, .ws_col = 80};
		if ((fd = draw(r, list, w.ws_col)) == -1)
			break;
		show(fd, w.ws_row);
	} while (!stopped && !ferror(stdout) && !quits() && !stopped);
	fputs(LEAVE, stdout);
	fflush(stdout);
	tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
	if (fd == -1)
		fprintf(stderr, "mailq: cannot list the queue: %s\n", strerror(errno));
	return fd == -1 ? EX_OSERR : EX_OK;
}
