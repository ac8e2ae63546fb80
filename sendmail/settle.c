/* SPDX-License-Identifier: ISC */
#include "settle.h"

#include <bsd/stdlib.h>
#include <errno.h>
#include <strings.h>

#include "mail/address.h"
#include "mail/journal.h"
#include "sys/clock.h"
#include "sys/log.h"
#include "tell.h"

#define REFUSAL_OLD 900000 /* milliseconds until the log has the same refusal again */

int
settle_refused(struct work *w, const char *what)
{
	int64_t now = clock_monotonic();

	if (errno == w->refusal && now < w->refusal_old)
		return -1;
	w->refusal = errno;
	w->refusal_old = now + REFUSAL_OLD;
	log_warn("%s%s; trying again", what, w->spool->error);
	return -1;
}

bool
settle_expired(const struct work *w, const struct attempt *a)
{
	return retry_expired(&w->policy, a->claim.envelope.from[0] == '\0', attempt_age(a));
}

/* What an alias changed it from: its ORCPT where that is another address. */
static const char *
orig_to(struct buf *out, const struct recipient *r)
{
	static const char type[] = "rfc822;";
	size_t n = sizeof(type) - 1;

	if (r->orcpt == NULL || strncasecmp(r->orcpt, type, n) != 0)
		return NULL;
	dsn_xtext(out, r->orcpt + n);
	return out->error == 0 && !address_equal(buf_str(out), r->address) ? buf_str(out) : NULL;
}

static void
log_result(const struct work *w, const struct attempt *a, const struct handoff_result *r,
    const struct outcome *o, bool expired)
{
	const struct envelope *e = &a->claim.envelope;
	struct buf original = BUF_INIT(512);
	double before = a->began > e->arrived ? (double)(a->began - e->arrived) / 1e6 : 0;

	log_delivery(&(struct log_delivery){
	    .pid = w->wire,
	    .id = e->id,
	    .from = e->from,
	    .to = e->rcpt[r->rcpt].address,
	    .orig_to = orig_to(&original, &e->rcpt[r->rcpt]),
	    .relay = r->relay,
	    .delays = {before, r->waited / 1e3, r->connected / 1e3, r->sent / 1e3},
	    .delay = before + (r->waited + r->connected + r->sent) / 1e3,
	    .tls = r->tls,
	    .outcome = o,
	    .expired = expired,
	});
	buf_free(&original);
}

static void
count(struct work *w, const struct attempt *a, const struct handoff_result *r, struct status st,
    bool expired)
{
	char name[HOST_LEN], destination[HOST_LEN];

	work_destination(a, r->rcpt, work_relay(w, a, name), destination);
	counts_add(&w->tally.counts, destination, st, expired, clock_seconds());
	w->tally.changed = true;
}

/* A deferral of a message that is too old is the last. Whether it was. */
static bool
give_up(const struct work *w, const struct attempt *a, struct outcome *o)
{
	struct outcome last = *o;
	char code[STATUS_LEN];

	if (o->status.class != 4 || !settle_expired(w, a))
		return false;
	*o = status_final(status_trouble(last.stage, SCOPE_RECIPIENT, STATUS(5, 4, 7),
	    DSN_EXPIRED "%s %s", status_print(code, last.status), last.text));
	return true;
}

static void
take_result(struct work *w, struct attempt *a, const struct handoff_result *r, bool tried)
{
	struct envelope *e = &a->claim.envelope;
	struct outcome o = r->outcome;
	bool expired = give_up(w, a, &o);

	(tried || expired ? journal_add : journal_add_waits)(
	    &a->lines, clock_seconds(), r->rcpt, &o);
	a->final |= o.status.class != 4;
	a->keep |= o.status.class == 2;
	e->rcpt[r->rcpt].status = o.status;
	e->rcpt[r->rcpt].attempts += tried && o.status.class == 4;
	e->rcpt[r->rcpt].delivered = r->lmtp != 0;
	if (r->dsn != 0 && dsn_open(DSN_SUCCESS, &e->rcpt[r->rcpt])) {
		e->rcpt[r->rcpt].reported = true;
		journal_add_word(&a->lines, clock_seconds(), r->rcpt, JOURNAL_TOLD,
		    "the next server sends reports");
	}
	log_result(w, a, r, &o, expired);
	if (tried || expired)
		count(w, a, r, o.status, expired);
	w->told(w->arg, e, &e->rcpt[r->rcpt], &o);
}

void
settle_result(struct work *w, struct attempt *a, const struct handoff_result *r)
{
	take_result(w, a, r, true);
}

void
settle_untried(struct work *w, struct attempt *a, const struct handoff_result *r)
{
	take_result(w, a, r, false);
}

/* What the clock does not say of its age. */
static void
note_age(struct attempt *a)
{
	struct retry_age *age = &a->claim.envelope.age;
	int64_t used = attempt_age(a), now = clock_seconds();

	if (!retry_differs(age, used, now))
		return;
	*age = (struct retry_age){.used = used, .at = now};
	journal_add_age(&a->lines, age);
	a->final = true;
}

/* Append what is not yet on the disk. -1: the disk does not let us; it is kept. */
static int
append(struct work *w, struct attempt *a, bool sync)
{
	if (a->lines.len == 0)
		return 0;
	if (claim_append(&a->claim, &a->lines, sync) == -1)
		return settle_refused(w, "");
	buf_add(&a->claim.journal, a->lines.data, a->lines.len);
	buf_clear(&a->lines);
	a->keep = false;
	return 0;
}

void
settle_part(struct work *w, struct attempt *a)
{
	if (a->final && append(w, a, true) == 0)
		a->final = false;
}

static bool
all_delivered(const struct envelope *e)
{
	for (size_t i = 0; i < e->nrcpt; i++)
		if (e->rcpt[i].status.class != 2)
			return false;
	return true;
}

/* The envelope anew from the journal, so that the texts of this attempt are there for a bounce. */
static void
refold(struct claim *c)
{
	for (size_t i = 0; i < c->envelope.nrcpt; i++) {
		struct recipient *r = &c->envelope.rcpt[i];
		*r = (struct recipient){.address = r->address,
		    .orcpt = r->orcpt,
		    .notify = r->notify,
		    .delivered = r->delivered};
	}
	journal_fold(&c->envelope, buf_str(&c->journal), c->journal.len);
}

static int
remove_message(struct work *w, struct attempt *a)
{
	if (claim_remove(&a->claim) == -1)
		return settle_refused(w, "");
	removals_add(&w->removals, a->claim.state, clock_monotonic());
	log_info("%s: removed", a->claim.id.s);
	return 0;
}

/* When every pending destination is out, no attempt was made and none is counted. */
static int64_t
next_attempt(const struct work *w, const struct attempt *a)
{
	const struct envelope *e = &a->claim.envelope;
	unsigned attempts = 1;

	if (a->norder == 0 && a->until != 0)
		return a->until;
	for (size_t i = 0; i < e->nrcpt; i++)
		if (e->rcpt[i].status.class == 4 && e->rcpt[i].attempts > attempts)
			attempts = e->rcpt[i].attempts;
	return retry_next(&w->policy, attempts, clock_seconds(), arc4random());
}

static int
defer(struct work *w, struct attempt *a)
{
	int64_t when = next_attempt(w, a);

	if ((a->holds ? attempt_park(w, a) : claim_defer(&a->claim, when)) == -1)
		return settle_refused(w, "");
	if (!a->holds)
		due_at(w->due, when);
	return 0;
}

/*
 * The disk has no room for a report: what is known stands in the journal, and it is the first that is
 * done next time, which is no sooner than that of other mail.
 */
static int
report_later(struct work *w, struct attempt *a)
{
	return append(w, a, true) == 0 ? defer(w, a) : -1;
}

/*
 * Nobody can be told: a bounce that cannot be delivered or other mail from nobody, of which the
 * postmaster gets a copy, or one report too many. It is kept for a person.
 */
static int
park(struct work *w, struct attempt *a)
{
	bool nobody = a->claim.envelope.from[0] == '\0';

	if (nobody && tell_postmaster(w, a) == -1)
		return report_later(w, a);
	if (append(w, a, true) == -1)
		return -1;
	if (claim_move(&a->claim, SPOOL_FAILED) == -1)
		return settle_refused(w, "");
	log_warn("%s: undeliverable and %s: kept in %s/failed", a->claim.id.s,
	    nobody ? "without a sender to tell" : "one report more than queue.bounce_rate allows",
	    a->claim.spool->path);
	return 0;
}

/* smtp died of it again and again. */
static int
keep_deadly(struct work *w, struct attempt *a)
{
	if (append(w, a, true) == -1)
		return -1;
	if (claim_move(&a->claim, SPOOL_FAILED) == -1)
		return settle_refused(w, "");
	log_warn("%s: smtp died %u times as it had this message: kept in %s/failed", a->claim.id.s,
	    a->strikes, a->claim.spool->path);
	return 0;
}

/* The order of attempt.h; -1 at the first step that the disk refuses. */
static int
settle_message(struct work *w, struct attempt *a)
{
	struct envelope *e = &a->claim.envelope;
	bool null_sender = e->from[0] == '\0';

	if (a->strikes >= ATTEMPT_STRIKES)
		return keep_deadly(w, a);
	if (all_delivered(e) && (null_sender || !tell_any(e, DSN_SUCCESS, dsn_wanted)))
		return remove_message(w, a);
	note_age(a);
	if (append(w, a, a->final) == -1 && a->keep)
		return -1;
	buf_clear(&a->lines); /* what the disk did not take is found out again */
	a->final = false;
	refold(&a->claim);
	if (!null_sender && tell_sender(w, a) == -1)
		return report_later(w, a);
	if (claim_pending(&a->claim) > 0)
		return append(w, a, true) == 0 ? defer(w, a) : -1;
	if (tell_any(e, DSN_FAILURE, dsn_open))
		return park(w, a);
	/* More success than may be told of now waits for its turn. */
	if (!null_sender && tell_any(e, DSN_SUCCESS, dsn_open))
		return append(w, a, true) == 0 ? defer(w, a) : -1;
	return remove_message(w, a);
}

void
settle(struct work *w, struct attempt *a)
{
	a->stuck = settle_message(w, a) == -1;
	if (a->stuck && claim_gone(&a->claim)) {
		log_warn(
		    "%s: somebody took it out of %s meanwhile: what became of it stands here only",
		    a->claim.id.s, a->claim.spool->path);
		a->stuck = false;
	}
	if (!a->stuck)
		attempt_end(w, a);
}
