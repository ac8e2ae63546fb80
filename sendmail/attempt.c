/* SPDX-License-Identifier: ISC */
#include "attempt.h"

#include <assert.h>
#include <bsd/stdlib.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mail/journal.h"
#include "settle.h"
#include "sys/clock.h"
#include "sys/log.h"

#define LINES_MAX (32U * 1024 * 1024) /* octets of journal lines of one attempt */
#define BUSY_PAUSE 1   /* seconds until a message held by somebody else is looked at */
#define ERROR_PAUSE 10 /* seconds after an error of the system */

bool
work_room(const struct work *w)
{
	return w->nattempts < HANDOFF_JOBS;
}

bool
work_has(const struct work *w, const char *id)
{
	for (size_t i = 0; i < HANDOFF_JOBS; i++)
		if (w->attempts[i].used && strcmp(w->attempts[i].claim.id.s, id) == 0)
			return true;
	return false;
}

bool
work_run_over(const struct work *w, unsigned run)
{
	for (size_t i = 0; i < HANDOFF_JOBS; i++)
		if (w->attempts[i].used && w->attempts[i].run <= run)
			return false;
	return true;
}

static struct attempt *
free_attempt(struct work *w)
{
	size_t i = 0;

	while (i < HANDOFF_JOBS && w->attempts[i].used)
		i++;
	assert(i < HANDOFF_JOBS);
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

/*
 * The destination of all of a message, in dst, when it goes by relays; NULL: each recipient has one
 * of its own. Asked anew each time: the settings may be others now.
 */
static const char *
relay_of(const struct work *w, const struct attempt *a, char dst[HOST_LEN])
{
	return settings_by_relay(w->settings, a->claim.envelope.from, dst) ? dst : NULL;
}

/* As struct handoff_job has it; relay: what relay_of() said. */
static void
destination_of(const struct attempt *a, size_t i, const char *relay, char dst[HOST_LEN])
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

	destination_of(a, i, relay, destination);
	if (!outage_find(&w->outages, destination, clock_seconds(), &r.outcome, &until))
		return false;
	if (a->until == 0 || until < a->until)
		a->until = until;
	if (e->rcpt[i].status.class == 0 || settle_expired(w, e))
		settle_result(w, a, &r);
	else
		w->told(w->arg, e, &e->rcpt[i], &r.outcome);
	return true;
}

static int
make_order(struct work *w, struct attempt *a)
{
	const struct envelope *e = &a->claim.envelope;
	char name[HOST_LEN];
	const char *relay = relay_of(w, a, name);

	if ((a->order = calloc(e->nrcpt, sizeof(*a->order))) == NULL)
		return -1;
	for (size_t i = 0; i < e->nrcpt; i++)
		if (pending(&e->rcpt[i]) && !waits(w, a, i, relay))
			a->order[a->norder++] = (uint32_t)i;
	if (relay == NULL)
		qsort_r(a->order, a->norder, sizeof(*a->order), by_destination, a);
	return 0;
}

static void
prepare(struct work *w, struct attempt *a, unsigned run)
{
	const struct envelope *e = &a->claim.envelope;

	a->used = true;
	a->run = run;
	a->began = clock_wall();
	a->lines = (struct buf)BUF_INIT(LINES_MAX);
	w->nattempts++;
	log_info("%s: from=<%s>, size=%llu, nrcpt=%zu (queue active)", e->id.s, e->from,
	    (unsigned long long)e->size, e->nrcpt);
	if (make_order(w, a) == -1) {
		log_warn("%s: out of memory", e->id.s);
		due_at(w->due, clock_seconds() + ERROR_PAUSE);
		attempt_end(w, a);
	} else if (a->norder == 0)
		settle(w, a);
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
		log_warn("%s", w->spool->error);
		due_at(w->due, clock_seconds() + ERROR_PAUSE);
		break;
	}
	claim_close(&a->claim);
}

void
attempt_end(struct work *w, struct attempt *a)
{
	struct queue_id id = a->claim.id;

	claim_close(&a->claim);
	free(a->order);
	buf_free(&a->lines);
	memset(a, 0, sizeof(*a));
	w->nattempts--;
	w->settled(w->arg, id);
}

static struct job *
free_job(struct work *w)
{
	for (size_t i = 0; i < HANDOFF_JOBS; i++)
		if (w->jobs[i].attempt == NULL)
			return &w->jobs[i];
	return NULL;
}

static struct job *
find_job(struct work *w, uint32_t number)
{
	struct job *j = &w->jobs[number % HANDOFF_JOBS];

	return j->attempt != NULL && j->number == number ? j : NULL;
}

static struct attempt *
attempt_with_jobs_left(struct work *w)
{
	for (size_t i = 0; i < HANDOFF_JOBS; i++)
		if (w->attempts[i].used && w->attempts[i].at < w->attempts[i].norder)
			return &w->attempts[i];
	return NULL;
}

/* The next recipients of one destination, as many as a job holds. */
static void
fill_job(struct work *w, struct job *j, struct attempt *a)
{
	char destination[HOST_LEN], name[HOST_LEN];
	const char *relay = relay_of(w, a, name);

	memset(j, 0, sizeof(*j));
	j->attempt = a;
	j->number = w->next_number++ * HANDOFF_JOBS + (uint32_t)(j - w->jobs);
	destination_of(a, a->order[a->at], relay, j->destination);
	while (a->at < a->norder && j->nrcpt < HANDOFF_RCPTS) {
		destination_of(a, a->order[a->at], relay, destination);
		if (strcmp(destination, j->destination) != 0)
			break;
		j->rcpt[j->nrcpt++] = a->order[a->at++];
	}
	a->jobs++;
	w->njobs++;
}

bool
work_job(struct work *w, union handoff_message *m, int *fd)
{
	struct attempt *a = attempt_with_jobs_left(w);
	struct job *j = a != NULL ? free_job(w) : NULL;

	if (j == NULL)
		return false;
	fill_job(w, j, a);
	m->job.type = HANDOFF_JOB;
	m->job.job = j->number;
	m->job.nrcpt = j->nrcpt;
	memcpy(m->job.destination, j->destination, sizeof(m->job.destination));
	memcpy(m->job.rcpt, j->rcpt, j->nrcpt * sizeof(j->rcpt[0]));
	*fd = a->claim.fd;
	return true;
}

static void
drop_job(struct work *w, struct job *j)
{
	j->attempt->jobs--;
	j->attempt = NULL;
	w->njobs--;
}

void
work_unsent(struct work *w, const union handoff_message *m)
{
	struct job *j = find_job(w, m->job.job);

	j->attempt->at -= j->nrcpt;
	drop_job(w, j);
}

/* A destination failed. One that refuses the login needs a person, or another token. */
static void
note_outage(struct work *w, const struct job *j, const struct outcome *o)
{
	bool news =
	    outage_note(&w->outages, j->destination, o, &w->policy, clock_seconds(), arc4random());

	if (o->stage != STAGE_AUTH)
		return;
	w->renew = true;
	if (news)
		log_warn("cannot log in: %s; the mail waits; where user, password or "
			 "relay.auth is wrong, mend it, then: sendmail -q",
		    o->text);
}

/* An answered destination is alive, and what waits for a relay need not wait on. */
static void
note_destination(struct work *w, const struct job *j, const struct outcome *o)
{
	if (o->status.class == 4 && o->scope == SCOPE_DESTINATION)
		note_outage(w, j, o);
	else if (outage_over(&w->outages, j->destination) &&
		 (j->destination[0] == '\0' || j->destination[0] == ':'))
		due_run(w->due);
}

static void
answer(struct work *w, struct job *j, uint32_t at, const struct handoff_result *r)
{
	j->answered[at] = true;
	j->nresults++;
	note_destination(w, j, &r->outcome);
	settle_result(w, j->attempt, r);
}

int
work_result(struct work *w, const struct handoff_result *r)
{
	struct job *j = find_job(w, r->job);

	for (uint32_t i = 0; j != NULL && i < j->nrcpt; i++)
		if (j->rcpt[i] == r->rcpt && !j->answered[i]) {
			answer(w, j, i, r);
			return 0;
		}
	return -1;
}

/* Every recipient of a job that has no result gets this one; then the job is over. */
static void
finish_job(struct work *w, struct job *j, const struct outcome *o)
{
	struct handoff_result r = {
	    .type = HANDOFF_RESULT, .job = j->number, .outcome = *o, .relay = "none"};
	struct attempt *a = j->attempt;

	for (uint32_t i = 0; i < j->nrcpt; i++)
		if (!j->answered[i]) {
			r.rcpt = j->rcpt[i];
			answer(w, j, i, &r);
		}
	drop_job(w, j);
	if (a->jobs == 0 && a->at == a->norder)
		settle(w, a);
	else
		settle_part(w, a);
}

int
work_done(struct work *w, const struct handoff_done *d)
{
	struct job *j = find_job(w, d->job);
	struct outcome o;

	if (j == NULL)
		return -1;
	o = status_trouble(STAGE_CONFIG, SCOPE_MESSAGE, STATUS(4, 3, 0), "smtp gave no result");
	finish_job(w, j, &o);
	return 0;
}

void
work_fail(struct work *w, const struct outcome *o)
{
	for (size_t i = 0; i < HANDOFF_JOBS; i++)
		if (w->jobs[i].attempt != NULL)
			finish_job(w, &w->jobs[i], o);
}

bool
work_stuck(const struct work *w)
{
	for (size_t i = 0; i < HANDOFF_JOBS; i++)
		if (w->attempts[i].used && w->attempts[i].stuck)
			return true;
	return false;
}

void
work_again(struct work *w)
{
	for (size_t i = 0; i < HANDOFF_JOBS; i++)
		if (w->attempts[i].used && w->attempts[i].stuck)
			settle(w, &w->attempts[i]);
}

void
work_free(struct work *w)
{
	for (size_t i = 0; i < HANDOFF_JOBS; i++)
		if (w->attempts[i].used) {
			claim_close(&w->attempts[i].claim);
			free(w->attempts[i].order);
			buf_free(&w->attempts[i].lines);
		}
	outage_free(&w->outages);
}
