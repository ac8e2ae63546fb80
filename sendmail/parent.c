/* SPDX-License-Identifier: ISC */
#include "parent.h"

#include <bsd/string.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sys/pass.h"

#define PARENT_GONE 60000 /* milliseconds: without it we leave before that */

size_t
parent_ask_len(const struct ask *a)
{
	return offsetof(struct ask, memory) + a->nmemory;
}

static int
say(const struct parent *p, const struct ask *a)
{
	return pass_send(p->fd, NULL, a, parent_ask_len(a), -1);
}

/* One message that is no answer. */
static void
heed(struct parent *p, const struct tell *t)
{
	const struct ask alive = {.type = ASK_ALIVE};

	if (t->type == TELL_PING)
		say(p, &alive);
	else if (t->type == TELL_YIELD)
		p->yield = true;
}

/* The answer, and what was said before it. 0, or -1. */
static int
wait_for_answer(struct parent *p, struct tell *t, int *fd)
{
	while (pass_receive(p->fd, t, sizeof(*t), fd, NULL) == (ssize_t)sizeof(*t)) {
		if (t->type == TELL_ANSWER)
			return 0;
		heed(p, t);
		if (*fd != -1)
			close(*fd);
	}
	p->gone = true;
	return -1;
}

int64_t
parent_channel(struct parent *p, struct link *l, bool alone, bool anew, struct buf *why)
{
	const struct ask a = {
	    .type = ASK_CHANNEL, .alone = alone, .anew = anew, .other = p->number};
	struct tell t;

	if (say(p, &a) == -1 || wait_for_answer(p, &t, &l->fd) == -1) {
		buf_addf(why, "the supervisor is gone");
		return -1;
	}
	p->number = t.number;
	l->pid = t.pid;
	if (l->fd != -1)
		return link_adopt(l, why);
	if (t.wait > 0)
		return t.wait;
	buf_add(why, t.why, strnlen(t.why, sizeof(t.why)));
	return -1;
}

void
parent_take(struct parent *p)
{
	struct tell t;
	ssize_t n;
	int fd;

	n = recv(p->fd, &t, 0, MSG_DONTWAIT | MSG_PEEK | MSG_TRUNC);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n == 0 || pass_receive(p->fd, &t, sizeof(t), &fd, NULL) != (ssize_t)sizeof(t)) {
		p->gone = true;
		return;
	}
	heed(p, &t);
	if (fd != -1)
		close(fd);
}

void
parent_leave(const struct parent *p, int64_t when, const struct outages *outages)
{
	struct ask a = {.type = ASK_LEAVE, .when = when};

	a.nmemory = (uint32_t)outage_save(outages, a.memory, sizeof(a.memory));
	say(p, &a);
}

int64_t
parent_rate(void *parent, const char *destination)
{
	struct parent *p = parent;
	struct ask a = {.type = ASK_RATE};
	struct tell t;
	int fd = -1;

	strlcpy(a.destination, destination, sizeof(a.destination));
	if (say(p, &a) == -1 || wait_for_answer(p, &t, &fd) == -1)
		return PARENT_GONE;
	if (fd != -1)
		close(fd);
	return t.wait;
}

void
parent_rate_back(void *parent, const char *destination)
{
	struct ask a = {.type = ASK_RATE_BACK};

	strlcpy(a.destination, destination, sizeof(a.destination));
	say(parent, &a);
}
