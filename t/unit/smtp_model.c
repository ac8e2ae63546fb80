/* SPDX-License-Identifier: ISC */
/*
 * The client against a server in memory that keeps its own books: octets move in random pieces in
 * both directions, some sessions end by a 421 or by a lost connection at a random moment. What the
 * client calls delivered must be what the server took, and every recipient has one fate.
 */
#include "mail/smtp_client.h"

#include <stdlib.h>

#include "tap.h"

#define MESSAGES 3
#define RCPTS 260
#define SESSIONS 400
#define STEPS 200000

/* A recipient's local-part says what the server thinks of it: o ok, x no, y later. */
struct message {
	struct envelope envelope;
	struct recipient rcpt[RCPTS];
	char address[RCPTS][40], from[40], body[64];
	uint32_t index[RCPTS];
	struct smtp_transaction t;
	unsigned told[RCPTS], taken[RCPTS], delivered[RCPTS], failed[RCPTS], done;
};

struct server {
	bool pipelining, lmtp, eager; /* eager: 354 even without a valid recipient */
	bool open, body, gone;
	unsigned faults;         /* one command in so many is answered 421; 0: none */
	struct message *message; /* under way */
	bool named[RCPTS];
	unsigned order[RCPTS]; /* the good ones as they came */
	unsigned good;
	struct buf in, out;
	char content[256];
	size_t ncontent;
	const char *complaint; /* what the client did wrong */
};

static struct message messages[MESSAGES];
static uint64_t state;

static unsigned
rnd(unsigned n)
{
	state = state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (unsigned)(state >> 33) % n;
}

static void
make_messages(void)
{
	static const unsigned most[] = {1, 4, 30, RCPTS};

	for (size_t i = 0; i < MESSAGES; i++) {
		struct message *m = &messages[i];
		size_t n = 1 + rnd(most[rnd(4)]);

		memset(m, 0, sizeof(*m));
		snprintf(m->from, sizeof(m->from), "%s%zu@client.example", rnd(5) ? "a" : "x", i);
		snprintf(
		    m->body, sizeof(m->body), "%s %zu\r\n..dot\r\n", rnd(5) ? "ham" : "spam", i);
		for (size_t j = 0; j < n; j++) {
			snprintf(m->address[j], sizeof(m->address[j]), "%c%zu@example.org",
			    "ooxy"[rnd(i == 1 ? 3 : 4)], j);
			m->rcpt[j].address = m->address[j];
			m->index[j] = (uint32_t)j;
		}
		m->envelope = (struct envelope){
		    .from = m->from, .rcpt = m->rcpt, .nrcpt = n, .size = strlen(m->body)};
		m->t = (struct smtp_transaction){
		    .envelope = &m->envelope, .rcpt = m->index, .nrcpt = n, .owner = m};
	}
}

/* The server. */

static void
complain(struct server *s, const char *what)
{
	if (s->complaint == NULL)
		s->complaint = what;
}

static void
on_mail(struct server *s, const char *line)
{
	size_t len = strcspn(line + 11, ">");

	if (s->open)
		complain(s, "MAIL in a transaction");
	for (size_t i = 0; i < MESSAGES; i++)
		if (strncmp(messages[i].from, line + 11, len) == 0)
			s->message = &messages[i];
	if (line[11] == 'x') {
		buf_adds(&s->out, "550 no\r\n");
		return;
	}
	s->open = true;
	s->good = 0;
	memset(s->named, 0, sizeof(s->named));
	buf_adds(&s->out, "250 ok\r\n");
}

static void
on_rcpt(struct server *s, const char *line)
{
	size_t n = strtoul(line + 10, NULL, 10);

	if (!s->open) {
		buf_adds(&s->out, "503 MAIL first\r\n");
	} else if (line[9] != 'o') {
		buf_adds(&s->out, line[9] == 'x' ? "550-no\r\n550 such\r\n" : "450 later\r\n");
	} else {
		s->named[n] = true;
		s->order[s->good++] = (unsigned)n;
		buf_adds(&s->out, "250 ok\r\n");
	}
}

static void
on_data(struct server *s)
{
	if ((s->eager && !s->lmtp) || (s->open && s->good > 0)) {
		s->body = true;
		s->ncontent = 0;
		buf_adds(&s->out, "354 go\r\n");
	} else {
		buf_adds(&s->out, "503 nobody\r\n");
	}
}

/* LMTP: each of them decides for himself, by chance; a spam is nobody's. */
static void
reply_to_each(struct server *s)
{
	for (unsigned i = 0; i < s->good; i++) {
		unsigned n = s->order[i];

		if (s->content[0] == 's') {
			buf_adds(&s->out, "554 no\r\n");
		} else if (s->faults > 0 && rnd(s->faults) == 0) {
			buf_adds(&s->out, "421 bye\r\n");
			s->gone = true;
			return;
		} else if (rnd(4) == 0) {
			buf_adds(&s->out, "450 not now\r\n");
		} else {
			s->message->taken[n]++;
			buf_adds(&s->out, "250-yes\r\n250 and gladly\r\n");
		}
	}
}

static void
on_dot(struct server *s)
{
	bool take = s->open && s->good > 0;

	s->body = s->open = false;
	s->content[s->ncontent] = '\0';
	if (take && strcmp(s->content, s->message->body) != 0)
		complain(s, "another content");
	if (!take && s->ncontent > 0)
		complain(s, "content for nobody");
	if (take && s->lmtp) {
		reply_to_each(s);
		return;
	}
	if (!take || s->content[0] == 's') {
		buf_adds(&s->out, "554 no\r\n");
		return;
	}
	for (size_t i = 0; i < RCPTS; i++)
		s->message->taken[i] += s->named[i];
	buf_adds(&s->out, "250 queued\r\n");
}

static void
on_line(struct server *s, const char *line, size_t len)
{
	if (s->body && strcmp(line, ".\r\n") != 0) {
		if (s->ncontent + len < sizeof(s->content))
			memcpy(s->content + s->ncontent, line, len);
		s->ncontent += len;
	} else if (s->faults > 0 && rnd(s->faults) == 0) {
		buf_adds(&s->out, "421 bye\r\n");
		s->gone = true;
	} else if (s->body) {
		on_dot(s);
	} else if (strncmp(line, "MAIL FROM:<", 11) == 0) {
		on_mail(s, line);
	} else if (strncmp(line, "RCPT TO:<", 9) == 0) {
		on_rcpt(s, line);
	} else if (strcmp(line, "DATA\r\n") == 0) {
		on_data(s);
	} else if (strcmp(line, "RSET\r\n") == 0) {
		s->open = false;
		buf_adds(&s->out, "250 ok\r\n");
	} else if (strcmp(line, s->lmtp ? "LHLO client.example\r\n" : "EHLO client.example\r\n") ==
		   0) {
		buf_adds(&s->out, s->pipelining ? "250-hi\r\n250 PIPELINING\r\n" : "250 hi\r\n");
	} else if (strcmp(line, "QUIT\r\n") == 0) {
		buf_adds(&s->out, "221 bye\r\n");
		s->gone = true;
	} else {
		complain(s, "unknown command");
	}
}

static bool
serve(struct server *s)
{
	const char *lf = s->in.len > 0 ? memchr(s->in.data, '\n', s->in.len) : NULL;
	char line[1024] = "";
	size_t len;

	if (lf == NULL || s->gone)
		return false;
	len = (size_t)(lf - s->in.data) + 1;
	if (len >= sizeof(line)) {
		complain(s, "a long line");
		return false;
	}
	memcpy(line, s->in.data, len);
	if (!s->pipelining && !s->body && len < s->in.len)
		complain(s, "commands without waiting");
	buf_drop(&s->in, len);
	on_line(s, line, len);
	return true;
}

/* The client's side. */

struct session {
	struct server s;
	struct smtp_client *c;
	size_t begun, sent; /* octets of the body under way */
	bool closed;
};

static void
on_event(struct session *x, const struct smtp_event *ev)
{
	struct message *m = ev->transaction != NULL ? ev->transaction->owner : NULL;

	if (x->closed)
		complain(&x->s, "(client) event after the end");
	if (ev->type == SMTP_EVENT_CLOSED)
		x->closed = true;
	if (ev->type == SMTP_EVENT_DONE)
		m->done++;
	if (ev->type != SMTP_EVENT_RCPT)
		return;
	if (m->done > 0)
		complain(&x->s, "(client) recipient after its message");
	m->told[ev->rcpt]++;
	m->delivered[ev->rcpt] += ev->outcome.status.class == 2;
	m->failed[ev->rcpt] += ev->outcome.status.class == 5;
}

static void
pump(struct session *x)
{
	struct smtp_event ev;

	while (smtp_client_event(x->c, &ev))
		on_event(x, &ev);
	while (x->begun < MESSAGES && smtp_client_room(x->c) && rnd(3) > 0) {
		smtp_client_begin(x->c, &messages[x->begun++].t);
		while (smtp_client_event(x->c, &ev))
			on_event(x, &ev);
	}
	if (x->begun == MESSAGES && rnd(2) == 0)
		smtp_client_quit(x->c);
}

static size_t
piece(size_t len)
{
	unsigned most = rnd(3) == 0 ? 4 : 4000;

	return len < most ? len : 1 + rnd(most);
}

/* Some octets from the client to the server. */
static bool
send_some(struct session *x)
{
	struct smtp_output w;
	size_t n;

	smtp_client_output(x->c, &w);
	if (w.len > 0) {
		n = piece(w.len);
		buf_add(&x->s.in, w.data, n);
		smtp_client_wrote(x->c, n);
		x->sent = 0;
	} else if (w.body != NULL) {
		const char *body = ((struct message *)w.body->owner)->body;

		n = piece(strlen(body + x->sent));
		buf_add(&x->s.in, body + x->sent, n);
		x->sent += n;
		if (body[x->sent] == '\0') {
			smtp_client_body_done(x->c);
			x->sent = 0;
		}
	}
	return w.len > 0 || w.body != NULL;
}

static bool
receive_some(struct session *x)
{
	size_t n = piece(x->s.out.len);
	char data[4096];

	if (x->s.out.len == 0)
		return false;
	memcpy(data, x->s.out.data, n);
	buf_drop(&x->s.out, n);
	smtp_client_input(x->c, data, n);
	return true;
}

static void
lose(struct session *x)
{
	struct outcome o = {.scope = SCOPE_DESTINATION};

	smtp_client_lost(x->c, &o);
	pump(x);
}

/* No more unanswered than the client promises. */
static void
check_window(struct session *x)
{
	size_t lines = 0;

	for (size_t i = 0; i < x->s.in.len; i++)
		lines += x->s.in.data[i] == '\n';
	if (lines > 110 || x->s.in.len > 9000)
		complain(&x->s, "too much at once");
}

/* faults: 421s; cut: the connection may go at any moment. */
static void
run(struct session *x, bool cut)
{
	for (unsigned i = 0; i < STEPS && !x->closed; i++) {
		bool moved = false;

		if (rnd(3) == 0)
			moved |= send_some(x);
		if (rnd(3) == 0)
			moved |= serve(&x->s);
		if (rnd(3) == 0)
			moved |= receive_some(x);
		pump(x);
		check_window(x);
		if ((cut && rnd(500) == 0) || (x->s.gone && x->s.out.len == 0 && !moved))
			lose(x);
	}
	if (!x->closed)
		complain(&x->s, "(client) never ends");
}

static void
check_books(struct server *s, bool faults, size_t begun)
{
	for (size_t i = 0; i < begun; i++) {
		const struct message *m = &messages[i];

		if (m->done != 1)
			complain(s, "(client) a message is not done once");
		for (size_t j = 0; j < m->envelope.nrcpt; j++) {
			if (m->told[j] != 1)
				complain(s, "(client) a recipient has not one fate");
			if (m->delivered[j] > m->taken[j] ||
			    (!faults && m->delivered[j] != m->taken[j]))
				complain(s, "(client) another account of what was delivered");
			if (m->failed[j] && m->address[j][0] == 'o' && m->from[0] == 'a' &&
			    m->body[0] == 'h')
				complain(s, "(client) a good recipient failed");
			if (!faults &&
			    !m->failed[j] != (m->address[j][0] != 'x' && m->from[0] == 'a' &&
						 (m->body[0] == 'h' || m->address[j][0] == 'y')))
				complain(s, "(client) a bad recipient did not fail");
		}
	}
}

static bool
session(unsigned seed, bool lmtp)
{
	const struct smtp_client_config config = {
	    .hostname = "client.example", .host = "model", .policy = TLS_POLICY_MAY, .lmtp = lmtp};
	struct session x = {.s = {.in = BUF_INIT(65536), .out = BUF_INIT(65536)}};
	bool cut = seed % 4 == 3;

	state = seed;
	make_messages();
	x.s.pipelining = seed % 2;
	x.s.lmtp = lmtp;
	x.s.eager = rnd(2);
	x.s.faults = seed % 8 >= 6 ? 1 + rnd(60) : 0;
	x.c = smtp_client_new(&config);
	buf_adds(&x.s.out, "220 model\r\n");
	run(&x, cut);
	check_books(&x.s, cut || x.s.faults > 0, x.begun);
	if (!cut && x.s.faults == 0 && x.begun != MESSAGES)
		complain(&x.s, "(client) not all begun");
	smtp_client_free(x.c);
	buf_free(&x.s.in);
	buf_free(&x.s.out);
	if (x.s.complaint != NULL)
		printf("# seed %u: %s\n", seed, x.s.complaint);
	return x.s.complaint == NULL;
}

int
main(void)
{
	static const char *kinds[] = {"whole sessions", "whole sessions, PIPELINING",
	    "whole sessions", "lost, PIPELINING", "whole sessions", "whole sessions, PIPELINING",
	    "421", "421 and lost, PIPELINING"};

	for (unsigned kind = 0; kind < 8; kind++) {
		unsigned bad = 0, bad_lmtp = 0;

		for (unsigned seed = kind; seed < SESSIONS; seed += 8) {
			bad += !session(seed, false);
			bad_lmtp += !session(seed, true);
		}
		is_int(bad, 0, kinds[kind]);
		is_int(bad_lmtp, 0, "… LMTP");
	}
	return done();
}
