/* SPDX-License-Identifier: ISC */
#include "clerk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "clerk_environment.h"
#include "options.h"
#include "parcel.h"
#include "sys/become.h"
#include "sys/clock.h"
#include "sys/pass.h"
#include "sys/program.h"

#define STOPPING "the service is stopping"

struct work {
	const struct clerk *clerk;
	struct parcel_head head;
	int fds[PARCEL_FDS];
	char *data;     /* the strings, one behind the other, … */
	char **strings; /* … and where each begins */
	char **argv;
	pid_t pid; /* of sendmail */
	char why[PARCEL_TEXT];
};

static volatile sig_atomic_t leave;

static void
on_signal(int sig)
{
	leave |= sig != SIGCHLD;
}

/* They stay blocked but while we wait, as the flusher has it. */
static void
catch_signals(void)
{
	static const int signals[] = {SIGTERM, SIGINT, SIGCHLD};
	struct sigaction sa = {.sa_handler = on_signal};
	sigset_t mask;

	signal(SIGHUP, SIG_IGN);
	sigemptyset(&mask);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		sigaction(signals[i], &sa, NULL);
		sigaddset(&mask, signals[i]);
	}
	sigprocmask(SIG_BLOCK, &mask, NULL);
}

static int
fail(struct work *w, int status, const char *why)
{
	snprintf(w->why, sizeof(w->why), "%s; the message was not queued", why);
	return status;
}

static bool
no_request(struct work *w)
{
	return fail(w, false, "a request that is none");
}

/* Until the poster says something, or `deadline`, or a signal. Whether something is to be read. */
static bool
wait_until(int conn, short events, int64_t deadline)
{
	int64_t left = deadline - clock_monotonic();
	struct pollfd p = {.fd = conn, .events = events};
	struct timespec t;
	sigset_t none;

	if (left < 0)
		left = 0;
	t = (struct timespec){.tv_sec = left / 1000, .tv_nsec = (long)(left % 1000) * 1000000};
	sigemptyset(&none);
	return ppoll(&p, 1, &t, &none) == 1;
}

/* One packet of the request: octets, or 0 with w->why. */
static size_t
read_packet(struct work *w, void *data, size_t size, int *fds, size_t nfds, int64_t deadline)
{
	ssize_t n;

	do {
		if (leave || clock_monotonic() >= deadline) {
			fail(w, 0, leave ? STOPPING : "the request did not come in time");
			return 0;
		}
		wait_until(w->clerk->conn, POLLIN, deadline);
		n = pass_receive_all(w->clerk->conn, data, size, fds, nfds);
	} while (n == -1 && errno == EAGAIN);
	if (n <= 0)
		return no_request(w);
	return (size_t)n;
}

static bool
read_request(struct work *w)
{
	int64_t deadline = clock_monotonic() + CLERK_REQUEST * 1000;
	size_t n = read_packet(w, &w->head, sizeof(w->head), w->fds, PARCEL_FDS, deadline), at = 0;

	if (n == 0)
		return false;
	if (n != sizeof(w->head) || !parcel_head_valid(&w->head))
		return no_request(w);
	w->data = malloc(w->head.octets + (size_t)1);
	w->strings = calloc((size_t)w->head.settings + w->head.words + 1, sizeof(char *));
	if (w->data == NULL || w->strings == NULL)
		return fail(w, false, "out of memory");
	while (at < w->head.octets) {
		n = read_packet(w, w->data + at, w->head.octets - at, NULL, 0, deadline);
		if (n == 0)
			return false;
		at += n;
	}
	return parcel_cut(&w->head, w->data, at, w->strings) || no_request(w);
}

/* The words behind our own name, which says that it is a post, and whether they say it as well. */
static int
check_words(struct work *w)
{
	size_t n = (size_t)w->head.words + 1;
	char **permuted = calloc(n + 1, sizeof(char *));
	char error[256];
	struct options o;
	int status = EX_OK;

	if ((w->argv = calloc(n + 1, sizeof(char *))) == NULL || permuted == NULL) {
		free(permuted);
		return fail(w, EX_OSERR, "out of memory");
	}
	w->argv[0] = (char *)"sendmail";
	memcpy(w->argv + 1, w->strings + w->head.settings, w->head.words * sizeof(char *));
	memcpy(permuted, w->argv, n * sizeof(char *));
	if (options_parse(&o, (int)n, permuted, error, sizeof(error)) == -1)
		status = fail(w, EX_USAGE, error);
	else if (o.mode != MODE_POST && o.mode != MODE_SERVE)
		status = fail(w, EX_USAGE, "only messages are taken here");
	free(permuted);
	return status;
}

/* In the child's child, which does not outlive us: nobody would be told of what it does. */
static void
run(const struct work *w, char **environment, pid_t clerk)
{
	int high[PARCEL_FDS];

	if (prctl(PR_SET_PDEATHSIG, SIGTERM) == -1 || getppid() != clerk)
		_exit(EX_OSERR);
	/* Out of the way of 0 to 2, wherever they are. */
	for (int i = 0; i < PARCEL_FDS; i++)
		if ((high[i] = fcntl(w->fds[i], F_DUPFD, PARCEL_FDS)) == -1)
			_exit(EX_OSERR);
	for (int i = 0; i < PARCEL_FDS; i++)
		if (dup2(high[i], i) == -1)
			_exit(EX_OSERR);
	program_close(-1);
	execve(w->clerk->program, w->argv, environment);
	_exit(EX_OSERR);
}

static int
start(struct work *w)
{
	char **environment = clerk_environment(w->clerk->settings, w->strings, w->head.settings);

	pid_t clerk = getpid();

	if (environment == NULL)
		return fail(w, EX_OSERR, "out of memory");
	/* A poster that is gone, or gave us up, is not to find its message posted. */
	if (parcel_answer(w->clerk->conn, PARCEL_TAKEN, 0, "") == -1)
		return fail(w, EX_TEMPFAIL, "the poster is gone");
	if ((w->pid = fork()) == 0)
		run(w, environment, clerk);
	for (int i = 0; i < PARCEL_FDS; i++)
		close(w->fds[i]);
	return w->pid != -1 ? EX_OK : fail(w, EX_OSERR, strerror(errno));
}

/* What ends a post before its time, or NULL. */
static const char *
broken_off(const struct work *w, int64_t deadline)
{
	struct pollfd p = {.fd = w->clerk->conn, .events = POLLRDHUP};

	if (leave)
		return STOPPING;
	if (clock_monotonic() >= deadline)
		return "the time for a post is over (queue.post_time)";
	return poll(&p, 1, 0) == 1 ? "the poster is gone" : NULL;
}

static int
status_of(struct work *w, int status, const char *why)
{
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	if (why == NULL)
		why = "sendmail was killed";
	return fail(w, EX_TEMPFAIL, why);
}

/* Its status; 75 where it would not end, which a file system that hangs may be the reason for. */
static int
wait_for_sendmail(struct work *w)
{
	unsigned limit = w->clerk->settings->queue_post_time;
	int64_t deadline = limit != 0 ? clock_monotonic() + (int64_t)limit * 1000 : INT64_MAX;
	int64_t next = deadline; /* when the next signal is due */
	const char *why = NULL;
	int signals = 0, status;

	for (;;) {
		if (waitpid(w->pid, &status, WNOHANG) == w->pid)
			return status_of(w, status, why);
		if (why == NULL && (why = broken_off(w, deadline)) != NULL)
			next = 0;
		if (clock_monotonic() >= next) {
			if (signals == 2)
				return fail(w, EX_TEMPFAIL, why);
			kill(w->pid, signals++ == 0 ? SIGTERM : SIGKILL);
			next = clock_monotonic() + CLERK_GRACE;
		}
		/* The poster's end is of no interest any more once it is being broken off. */
		wait_until(why == NULL ? w->clerk->conn : -1, POLLRDHUP,
		    next != INT64_MAX ? next : clock_monotonic() + 3600 * 1000);
	}
}

static int
serve(struct work *w)
{
	int status;

	if (parcel_answer(w->clerk->conn, PARCEL_READY, 0, "") == -1 || !read_request(w))
		return EX_TEMPFAIL;
	if ((status = check_words(w)) != EX_OK || (status = start(w)) != EX_OK)
		return status;
	return wait_for_sendmail(w);
}

/* What is unread when we close would take the answer away from the poster. */
static void
drain(int conn)
{
	char c;

	shutdown(conn, SHUT_RD);
	while (recv(conn, &c, sizeof(c), MSG_DONTWAIT) > 0)
		;
}

int
clerk_serve(const struct clerk *c)
{
	struct work w = {.clerk = c, .fds = {-1, -1, -1}};
	int status;

	catch_signals();
	program_close(c->conn);
	setsid(); /* a terminal that is handed over is not ours */
	if (become(c->uid) == -1 || become_powerless() == -1 || chdir("/") == -1)
		status = fail(&w, EX_TEMPFAIL, "cannot become the poster");
	else
		status = serve(&w);
	parcel_answer(c->conn, PARCEL_DONE, status, w.why);
	drain(c->conn);
	return status;
}
