/* SPDX-License-Identifier: ISC */
/*
 * AUTH (RFC 4954). A password goes out only over TLS whose certificate was verified, or where the
 * configuration says that plain is safe (loopback). Whatever the server says, a failed login is the
 * site's trouble and never bounces mail.
 */
#include "mail/smtp_client_impl.h"

#include <assert.h>
#include <string.h>

#define HIDE 8               /* octets of a secret that betray it in a server's text */
#define RESPONSE (16 * 1024) /* octets of a response before base64 */
#define TRIES 2              /* mechanisms in a session */

static void
fail(struct smtp_client *c, struct outcome o)
{
	smtp_end(c, &o);
}

/* Room for all at once, so that nothing secret stays behind where realloc moved from. */
static void
reserve_secret(struct buf *b, size_t len)
{
	(void)buf_reserve(b, len);
}

/* base64 of what the mechanism said, into c->secret. */
static void
encode(struct smtp_client *c, const struct buf *raw)
{
	buf_wipe(&c->secret);
	reserve_secret(&c->secret, raw->len / 3 * 4 + 8);
	c->config->crypto->encode(&c->secret, buf_str(raw), raw->len);
	if (raw->error != 0 && c->secret.error == 0)
		c->secret.error = raw->error;
}

/* What goes out now must not be quoted by the server later. */
static void
remember(struct smtp_client *c)
{
	if (c->secret.len <= 1) /* nothing, or "=" for nothing */
		return;
	if (c->sent.cap == 0)
		reserve_secret(&c->sent, c->sent.max);
	buf_add(&c->sent, buf_str(&c->secret), c->secret.len);
	buf_addc(&c->sent, '\0');
	if (c->sent.error != 0)
		c->secret.error = c->sent.error;
}

/* Send `step`, whose line takes c->secret with it. */
static void
send_secret(struct smtp_client *c, enum smtp_step step)
{
	c->hush = true;
	remember(c);
	reserve_secret(&c->out, c->secret.len + 64);
	if (c->secret.error != 0)
		c->out.error = c->secret.error;
	smtp_ask(c, step, NULL, 0);
	buf_wipe(&c->secret);
}

/* "AUTH PLAIN " and " " and CRLF around the initial response fit. */
static bool
fits(const struct smtp_client *c)
{
	size_t around = strlen("AUTH  \r\n") + strlen(sasl_name(c->sasl.mechanism));

	return c->secret.len + around <= SMTP_AUTH_LINE;
}

static void
start(struct smtp_client *c, const struct sasl_mechanism *m)
{
	struct buf raw = BUF_INIT(RESPONSE);

	reserve_secret(&raw, RESPONSE);
	sasl_start(&c->sasl, m, &c->facts, c->tries > 0);
	if (sasl_initial(&c->sasl, &raw)) {
		if (raw.len == 0 && raw.error == 0)
			buf_adds(&c->secret, "=");
		else
			encode(c, &raw);
	}
	buf_wipe(&raw);
	if (!fits(c)) { /* it goes as the answer to an empty challenge then */
		sasl_start(&c->sasl, m, &c->facts, c->tries > 0);
		buf_wipe(&c->secret);
	}
	c->tries++;
	send_secret(c, STEP_AUTH);
}

void
smtp_auth(struct smtp_client *c)
{
	const struct smtp_client_config *config = c->config;
	const struct sasl_mechanism *m;

	assert(config->crypto != NULL && config->nonce != NULL);
	c->facts = (struct sasl_facts){
	    .account = config->account,
	    .crypto = config->crypto,
	    .binding = c->tls ? config->binding : NULL,
	    .nonce = config->nonce,
	    .offered = c->ehlo.auth,
	};
	m = sasl_choose(&c->facts);
	if (!c->verified && !config->plain_auth)
		fail(c, status_trouble(STAGE_AUTH, SCOPE_DESTINATION, STATUS(4, 7, 11),
			    "no verified TLS with %s: the password is not sent", config->host));
	else if (m == NULL)
		fail(c, status_trouble(STAGE_AUTH, SCOPE_DESTINATION, STATUS(4, 7, 4),
			    "%s offers no AUTH mechanism we have%s; offered: %s", config->host,
			    config->account->mechanisms[0] != '\0' ? " in relay.auth" : "",
			    c->ehlo.auth[0] != '\0' ? c->ehlo.auth : "none"));
	else
		start(c, m);
}

void
smtp_auth_send(struct smtp_client *c, const struct smtp_asked *a)
{
	(void)a;
	buf_adds(&c->out, "AUTH ");
	buf_adds(&c->out, sasl_name(c->sasl.mechanism));
	if (c->secret.len > 0) {
		buf_addc(&c->out, ' ');
		buf_add(&c->out, c->secret.data, c->secret.len);
	}
	buf_adds(&c->out, "\r\n");
}

void
smtp_auth_respond(struct smtp_client *c, const struct smtp_asked *a)
{
	(void)a;
	buf_add(&c->out, buf_str(&c->secret), c->secret.len);
	buf_adds(&c->out, "\r\n");
}

/* Put the answer to the challenge into c->secret; -1 when there is none. */
static int
answer(struct smtp_client *c)
{
	struct buf challenge = BUF_INIT(REPLY_LINE), raw = BUF_INIT(RESPONSE);
	int rc = -1;

	reserve_secret(&raw, RESPONSE);
	if (c->config->crypto->decode(&challenge, c->text, c->textlen) == -1)
		goto out;
	if (sasl_step(&c->sasl, buf_str(&challenge), challenge.len, &raw) == -1)
		goto out;
	encode(c, &raw);
	rc = 0;
out:
	buf_free(&challenge);
	buf_wipe(&raw);
	return rc;
}

static void
succeeded(struct smtp_client *c)
{
	if (sasl_proven(&c->sasl))
		smtp_ready(c);
	else
		fail(c, status_trouble(STAGE_AUTH, SCOPE_DESTINATION, STATUS(4, 7, 0),
			    "%s accepts AUTH %s but does not show that it knows the password,"
			    " which may be an attack",
			    c->config->host, sasl_name(c->sasl.mechanism)));
}

/* Refused: once more with another mechanism, where that makes sense. */
static void
refused(struct smtp_client *c, const struct smtp_asked *a)
{
	const struct sasl_mechanism *m = NULL;

	if (c->reply.code / 100 == 5 && c->tries < TRIES)
		m = sasl_another(&c->facts, c->sasl.mechanism, c->reply.code);
	if (m != NULL)
		start(c, m);
	else
		smtp_end_judged(c, a);
}

void
smtp_auth_reply(struct smtp_client *c, const struct smtp_asked *a)
{
	if (c->reply.code == 235)
		succeeded(c);
	else if (c->reply.code / 100 >= 4)
		refused(c, a);
	else if (c->reply.code != 334)
		smtp_end_unexpected(c, a);
	else if (answer(c) == 0)
		send_secret(c, STEP_RESPONSE);
	else
		smtp_ask(c, STEP_CANCEL, NULL, 0);
}

void
smtp_auth_cancelled(struct smtp_client *c, const struct smtp_asked *a)
{
	const char *why = c->sasl.why;

	if (c->reply.code / 100 < 4)
		smtp_end_unexpected(c, a);
	else
		fail(c, status_trouble(STAGE_AUTH, SCOPE_DESTINATION, STATUS(4, 7, 0),
			    "cannot answer the AUTH %s challenge of %s%s%s",
			    sasl_name(c->sasl.mechanism), c->config->host, why != NULL ? ": " : "",
			    why != NULL ? why : ""));
}

/* The octets at the start of a text that are octets of the secret, from anywhere in it. */
static size_t
quoted(const char *text, size_t textlen, const char *secret, size_t len)
{
	size_t most = 0;

	for (size_t from = 0; from + most < len; from++) {
		size_t n = 0;

		while (from + n < len && n < textlen && text[n] == secret[from + n])
			n++;
		most = n > most ? n : most;
	}
	return most;
}

/* Replace each such run in the text by a star. */
static void
hide(char *text, size_t *textlen, const char *secret, size_t len)
{
	size_t least = len < HIDE ? len : HIDE;

	for (size_t i = 0; least > 0 && i < *textlen; i++) {
		size_t n = quoted(text + i, *textlen - i, secret, len);

		if (n < least)
			continue;
		text[i] = '*';
		memmove(text + i + 1, text + i + n, *textlen - i - n + 1);
		*textlen -= n - 1;
	}
}

void
smtp_auth_hide(const struct smtp_client *c, char *text, size_t *len)
{
	if (c->facts.account == NULL) /* before AUTH: nothing that could be quoted */
		return;
	for (size_t at = 0, n; at < c->sent.len; at += n + 1) {
		n = strlen(c->sent.data + at);
		hide(text, len, c->sent.data + at, n);
	}
	hide(text, len, c->facts.account->password, strlen(c->facts.account->password));
}
