/* SPDX-License-Identifier: ISC */
#include "destination.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "talk.h"

struct destination *
destination_find(struct destination **list, struct wire *w, const char *name)
{
	struct destination *d;

	for (d = *list; d != NULL; d = d->next)
		if (strcmp(d->name, name) == 0)
			return d;
	d = calloc(1, sizeof(*d));
	if (d == NULL)
		return NULL;
	d->wire = w;
	memcpy(d->name, name, strnlen(name, sizeof(d->name) - 1));
	job_queue_init(&d->waiting);
	path_init(&d->path, w, d->name);
	d->limit = d->path.route->connections;
	d->next = *list;
	*list = d;
	return d;
}

/* What waits gets this outcome. */
static void
settle_waiting(struct destination *d, const struct outcome *o, const char *relay)
{
	struct job_report report = {.relay = relay, .tls = ""};
	struct job *j;

	while ((j = job_queue_take(&d->waiting)) != NULL)
		job_settle(j, o, &report);
}

void
destination_add(struct destination *d, struct job *j)
{
	struct job_report none = {.relay = "none", .tls = ""};
	struct job_report failed = {.relay = d->failed, .tls = ""};

	if (d->wire->broken.status.class != 0)
		job_settle(j, &d->wire->broken, &none);
	else if (d->path.route->broken.status.class != 0)
		job_settle(j, &d->path.route->broken, &none);
	else if (d->wire->now < d->refuses)
		job_settle(j, &d->failure, &failed);
	else
		job_queue_fair(&d->waiting, j);
}

unsigned
destination_working(const struct destination *d)
{
	unsigned n = 0;

	for (const struct slot *s = d->slots; s != NULL; s = s->next)
		n += s->ready && !s->closed && !s->leaving;
	return n;
}

static bool
more_wait(const struct destination *d, unsigned than)
{
	const struct job *j = d->waiting.first;

	while (j != NULL && than-- > 0)
		j = j->next;
	return j != NULL;
}

/* On their way to the server are no more than messages wait, and one alone until it works. */
static bool
opening(const struct destination *d)
{
	unsigned n = 0;

	for (const struct slot *s = d->slots; s != NULL; s = s->next)
		n += !s->ready || s->closed;
	return !more_wait(d, n) || (n > 0 && destination_working(d) == 0);
}

void
destination_back_off(struct destination *d)
{
	/* What was under way in several sessions says so several times. */
	if (d->wire->now < d->hold)
		return;
	d->hold = d->wire->now + DESTINATION_HOLD;
	if (d->limit > 1)
		d->limit /= 2;
}

/* A session was of no use: what does that say about the others? */
static void
on_failure(struct destination *d, const struct slot *s, const struct outcome *o)
{
	enum path_failure how = path_failure(s->session, &s->outcome);

	snprintf(d->failed, sizeof(d->failed), "%s",
	    how > PATH_UNREACHED ? session_name(s->session) : "none");
	d->limit = d->nslots > 0 ? d->nslots : 1;
	d->strikes = 0;
	if (d->nslots > 0)
		d->hold = d->wire->now + DESTINATION_HOLD;
	else if (!s->ready && o->stage == STAGE_TLS && path_may_be_plain(&d->path))
		d->path.plain = true;
	else if (d->path.state == PATH_AT)
		path_next(&d->path, o, how, d);
}

/* In the middle of a message. What it says of that one is not for those that wait. */
static void
on_strike(struct destination *d, const struct slot *s)
{
	struct outcome o;

	if (++d->strikes < 2)
		return;
	o = status_trouble(STAGE_CONNECT, SCOPE_DESTINATION, s->outcome.status,
	    "%s ended one session after the other in the middle of a message",
	    session_name(s->session));
	on_failure(d, s, &o);
}

/* A session is over and out of the list. */
static void
on_closed(struct destination *d, const struct slot *s)
{
	const struct outcome *o = &s->outcome;

	if (o->status.class == 2 || session_damaged(s->session))
		return;
	if (!s->ready || (o->scope == SCOPE_DESTINATION && s->worked == 0))
		on_failure(d, s, o);
	else if (o->scope != SCOPE_DESTINATION && o->stage >= STAGE_BODY && o->stage <= STAGE_DOT)
		on_strike(d, s);
	else if (status_throttled(o))
		destination_back_off(d);
	else if (d->limit > 1)
		d->limit /= 2;
}

static void
sweep(struct destination *d)
{
	struct slot **p = &d->slots;

	while (*p != NULL) {
		struct slot *s = *p;

		if (!s->closed) {
			p = &s->next;
			continue;
		}
		*p = s->next;
		d->nslots--;
		on_closed(d, s);
		slot_free(s);
	}
}

/* A relay of second choice: it is time to try the first one again. */
static bool
leaving(const struct destination *d)
{
	return d->path.hop > 0 && path_stale(&d->path);
}

static bool
wants_session(const struct destination *d)
{
	const struct job *first = d->waiting.first;

	if (first == NULL || d->wire->ending || d->path.state != PATH_AT || opening(d))
		return false;
	if (d->nslots == 0)
		return true;
	return d->nslots < d->limit && !leaving(d) && d->wire->now >= d->hold &&
	       d->wire->now >= first->arrived + DESTINATION_PATIENCE;
}

static void
open_session(struct destination *d)
{
	struct slot *s = slot_new(d);
	struct outcome o;

	if (s == NULL) {
		o = status_trouble(
		    STAGE_CONNECT, SCOPE_DESTINATION, STATUS(4, 3, 0), "out of memory");
		if (d->nslots == 0)
			settle_waiting(d, &o, "none");
		return;
	}
	s->next = d->slots;
	d->slots = s;
	d->nslots++;
	talk_opened(s);
	slot_turn(s, 0);
}

/* Sessions with room take what waits. */
static void
offer(struct destination *d)
{
	for (struct slot *s = d->slots; s != NULL && d->waiting.first != NULL; s = s->next)
		if (s->ready && !s->closed)
			slot_turn(s, 0);
}

static void
quit_sessions(struct destination *d, bool all)
{
	for (struct slot *s = d->slots; s != NULL; s = s->next) {
		if (!all && (!s->ready || s->closed))
			continue;
		s->leaving = true;
		session_quit(s->session);
		slot_turn(s, 0);
	}
}

static void
find_path(struct destination *d)
{
	struct path *p = &d->path;

	if (p->state == PATH_ASKING && d->wire->now >= path_deadline(p))
		path_late(p, d);
	if (path_stale(p) && d->nslots == 0)
		path_reset(p);
	else if (leaving(d))
		quit_sessions(d, false);
	if (p->state == PATH_NONE && d->waiting.first != NULL && !d->wire->ending)
		path_start(p, d);
}

/* Everything was tried. */
static void
give_up(struct destination *d)
{
	d->failure = d->path.last;
	if (d->failure.stage == STAGE_LOOKUP)
		snprintf(d->failed, sizeof(d->failed), "none");
	d->refuses = d->wire->now + DESTINATION_REFUSES;
	settle_waiting(d, &d->failure, d->failed);
	path_reset(&d->path);
}

void
destination_run(struct destination *d)
{
	offer(d);
	do {
		sweep(d);
		find_path(d);
		if (d->path.state == PATH_END && d->nslots == 0)
			give_up(d);
		if (wants_session(d))
			open_session(d);
	} while (d->slots != NULL && d->slots->closed);
}

int64_t
destination_deadline(const struct destination *d)
{
	const struct job *first = d->waiting.first;
	int64_t when = path_deadline(&d->path);

	if (first == NULL && d->slots == NULL)
		return d->refuses;
	if (first == NULL || d->nslots == 0 || d->nslots >= d->limit || opening(d))
		return when;
	if (first->arrived + DESTINATION_PATIENCE < when)
		when = first->arrived + DESTINATION_PATIENCE;
	return when < d->hold ? d->hold : when;
}

bool
destination_done(const struct destination *d)
{
	return d->waiting.first == NULL && d->slots == NULL &&
	       (d->wire->ending || d->wire->now >= d->refuses);
}

void
destination_quit(struct destination *d)
{
	struct job *j;

	while ((j = job_queue_take(&d->waiting)) != NULL)
		job_drop(j);
	quit_sessions(d, true);
}

void
destination_leave(struct destination *d, const struct channel *c, bool gone)
{
	job_queue_purge(&d->waiting, c);
	for (struct slot *s = d->slots; s != NULL; s = s->next) {
		talk_leave(s, c);
		if (gone)
			slot_leave(s, c);
	}
}

void
destination_free(struct destination *d)
{
	path_reset(&d->path);
	while (d->slots != NULL) {
		struct slot *s = d->slots;

		d->slots = s->next;
		slot_free(s);
	}
	free(d);
}
