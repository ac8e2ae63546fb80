/* SPDX-License-Identifier: ISC */
#include "settle.h"

#include <bsd/stdlib.h>
#include <strings.h>

#include "bounce.h"
#include "mail/address.h"
#include "mail/journal.h"
#include "sys/clock.h"
#include "sys/log.h"

bool
settle_expired(const struct work *w, const struct envelope *e)
{
	return retry_expired(
	    &w->policy, e->from[0] == '\0', (int64_t)(e->arrived / 1000000), clock_seconds());
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

/* A deferral of a message that is too old is the last. Whether it was. */
static bool
give_up(const struct work *w, const struct envelope *e, struct outcome *o)
{
	struct outcome last = *o;

	if (o->status.class != 4 || !settle_expired(w, e))
		return false;
	*o = status_final(status_trouble(last.stage, SCOPE_RECIPIENT, STATUS(5, 4, 7),
	    "delivery time expired; last: %s", last.text));
	return true;
}

void
settle_result(struct work *w, struct attempt *a, const struct handoff_result *r)
{
	struct envelope *e = &a->claim.envelope;
	struct outcome o = r->outcome;
	bool expired = give_up(w, e, &o);

	journal_add(&a->lines, clock_seconds(), r->rcpt, &o);
	a->final |= o.status.class != 4;
	e->rcpt[r->rcpt].status = o.status;
	e->rcpt[r->rcpt].attempts += o.status.class == 4;
	e->rcpt[r->rcpt].delivered = r->lmtp != 0;
	if (r->dsn != 0 && dsn_open(DSN_SUCCESS, &e->rcpt[r->rcpt])) {
		e->rcpt[r->rcpt].reported = true;
		journal_add_told(
		    &a->lines, clock_seconds(), r->rcpt, "the next server sends reports");
	}
	log_result(w, a, r, &o, expired);
	w->told(w->arg, e, &e->rcpt[r->rcpt], &o);
}

/* Append what is not yet on the disk. -1: the disk does not let us; it is kept. */
static int
append(struct attempt *a, bool sync)
{
	if (a->lines.len == 0)
		return 0;
	if (claim_append(&a->claim, &a->lines, sync) == -1) {
		log_warn("%s; trying again", a->claim.spool->error);
		return -1;
	}
	buf_add(&a->claim.journal, a->lines.data, a->lines.len);
	buf_clear(&a->lines);
	return 0;
}

void
settle_part(struct work *w, struct attempt *a)
{
	(void)w;
	if (a->final && append(a, true) == 0)
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

/* Whether there is a recipient of whom something is to be told, or noted that it is not. */
static bool
any(const struct envelope *e, enum dsn_kind kind,
    bool (*which)(enum dsn_kind, const struct recipient *))
{
	for (size_t i = 0; i < e->nrcpt; i++)
		if (which(kind, &e->rcpt[i]))
			return true;
	return false;
}

static int
post_report(struct work *w, struct attempt *a, enum dsn_kind kind, struct queue_id *id)
{
	const char *what = kind == DSN_FAILURE ? "non-delivery" : "delivery status";

	if (bounce_post(&a->claim, kind, w->hostname, w->mailer, id) == -1) {
		log_warn("%s: cannot post the report: %s; trying again", a->claim.id.s,
		    a->claim.spool->error);
		return -1;
	}
	log_info("%s: sender %s notification: %s", a->claim.id.s, what, id->s);
	due_new(w->due);
	return 0;
}

/*
 * Tell the sender what failed, or went well. Recipients with NOTIFY=NEVER are noted as told in the
 * same write as the others, behind the report's commit, so that its ID is the same after a crash.
 */
static int
tell(struct work *w, struct attempt *a, enum dsn_kind kind)
{
	struct envelope *e = &a->claim.envelope;
	struct queue_id id = {""};

	if (any(e, kind, dsn_wanted) && post_report(w, a, kind, &id) == -1)
		return -1;
	for (size_t i = 0; i < e->nrcpt; i++) {
		struct recipient *r = &e->rcpt[i];
		bool wanted = dsn_wanted(kind, r);

		if (!dsn_open(kind, r))
			continue;
		r->reported = true;
		journal_add_told(
		    &a->lines, clock_seconds(), i, wanted ? id.s : "not wanted by NOTIFY");
	}
	return 0;
}

static int
remove_message(struct attempt *a)
{
	if (claim_remove(&a->claim) == -1) {
		log_warn("%s; trying again", a->claim.spool->error);
		return -1;
	}
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

	if ((a->holds ? attempt_park(w, a) : claim_defer(&a->claim, when)) == -1) {
		log_warn("%s; trying again", a->claim.spool->error);
		return -1;
	}
	if (!a->holds)
		due_at(w->due, when);
	return 0;
}

/* A bounce that cannot be delivered, or other mail with nobody to tell, is kept for a person. */
static int
park(struct attempt *a)
{
	if (append(a, true) == -1)
		return -1;
	if (claim_move(&a->claim, SPOOL_FAILED) == -1) {
		log_warn("%s; trying again", a->claim.spool->error);
		return -1;
	}
	log_warn("%s: undeliverable and without a sender to tell: kept in %s/failed", a->claim.id.s,
	    a->claim.spool->path);
	return 0;
}

/* The order of attempt.h; -1 at the first step that the disk refuses. */
static int
settle_message(struct work *w, struct attempt *a)
{
	struct envelope *e = &a->claim.envelope;
	bool null_sender = e->from[0] == '\0';

	if (all_delivered(e) && (null_sender || !any(e, DSN_SUCCESS, dsn_wanted)))
		return remove_message(a);
	if (append(a, a->final) == -1)
		return -1;
	a->final = false;
	refold(&a->claim);
	if (!null_sender && (tell(w, a, DSN_FAILURE) == -1 || tell(w, a, DSN_SUCCESS) == -1))
		return -1;
	if (claim_pending(&a->claim) > 0)
		return append(a, true) == 0 ? defer(w, a) : -1;
	return any(e, DSN_FAILURE, dsn_open) ? park(a) : remove_message(a);
}

void
settle(struct work *w, struct attempt *a)
{
	a->stuck = settle_message(w, a) == -1;
	if (!a->stuck)
		attempt_end(w, a);
}
