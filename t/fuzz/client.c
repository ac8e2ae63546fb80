/* SPDX-License-Identifier: ISC */
/*
 * client: a server's octets into the client's dialogue, which has three messages to send. The server
 * says a line when the client has written all it has, or without waiting. Whatever it says, what the
 * client writes is commands; the password goes over verified TLS only and into no text; every
 * recipient is told of once, and delivered only when the message was sent; and whether lines come
 * whole or octet by octet makes no difference.
 */
#include "mail/smtp_client.h"

#include "fuzz.h"
#include "net/crypto.h"

#define MESSAGES 5
#define RCPTS 3
#define PASSWORD "secret-password"
#define PASSWORD64 "c2VjcmV0LXBhc3N3b3Jk" /* as LOGIN has it */
#define CONTENT "\x01"                    /* stands for the content in what was written */

struct message {
	struct envelope envelope;
	struct smtp_transaction t;
	unsigned told[RCPTS], done;
	bool sent;
};

/* The ways of a session, out of the input's last octets. */
struct way {
	struct smtp_client_config config;
	bool verified;  /* the handshake's end, where there is one */
	bool eager;     /* the server does not wait */
	bool block;     /* it says two lines at once */
	unsigned first; /* of the messages */
	unsigned fails; /* the content of this message cannot be read */
	bool encoded;
};

struct session {
	const struct way *way;
	struct smtp_client *c;
	struct message message[MESSAGES];
	unsigned begun;
	bool secured, closed;
	struct buf written, events;
};

static struct recipient recipients[MESSAGES][RCPTS] = {
    {{.address = "a@x.example"}, {.address = "b@y.example"}, {.address = "c@x.example"}},
    {{.address = "\xc3\xa4@x.example"},
	{.address = "d@x.example", .notify = NOTIFY_FAILURE | NOTIFY_DELAY, .orcpt = "rfc822;d"}},
    {{.address = "e@z.example"}},
    {{.address = "f@x.example>\r\nRCPT TO:<evil@x.example"}, {.address = "g@x.example"}},
    {{.address = "h@x.example"}},
};

static const struct envelope envelopes[MESSAGES] = {
    {.from = "s@x.example", .size = 100, .rcpt = recipients[0], .nrcpt = 3},
    {.from = "",
	.size = 70000,
	.body = BODY_8BITMIME,
	.rcpt = recipients[1],
	.nrcpt = 2,
	.ret = RET_HDRS,
	.envid = "id"},
    {.from = "s@x.example", .size = 100, .requiretls = true, .rcpt = recipients[2], .nrcpt = 1},
    {.from = "s@x.example", .size = 100, .rcpt = recipients[3], .nrcpt = 2},
    {.from = "s\r\nDATA", .size = 100, .rcpt = recipients[4], .nrcpt = 1},
};

static const uint32_t all[RCPTS] = {0, 1, 2};

static bool
has_secret(const char *text)
{
	return strstr(text, PASSWORD) != NULL || strstr(text, PASSWORD64) != NULL;
}

/* What went out may not come back in a text; what did not, the server has from elsewhere. */
static bool
betrays(const struct session *x, const char *text)
{
	const char *written = buf_str(&x->written);

	return (strstr(text, PASSWORD) != NULL && strstr(written, "AUTH ") != NULL) ||
	       (strstr(text, PASSWORD64) != NULL && strstr(written, PASSWORD64) != NULL);
}

/* What a probe and the dialogue in the log tell. */
static void
on_trace(void *arg, enum stage stage, int code, const char *text)
{
	(void)stage;
	(void)code;
	CHECK(fuzz_is_clean(text, strlen(text)) && !betrays(arg, text));
}

static void
on_said(void *arg, const struct smtp_transaction *t, enum smtp_side side, const char *text)
{
	const struct message *m = t != NULL ? t->owner : NULL;

	CHECK(fuzz_is_clean(text, strlen(text)) && !betrays(arg, text));
	CHECK(side != SMTP_CLIENT || !has_secret(text));
	CHECK(m == NULL || m->done == 0);
}

static void
on_recipient(const struct smtp_event *ev)
{
	struct message *m = ev->transaction->owner;

	CHECK(ev->rcpt < m->t.nrcpt && m->done == 0);
	CHECK(++m->told[ev->rcpt] == 1);
	CHECK(ev->outcome.status.class != 2 || m->sent);
	CHECK(!ev->later || ev->outcome.status.class != 2);
}

static void
on_event(struct session *x, const struct smtp_event *ev)
{
	char status[STATUS_LEN];
	struct smtp_output w;
	struct message *m;

	CHECK(!x->closed);
	if (ev->type != SMTP_EVENT_STARTTLS && ev->type != SMTP_EVENT_READY &&
	    ev->type != SMTP_EVENT_DONE) {
		CHECK(fuzz_is_clean(ev->outcome.text, strlen(ev->outcome.text)));
		CHECK(!betrays(x, ev->outcome.text));
		buf_addf(&x->events, "%d %zu %d %s %s\n", (int)ev->type, ev->rcpt, ev->later,
		    status_print(status, ev->outcome.status), ev->outcome.text);
	}
	switch (ev->type) {
	case SMTP_EVENT_STARTTLS:
		smtp_client_output(x->c, &w);
		CHECK(w.len == 0 && w.body == NULL && !x->secured);
		x->secured = true;
		smtp_client_secured(x->c, x->way->verified);
		break;
	case SMTP_EVENT_READY:
		break;
	case SMTP_EVENT_RCPT:
		on_recipient(ev);
		break;
	case SMTP_EVENT_DONE:
		m = ev->transaction->owner;
		m->done++;
		for (size_t i = 0; i < m->t.nrcpt; i++)
			CHECK(m->told[i] == 1);
		break;
	case SMTP_EVENT_CLOSED:
		CHECK(ev->outcome.status.class == 2 || ev->outcome.status.class == 4);
		x->closed = true;
		break;
	}
}

static void
begin(struct session *x)
{
	unsigned i = (x->way->first + x->begun++) % MESSAGES;
	struct message *m = &x->message[i];

	m->envelope = envelopes[i];
	memset(&m->t, 0x55, sizeof(m->t)); /* private fields need no initialisation */
	m->t = (struct smtp_transaction){
	    .envelope = &m->envelope, .rcpt = all, .nrcpt = m->envelope.nrcpt, .owner = m};
	smtp_client_begin(x->c, &m->t);
	if (m->t.held)
		smtp_client_release(x->c, &m->t, x->way->encoded, NULL);
	if (x->begun == MESSAGES)
		smtp_client_quit(x->c);
}

static void
pump(struct session *x)
{
	struct smtp_event ev;
	bool more;

	do {
		more = false;
		while (smtp_client_event(x->c, &ev))
			on_event(x, &ev);
		if (!x->closed && x->begun < MESSAGES && smtp_client_room(x->c)) {
			begin(x);
			more = true;
		}
	} while (more);
}

/* Whole commands, one line each. */
static void
check_commands(const struct session *x, const char *data, size_t len)
{
	bool safe = x->way->config.plain_auth ||
		    (x->way->config.implicit_tls ? x->way->config.tls_verified
						 : x->secured && x->way->verified);

	CHECK(fuzz_is_wire(data, len) && fuzz_longest(data, len) <= 12288);
	CHECK(memmem(data, len, "evil", 4) == NULL); /* what hides in an address is no command */
	CHECK(safe || !has_secret(data));
	CHECK(safe || memmem(data, len, "AUTH ", 5) == NULL);
}

static void
send_content(struct session *x, struct smtp_output *w)
{
	struct message *m = w->body->owner;
	struct outcome o = status_trouble(STAGE_BODY, SCOPE_MESSAGE, STATUS(4, 3, 0), "unreadable");

	CHECK(m->done == 0 && !m->sent);
	buf_adds(&x->written, CONTENT);
	if (x->way->fails == (unsigned)(m - x->message) + 1) {
		smtp_client_body_failed(x->c, &o);
		return;
	}
	m->sent = true;
	smtp_client_body_done(x->c);
	smtp_client_body_written(x->c);
}

static void
write_all(struct session *x)
{
	struct smtp_output w;

	for (;;) {
		smtp_client_output(x->c, &w);
		if (w.len > 0) {
			check_commands(x, w.data, w.len);
			buf_add(&x->written, w.data, w.len);
			smtp_client_wrote(x->c, w.len);
		} else if (w.body != NULL) {
			send_content(x, &w);
		} else {
			break;
		}
		pump(x);
	}
}

static void
feed(struct session *x, const char *line, size_t len, unsigned seed)
{
	struct fuzz_pieces p = fuzz_pieces(line, len, seed);

	while (fuzz_piece(&p)) {
		if (!x->closed)
			smtp_client_input(x->c, p.piece, p.len);
		pump(x);
	}
}

static void
finish(struct session *x)
{
	struct outcome o = {.scope = SCOPE_DESTINATION};
	struct smtp_output w;

	if (!x->closed)
		smtp_client_lost(x->c, &o);
	pump(x);
	CHECK(x->closed);
	smtp_client_output(x->c, &w);
	CHECK(w.len == 0 && w.body == NULL && !smtp_client_room(x->c));
	for (unsigned i = 0; i < x->begun; i++)
		CHECK(x->message[(x->way->first + i) % MESSAGES].done == 1);
	CHECK(smtp_client_timeout(x->c) >= 0 && smtp_client_doing(x->c) != NULL);
	smtp_client_free(x->c);
}

/* seed: how lines are cut. */
static void
play(struct session *x, struct way *way, const struct fuzz *f, unsigned seed)
{
	way->config.trace_arg = way->config.said_arg = x;
	*x = (struct session){
	    .way = way, .written = BUF_INIT(FUZZ_MAX), .events = BUF_INIT(FUZZ_MAX)};
	x->c = smtp_client_new(&way->config);
	CHECK(x->c != NULL);
	for (size_t at = 0, n; at < f->len && !x->closed; at += n) {
		const char *lf = memchr(f->data + at, '\n', f->len - at);

		if (way->block && lf != NULL && lf + 1 < f->data + f->len)
			lf = memchr(lf + 1, '\n', (size_t)(f->data + f->len - lf) - 1);
		n = lf != NULL ? (size_t)(lf - f->data) + 1 - at : f->len - at;
		feed(x, f->data + at, n, seed);
		if (!way->eager || at % 3 == 0)
			write_all(x);
	}
	finish(x);
}

/* The rounds are for those who guess passwords; one is as good for us. */
static int
stretch(enum sasl_hash h, struct sasl_octets password, struct sasl_octets salt, unsigned rounds,
    unsigned char out[SASL_DIGEST])
{
	(void)rounds;
	return crypto_sasl.stretch(h, password, salt, 1, out);
}

static const struct sasl_account accounts[] = {
    {.user = "user", .password = PASSWORD, .mechanisms = ""},
    {.user = "user", .password = PASSWORD, .mechanisms = "SCRAM-SHA-1 LOGIN CRAM-MD5"},
    {.user = "user", .password = PASSWORD, .mechanisms = "OAUTHBEARER XOAUTH2"},
    {.user = "user", .password = PASSWORD, .mechanisms = "PLAIN"},
};

static const struct sasl_binding binding = {"tls-exporter", "binding", 7};

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz f = fuzz_start(data, size);
	unsigned bits = fuzz_choose(&f, 256), more = fuzz_choose(&f, 256);
	struct sasl_crypto crypto = crypto_sasl;
	static struct session whole, parts;
	struct way way = {.config = {.hostname = "client.example",
			      .host = "mx.example[192.0.2.1]:25",
			      .policy = (enum tls_policy)(TLS_POLICY_NONE + bits % 4),
			      .chunking = (bits & 4) != 0,
			      .lmtp = (bits & 8) != 0,
			      .implicit_tls = (bits & 16) != 0,
			      .tls_verified = (bits & 32) != 0,
			      .crypto = &crypto,
			      .trace = on_trace,
			      .said = on_said,
			      .nonce = "fyko+d2lbbFgONRv9qkxdawL",
			      .binding = (bits & 64) != 0 ? &binding : NULL},
	    .verified = (bits & 128) == 0,
	    .eager = (more & 1) != 0,
	    .block = (more & 14) == 14,
	    .first = (more >> 1) % 8 % MESSAGES,
	    .fails = (more & 8) != 0 ? (more >> 1) % 4 : 0,
	    .encoded = (more & 16) != 0};

	crypto.stretch = stretch;
	if ((more & 32) != 0) {
		way.config.account = &accounts[(more >> 6) % 4];
		way.config.plain_auth = way.config.policy == TLS_POLICY_NONE && (bits & 64) != 0;
	}
	play(&whole, &way, &f, 0);
	play(&parts, &way, &f, way.block ? 0 : 1); /* what comes at once says more then */
	CHECK(fuzz_same(&whole.written, &parts.written));
	CHECK(fuzz_same(&whole.events, &parts.events));
	buf_free(&whole.written);
	buf_free(&whole.events);
	buf_free(&parts.written);
	buf_free(&parts.events);
	return 0;
}
