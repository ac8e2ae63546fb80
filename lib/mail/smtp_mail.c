/* SPDX-License-Identifier: ISC */
#include "mail/smtp_client_impl.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "mail/address.h"

#define ENVID_MAX 100 /* octets of xtext, RFC 3461 4.4 */
#define ORCPT_MAX 500 /* … 4.2 */

static bool
offers(const struct smtp_client *c, enum smtp_extension ext)
{
	return (c->ehlo.has & (unsigned)ext) != 0;
}

bool
smtp_client_dsn(const struct smtp_client *c)
{
	return offers(c, SMTP_DSN);
}

/* Whether the message cannot be sent to this server, to nobody; then *o says why. */
static bool
unfit(const struct smtp_client *c, const struct smtp_transaction *t, struct outcome *o)
{
	const struct envelope *e = t->envelope;
	const char *host = c->config->host;

	if (t->state == NULL)
		*o = status_trouble(STAGE_MAIL, SCOPE_MESSAGE, STATUS(4, 3, 0), "out of memory");
	else if (e->from[0] != '\0' && !address_valid(e->from))
		*o = status_final(status_trouble(STAGE_MAIL, SCOPE_MESSAGE, STATUS(5, 1, 7),
		    "the sender is not a valid address: %s", e->from));
	else if (offers(c, SMTP_SIZE) && c->ehlo.size > 0 && c->ehlo.size < e->size)
		*o = status_final(status_trouble(STAGE_MAIL, SCOPE_MESSAGE, STATUS(5, 3, 4),
		    "message size %llu exceeds size limit %llu of server %s",
		    (unsigned long long)e->size, (unsigned long long)c->ehlo.size, host));
	else if (t->utf8 && !offers(c, SMTP_SMTPUTF8))
		*o = status_final(status_trouble(STAGE_MAIL, SCOPE_MESSAGE, STATUS(5, 6, 7),
		    "the message needs SMTPUTF8, but %s does not offer it", host));
	else if (e->requiretls && !(c->verified && offers(c, SMTP_REQUIRETLS)))
		*o = status_final(status_trouble(STAGE_MAIL, SCOPE_MESSAGE, STATUS(5, 7, 30),
		    c->verified
			? "the message wants REQUIRETLS, but %s does not offer it"
			: "the message wants REQUIRETLS, but there is no verified TLS with %s",
		    host));
	else
		return false;
	return true;
}

static bool
same_domain(const struct smtp_transaction *t, size_t i, size_t j)
{
	const char *a = strrchr(smtp_recipient(t, i)->address, '@');
	const char *b = strrchr(smtp_recipient(t, j)->address, '@');

	return strcasecmp(a != NULL ? a : "", b != NULL ? b : "") == 0;
}

/* LIMITS (RFC 9422): whether recipient i may be named with those before it, of *domains domains. */
static bool
within_limits(const struct smtp_client *c, const struct smtp_transaction *t, size_t i,
    unsigned *domains)
{
	size_t j = 0;

	if (c->ehlo.rcptmax > 0 && t->valid >= c->ehlo.rcptmax)
		return false;
	if (c->ehlo.rcptdomainmax == 0)
		return true;
	while (j < i && !(t->state[j] == RCPT_OPEN && same_domain(t, i, j)))
		j++;
	if (j == i && *domains >= c->ehlo.rcptdomainmax)
		return false;
	*domains += j == i;
	return true;
}

/* Which recipients can be named at all, and now. */
static void
sort_out(const struct smtp_client *c, struct smtp_transaction *t)
{
	unsigned domains = 0;

	for (size_t i = 0; i < t->nrcpt; i++) {
		const char *address = smtp_recipient(t, i)->address;

		if (!address_valid(address)) {
			t->state[i] = RCPT_NO_MAIL;
		} else if (address_utf8(address) && !offers(c, SMTP_SMTPUTF8)) {
			t->state[i] = RCPT_NO_ASCII;
		} else if (!within_limits(c, t, i, &domains)) {
			t->state[i] = RCPT_LATER;
		} else {
			t->utf8 = t->utf8 || address_utf8(address);
			t->valid++;
		}
	}
}

static void
append(struct smtp_client *c, struct smtp_transaction *t)
{
	struct smtp_transaction **p = &c->first;

	while (*p != NULL)
		p = &(*p)->next;
	*p = t;
}

void
smtp_client_begin(struct smtp_client *c, struct smtp_transaction *t)
{
	const struct envelope *e = t->envelope;
	struct outcome o = {.status = STATUS(4, 0, 0)};

	assert(smtp_client_room(c));
	t->at = t->valid = t->answered = t->accepted = t->told = 0;
	t->mail_sent = t->data_sent = t->body = t->bdat = t->doomed = t->encoded = false;
	t->utf8 = e->body == BODY_SMTPUTF8 || address_utf8(e->from);
	t->next = NULL;
	t->state = calloc(t->nrcpt + 1, 1);
	append(c, t);
	if (t->state != NULL)
		sort_out(c, t);
	t->held = e->body == BODY_8BITMIME && !t->utf8 && !offers(c, SMTP_8BITMIME);
	if (unfit(c, t, &o) || t->valid == 0) {
		t->held = false;
		smtp_settle(c, t, &o);
	}
	smtp_advance(c);
}

void
smtp_client_release(
    struct smtp_client *c, struct smtp_transaction *t, bool encoded, const struct outcome *trouble)
{
	struct smtp_transaction *p = c->first;

	t->held = false;
	t->encoded = encoded;
	while (p != NULL && p != t)
		p = p->next;
	if (p != NULL && trouble != NULL) /* else the session has ended, and so has this */
		smtp_settle(c, t, trouble);
	smtp_advance(c);
}

/* Printable ASCII, so that a parameter ends where it should; xtext needs no more (RFC 3461 4). */
static bool
is_xtext(const char *s, size_t max)
{
	if (s == NULL || strlen(s) > max)
		return false;
	for (; *s != '\0'; s++)
		if (*s <= ' ' || *s >= 0x7f || *s == '=')
			return false;
	return true;
}

void
smtp_mail_send(struct smtp_client *c, const struct smtp_asked *a)
{
	const struct envelope *e = a->t->envelope;

	buf_addf(&c->out, "MAIL FROM:<%s>", e->from);
	if (offers(c, SMTP_SIZE) && !a->t->encoded)
		buf_addf(&c->out, " SIZE=%llu", (unsigned long long)e->size);
	if (offers(c, SMTP_8BITMIME) && (e->body != BODY_7BIT || a->t->utf8))
		buf_adds(&c->out, " BODY=8BITMIME");
	if (a->t->utf8)
		buf_adds(&c->out, " SMTPUTF8");
	if (e->requiretls)
		buf_adds(&c->out, " REQUIRETLS");
	/* RFC 4954 5: we have shown who we are, and vouch for nobody else */
	if (c->config->account != NULL && offers(c, SMTP_AUTH))
		buf_adds(&c->out, " AUTH=<>");
	if (offers(c, SMTP_DSN) && e->ret != RET_NONE)
		buf_adds(&c->out, e->ret == RET_FULL ? " RET=FULL" : " RET=HDRS");
	if (offers(c, SMTP_DSN) && is_xtext(e->envid, ENVID_MAX))
		buf_addf(&c->out, " ENVID=%s", e->envid);
	buf_adds(&c->out, "\r\n");
}

static void
add_notify(struct buf *out, unsigned notify)
{
	static const struct {
		unsigned bit;
		const char *name;
	} names[] = {
	    {NOTIFY_SUCCESS, "SUCCESS"},
	    {NOTIFY_FAILURE, "FAILURE"},
	    {NOTIFY_DELAY, "DELAY"},
	};
	const char *before = " NOTIFY=";

	if (notify & NOTIFY_NEVER) {
		buf_adds(out, " NOTIFY=NEVER");
		return;
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!(notify & names[i].bit))
			continue;
		buf_adds(out, before);
		buf_adds(out, names[i].name);
		before = ",";
	}
}

void
smtp_rcpt_send(struct smtp_client *c, const struct smtp_asked *a)
{
	const struct recipient *r = smtp_recipient(a->t, a->rcpt);

	buf_addf(&c->out, "RCPT TO:<%s>", r->address);
	if (offers(c, SMTP_DSN)) {
		add_notify(&c->out, r->notify);
		if (is_xtext(r->orcpt, ORCPT_MAX))
			buf_addf(&c->out, " ORCPT=%s", r->orcpt);
	}
	buf_adds(&c->out, "\r\n");
}

/*
 * Whether the server may have a transaction open, or be in no state to open one: after a BDAT whose
 * reply is to come that is not known. RSET makes it sure either way.
 */
static bool
needs_reset(const struct smtp_client *c, const struct smtp_transaction *t)
{
	const struct smtp_asked *newest = smtp_newest(c);

	if (newest != NULL)
		return newest->step == STEP_BDAT;
	return c->open && c->first == t;
}

/* A message of some size is not sent before it is known that anybody gets it. */
static bool
waits_for_replies(const struct smtp_client *c, const struct smtp_transaction *t)
{
	return smtp_bdat(c, t) && t->envelope->size > SMTP_FLIGHT && t->answered < t->valid;
}

/* Send the next command of a transaction; false: there is nothing to send now. */
static bool
send_next(struct smtp_client *c, struct smtp_transaction *t)
{
	while (t->at < t->nrcpt && t->state[t->at] != RCPT_OPEN)
		t->at++;
	if (!t->mail_sent && needs_reset(c, t)) {
		c->open = false;
		smtp_ask(c, STEP_RSET, NULL, 0);
	} else if (!t->mail_sent) {
		t->mail_sent = true;
		c->quitting = c->quitting || ++c->mails == c->ehlo.mailmax;
		smtp_ask(c, STEP_MAIL, t, 0);
	} else if (t->at < t->nrcpt) {
		smtp_ask(c, STEP_RCPT, t, t->at++);
	} else if (!t->data_sent && !t->probe && !waits_for_replies(c, t)) {
		t->data_sent = true;
		smtp_ask(c, smtp_bdat(c, t) ? STEP_BDAT : STEP_DATA, t, 0);
	} else {
		return false;
	}
	return true;
}

void
smtp_advance(struct smtp_client *c)
{
	while (smtp_may_ask(c)) {
		struct smtp_transaction *t = c->first;

		while (t != NULL && (t->body || t->bdat))
			t = t->next;
		if (t != NULL && !t->held && send_next(c, t))
			continue;
		if (c->quitting && smtp_client_idle(c))
			smtp_ask(c, STEP_QUIT, NULL, 0);
		return;
	}
}

void
smtp_mail_reply(struct smtp_client *c, const struct smtp_asked *a)
{
	if (c->reply.code / 100 == 3)
		smtp_end_unexpected(c, a);
	else if (c->reply.code / 100 == 2)
		c->open = true;
	else if (a->t != NULL)
		smtp_settle_judged(c, a);
}

/* RFC 5321 4.5.3.1.10; a code that says otherwise (the mailbox is full) is taken at its word. */
static bool
too_many(const struct reply *r)
{
	if (r->code != 452 && r->code != 552)
		return false;
	return r->status.class == 0 || (r->status.subject == 5 && r->status.detail == 3);
}

static void
rcpt_refused(struct smtp_client *c, const struct smtp_asked *a)
{
	struct outcome o = status_judge(STAGE_RCPT, &c->reply, c->config->host);

	smtp_tell(c, a->t, a->rcpt, a->t->accepted > 0 && too_many(&c->reply), &o);
}

static void
rcpt_accepted(struct smtp_transaction *t, size_t rcpt)
{
	t->state[rcpt] = RCPT_TAKEN;
	t->accepted++;
}

/* Nobody is to get the message, or it is none: then the server is to forget the sender again. */
static void
rcpts_known(struct smtp_client *c, const struct smtp_asked *a)
{
	bool forget = a->t->probe && c->open;

	smtp_settle_judged(c, a);
	if (!forget)
		return;
	c->open = false;
	smtp_ask(c, STEP_RSET, NULL, 0);
}

void
smtp_rcpt_reply(struct smtp_client *c, const struct smtp_asked *a)
{
	struct smtp_transaction *t = a->t;

	if (t == NULL)
		return;
	t->answered++;
	if (c->reply.code / 100 == 3)
		smtp_end_unexpected(c, a);
	else if (c->reply.code / 100 == 2)
		rcpt_accepted(t, a->rcpt);
	else
		rcpt_refused(c, a);
	if (!c->closed && t->answered == t->valid && (t->accepted == 0 || t->probe))
		rcpts_known(c, a);
}

void
smtp_rset_reply(struct smtp_client *c, const struct smtp_asked *a)
{
	c->open = false;
	if (c->reply.code / 100 != 2)
		smtp_end_judged(c, a);
}
