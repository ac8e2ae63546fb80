/* SPDX-License-Identifier: ISC */
#include "mail/smtp_client_impl.h"

#include <assert.h>

#define SECONDS 1000
#define MINUTES (60 * SECONDS)

static bool
good(const struct smtp_client *c)
{
	return c->reply.code / 100 == 2;
}

static void
ask(struct smtp_client *c, enum smtp_step step)
{
	smtp_ask(c, step, NULL, 0);
}

static void
end(struct smtp_client *c, struct outcome o)
{
	smtp_end(c, &o);
}

void
smtp_ready(struct smtp_client *c)
{
	c->ready = true;
	c->tell_ready = true;
}

/* The list of extensions is there (or, after HELO, empty). */
static void
introduced(struct smtp_client *c)
{
	enum tls_policy policy = c->config->policy;
	const char *host = c->config->host;

	if (!c->tls && !c->plain && policy != TLS_POLICY_NONE && (c->ehlo.has & SMTP_STARTTLS))
		ask(c, STEP_STARTTLS);
	else if (!c->tls && (policy == TLS_POLICY_ENCRYPT || policy == TLS_POLICY_VERIFY))
		end(c, status_trouble(STAGE_STARTTLS, SCOPE_DESTINATION, STATUS(4, 7, 4),
			   "TLS is required but %s offers no STARTTLS"
			   " (or somebody on the way to it takes that out)",
			   host));
	else if (policy == TLS_POLICY_VERIFY && !c->verified)
		end(c, status_trouble(STAGE_TLS, SCOPE_DESTINATION, STATUS(4, 7, 5),
			   "the certificate of %s is not verified", host));
	else if (c->config->account != NULL)
		smtp_auth(c);
	else
		smtp_ready(c);
}

/* Only 220 opens a session; RFC 5321 3.1 has no other 2xx here. */
static void
greeting_reply(struct smtp_client *c, const struct smtp_asked *a)
{
	if (c->reply.code == 220)
		ask(c, c->config->lmtp ? STEP_LHLO : STEP_EHLO);
	else if (c->reply.code / 100 >= 4)
		smtp_end_judged(c, a);
	else
		smtp_end_unexpected(c, a);
}

static void
add_hello(struct smtp_client *c, const char *verb)
{
	smtp_ehlo_init(&c->ehlo);
	buf_addf(&c->out, "%s %s\r\n", verb, c->config->hostname);
}

static void
ehlo_send(struct smtp_client *c, const struct smtp_asked *a)
{
	(void)a;
	add_hello(c, "EHLO");
}

static void
ehlo_reply(struct smtp_client *c, const struct smtp_asked *a)
{
	if (good(c))
		introduced(c);
	else if (c->reply.code / 100 == 5)
		ask(c, STEP_HELO);
	else
		smtp_end_judged(c, a);
}

static void
helo_send(struct smtp_client *c, const struct smtp_asked *a)
{
	(void)a;
	add_hello(c, "HELO");
}

static void
helo_reply(struct smtp_client *c, const struct smtp_asked *a)
{
	if (good(c))
		introduced(c);
	else
		smtp_end_judged(c, a);
}

/* RFC 2033 4.1; there is no older command to fall back to. */
static void
lhlo_send(struct smtp_client *c, const struct smtp_asked *a)
{
	(void)a;
	add_hello(c, "LHLO");
}

static void
starttls_send(struct smtp_client *c, const struct smtp_asked *a)
{
	(void)a;
	buf_adds(&c->out, "STARTTLS\r\n");
}

/* Refused: where TLS is only welcome, and no password in play, the mail goes in plain. */
static void
starttls_reply(struct smtp_client *c, const struct smtp_asked *a)
{
	const struct smtp_client_config *config = c->config;

	if (c->reply.code == 220) {
		c->handshake = true;
		c->tell_starttls = true;
	} else if (c->reply.code / 100 < 4) {
		smtp_end_unexpected(c, a);
	} else if (config->policy != TLS_POLICY_MAY ||
		   (config->account != NULL && !config->plain_auth)) {
		smtp_end_judged(c, a);
	} else {
		c->plain = true;
		introduced(c);
	}
}

void
smtp_client_secured(struct smtp_client *c, bool verified)
{
	if (c->closed)
		return;
	assert(c->handshake && c->linelen == 0);
	c->handshake = c->tell_starttls = false;
	c->tls = true;
	c->verified = verified;
	ask(c, c->config->lmtp
		   ? STEP_LHLO
		   : STEP_EHLO); /* which forgets the list that came in plain, RFC 3207 4.2 */
}

static void
cancel_send(struct smtp_client *c, const struct smtp_asked *a)
{
	(void)a;
	buf_adds(&c->out, "*\r\n");
}

static void
rset_send(struct smtp_client *c, const struct smtp_asked *a)
{
	(void)a;
	buf_adds(&c->out, "RSET\r\n");
}

static void
quit_send(struct smtp_client *c, const struct smtp_asked *a)
{
	(void)a;
	buf_adds(&c->out, "QUIT\r\n");
}

/* Whatever it says: nothing was left to be lost. */
static void
quit_reply(struct smtp_client *c, const struct smtp_asked *a)
{
	struct outcome o = {.status = STATUS(2, 0, 0), .stage = STAGE_QUIT};

	(void)a;
	text_clean(o.text, sizeof(o.text), c->reply.text, c->reply.len);
	smtp_end(c, &o);
}

/*
 * The steps in their legal order (see smtp_client.h). The timeouts are RFC 5321 4.5.3.2's, where it
 * has one.
 */
const struct smtp_row smtp_rows[] = {
    /* clang-format off */
    [STEP_GREETING] = {"waiting for the greeting", STAGE_GREETING, 5 * MINUTES, /* 4.5.3.2.1 */
	NULL, greeting_reply},
    [STEP_EHLO] = {"sending EHLO", STAGE_EHLO, 5 * MINUTES,
	ehlo_send, ehlo_reply},
    [STEP_HELO] = {"sending HELO", STAGE_EHLO, 5 * MINUTES,
	helo_send, helo_reply},
    [STEP_LHLO] = {"sending LHLO", STAGE_EHLO, 5 * MINUTES,
	lhlo_send, helo_reply},
    [STEP_STARTTLS] = {"sending STARTTLS", STAGE_STARTTLS, 2 * MINUTES,
	starttls_send, starttls_reply},
    [STEP_TLS] = {"performing the TLS handshake", STAGE_TLS, 2 * MINUTES,
	NULL, NULL},
    [STEP_AUTH] = {"sending AUTH", STAGE_AUTH, 2 * MINUTES,
	smtp_auth_send, smtp_auth_reply},
    [STEP_RESPONSE] = {"authenticating", STAGE_AUTH, 2 * MINUTES,
	smtp_auth_respond, smtp_auth_reply},
    [STEP_CANCEL] = {"giving up AUTH", STAGE_AUTH, 2 * MINUTES,
	cancel_send, smtp_auth_cancelled},
    [STEP_READY] = {"waiting for more mail", STAGE_QUIT, 0,
	NULL, NULL},
    [STEP_MAIL] = {"sending MAIL FROM", STAGE_MAIL, 5 * MINUTES, /* 4.5.3.2.2 */
	smtp_mail_send, smtp_mail_reply},
    [STEP_RCPT] = {"sending RCPT TO", STAGE_RCPT, 5 * MINUTES, /* 4.5.3.2.3 */
	smtp_rcpt_send, smtp_rcpt_reply},
    [STEP_DATA] = {"sending DATA", STAGE_DATA, 2 * MINUTES, /* 4.5.3.2.4 */
	smtp_data_send, smtp_data_reply},
    [STEP_BDAT] = {"sending the end of the message", STAGE_BDAT, 10 * MINUTES, /* 4.5.3.2.6 */
	smtp_bdat_send, smtp_bdat_reply},
    [STEP_BODY] = {"sending the message", STAGE_BODY, 3 * MINUTES, /* 4.5.3.2.5, a block */
	NULL, NULL},
    [STEP_DOT] = {"sending the end of the message", STAGE_DOT, 10 * MINUTES, /* 4.5.3.2.6 */
	smtp_dot_send, smtp_dot_reply},
    [STEP_VOID] = {"ending an empty message", STAGE_DATA, 10 * MINUTES,
	smtp_dot_send, smtp_void_reply},
    [STEP_RSET] = {"sending RSET", STAGE_RSET, 2 * MINUTES,
	rset_send, smtp_rset_reply},
    [STEP_QUIT] = {"sending QUIT", STAGE_QUIT, 2 * SECONDS,
	quit_send, quit_reply},
    [STEP_CLOSED] = {"closed", STAGE_QUIT, 0,
	NULL, NULL},
    /* clang-format on */
};
