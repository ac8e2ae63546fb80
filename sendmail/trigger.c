/* SPDX-License-Identifier: ISC */
#include "trigger.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "complain.h"
#include "mail/buf.h"
#include "mail/status.h"
#include "selection.h"
#include "sys/clock.h"
#include "sys/poke.h"
#include "sys/program.h"

#define ASK_TRIES 3 /* flushers that may go away before they answered */

/*
 * Start flush, detached. `keep` is a pipe that it finds as descriptor 3 (-1: none); request is its
 * option, "-q" or "-iID", or NULL.
 */
static void
start_flusher(int keep, const char *request)
{
	char path[PATH_MAX];
	char *argv[] = {(char *)"flush", (char *)(uintptr_t)request, NULL};
	pid_t pid;

	if (program_path(path, sizeof(path), PROGRAM_FLUSH) == -1)
		return;
	/* Twice, so that it is nobody's child: a long -bs session would collect the dead. */
	if ((pid = fork()) != 0) {
		waitpid(pid, NULL, 0);
		return;
	}
	if (fork() != 0)
		_exit(EX_OK);
	program_detach(keep);
	if (keep != -1 && keep != 3) {
		dup2(keep, 3);
		close(keep);
	} else if (keep == 3)
		fcntl(3, F_SETFD, 0);
	execv(path, argv);
	_exit(EX_OSERR);
}

void
trigger_background(struct spool *sp, const struct settings *s)
{
	struct poke p = {.type = POKE_NEW};

	if (poke_send(sp->fd, POKE_SOCKET, &p, -1) == 0 || errno == EAGAIN)
		return;
	if (s->queue_socket[0] != '\0' &&
	    (poke_send(-1, s->queue_socket, &p, -1) == 0 || errno == EAGAIN))
		return;
	start_flusher(-1, NULL);
}

/* Ask a flusher, the owner's, the system's or a new one; its answers come out of the descriptor
 * returned. */
static int
ask(struct spool *sp, const struct settings *s, const struct poke *p)
{
	char request[QUEUE_ID_LEN + 3] = "-q";
	int fd[2];

	if (pipe2(fd, O_CLOEXEC) == -1)
		return -1;
	if (poke_send(sp->fd, POKE_SOCKET, p, fd[1]) == -1 &&
	    (s->queue_socket[0] == '\0' || poke_send(-1, s->queue_socket, p, fd[1]) == -1)) {
		if (p->type == POKE_ONE)
			snprintf(request, sizeof(request), "-i%s", p->id.s);
		start_flusher(fd[1], request);
	}
	close(fd[1]);
	return fd[0];
}

/* What a line of the answer means for the exit status; see poke.h for its form. */
static int
line_status(const char *line)
{
	const char *space = strchr(line, ' ');
	struct status st;

	if (space == NULL || status_parse(&st, space + 1) == 0 || st.class != 5)
		return EX_OK;
	if (st.subject == 1 && st.detail == 1)
		return EX_NOUSER;
	return st.subject == 1 && st.detail == 2 ? EX_NOHOST : EX_UNAVAILABLE;
}

struct answer {
	bool done;    /* the flusher said so */
	int status;   /* of the first recipient that failed */
	bool verbose; /* show lines */
};

static void
take_lines(struct buf *b, struct answer *a)
{
	const char *end;

	while (!a->done && (end = b->data != NULL ? memchr(b->data, '\n', b->len) : NULL) != NULL) {
		size_t n = (size_t)(end - b->data);
		b->data[n] = '\0';
		if (strcmp(b->data, "done") == 0)
			a->done = true;
		else if (a->verbose)
			puts(b->data);
		if (a->status == EX_OK)
			a->status = line_status(b->data);
		buf_drop(b, n + 1);
	}
}

/* Read answers until "done", the end, or the deadline (milliseconds, monotonic; -1: none). */
static void
listen_to(int fd, struct answer *a, int64_t deadline)
{
	struct buf b = BUF_INIT(64 * 1024);
	struct pollfd p = {.fd = fd, .events = POLLIN};

	while (!a->done) {
		int64_t left = deadline == -1 ? -1 : deadline - clock_monotonic();
		char *room;
		ssize_t n;
		if (deadline != -1 && left <= 0)
			break;
		if (poll(&p, 1, left > INT_MAX ? INT_MAX : (int)left) == -1 && errno != EINTR)
			break;
		if (p.revents == 0)
			continue;
		if ((room = buf_reserve(&b, 4096)) == NULL || (n = read(fd, room, 4096)) <= 0)
			break;
		b.len += (size_t)n;
		take_lines(&b, a);
	}
	fflush(stdout);
	buf_free(&b);
}

int
trigger_foreground(struct spool *sp, const struct settings *s, struct queue_id id)
{
	struct poke p = {.type = POKE_ONE, .id = id};
	struct answer a = {.status = EX_OK};
	int fd = ask(sp, s, &p);

	if (fd == -1)
		return EX_OK; /* it is queued; the next flusher takes it */
	listen_to(fd, &a, clock_monotonic() + (int64_t)s->queue_wait * 1000);
	close(fd);
	return a.status;
}

/* Ask, and ask again where the flusher that took it goes away before its answer. */
static int
ask_until_done(struct spool *sp, const struct settings *s, const struct poke *p, bool verbose)
{
	struct answer a = {.status = EX_OK, .verbose = verbose};

	for (int i = 0; i < ASK_TRIES && !a.done; i++) {
		int fd = ask(sp, s, p);
		if (fd == -1)
			break;
		listen_to(fd, &a, -1);
		close(fd);
	}
	return a.done ? EX_OK
		      : complain(
			    EX_TEMPFAIL, "the flusher ended before the queue was run; see the log");
}

struct chosen {
	struct spool *spool;
	const struct settings *settings;
	bool verbose;
};

static int
run_one(void *arg, struct queue_id id)
{
	const struct chosen *c = arg;
	struct poke p = {.type = POKE_ONE, .id = id};

	return ask_until_done(c->spool, c->settings, &p, c->verbose);
}

int
trigger_run(struct spool *sp, const struct settings *s, const struct options *o)
{
	struct poke p = {.type = POKE_ALL};
	struct chosen c = {.spool = sp, .settings = s, .verbose = o->verbose};
	int r;

	if (o->select == SELECT_ALL)
		return ask_until_done(sp, s, &p, o->verbose);
	r = selection_each(sp, o, run_one, &c);
	return r == -1 ? complain(EX_TEMPFAIL, "%s", sp->error) : r;
}
