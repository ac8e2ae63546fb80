/* SPDX-License-Identifier: ISC */
#include "channel.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "job.h"

struct channel *
channel_new(struct wire *w, int fd)
{
	struct channel *c = calloc(1, sizeof(*c));

	if (c == NULL || fcntl(fd, F_SETFL, O_NONBLOCK) == -1 ||
	    fcntl(fd, F_SETFD, FD_CLOEXEC) == -1) {
		close(fd);
		free(c);
		return NULL;
	}
	c->wire = w;
	c->fd = fd;
	c->polled = -1;
	outbox_init(&c->outbox, fd);
	return c;
}

unsigned
channel_share(const struct wire *w, size_t n)
{
	size_t share = w->jobs_max / (n > 0 ? n : 1);

	if (share > HANDOFF_JOBS)
		return HANDOFF_JOBS;
	return share < CHANNEL_JOBS_LEAST ? CHANNEL_JOBS_LEAST : (unsigned)share;
}

bool
channel_wants(const struct channel *c, unsigned share)
{
	return !c->eof && c->njobs < share && c->outbox.count < CHANNEL_OUTBOX;
}

void
channel_gone(struct channel *c)
{
	c->eof = c->gone = true;
	outbox_free(&c->outbox);
	c->outbox.broken = true; /* takes no more */
	if (c->fd != -1)
		close(c->fd);
	c->fd = -1;
}

bool
channel_done(const struct channel *c)
{
	return c->eof && c->njobs == 0 && (c->gone || outbox_empty(&c->outbox));
}

void
channel_free(struct channel *c)
{
	while (c->jobs != NULL)
		job_drop(c->jobs);
	channel_gone(c);
	free(c);
}
