/* SPDX-License-Identifier: ISC */
#include "tell.h"

#include "bounce.h"
#include "mail/journal.h"
#include "postmaster.h"
#include "settle.h"
#include "sys/clock.h"
#include "sys/log.h"

static const struct {
	const char *name; /* in the log: "sender … notification", as Postfix has it */
	enum journal_word word;
} kinds[] = {
    [DSN_FAILURE] = {"sender non-delivery", JOURNAL_TOLD},
    [DSN_SUCCESS] = {"sender delivery status", JOURNAL_TOLD},
    [DSN_DELAY] = {"sender delay", JOURNAL_WARNED},
    [DSN_DELAY_ASKED] = {"sender delay", JOURNAL_WARNED},
    [DSN_COPY] = {"postmaster non-delivery", JOURNAL_COPIED},
};

bool
tell_any(const struct envelope *e, enum dsn_kind kind,
    bool (*which)(enum dsn_kind, const struct recipient *))
{
	for (size_t i = 0; i < e->nrcpt; i++)
		if (which(kind, &e->rcpt[i]))
			return true;
	return false;
}

static struct rate
limit(const struct work *w)
{
	struct rate r;
	const char *why;

	/* It was checked when it was set. */
	return rate_parse(&r, w->settings->queue_bounce_rate, &why) == 0 ? r : (struct rate){0};
}

bool
tell_quiet(const struct work *w)
{
	struct rate half = limit(w);

	half.messages -= half.messages / 2;
	return rate_wait(&half, &w->reports, clock_monotonic()) == 0;
}

static bool
allowed(const struct work *w)
{
	struct rate r = limit(w);

	return rate_wait(&r, &w->reports, clock_monotonic()) == 0;
}

static struct bounce
bounce_of(
    const struct work *w, const struct attempt *a, enum dsn_kind kind, const struct envelope *to)
{
	return (struct bounce){
	    .kind = kind,
	    .hostname = w->hostname,
	    .mailer = w->mailer,
	    .retry_until = (int64_t)(a->claim.envelope.arrived / 1000000) + w->policy.lifetime,
	    .to = to,
	};
}

static int
post(struct work *w, struct attempt *a, const struct bounce *b, struct queue_id *id)
{
	struct rate r = limit(w);

	if (bounce_post(&a->claim, b, id) == -1)
		return settle_refused(w, "cannot post a report: ");
	rate_take(&r, &w->reports, clock_monotonic());
	log_info("%s: %s notification: %s", a->claim.id.s, kinds[b->kind].name, id->s);
	due_new(w->due);
	return 0;
}

static void
note(struct attempt *a, enum dsn_kind kind, size_t i, const char *text)
{
	struct recipient *r = &a->claim.envelope.rcpt[i];

	r->reported |= kinds[kind].word == JOURNAL_TOLD;
	r->warned |= kinds[kind].word == JOURNAL_WARNED;
	r->copied |= kinds[kind].word == JOURNAL_COPIED;
	journal_add_word(&a->lines, clock_seconds(), i, kinds[kind].word, text);
	a->keep = true;
}

/*
 * Recipients with NOTIFY=NEVER are noted as told in the same write as the others, behind the
 * report's commit, so that its ID is the same after a crash. Of a delay that is not to be told
 * nothing is noted.
 */
static int
tell(struct work *w, struct attempt *a, enum dsn_kind kind, const struct envelope *to)
{
	struct envelope *e = &a->claim.envelope;
	struct bounce b = bounce_of(w, a, kind, to);
	struct queue_id id = {""};

	if (tell_any(e, kind, dsn_wanted)) {
		if (!allowed(w) && !bounce_posted(&a->claim, &b))
			return 0;
		if (post(w, a, &b, &id) == -1)
			return -1;
	}
	for (size_t i = 0; i < e->nrcpt; i++) {
		bool wanted = dsn_wanted(kind, &e->rcpt[i]);

		if (wanted || (kinds[kind].word == JOURNAL_TOLD && dsn_open(kind, &e->rcpt[i])))
			note(a, kind, i, wanted ? id.s : "not wanted by NOTIFY");
	}
	return 0;
}

static enum dsn_kind
delay_kind(const struct work *w)
{
	return w->settings->queue_delay_warning > 0 ? DSN_DELAY : DSN_DELAY_ASKED;
}

static bool
late(const struct work *w, const struct attempt *a)
{
	int64_t after = w->settings->queue_delay_warning;
	int64_t arrived = (int64_t)(a->claim.envelope.arrived / 1000000);

	return clock_seconds() - arrived >= (after > 0 ? after : DSN_DELAY_AFTER);
}

int
tell_sender(struct work *w, struct attempt *a)
{
	if (tell(w, a, DSN_FAILURE, NULL) == -1 || tell(w, a, DSN_SUCCESS, NULL) == -1)
		return -1;
	return late(w, a) ? tell(w, a, delay_kind(w), NULL) : 0;
}

/*
 * What a crash has left. Of a failure or a success in a message that was never tried, and of a delay,
 * only what was posted is noted: the injector itself finds some recipients to be no address, and
 * they are told of together with what the first attempt comes to; and a delay may be over soon.
 */
static void
tell_kind_left(struct work *w, struct attempt *a, enum dsn_kind kind)
{
	struct bounce b = bounce_of(w, a, kind, NULL);
	bool tried = a->claim.state != SPOOL_NEW;

	if (!tell_any(&a->claim.envelope, kind, dsn_wanted))
		return;
	/* When the disk refuses, settle() tries again. */
	if ((tried && kinds[kind].word == JOURNAL_TOLD) || bounce_posted(&a->claim, &b))
		tell(w, a, kind, NULL);
}

void
tell_left(struct work *w, struct attempt *a)
{
	if (a->claim.envelope.from[0] == '\0')
		return;
	tell_kind_left(w, a, DSN_FAILURE);
	tell_kind_left(w, a, DSN_SUCCESS);
	if (late(w, a))
		tell_kind_left(w, a, delay_kind(w));
}

int
tell_postmaster(struct work *w, struct attempt *a)
{
	struct envelope to;
	bool found;
	int r = 0;

	if (!tell_any(&a->claim.envelope, DSN_COPY, dsn_wanted))
		return 0;
	found = postmaster_find(&to, w->settings, w->hostname);
	if (found && allowed(w))
		r = tell(w, a, DSN_COPY, &to);
	else if (found)
		log_info("%s: no copy for the postmaster: more than queue.bounce_rate allows",
		    a->claim.id.s);
	envelope_free(&to);
	return r;
}
