/* SPDX-License-Identifier: ISC */
#include "attempt.h"

#include <assert.h>
#include <bsd/stdlib.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mail/journal.h"
#include "mail/smtp_client.h"
#include "rates.h"
#include "settle.h"
#include "sys/clock.h"
#include "sys/log.h"
#include "tell.h"

#define LINES_MAX (32U * 1024 * 1024) /* octets of journal lines of one attempt */
#define BUSY_PAUSE 1   /* seconds until a message held by somebody else is looked at */
#define ERROR_PAUSE 10 /* seconds after an error of the system */

const char *
work_rate(const struct work *w, const char *destination)
{
	return rates_text(w->settings, destination);
}

static struct rate
rate_for(void *arg, const char *destination)
{
	const char *why;
	struct rate r;

	/* It was checked when it was set. */
	return rate_parse(&r, work_rate(arg, destination), &why) == 0 ? r : (struct rate){0};
}

void
work_init(struct work *w)
{
	lanes_init(&w->lanes);
	w->lanes.rate = rate_for;
	w->lanes.arg = w;
}

/* What its connections can have under way, and as many that wait there to take their places. */
static unsigned
relay_jobs(const struct settings *s)
{
	unsigned n = 2 * SMTP_IN_DOUBT * s->smtp_connections;

	if (n < LANE_JOBS)
		return LANE_JOBS;
	return n < HANDOFF_JOBS ? n : HANDOFF_JOBS;
}

void
work_use(struct work *w, const struct settings *s)
{
	const char *why;

	w->settings = s;
	w->policy.lifetime = s->queue_lifetime;
	w->policy.bounce_lifetime = s->queue_bounce_lifetime;
	if (retry_parse(&w->policy, s->queue_retry, &why) == -1)
		abort(); /* it was checked when it was set */
	w->lanes.only = s->relay_url[0] != '\0' && s->nrelays == 0 ? relay_jobs(s) : 0;
	lanes_renew(&w->lanes);
}

bool
work_room(const struct work *w)
{
	return w->nattempts < HANDOFF_JOBS && w->njobs < HANDOFF_JOBS &&
	       (w->lanes.only == 0 || lanes_room(&w->lanes, "", clock_monotonic()));
}

int64_t
work_wait(const struct work *w)
{
	return lanes_wait(&w->lanes, w->lanes.only > 0 ? "" : NULL, clock_monotonic());
}

bool
work_has(const struct work *w, const char *id)
{
	for (size_t i = 0; i < w->top; i++)
		if (w->attempts[i].used && strcmp(w->attempts[i].claim.id.s, id) == 0)
			return true;
	return lanes_has(&w->lanes, id);
}

bool
work_run_over(const struct work *w, unsigned run)
{
	for (size_t i = 0; i < w->top; i++)
		if (w->attempts[i].used && w->attempts[i].run <= run)
			return false;
	return lanes_run_over(&w->lanes, run);
}

bool
work_none(const struct work *w)
{
	return w->nattempts == 0 && lanes_none(&w->lanes) && work_forgettable(w);
}

bool
work_forgettable(const struct work *w)
{
	return lanes_idle(&w->lanes, clock_monotonic()) && tell_quiet(w);
}

static struct attempt *
free_attempt(struct work *w)
{
	size_t i = 0;

	while (i < HANDOFF_JOBS && w->attempts[i].used)
		i++;
	assert(i < HANDOFF_JOBS);
	if (i >= w->top)
		w->top = i + 1;
	return &w->attempts[i];
}

/* Said once a file, not once a scan. */
static void
name_damaged(struct work *w, const struct claim *c, const char *name)
{
	size_t slots = sizeof(w->damaged) / sizeof(w->damaged[0]);

	for (size_t i = 0; i < slots && i < w->ndamaged; i++)
		if (w->damaged[i] == c->st.st_ino && c->st.st_ino != 0)
			return;
	w->damaged[w->ndamaged++ % slots] = c->st.st_ino;
	log_warn("%s: left alone in %s/%s: %s", name, w->spool->path, spool_state_name(c->state),
	    c->why);
}

const char *
work_relay(const struct work *w, const struct attempt *a, char dst[HOST_LEN])
{
	return settings_by_relay(w->settings, a->claim.envelope.from, dst) ? dst : NULL;
}

void
work_destination(const struct attempt *a, size_t i, const char *relay, char dst[HOST_LEN])
{
	dst[0] = '\0';
	if (relay != NULL)
		snprintf(dst, HOST_LEN, "%s", relay);
	else
		route_domain(dst, a->claim.envelope.rcpt[i].address);
}

static int
by_destination(const void *a, const void *b, void *arg)
{
	const struct attempt *at = arg;
	const struct recipient *rcpt = at->claim.envelope.rcpt;
	char x[HOST_LEN] = "", y[HOST_LEN] = "";
	uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
	int c;

	route_domain(x, rcpt[i].address);
	route_domain(y, rcpt[j].address);
	c = strcmp(x, y);
	return c != 0 ? c : (i > j) - (i < j);
}

static bool
pending(const struct recipient *r)
{
	return r->status.class == 0 || r->status.class == 4;
}

/*
 * A destination that is out gets no attempt; a recipient that was never tried at least says why it
 * waits, and one that has waited too long is given up.
 */
static bool
waits(struct work *w, struct attempt *a, size_t i, const char *relay)
{
	const struct envelope *e = &a->claim.envelope;
	struct handoff_result r = {.rcpt = (uint32_t)i, .relay = "none"};
	char destination[HOST_LEN];
	int64_t until;

	work_destination(a, i, relay, destination);
	if (!outage_find(&w->outages, destination, clock_uptime(), &r.outcome, &until))
		return false;
	until += clock_seconds() - clock_uptime();
	if (a->until == 0 || until < a->until)
		a->until = until;
	if (e->rcpt[i].status.class == 0 || settle_expired(w, a))
		settle_untried(w, a, &r);
	else
		w->told(w->arg, e, &e->rcpt[i], &r.outcome);
	return true;
}

int64_t
attempt_age(const struct attempt *a)
{
	return a->age + clock_uptime() - a->began_uptime;
}

static int
make_order(struct work *w, struct attempt *a)
{
	const struct envelope *e = &a->claim.envelope;
	char name[HOST_LEN];
	const char *relay = work_relay(w, a, name);

	if ((a->order = calloc(e->nrcpt, sizeof(*a->order))) == NULL)
		return -1;
	for (size_t i = 0; i < e->nrcpt; i++)
		if (pending(&e->rcpt[i]) && !waits(w, a, i, relay))
			a->order[a->norder++] = (uint32_t)i;
	if (relay == NULL)
		qsort_r(a->order, a->norder, sizeof(*a->order), by_destination, a);
	return 0;
}

void
attempt_active(struct attempt *a)
{
	const struct envelope *e = &a->claim.envelope;

	if (!a->active)
		log_info("%s: from=<%s>, size=%llu, nrcpt=%zu (queue active)", e->id.s, e->from,
		    (unsigned long long)e->size, e->nrcpt);
	a->active = true;
}

static void
prepare(struct work *w, struct attempt *a, unsigned run)
{
	a->used = true;
	a->run = run;
	a->began = clock_wall();
	a->began_uptime = clock_uptime();
	a->age = retry_used(&w->policy, &a->claim.envelope.age, a->claim.st.st_mtim.tv_sec,
	    (int64_t)(a->began / 1000000));
	a->lines = (struct buf)BUF_INIT(LINES_MAX);
	w->nattempts++;
	tell_left(w, a);
	if (make_order(w, a) == -1) {
		log_warn("%s: out of memory", a->claim.id.s);
		due_at(w->due, clock_seconds() + ERROR_PAUSE);
		attempt_end(w, a);
	} else if (a->norder == 0) {
		attempt_active(a);
		settle(w, a);
	}
}

void
work_begin(struct work *w, enum spool_state state, const char *name, unsigned run)
{
	struct attempt *a = free_attempt(w);

	memset(a, 0, sizeof(*a));
	switch (claim_open(&a->claim, w->spool, state, name, CLAIM_WORK)) {
	case CLAIM_OK:
		prepare(w, a, run);
		return;
	case CLAIM_GONE:
		break;
	case CLAIM_BUSY:
		due_at(w->due, clock_seconds() + BUSY_PAUSE);
		break;
	case CLAIM_DAMAGED:
		name_damaged(w, &a->claim, name);
		break;
	case CLAIM_ERROR:
		settle_refused(w, "");
		due_at(w->due, clock_seconds() + ERROR_PAUSE);
		break;
	}
	claim_close(&a->claim);
}

bool
work_resume(struct work *w)
{
	struct parked p;

	if (!lanes_next(&w->lanes, clock_monotonic(), &p))
		return false;
	work_begin(w, p.state, p.id.s, p.run);
	return true;
}

void
work_recall(struct work *w)
{
	int64_t when;

	if (due_at_rest(w->due) && (when = lanes_recall(&w->lanes, clock_seconds())) != 0)
		due_recall(w->due, when);
}

unsigned
work_run(const struct work *w, const struct scan_entry *e)
{
	return e->aside && w->lanes.owed_run != 0 ? w->lanes.owed_run : w->due->runs_done + 1;
}

int
attempt_park(struct work *w, struct attempt *a)
{
	int64_t when;

	a->parked = lanes_park(&w->lanes, a->held, &a->claim.id, a->claim.state, a->run) == 0;
	if (a->parked)
		return 0;
	when = lanes_overflow(
	    &w->lanes, clock_seconds(), a->run <= w->due->runs_asked ? a->run : 0);
	if (claim_set_aside(&a->claim, when) == -1)
		return -1;
	due_at(w->due, when);
	return 0;
}

void
attempt_clear(struct work *w, struct attempt *a)
{
	w->suspects -= a->strikes > 0 && a->strikes < ATTEMPT_STRIKES;
	a->strikes = 0;
}

void
attempt_end(struct work *w, struct attempt *a)
{
	struct queue_id id = a->claim.id;
	bool parked = a->parked;

	attempt_clear(w, a);
	claim_close(&a->claim);
	free(a->order);
	buf_free(&a->lines);
	memset(a, 0, sizeof(*a));
	w->nattempts--;
	while (w->top > 0 && !w->attempts[w->top - 1].used)
		w->top--;
	if (!parked)
		w->settled(w->arg, id);
}

bool
work_stuck(const struct work *w)
{
	for (size_t i = 0; i < w->top; i++)
		if (w->attempts[i].used && w->attempts[i].stuck)
			return true;
	return false;
}

void
work_again(struct work *w)
{
	for (size_t i = 0; i < w->top; i++)
		if (w->attempts[i].used && w->attempts[i].stuck)
			settle(w, &w->attempts[i]);
}

void
work_free(struct work *w)
{
	for (size_t i = 0; i < w->top; i++)
		if (w->attempts[i].used) {
			claim_close(&w->attempts[i].claim);
			free(w->attempts[i].order);
			buf_free(&w->attempts[i].lines);
		}
	outage_free(&w->outages);
	lanes_free(&w->lanes);
}
