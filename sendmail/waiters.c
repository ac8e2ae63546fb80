/* SPDX-License-Identifier: ISC */
#include "waiters.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void
release(struct waiter *p)
{
	close(p->fd);
	memset(p, 0, sizeof(*p));
}

/* "done" and away; kept while the pipe is full. */
static void
finish(struct waiter *p)
{
	p->done = true;
	if (write(p->fd, "done\n", 5) == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	release(p);
}

void
waiters_add(struct waiters *w, int fd, unsigned run, const struct queue_id *id)
{
	if (fd == -1)
		return;
	fcntl(fd, F_SETFL, O_NONBLOCK);
	for (struct waiter *p = w->waiter; p < w->waiter + WAITERS_MAX; p++)
		if (p->fd == 0) {
			p->fd = fd;
			p->run = run;
			if (id != NULL)
				p->id = *id;
			return;
		}
	close(fd); /* the asker sees an end without "done" and asks again */
}

void
waiters_tell(struct waiters *w, struct queue_id id, const char *address, const struct outcome *o)
{
	char line[OUTCOME_TEXT + 512], status[STATUS_LEN];
	int n = -1;

	for (struct waiter *p = w->waiter; p < w->waiter + WAITERS_MAX; p++) {
		if (p->fd == 0 || p->done || (p->run == 0 && strcmp(p->id.s, id.s) != 0))
			continue;
		if (n == -1)
			n = snprintf(line, sizeof(line), "%s %s <%s> %s\n", id.s,
			    status_print(status, o->status), address, o->text);
		/* A reader that is slow misses lines, not the end. */
		if (write(p->fd, line, (size_t)n) == -1 && errno == EPIPE)
			release(p);
	}
}

void
waiters_settled(struct waiters *w, struct queue_id id)
{
	for (struct waiter *p = w->waiter; p < w->waiter + WAITERS_MAX; p++)
		if (p->fd != 0 && p->run == 0 && strcmp(p->id.s, id.s) == 0)
			finish(p);
}

void
waiters_runs(struct waiters *w, const struct due *due, const struct work *work)
{
	for (struct waiter *p = w->waiter; p < w->waiter + WAITERS_MAX; p++)
		if (p->fd != 0 && (p->done || (p->run != 0 && due->runs_done >= p->run &&
						  work_run_over(work, p->run))))
			finish(p);
}

bool
waiters_blocked(const struct waiters *w)
{
	for (size_t i = 0; i < WAITERS_MAX; i++)
		if (w->waiter[i].fd != 0 && w->waiter[i].done)
			return true;
	return false;
}

bool
waiters_none(const struct waiters *w)
{
	for (size_t i = 0; i < WAITERS_MAX; i++)
		if (w->waiter[i].fd != 0)
			return false;
	return true;
}

void
waiters_free(struct waiters *w)
{
	for (struct waiter *p = w->waiter; p < w->waiter + WAITERS_MAX; p++)
		if (p->fd != 0)
			release(p);
}
