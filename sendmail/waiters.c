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
waiters_add(struct waiters *w, const struct request *r, unsigned run)
{
	if (r->fd == -1)
		return;
	fcntl(r->fd, F_SETFL, O_NONBLOCK);
	for (struct waiter *p = w->waiter; p < w->waiter + WAITERS_MAX; p++)
		if (p->fd == 0) {
			p->fd = r->fd;
			p->run = run;
			p->id = r->poke.id;
			p->watch = r->poke.watch;
			return;
		}
	close(r->fd); /* the asker sees an end without "done" and asks again */
}

/* For it, or for all of a run. */
static bool
waits_for(const struct waiter *p, struct queue_id id)
{
	return p->fd != 0 && !p->done && (p->run != 0 || strcmp(p->id.s, id.s) == 0);
}

bool
waiters_watch(const struct waiters *w, struct queue_id id)
{
	for (const struct waiter *p = w->waiter; p < w->waiter + WAITERS_MAX; p++)
		if (p->watch && waits_for(p, id))
			return true;
	return false;
}

/* A reader that is slow misses lines, not the end. */
static void
put(struct waiter *p, const char *line, int len)
{
	if (write(p->fd, line, (size_t)len) == -1 && errno == EPIPE)
		release(p);
}

void
waiters_said(struct waiters *w, const char *text)
{
	char line[PROBE_TEXT + 1];
	int n = snprintf(line, sizeof(line), "%s\n", text);

	for (struct waiter *p = w->waiter; p < w->waiter + WAITERS_MAX; p++)
		if (p->watch && !p->done)
			put(p, line, n);
}

void
waiters_tell(struct waiters *w, struct queue_id id, const char *address, const struct outcome *o)
{
	char line[OUTCOME_TEXT + 512], status[STATUS_LEN];
	int n = -1;

	for (struct waiter *p = w->waiter; p < w->waiter + WAITERS_MAX; p++) {
		if (!waits_for(p, id))
			continue;
		if (n == -1)
			n = snprintf(line, sizeof(line), "%s %s <%s> %s\n", id.s,
			    status_print(status, o->status), address, o->text);
		put(p, line, n);
	}
}

void
waiters_settled(struct waiters *w, struct queue_id id)
{
	for (struct waiter *p = w->waiter; p < w->waiter + WAITERS_MAX; p++)
		if (p->fd != 0 && p->run == 0 && strcmp(p->id.s, id.s) == 0)
			finish(p);
}

static bool
run_over(const struct waiter *p, const struct due *due, const struct work *work)
{
	return p->fd != 0 && !p->done && p->run != 0 && due->runs_done >= p->run &&
	       work_run_over(work, p->run);
}

bool
waiters_run_over(const struct waiters *w, const struct due *due, const struct work *work)
{
	for (const struct waiter *p = w->waiter; p < w->waiter + WAITERS_MAX; p++)
		if (run_over(p, due, work))
			return true;
	return false;
}

void
waiters_runs(struct waiters *w, const struct due *due, const struct work *work)
{
	for (struct waiter *p = w->waiter; p < w->waiter + WAITERS_MAX; p++)
		if (p->done || run_over(p, due, work))
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
