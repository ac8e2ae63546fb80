/* SPDX-License-Identifier: ISC */
/*
 * The client against a server in memory that keeps its own books: octets move in random pieces in
 * both directions, some sessions end by a 421 or by a lost connection at a random moment. What the
 * client calls delivered must be what the server took, and every recipient has one fate.
 */
#include "mail/smtp_client.h"

#include <stdlib.h>

#include "model_server.h"
#include "tap.h"

static size_t fullest; /* transactions under way when another was begun */

struct session {
	struct server s;
	struct smtp_client *c;
	size_t begun, sent; /* octets of the body under way */
	unsigned lag;       /* replies come every so many steps */
	bool cut;           /* the connection may go, or a message prove unreadable, at any time */
	bool closed;
};

/* Over, but for those that go later. */
static void
on_done(struct server *s, struct message *m)
{
	size_t n = 0, before = m->t.nrcpt;

	m->under_way = false;
	if (m->later == 0) {
		m->done++;
		return;
	}
	for (size_t i = 0; i < m->envelope.nrcpt; i++)
		if (m->told[i] == 0)
			m->index[n++] = (uint32_t)i;
	if (n != m->later || n == before)
		complain(s, "(client) a transaction that settles nobody");
	m->t.nrcpt = n;
	m->later = 0;
	m->again = true;
}

/* What is to be begun, or NULL. */
static struct message *
next_message(struct session *x)
{
	for (size_t i = 0; i < x->begun; i++)
		if (messages[i].again)
			return &messages[i];
	return x->begun < nmessages ? &messages[x->begun] : NULL;
}

static void
begin(struct session *x, struct message *m)
{
	x->begun += m == &messages[x->begun];
	m->again = false;
	m->under_way = true;
	smtp_client_begin(x->c, &m->t);
}

static void
on_event(struct session *x, const struct smtp_event *ev)
{
	struct message *m = ev->transaction != NULL ? ev->transaction->owner : NULL;
	size_t i;

	if (x->closed)
		complain(&x->s, "(client) event after the end");
	if (ev->type == SMTP_EVENT_CLOSED)
		x->closed = true;
	if (ev->type == SMTP_EVENT_DONE)
		on_done(&x->s, m);
	if (ev->type != SMTP_EVENT_RCPT)
		return;
	if (m->done > 0)
		complain(&x->s, "(client) recipient after its message");
	m->later += ev->later;
	if (ev->later)
		return;
	i = m->index[ev->rcpt];
	m->told[i]++;
	m->delivered[i] += ev->outcome.status.class == 2;
	m->failed[i] += ev->outcome.status.class == 5;
	m->doubted[i] += strstr(ev->outcome.text, "may arrive twice") != NULL;
}

/* No more in doubt than the client promises. */
static void
check_doubt(struct session *x)
{
	uint64_t size = 0;
	size_t n = 0;

	for (size_t i = 0; i < x->begun; i++) {
		n += messages[i].under_way;
		size += messages[i].under_way ? messages[i].envelope.size : 0;
	}
	if (x->s.chunking && (n >= SMTP_IN_DOUBT || size >= SMTP_IN_DOUBT_SIZE))
		complain(&x->s, "(client) too much in doubt");
	if (n > fullest)
		fullest = n;
}

static bool
nothing_left(struct session *x)
{
	for (size_t i = 0; i < x->begun; i++)
		if (messages[i].done == 0)
			return false;
	return x->begun == nmessages;
}

static void
pump(struct session *x)
{
	struct smtp_event ev;

	while (smtp_client_event(x->c, &ev))
		on_event(x, &ev);
	while (next_message(x) != NULL && smtp_client_room(x->c) && rnd(3) > 0) {
		check_doubt(x);
		begin(x, next_message(x));
		while (smtp_client_event(x->c, &ev))
			on_event(x, &ev);
	}
	if (nothing_left(x) && rnd(2) == 0)
		smtp_client_quit(x->c);
}

static size_t
piece(size_t len)
{
	unsigned most = rnd(3) == 0 ? 4 : 4000;

	return len < most ? len : 1 + rnd(most);
}

static void
unreadable(struct session *x)
{
	struct outcome o = {.status = {4, 3, 0}, .text = "unreadable"};

	smtp_client_body_failed(x->c, &o);
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

		if (((struct message *)w.body->owner)->done > 0)
			complain(&x->s, "(client) wants content of what is done");
		n = piece(strlen(body + x->sent));
		buf_add(&x->s.in, body + x->sent, n);
		x->sent += n;
		if (x->cut && body[x->sent] != '\0' && rnd(50) == 0) {
			unreadable(x);
		} else if (body[x->sent] == '\0') {
			smtp_client_body_done(x->c);
			smtp_client_body_written(x->c);
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

	if (x->s.chunking)
		return; /* see check_doubt() */
	for (size_t i = 0; i < x->s.in.len; i++)
		lines += x->s.in.data[i] == '\n';
	if (lines > 110 || x->s.in.len > 9000)
		complain(&x->s, "too much at once");
}

static void
run(struct session *x)
{
	for (unsigned i = 0; i < STEPS && !x->closed; i++) {
		bool moved = false;

		if (rnd(3) == 0)
			moved |= send_some(x);
		if (rnd(3) == 0)
			moved |= serve(&x->s);
		if (rnd(x->lag) == 0)
			moved |= receive_some(x);
		pump(x);
		check_window(x);
		if ((x->cut && rnd(300) == 0) || (x->s.gone && x->s.out.len == 0 && !moved))
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

		if (m->again && faults) /* the session ended before that came about */
			continue;
		if (m->done != 1)
			complain(s, "(client) a message is not done once");
		for (size_t j = 0; j < m->envelope.nrcpt; j++) {
			if (m->told[j] != 1)
				complain(s, "(client) a recipient has not one fate");
			if (m->taken[j] > m->delivered[j] && !m->doubted[j])
				complain(s, "(client) sure of what the server has");
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
session(unsigned seed, bool lmtp, bool chunking)
{
	const struct smtp_client_config config = {.hostname = "client.example",
	    .host = "model",
	    .policy = TLS_POLICY_MAY,
	    .chunking = true,
	    .lmtp = lmtp};
	static struct session x;

	x = (struct session){.s = {.in = BUF_INIT(1 << 20), .out = BUF_INIT(65536)}};
	x.cut = seed % 4 == 3;
	x.lag = seed % 16 < 8 ? 3 : 40;
	state = seed;
	make_messages(chunking);
	x.s.chunking = chunking;
	x.s.pipelining = seed % 2;
	x.s.lmtp = lmtp;
	x.s.eager = rnd(2);
	x.s.faults = seed % 8 >= 6 ? 1 + rnd(60) : 0;
	x.s.most = rnd(3) == 0 ? 1 + rnd(9) : 0;
	x.s.rcptmax = rnd(4) == 0 ? 1 + rnd(9) : 0;
	x.c = smtp_client_new(&config);
	buf_adds(&x.s.out, "220 model\r\n");
	run(&x);
	check_books(&x.s, x.cut || x.s.faults > 0, x.begun);
	if (!x.cut && x.s.faults == 0 && x.begun != nmessages)
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
		unsigned bad = 0, bad_lmtp = 0, bad_bdat = 0;

		for (unsigned seed = kind; seed < SESSIONS; seed += 8) {
			bad += !session(seed, false, false);
			bad_lmtp += !session(seed, true, false);
			bad_bdat += !session(seed, false, true);
		}
		is_int(bad, 0, kinds[kind]);
		is_int(bad_lmtp, 0, "… LMTP");
		is_int(bad_bdat, 0, "… CHUNKING");
	}
	is_int((long long)fullest, SMTP_IN_DOUBT - 1, "the window was once full");
	return done();
}
