/* SPDX-License-Identifier: ISC */
#include "mail/smtp_client.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mail/smtp_client_impl.h"

struct smtp_client *
smtp_client_new(const struct smtp_client_config *config)
{
	struct smtp_client *c = calloc(1, sizeof(*c));

	assert(config->policy != TLS_POLICY_AUTO);
	if (c == NULL)
		return NULL;
	c->config = config;
	c->tls = config->implicit_tls;
	c->verified = config->implicit_tls && config->tls_verified;
	c->out = (struct buf)BUF_INIT(SMTP_OUT);
	c->secret = (struct buf)BUF_INIT(2 * SMTP_AUTH_LINE);
	c->sent = (struct buf)BUF_INIT(SMTP_SENT);
	c->settled_end = &c->settled;
	c->asked[0] = (struct smtp_asked){.step = STEP_GREETING};
	c->nasked = 1;
	return c;
}

void
smtp_client_free(struct smtp_client *c)
{
	if (c == NULL)
		return;
	*c->settled_end = c->first;
	for (struct smtp_transaction *t = c->settled; t != NULL; t = t->next) {
		free(t->state);
		t->state = NULL;
	}
	buf_wipe(&c->out);
	buf_wipe(&c->secret);
	buf_wipe(&c->sent);
	free(c->told);
	free(c);
}

static bool
ends_message(enum smtp_step step)
{
	return step == STEP_DOT || step == STEP_BDAT;
}

enum smtp_step
smtp_now(const struct smtp_client *c)
{
	const struct smtp_asked *a = &c->asked[c->head];

	if (c->closed)
		return STEP_CLOSED;
	if (c->handshake)
		return STEP_TLS;
	if (c->nasked == 0 && c->body != NULL)
		return STEP_BODY;
	if (c->nasked == 0)
		return c->first != NULL ? STEP_MAIL : STEP_READY;
	return ends_message(a->step) && a->end > c->written ? STEP_BODY : a->step;
}

struct smtp_transaction *
smtp_whose(const struct smtp_client *c)
{
	return c->nasked > 0 ? c->asked[c->head].t : c->body;
}

const struct smtp_asked *
smtp_newest(const struct smtp_client *c)
{
	return c->nasked > 0 ? &c->asked[(c->head + c->nasked - 1) % SMTP_ASKED] : NULL;
}

int
smtp_client_timeout(const struct smtp_client *c)
{
	return smtp_rows[smtp_now(c)].timeout;
}

const char *
smtp_client_doing(const struct smtp_client *c)
{
	return smtp_rows[smtp_now(c)].doing;
}

enum stage
smtp_client_stage(const struct smtp_client *c)
{
	return smtp_rows[smtp_now(c)].stage;
}

/* Whether another may follow the transactions under way, and the last of these is far enough. */
static bool
may_follow(const struct smtp_client *c)
{
	const struct smtp_transaction *t = c->first;
	uint64_t size = t->envelope->size;
	unsigned n = 1;

	for (; t->next != NULL; t = t->next, n++)
		size += t->next->envelope->size;
	if (t->bdat)
		return c->body == NULL && n < SMTP_IN_DOUBT && size < SMTP_IN_DOUBT_SIZE;
	return t->body && n == 1;
}

bool
smtp_client_room(const struct smtp_client *c)
{
	if (!c->ready || c->quitting || c->dying)
		return false;
	if (c->first == NULL)
		return c->nasked == 0;
	return (c->ehlo.has & SMTP_PIPELINING) && may_follow(c);
}

bool
smtp_client_idle(const struct smtp_client *c)
{
	return c->ready && c->first == NULL && c->nasked == 0;
}

void
smtp_client_quit(struct smtp_client *c)
{
	c->quitting = true;
	smtp_advance(c);
}

/* Output. */

bool
smtp_may_ask(const struct smtp_client *c)
{
	if (!c->ready || c->body != NULL || c->dying)
		return false;
	if (!(c->ehlo.has & SMTP_PIPELINING))
		return c->nasked == 0;
	return c->nasked < SMTP_ASKED && c->queued - c->answered < SMTP_WINDOW;
}

/* Whether what was appended is one line, whatever the strings in it. */
static bool
is_line(const struct buf *b, size_t from)
{
	if (b->error != 0 || b->len < from + 2 || memcmp(b->data + b->len - 2, "\r\n", 2) != 0)
		return false;
	for (size_t i = from; i < b->len - 2; i++)
		if ((unsigned char)b->data[i] < ' ' || b->data[i] == 0x7f)
			return false;
	return true;
}

void
smtp_ask(struct smtp_client *c, enum smtp_step step, struct smtp_transaction *t, size_t rcpt)
{
	struct smtp_asked a = {.step = step, .t = t, .rcpt = rcpt};
	size_t from = c->out.len;
	struct outcome o;

	assert(c->nasked < SMTP_ASKED);
	smtp_rows[step].send(c, &a);
	if (!is_line(&c->out, from)) {
		o = status_trouble(smtp_rows[step].stage, SCOPE_MESSAGE, STATUS(4, 3, 0), "%s",
		    c->out.error != 0 ? "out of memory"
				      : "a command with control characters in it is not sent");
		smtp_end(c, &o);
		return;
	}
	smtp_said_command(c, &a, c->out.data + from, c->out.len - from - 2);
	c->queued += c->out.len - from;
	a.end = step == STEP_BDAT ? UINT64_MAX : c->queued;
	c->asked[(c->head + c->nasked++) % SMTP_ASKED] = a;
}

void
smtp_client_output(struct smtp_client *c, struct smtp_output *w)
{
	*w = (struct smtp_output){.data = buf_str(&c->out), .len = c->out.len};
	if (w->len == 0 && c->body != NULL) {
		w->body = c->body;
		w->bare = c->body->bdat;
	}
}

void
smtp_client_wrote(struct smtp_client *c, size_t n)
{
	if (c->closed)
		return;
	buf_drop(&c->out, n);
	c->written += n;
	if (c->out.len == 0 && c->hush) {
		buf_wipe(&c->out);
		c->hush = false;
	}
}

void
smtp_client_body_done(struct smtp_client *c)
{
	struct smtp_transaction *t = c->body;

	if (t == NULL)
		return;
	if (t->bdat) {
		smtp_bdat_done(c);
	} else {
		c->body = NULL;
		smtp_ask(c, STEP_DOT, t, 0);
	}
	smtp_advance(c);
}

void
smtp_client_body_written(struct smtp_client *c)
{
	if (!c->tail)
		return; /* the dot behind it tells as much */
	c->tail = false;
	c->written++;
}

/* Input. */

/*
 * A reply to what was not written yet, or to nothing. While a message is sent a server may give up
 * on it early; but that it has it, it cannot know.
 */
static void
on_early(struct smtp_client *c)
{
	struct smtp_asked a = {.step = smtp_now(c), .t = smtp_whose(c)};
	bool refuses = c->reply.code / 100 >= 4;
	struct outcome o;

	if (ends_message(a.step))
		a.step = STEP_BODY;
	if (c->reply.code == 421 && a.step != STEP_QUIT) {
		smtp_end_judged(c, &a);
	} else if (a.step == STEP_BODY && refuses) {
		o = status_judge(STAGE_BODY, &c->reply, c->config->host);
		c->body = NULL;
		if (a.t != NULL)
			smtp_settle(c, a.t, &o);
		o = status_trouble(STAGE_BODY, SCOPE_MESSAGE, STATUS(4, 4, 2),
		    "%s refused another message while it was sent, which ends the session",
		    c->config->host);
		smtp_end(c, &o);
	} else {
		smtp_end_unexpected(c, &a);
	}
}

/*
 * Challenges are between the mechanism and the server; and what is said to a recipient whose sender
 * was refused means nothing.
 */
static void
trace(const struct smtp_client *c, const struct smtp_asked *a)
{
	const struct smtp_client_config *config = c->config;
	enum stage stage = smtp_rows[a->step].stage;
	bool login = stage == STAGE_AUTH;
	char text[REPLY_TEXT + 64];

	if (config->trace == NULL || (login && c->reply.code == 334) ||
	    (stage == STAGE_RCPT && a->t == NULL))
		return;
	snprintf(text, sizeof(text), "%s%s%s", login ? sasl_name(c->sasl.mechanism) : "",
	    login ? ": " : "", c->reply.text);
	config->trace(config->trace_arg, stage, c->reply.code, text);
}

static void
on_reply(struct smtp_client *c)
{
	struct smtp_asked a = c->asked[c->head];

	if (c->nasked == 0 || a.end > c->mark) {
		on_early(c);
		return;
	}
	trace(c, &a);
	if (!smtp_more_replies(c, &a)) {
		c->head = (c->head + 1) % SMTP_ASKED;
		c->nasked--;
		c->answered = a.end;
	}
	if (c->reply.code == 421 && a.step != STEP_QUIT)
		smtp_end_judged(c, &a);
	else
		smtp_rows[a.step].reply(c, &a);
	if (c->dying && c->nasked <= 1)
		smtp_end(c, &c->why);
}

/* A line that breaks the grammar, or is too long. */
static void
on_garbage(struct smtp_client *c)
{
	struct smtp_asked a = {.step = smtp_now(c), .t = smtp_whose(c)};

	smtp_end_protocol(c, &a, "a malformed reply");
}

/* Octets, although none may come before the handshake: somebody put them there (CVE-2011-0411). */
static void
on_injection(struct smtp_client *c)
{
	struct outcome o = status_trouble(STAGE_STARTTLS, SCOPE_DESTINATION, STATUS(4, 7, 0),
	    "%s sent more than its reply to STARTTLS, which may be an attack", c->config->host);

	smtp_end(c, &o);
}

static bool
is_hello(enum smtp_step step)
{
	return step == STEP_EHLO || step == STEP_LHLO;
}

static void
on_line(struct smtp_client *c)
{
	size_t len = c->linelen;
	enum reply_event event;

	if (len > 0 && c->line[len - 1] == '\r')
		len--;
	smtp_said_line(c, c->line, len);
	c->text = reply_line_text(c->line, len, &c->textlen);
	event = reply_push(&c->reply, c->line, len);
	if (event == REPLY_BAD) {
		on_garbage(c);
		return;
	}
	if (c->reply.lines > 1 && c->nasked > 0 && is_hello(c->asked[c->head].step))
		smtp_ehlo_line(&c->ehlo, c->text, c->textlen);
	if (event == REPLY_DONE) {
		smtp_auth_hide(c, c->reply.text, &c->reply.len);
		on_reply(c);
		reply_init(&c->reply);
	}
}

/* Take octets up to a line's end: how many. */
static size_t
take(struct smtp_client *c, const char *data, size_t len)
{
	const char *lf = memchr(data, '\n', len);
	size_t n = lf != NULL ? (size_t)(lf - data) : len;

	if (c->linelen == 0 && c->reply.lines == 0)
		c->mark = c->written;
	if (n > sizeof(c->line) - c->linelen) {
		on_garbage(c);
		return len;
	}
	memcpy(c->line + c->linelen, data, n);
	c->linelen += n;
	if (lf == NULL)
		return n;
	on_line(c);
	c->linelen = 0;
	return n + 1;
}

void
smtp_client_input(struct smtp_client *c, const char *data, size_t len)
{
	while (len > 0 && !c->closed) {
		size_t n;

		if (c->handshake) {
			on_injection(c);
			return;
		}
		n = take(c, data, len);
		data += n;
		len -= n;
	}
	smtp_advance(c);
}
