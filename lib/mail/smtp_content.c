/* SPDX-License-Identifier: ISC */
/*
 * The content of a message: what asks for it, and what ends it.
 */
#include "mail/smtp_client_impl.h"

void
smtp_data_send(struct smtp_client *c, const struct smtp_asked *a)
{
	(void)a;
	buf_adds(&c->out, "DATA\r\n");
}

/*
 * 354 for a transaction that failed while DATA was on its way: the message must end, and an empty
 * one is the least that can be sent (RFC 2920 3.1). In LMTP nothing would answer it, and the server
 * MUST refuse DATA without recipients (RFC 2033 4.2).
 */
void
smtp_data_reply(struct smtp_client *c, const struct smtp_asked *a)
{
	if (c->reply.code / 100 == 2) {
		smtp_end_unexpected(c, a);
	} else if (c->reply.code / 100 == 3 && a->t != NULL) {
		a->t->body = true;
		c->body = a->t;
	} else if (c->reply.code / 100 == 3 && c->config->lmtp) {
		smtp_end_unexpected(c, a);
	} else if (c->reply.code / 100 == 3) {
		smtp_ask(c, STEP_VOID, NULL, 0);
	} else if (a->t != NULL) {
		smtp_settle_judged(c, a);
	}
}

bool
smtp_bdat(const struct smtp_client *c, const struct smtp_transaction *t)
{
	return c->config->chunking && !c->config->lmtp && !t->encoded &&
	       (c->ehlo.has & SMTP_CHUNKING);
}

void
smtp_bdat_send(struct smtp_client *c, const struct smtp_asked *a)
{
	buf_addf(&c->out, "BDAT %llu LAST\r\n", (unsigned long long)a->t->envelope->size);
	a->t->bdat = true;
	c->body = a->t;
}

void
smtp_bdat_done(struct smtp_client *c)
{
	struct smtp_transaction *t = c->body;

	c->asked[(c->head + c->nasked - 1) % SMTP_ASKED].end = ++c->queued;
	c->tail = true;
	c->body = NULL;
	if (t->doomed)
		smtp_settle(c, t, &t->outcome);
}

/* A failed BDAT leaves the server in a state that only RSET ends (RFC 3030 2). */
void
smtp_bdat_reply(struct smtp_client *c, const struct smtp_asked *a)
{
	if (c->reply.code / 100 == 3) {
		smtp_end_unexpected(c, a);
		return;
	}
	c->open = c->reply.code / 100 != 2;
	if (a->t != NULL)
		smtp_settle_judged(c, a);
}

void
smtp_dot_send(struct smtp_client *c, const struct smtp_asked *a)
{
	(void)a;
	buf_adds(&c->out, ".\r\n"); /* the message ended with CRLF */
}

bool
smtp_more_replies(const struct smtp_client *c, const struct smtp_asked *a)
{
	return c->config->lmtp && a->step == STEP_DOT && a->t->accepted > 1;
}

/* LMTP: of the recipients that were accepted, the first that has no fate yet (RFC 2033 4.2). */
static void
next_recipient(struct smtp_client *c, struct smtp_transaction *t)
{
	struct outcome o = status_judge(STAGE_DOT, &c->reply, c->config->host);
	size_t i = 0;

	while (t->state[i] != RCPT_TAKEN)
		i++;
	o.scope = SCOPE_RECIPIENT;
	t->accepted--;
	smtp_tell(c, t, i, false, &o);
	if (!c->closed && t->accepted == 0)
		smtp_settle(c, t, &o);
}

void
smtp_dot_reply(struct smtp_client *c, const struct smtp_asked *a)
{
	if (c->reply.code / 100 == 3) {
		smtp_end_unexpected(c, a);
		return;
	}
	c->open = false;
	if (c->config->lmtp)
		next_recipient(c, a->t);
	else
		smtp_settle_judged(c, a);
}

void
smtp_void_reply(struct smtp_client *c, const struct smtp_asked *a)
{
	(void)a;
	c->open = false;
}
