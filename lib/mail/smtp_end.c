/* SPDX-License-Identifier: ISC */
/*
 * How a session ends: what was under way gets its outcome, and nothing more is sent.
 */
#include "mail/smtp_client_impl.h"

#include <stdio.h>
#include <string.h>

void
smtp_end(struct smtp_client *c, const struct outcome *o)
{
	if (c->closed)
		return;
	c->body = NULL;
	while (c->first != NULL)
		smtp_settle(c, c->first, o);
	c->nasked = 0;
	c->ready = c->tail = c->handshake = c->tell_ready = c->tell_starttls = false;
	c->closed = c->tell_closed = true;
	c->why = *o;
	buf_wipe(&c->out);
	buf_wipe(&c->secret);
	buf_wipe(&c->sent);
}

/* The outcome, with where it happened put behind its text. */
static struct outcome
located(const struct smtp_client *c, const struct outcome *o, enum smtp_step step)
{
	enum stage stage = o->stage == STAGE_TLS ? STAGE_TLS : smtp_rows[step].stage;
	const char *where = " while ", *doing = smtp_rows[step].doing;
	char reason[OUTCOME_TEXT - 128]; /* the place is not to be cut off */

	if (step == STEP_DOT || step == STEP_BDAT) {
		where = " after the end of the message was sent -- it may arrive twice";
		doing = "";
	} else if (stage == STAGE_TLS && o->text[0] != '\0') {
		where = doing = "";
	}
	text_clean(reason, sizeof(reason), o->text, strlen(o->text));
	if (reason[0] == '\0')
		return status_trouble(stage, o->scope, o->status, "lost connection with %.256s%s%s",
		    c->config->host, where, doing);
	return status_trouble(stage, o->scope, o->status, "%s%s%s", reason, where, doing);
}

/*
 * How far a transaction had come when there was trouble at `step`, which was `owner`'s. What was
 * sent to its end may have arrived, though not even its MAIL have a reply.
 */
static struct outcome
how_far(const struct smtp_client *c, const struct smtp_transaction *t, const struct outcome *o,
    enum smtp_step step, const struct smtp_transaction *owner)
{
	bool answered = true, sent = false;
	struct outcome far;

	for (size_t i = 0; i < c->nasked; i++) {
		const struct smtp_asked *a = &c->asked[(c->head + i) % SMTP_ASKED];

		answered = answered && !(a->t == t && a->step == STEP_MAIL);
		sent = sent || (a->t == t && a->step == STEP_BDAT && a->end <= c->written);
	}
	far = located(c, o, sent ? STEP_BDAT : t == owner ? step : STEP_MAIL);
	if (!answered)
		far.stage = STAGE_MAIL;
	return far;
}

/* The session is over by trouble at `step`, which was `owner`'s. */
static void
give_up(struct smtp_client *c, const struct outcome *o, enum smtp_step step,
    const struct smtp_transaction *owner)
{
	struct outcome why = located(c, o, step);

	if (step == STEP_QUIT) /* nothing was left to be lost */
		why.status = STATUS(2, 0, 0);
	c->body = NULL;
	while (c->first != NULL) {
		struct outcome far = how_far(c, c->first, o, step, owner);

		smtp_settle(c, c->first, &far);
	}
	smtp_end(c, &why);
}

void
smtp_client_lost(struct smtp_client *c, const struct outcome *o)
{
	struct outcome lost = *o;
	enum smtp_step step = smtp_now(c);

	if (c->closed)
		return;
	if (lost.scope == SCOPE_DESTINATION &&
	    (step == STEP_READY || step == STEP_BODY || step == STEP_DOT || step == STEP_BDAT))
		lost.scope = SCOPE_MESSAGE;
	if (lost.status.class == 0)
		lost.status = STATUS(4, 4, 2);
	give_up(c, &lost, step, smtp_whose(c));
}

void
smtp_end_protocol(struct smtp_client *c, const struct smtp_asked *a, const char *what)
{
	struct outcome o = status_trouble(smtp_rows[a->step].stage, SCOPE_DESTINATION,
	    STATUS(4, 5, 0), "protocol error: %.200s sent %s", c->config->host, what);

	give_up(c, &o, a->step, a->t);
}

void
smtp_end_unexpected(struct smtp_client *c, const struct smtp_asked *a)
{
	char what[OUTCOME_TEXT];

	if (snprintf(what, sizeof(what), "an unexpected reply: %.400s", c->reply.text) > 0)
		smtp_end_protocol(c, a, what);
}

/* A server that ends the session in reply to one transaction says nothing about those behind it. */
static void
settle_followers(struct smtp_client *c, const struct smtp_transaction *t, const struct outcome *o)
{
	struct outcome other = *o;
	struct smtp_transaction **p = &c->first;

	other.stage = STAGE_MAIL;
	c->body = NULL;
	if (*p == t && t != NULL)
		p = &(*p)->next;
	while (*p != NULL)
		smtp_settle(c, *p, &other);
}

void
smtp_end_judged(struct smtp_client *c, const struct smtp_asked *a)
{
	struct outcome o = status_judge(smtp_rows[a->step].stage, &c->reply, c->config->host);

	if (a->step == STEP_READY) /* tired of waiting: that says nothing of the next session */
		o = status_trouble(STAGE_QUIT, SCOPE_MESSAGE, o.status,
		    "%.200s ended the session: %s", c->config->host, c->reply.text);
	settle_followers(c, a->t, &o);
	smtp_end(c, &o);
}

/*
 * Octets that BDAT promised will not come. What was sent before is whole, and mostly other
 * people's: the session ends when it is answered.
 */
void
smtp_client_body_failed(struct smtp_client *c, const struct outcome *o)
{
	struct smtp_transaction *t = c->body;

	if (t == NULL)
		return;
	c->body = NULL;
	smtp_settle(c, t, o);
	c->why = status_trouble(STAGE_BODY, SCOPE_MESSAGE, STATUS(4, 3, 0),
	    "session with %s given up in the middle of a message", c->config->host);
	c->dying = true;
	if (c->nasked <= 1)
		smtp_end(c, &c->why);
}
