/* SPDX-License-Identifier: ISC */
/*
 * The jobs of attempt.h: which goes out next, and what comes back.
 */
#include <assert.h>
#include <bsd/stdlib.h>
#include <stdio.h>
#include <string.h>

#include "attempt.h"
#include "settle.h"
#include "sys/clock.h"
#include "sys/log.h"

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

/* The next recipients of one destination, as many as a job holds. */
static void
fill_job(struct work *w, struct job *j, struct attempt *a)
{
	char destination[HOST_LEN], name[HOST_LEN];
	const char *relay = work_relay(w, a, name);

	memset(j, 0, sizeof(*j));
	j->attempt = a;
	j->end = LANE_FAILED;
	j->number = w->next_number++ * HANDOFF_JOBS + (uint32_t)(j - w->jobs);
	work_destination(a, a->order[a->at], relay, j->destination);
	while (a->at < a->norder && j->nrcpt < HANDOFF_RCPTS) {
		work_destination(a, a->order[a->at], relay, destination);
		if (strcmp(destination, j->destination) != 0)
			break;
		j->rcpt[j->nrcpt++] = a->order[a->at++];
	}
	attempt_active(a);
	a->jobs++;
	w->njobs++;
}

/* Not now: those of this destination that are next. */
static void
pass_over(struct attempt *a, const char *relay, const char *destination)
{
	char next[HOST_LEN];

	if (!a->holds)
		snprintf(a->held, sizeof(a->held), "%s", destination);
	a->holds = true;
	do {
		if (++a->at == a->norder)
			return;
		work_destination(a, a->order[a->at], relay, next);
	} while (strcmp(next, destination) == 0);
}

/* Whether the message is at a destination that has room; others are passed over. */
static bool
at_room(struct work *w, struct attempt *a, char destination[HOST_LEN])
{
	char name[HOST_LEN];
	const char *relay = work_relay(w, a, name);

	while (a->at < a->norder) {
		work_destination(a, a->order[a->at], relay, destination);
		if (lanes_room(&w->lanes, destination, clock_monotonic()))
			return true;
		pass_over(a, relay, destination);
	}
	if (a->jobs == 0)
		settle(w, a);
	return false;
}

/* While there are suspects, one of them is tried at a time, and nobody else. */
static bool
may_go(const struct work *w, const struct attempt *a)
{
	return w->suspects == 0 ? a->strikes == 0
				: a->strikes > 0 && a->strikes < ATTEMPT_STRIKES && w->njobs == 0;
}

/* The message whose turn it is. One to many destinations leaves half of what is free to others. */
static struct attempt *
next_attempt(struct work *w, char destination[HOST_LEN])
{
	for (size_t n = w->top; n > 0; n--) {
		struct attempt *a;

		w->turn = w->turn + 1 < w->top ? w->turn + 1 : 0;
		a = &w->attempts[w->turn];
		if (a->used && !a->stuck && a->at < a->norder && may_go(w, a) &&
		    a->jobs < HANDOFF_JOBS - w->njobs && at_room(w, a, destination))
			return a;
	}
	return NULL;
}

/* Count it where its destination has room; 1: it has none after all. */
static int
enter(struct work *w, const char *destination)
{
	bool limited = false;
	int r = lanes_begin(&w->lanes, destination, clock_monotonic(), &limited);

	if (r == -1)
		log_warn("out of memory");
	if (limited)
		log_info("%s: the rate of %s is reached, further mail waits",
		    destination[0] != '\0' ? destination : "relay", work_rate(w, destination));
	return r;
}

bool
work_job(struct work *w, union handoff_message *m, int *fd)
{
	char destination[HOST_LEN];
	struct attempt *a;
	struct job *j = free_job(w);

	int r;

	if (j == NULL)
		return false;
	do
		if ((a = next_attempt(w, destination)) == NULL)
			return false;
	while ((r = enter(w, destination)) == 1);
	if (r == -1)
		return false;
	fill_job(w, j, a);
	m->job.type = HANDOFF_JOB;
	m->job.job = j->number;
	m->job.watched = w->watched != NULL && w->watched(w->arg, a->claim.id);
	m->job.nrcpt = j->nrcpt;
	memcpy(m->job.destination, j->destination, sizeof(m->job.destination));
	memcpy(m->job.rcpt, j->rcpt, j->nrcpt * sizeof(j->rcpt[0]));
	*fd = a->claim.fd;
	return true;
}

static void
drop_job(struct work *w, struct job *j)
{
	lanes_end(&w->lanes, j->destination, j->end);
	j->attempt->jobs--;
	j->attempt = NULL;
	w->njobs--;
}

void
work_unsent(struct work *w, const union handoff_message *m)
{
	struct job *j = find_job(w, m->job.job);

	assert(j != NULL);
	j->attempt->at -= j->nrcpt;
	j->end = LANE_UNSENT;
	drop_job(w, j);
}

/* TLS with an exchanger that fails hangs on no file of ours. */
static bool
wants_files(const struct job *j, const struct outcome *o)
{
	return link_wants_files(o->stage) &&
	       (o->stage != STAGE_TLS || settings_is_relay(j->destination));
}

static void
note_outage(struct work *w, const struct job *j, const struct outcome *o)
{
	bool news =
	    outage_note(&w->outages, j->destination, o, &w->policy, clock_uptime(), arc4random());

	if (o->stage == STAGE_AUTH && news)
		link_refused(o, "the mail waits");
	w->renew = w->renew || wants_files(j, o);
}

void
work_passed(struct work *w, const struct handoff_passed *m)
{
	int64_t now = clock_monotonic();

	if (!link_passed(m) || now < w->renew_after)
		return;
	w->renew = true;
	w->renew_after = now + HANDOFF_DOWN;
}

/* An answered destination is alive, and what waits for a relay need not wait on. */
static void
note_destination(struct work *w, const struct job *j, const struct outcome *o)
{
	if (o->status.class == 4 && o->scope == SCOPE_DESTINATION)
		note_outage(w, j, o);
	else if (outage_over(&w->outages, j->destination) && settings_is_relay(j->destination))
		due_run(w->due);
}

static void
answer(struct work *w, struct job *j, uint32_t at, const struct handoff_result *r)
{
	j->answered[at] = true;
	j->nresults++;
	if (r->outcome.stage >= STAGE_MAIL &&
	    (r->outcome.status.class != 4 || r->outcome.scope != SCOPE_DESTINATION))
		j->end = LANE_ANSWERED;
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
work_begun(struct work *w, const struct handoff_done *d)
{
	struct job *j = find_job(w, d->job);

	if (j != NULL)
		j->begun = true;
	return j != NULL ? 0 : -1;
}

int
work_done(struct work *w, const struct handoff_done *d)
{
	struct job *j = find_job(w, d->job);
	struct outcome o;

	if (j == NULL)
		return -1;
	attempt_clear(w, j->attempt);
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

/* Its recipients that have no result are to be sent anew. */
static void
take_back(struct work *w, struct job *j)
{
	struct attempt *a = j->attempt;

	for (uint32_t i = j->nrcpt; i > 0; i--)
		if (!j->answered[i - 1])
			a->order[--a->at] = j->rcpt[i - 1];
	j->end = j->nresults > 0 ? j->end : LANE_UNSENT;
	drop_job(w, j);
}

/* What smtp had begun, each message once. */
static void
count_strikes(struct work *w)
{
	bool struck[HANDOFF_JOBS] = {false};

	for (size_t i = 0; i < HANDOFF_JOBS; i++) {
		struct attempt *a = w->jobs[i].attempt;

		if (a == NULL || !w->jobs[i].begun || struck[a - w->attempts])
			continue;
		struck[a - w->attempts] = true;
		w->suspects += a->strikes++ == 0;
		w->suspects -= a->strikes == ATTEMPT_STRIKES;
	}
}

void
work_crashed(struct work *w)
{
	count_strikes(w);
	for (size_t i = 0; i < HANDOFF_JOBS; i++) {
		struct attempt *a = w->jobs[i].attempt;

		if (a == NULL)
			continue;
		take_back(w, &w->jobs[i]);
		/* Or it had an answer for each already, and died before it said that it was done. */
		if ((a->strikes >= ATTEMPT_STRIKES || a->at == a->norder) && a->jobs == 0)
			settle(w, a);
	}
}

bool
work_suspects(const struct work *w)
{
	return w->suspects > 0;
}
