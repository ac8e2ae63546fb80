/* SPDX-License-Identifier: ISC */
/*
 * Fates, and how the caller hears of them.
 */
#include "mail/smtp_client_impl.h"

#include <assert.h>
#include <stdlib.h>

const struct recipient *
smtp_recipient(const struct smtp_transaction *t, size_t i)
{
	size_t at = t->rcpt != NULL ? t->rcpt[i] : i;

	assert(at < t->envelope->nrcpt);
	return &t->envelope->rcpt[at];
}

static bool
has_room(struct smtp_client *c)
{
	size_t cap = c->told_cap > 0 ? 2 * c->told_cap : 4;
	struct smtp_told *p;

	if (c->ntold < c->told_cap)
		return true;
	p = reallocarray(c->told, cap, sizeof(*p));
	if (p == NULL)
		return false;
	c->told = p;
	c->told_cap = cap;
	return true;
}

void
smtp_tell(struct smtp_client *c, struct smtp_transaction *t, size_t rcpt, bool later,
    const struct outcome *o)
{
	struct outcome end;

	if (has_room(c)) {
		c->told[c->ntold++] = (struct smtp_told){
		    .t = t, .rcpt = rcpt, .later = later, .outcome = *o};
		t->state[rcpt] = RCPT_TOLD;
		return;
	}
	end = status_trouble(o->stage, SCOPE_MESSAGE, STATUS(4, 3, 0), "out of memory");
	smtp_end(c, &end);
}

/* The replies still to come are nobody's then. */
static void
disown(struct smtp_client *c, const struct smtp_transaction *t)
{
	for (size_t i = 0; i < c->nasked; i++) {
		struct smtp_asked *a = &c->asked[(c->head + i) % SMTP_ASKED];

		if (a->t == t)
			a->t = NULL;
	}
}

void
smtp_settle(struct smtp_client *c, struct smtp_transaction *t, const struct outcome *o)
{
	struct smtp_transaction **p = &c->first;

	assert(t != NULL);
	disown(c, t);
	if (!t->doomed)
		t->outcome = *o;
	t->doomed = t == c->body;
	if (t->doomed)
		return;
	while (*p != t)
		p = &(*p)->next;
	*p = t->next;
	t->next = NULL;
	*c->settled_end = t;
	c->settled_end = &t->next;
}

/* Unless the transaction came to nothing before anybody had a reply: then all share its fate. */
static bool
goes_later(const struct smtp_transaction *t, size_t i)
{
	return t->state != NULL && t->state[i] == RCPT_LATER && t->answered > 0;
}

static struct outcome
rcpt_outcome(const struct smtp_client *c, const struct smtp_transaction *t, size_t i)
{
	switch (t->state != NULL ? t->state[i] : RCPT_OPEN) {
	case RCPT_NO_MAIL:
		return status_final(status_trouble(STAGE_RCPT, SCOPE_RECIPIENT, STATUS(5, 1, 3),
		    "the recipient is not a valid address: %s", smtp_recipient(t, i)->address));
	case RCPT_NO_ASCII:
		return status_final(status_trouble(STAGE_RCPT, SCOPE_RECIPIENT, STATUS(5, 6, 7),
		    "the recipient needs SMTPUTF8, but %s does not offer it", c->config->host));
	default:
		if (goes_later(t, i))
			return status_trouble(STAGE_RCPT, SCOPE_RECIPIENT, STATUS(4, 5, 3),
			    "%s takes no more recipients at once", c->config->host);
		return t->outcome;
	}
}

static bool
settled_event(struct smtp_client *c, struct smtp_event *ev)
{
	struct smtp_transaction *t = c->settled;

	if (t == NULL)
		return false;
	*ev = (struct smtp_event){.type = SMTP_EVENT_RCPT, .transaction = t};
	while (t->told < t->nrcpt) {
		ev->rcpt = t->told++;
		if (t->state != NULL && t->state[ev->rcpt] == RCPT_TOLD)
			continue;
		ev->outcome = rcpt_outcome(c, t, ev->rcpt);
		ev->later = goes_later(t, ev->rcpt);
		return true;
	}
	c->settled = t->next;
	if (c->settled == NULL)
		c->settled_end = &c->settled;
	free(t->state);
	t->state = NULL;
	ev->type = SMTP_EVENT_DONE;
	ev->rcpt = 0;
	ev->outcome = t->outcome;
	return true;
}

void
smtp_settle_judged(struct smtp_client *c, const struct smtp_asked *a)
{
	struct outcome o = status_judge(smtp_rows[a->step].stage, &c->reply, c->config->host);

	smtp_settle(c, a->t, &o);
}

static bool
told_event(struct smtp_client *c, struct smtp_event *ev)
{
	const struct smtp_told *r;

	if (c->told_at == c->ntold) {
		c->told_at = c->ntold = 0;
		return false;
	}
	r = &c->told[c->told_at++];
	*ev = (struct smtp_event){.type = SMTP_EVENT_RCPT,
	    .transaction = r->t,
	    .rcpt = r->rcpt,
	    .later = r->later,
	    .outcome = r->outcome};
	return true;
}

static bool
flagged(bool *flag, struct smtp_event *ev, enum smtp_event_type type)
{
	if (!*flag)
		return false;
	*flag = false;
	*ev = (struct smtp_event){.type = type};
	return true;
}

bool
smtp_client_event(struct smtp_client *c, struct smtp_event *ev)
{
	if (flagged(&c->tell_starttls, ev, SMTP_EVENT_STARTTLS) ||
	    flagged(&c->tell_ready, ev, SMTP_EVENT_READY) || told_event(c, ev) ||
	    settled_event(c, ev))
		return true;
	if (!flagged(&c->tell_closed, ev, SMTP_EVENT_CLOSED))
		return false;
	ev->outcome = c->why;
	return true;
}
