/* SPDX-License-Identifier: ISC */
#include "due.h"

#include <stdlib.h>
#include <string.h>

#include "sys/log.h"

/* Entries looked at before the caller gets a chance to do something else. */
#define BUDGET 4096

void
due_init(struct due *d, struct spool *sp)
{
	memset(d, 0, sizeof(*d));
	d->spool = sp;
	d->new_wanted = true;
}

void
due_new(struct due *d)
{
	d->new_wanted = true;
}

void
due_at(struct due *d, int64_t when)
{
	if (when < d->next)
		d->next = when;
	if (when == 0)
		d->rest_to = 0;
}

unsigned
due_run(struct due *d)
{
	/* One that waits to begin serves everybody who asked meanwhile. */
	if (!d->run_wanted)
		d->runs_asked++;
	d->run_wanted = true;
	return d->runs_asked;
}

void
due_recall(struct due *d, int64_t when)
{
	d->recall_wanted = when;
}

bool
due_at_rest(const struct due *d)
{
	return !d->walking && d->at == d->nbatch && !d->run_wanted && d->recall_wanted == 0;
}

/* A directory that cannot be read now (no descriptors left) is tried again a little later. */
#define PAUSE 10 /* seconds */

static bool
walk(struct due *d, enum spool_state state, int64_t now)
{
	d->state = state;
	if (state == SPOOL_NEW)
		d->new_wanted = false;
	else {
		d->next = INT64_MAX;
		d->seen = d->since = 0;
	}
	d->walking = scan_open(&d->scan, d->spool, state) == 0;
	if (!d->walking) {
		if (!d->told[state])
			log_warn("%s", d->spool->error);
		due_at(d, now + PAUSE);
	}
	d->told[state] = !d->walking;
	return d->walking;
}

static void
end_run(struct due *d)
{
	d->run = false;
	d->runs_done = d->runs_asked - (d->run_wanted ? 1 : 0);
}

/* Further away than the schedule can set: the clock was set back meanwhile. */
static bool
is_due(const struct due *d, int64_t when, int64_t now)
{
	return when <= now || (when != INT64_MAX && when > now + d->horizon);
}

/* Before its beginning the clock was set back. */
static bool
rests(const struct due *d, int64_t now)
{
	return now >= d->rest_from && now < d->rest_to;
}

static bool
begin(struct due *d, int64_t now)
{
	if (d->run_wanted) {
		d->run_wanted = false;
		d->run = true;
		if (walk(d, SPOOL_CUR, now) || walk(d, SPOOL_NEW, now))
			return true;
		end_run(d);
		return false;
	}
	d->recall = d->recall_wanted;
	d->recall_wanted = 0;
	if (d->recall != 0 || (is_due(d, d->next, now) && !rests(d, now))) {
		d->new_wanted = true;
		return walk(d, SPOOL_CUR, now);
	}
	return d->new_wanted && walk(d, SPOOL_NEW, now);
}

static void
go_on(struct due *d)
{
	d->scan = d->aside;
	d->aside.dir = NULL;
	d->state = SPOOL_CUR;
	d->walking = true;
}

/* After a long way through cur/ what is new has its turn. */
static void
step_aside(struct due *d, int64_t now)
{
	d->since = 0;
	d->aside = d->scan;
	if (!walk(d, SPOOL_NEW, now))
		go_on(d);
}

/* The directory is done; a run goes on from cur/ to new/, and one that was left aside goes on. */
static void
end(struct due *d, int64_t now)
{
	scan_close(&d->scan);
	d->walking = false;
	if (d->state == SPOOL_NEW && d->aside.dir != NULL) {
		go_on(d);
		return;
	}
	if (d->state == SPOOL_CUR) {
		d->rest_from = now;
		d->rest_to = now + (int64_t)(d->seen / DUE_REST);
	}
	if (d->run && !(d->state == SPOOL_CUR && walk(d, SPOOL_NEW, now)))
		end_run(d);
}

static bool
eligible(struct due *d, const struct scan_entry *e, int64_t now)
{
	return d->state == SPOOL_NEW || d->run || is_due(d, e->due, now) ||
	       (e->aside && e->due <= d->recall);
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(((const struct scan_entry *)a)->name, ((const struct scan_entry *)b)->name);
}

/* The next batch; whether the directory may have more. */
static bool
fill(struct due *d, int64_t now)
{
	struct scan_entry e;
	bool more = true;

	d->at = d->nbatch = 0;
	for (int i = 0;
	     i < BUDGET && d->nbatch < DUE_BATCH && (more = scan_next(&d->scan, &e) == 1); i++) {
		d->seen += d->state == SPOOL_CUR;
		d->since += d->state == SPOOL_CUR;
		if (eligible(d, &e, now))
			d->batch[d->nbatch++] = e;
		else
			due_at(d, e.due);
	}
	qsort(d->batch, d->nbatch, sizeof(d->batch[0]), by_name);
	return more;
}

bool
due_ready(struct due *d, int64_t now)
{
	while (d->at == d->nbatch) {
		if (!d->walking && !begin(d, now))
			return false;
		if (d->new_wanted && d->state == SPOOL_CUR && d->since >= BUDGET)
			step_aside(d, now);
		bool more = fill(d, now);
		if (d->nbatch > 0)
			break;
		if (more)
			return false; /* the budget is used up: due_when() says to come back */
		end(d, now);
	}
	return true;
}

bool
due_next(struct due *d, int64_t now, enum spool_state *state, struct scan_entry *entry)
{
	if (!due_ready(d, now))
		return false;
	*state = d->state;
	*entry = d->batch[d->at++];
	return true;
}

int64_t
due_when(const struct due *d)
{
	if (d->walking || d->at < d->nbatch || d->new_wanted || d->run_wanted ||
	    d->recall_wanted != 0)
		return 0;
	return d->next < d->rest_to ? d->rest_to : d->next;
}

void
due_free(struct due *d)
{
	scan_close(&d->scan);
	scan_close(&d->aside);
	d->walking = false;
}
