/* SPDX-License-Identifier: ISC */
#include "sys/wake.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "mail/buf.h"
#include "sys/clock.h"
#include "sys/log.h"
#include "sys/program.h"

#define PATIENCE 2000 /* milliseconds for a system flusher that has too many pokes */

/*
 * In the first child: loose from the caller before there is a second one, so that who closes the
 * caller's terminal, or kills its process group, as soon as we have ended does not hit the flusher.
 * That is nobody's child, so that a long -bs session need not collect the dead, and leads no session,
 * so that no terminal becomes its own.
 */
static void
become_flusher(const char *path, char **argv, int keep)
{
	pid_t pid;

	program_detach(keep);
	if ((pid = fork()) != 0)
		_exit(pid == -1 ? EX_OSERR : EX_OK);
	if (keep != -1 && keep != 3) {
		dup2(keep, 3);
		close(keep);
	} else if (keep == 3)
		fcntl(3, F_SETFD, 0);
	execv(path, argv);
	_exit(EX_OSERR);
}

/*
 * Start flush, detached. `keep` is a pipe that it finds as descriptor 3 (-1: none); request is its
 * option, "-q" or "-iID", with a v before for who watches, or NULL.
 */
static void
start_flusher(int keep, const char *request)
{
	char path[PATH_MAX];
	char *argv[] = {(char *)"flush", (char *)(uintptr_t)request, NULL};
	pid_t pid = -1;
	int status = 0;

	if (program_path(path, sizeof(path), PROGRAM_FLUSH) == 0 && access(path, X_OK) == 0 &&
	    (pid = fork()) == 0)
		become_flusher(path, argv, keep);
	if (pid == -1 || (waitpid(pid, &status, 0) == pid && status != 0))
		log_warn("cannot start %s: %s; the mail is in the queue", path,
		    pid == -1 ? strerror(errno) : "no process can be had");
}

/*
 * A system flusher, if there is one that looks into this spool. It hears of many owners, and whom it
 * does not hear of has to wait: in a crowd each presses for a moment. 0, or -1 with errno.
 */
static int
tell_service(const struct wake *w, const struct poke *p, int fd)
{
	errno = ENOENT;
	if (w->socket[0] == '\0' || !poke_serves(w->socket, w->queue_dev, w->queue_ino))
		return -1;
	return poke_press(w->socket, p, fd, PATIENCE);
}

void
wake_news(const struct wake *w, enum poke_type type)
{
	struct poke p = {.type = type};

	if (poke_send(w->dir, POKE_SOCKET, &p, -1) == 0 || errno == EAGAIN)
		return;
	if (tell_service(w, &p, -1) == 0 || errno == EAGAIN) /* it will look, some time */
		return;
	if (w->start)
		start_flusher(-1, NULL);
}

int
wake_ask(const struct wake *w, const struct poke *p)
{
	bool one = p->type == POKE_ONE;
	char request[QUEUE_ID_LEN + 4];
	int fd[2];

	if (pipe2(fd, O_CLOEXEC) == -1)
		return -1;
	if (poke_send(w->dir, POKE_SOCKET, p, fd[1]) == -1 && tell_service(w, p, fd[1]) == -1) {
		snprintf(request, sizeof(request), "-%s%s%s", p->watch ? "v" : "", one ? "i" : "q",
		    one ? p->id.s : "");
		if (w->start)
			start_flusher(fd[1], request);
	}
	close(fd[1]);
	return fd[0];
}

struct status
wake_status(const char *line)
{
	const char *space = strchr(line, ' ');
	struct status st;

	return space != NULL && status_parse(&st, space + 1) != 0 ? st : STATUS(0, 0, 0);
}

static int
exit_status(struct status st)
{
	if (st.class != 5)
		return EX_OK;
	if (st.subject == 1 && st.detail == 1)
		return EX_NOUSER;
	return st.subject == 1 && st.detail == 2 ? EX_NOHOST : EX_UNAVAILABLE;
}

static void
take_line(struct answer *a, const char *line)
{
	const char *status = strchr(line, ' ');
	const char *rest = status != NULL ? strchr(status + 1, ' ') : NULL;
	struct status st = wake_status(line);

	if (a->line != NULL)
		a->line(a->arg, line);
	if (a->status == EX_OK)
		a->status = exit_status(st);
	if (rest != NULL && st.class == 4)
		snprintf(a->why, sizeof(a->why), "%s", rest + 1);
}

static void
take_lines(struct buf *b, struct answer *a)
{
	const char *end;

	while (!a->done && (end = b->data != NULL ? memchr(b->data, '\n', b->len) : NULL) != NULL) {
		size_t n = (size_t)(end - b->data);
		b->data[n] = '\0';
		if (strcmp(b->data, "done") == 0)
			a->done = true;
		else
			take_line(a, b->data);
		buf_drop(b, n + 1);
	}
}

/* Milliseconds to sleep; 0: the deadline has come. */
static int
wait_time(const struct answer *a, int64_t deadline)
{
	int64_t left = deadline == -1 ? INT_MAX : deadline - clock_monotonic();

	if (left <= 0)
		return 0;
	if (a->tick > 0 && a->tick < left)
		return a->tick;
	return left < INT_MAX ? (int)left : deadline == -1 ? -1 : INT_MAX;
}

void
wake_listen(int fd, struct answer *a, int64_t deadline)
{
	struct buf b = BUF_INIT(64 * 1024);
	struct pollfd p = {.fd = fd, .events = POLLIN};
	int ms;

	while (!a->done && (ms = wait_time(a, deadline)) != 0) {
		char *room;
		ssize_t n;
		int ready = poll(&p, 1, ms);
		if (ready == -1 && errno != EINTR)
			break;
		if (ready <= 0) {
			if (a->line != NULL && a->tick > 0)
				a->line(a->arg, NULL);
			continue;
		}
		if ((room = buf_reserve(&b, 4096)) == NULL || (n = read(fd, room, 4096)) <= 0)
			break;
		b.len += (size_t)n;
		take_lines(&b, a);
	}
	buf_free(&b);
}
