/* SPDX-License-Identifier: ISC */
/*
 * The client's dialogue against the server's, in memory, with one fault in each session: at each octet
 * of either direction in turn the connection is lost, or an octet of the replies is changed, dropped,
 * doubled, or a reply that nobody asked for stands there; and the server shuts down at each of its
 * steps. After a loss or a shutdown what the client calls delivered is what the server took, a second
 * copy is announced, and another session brings the rest. Whatever happens, each recipient has one fate.
 */
#include "mail/smtp_client.h"
#include "mail/smtp_server.h"

#include <stdlib.h>

#include "pair_mails.h"
#include "tap.h"

enum kind { NONE, LOST, CHANGED, DROPPED, DOUBLED, MORE, SHUT };
enum direction { TO_SERVER, TO_CLIENT };

struct fault {
	enum kind kind;
	enum direction direction; /* SHUT: at a step of the server's instead */
	size_t at;
};

struct mode {
	const char *name;
	bool chunking, pipelining;
	size_t piece; /* octets that move at once */
};

struct pair {
	const struct mode *mode;
	struct fault fault;
	struct smtp_client *c;
	struct smtp_server *s;
	size_t moved[2], steps; /* octets, a direction; what the server was asked to do */
	size_t begun, at;       /* mails; octets of the content under way */
	bool lost, over, closed;
	struct mail *taken;
	struct buf content;
};

/* The server. */

static void
begin_message(struct pair *x)
{
	const struct envelope *e = smtp_server_envelope(x->s);

	x->taken = NULL;
	buf_clear(&x->content);
	for (size_t i = 0; i < MAILS; i++)
		if (strcmp(e->from, mails[i].from) == 0)
			x->taken = &mails[i];
}

static void
take(struct pair *x)
{
	const struct envelope *e = smtp_server_envelope(x->s);
	struct mail *m = x->taken;
	const char *answer = m == NULL ? "554 5.1.0 who?" : texts[m->number].answer[m->asked++ > 0];

	if (x->fault.direction == TO_CLIENT || x->fault.kind <= LOST) {
		if (m == NULL || strcmp(buf_str(&x->content), texts[m->number].bare) != 0)
			complain("(server) another content");
	}
	for (size_t i = 0; *answer == '2' && i < e->nrcpt; i++)
		for (size_t j = 0; j < texts[m->number].rcpts; j++)
			m->copies[j] += strcmp(e->rcpt[i].address, m->address[j]) == 0;
	smtp_server_answer(x->s, (unsigned)atoi(answer), answer + 4);
}

/* One thing that the server does; false: it has to wait. */
static bool
step(struct pair *x, const char *data, size_t len, size_t *used)
{
	struct smtp_server_event ev;

	if (x->fault.kind == SHUT && x->steps == x->fault.at)
		smtp_server_close(x->s, "4.3.2 shutting down");
	x->steps++;
	*used += smtp_server_push(x->s, data + *used, len - *used, &ev);
	switch (ev.type) {
	case SERVER_BEGIN:
		begin_message(x);
		break;
	case SERVER_DATA:
		buf_add(&x->content, ev.data, ev.len);
		break;
	case SERVER_END:
		take(x);
		break;
	case SERVER_QUIT:
		x->over = true;
		return false;
	case SERVER_RESET:
	case SERVER_REFUSED:
		break;
	case SERVER_MORE:
		return *used < len;
	}
	return true;
}

static void
serve(struct pair *x, const char *data, size_t len)
{
	size_t used = 0;

	while (!x->over && step(x, data, len, &used))
		;
}

/* The wire. */

/* What becomes of an octet on its way; it and what comes with it are put into `out`. */
static void
spoil(struct pair *x, struct buf *out, char octet)
{
	switch (x->fault.kind) {
	case LOST:
		x->lost = true;
		break;
	case CHANGED:
		buf_addc(out, (char)(octet ^ 1));
		break;
	case DROPPED:
		break;
	case DOUBLED:
		buf_addc(out, octet);
		buf_addc(out, octet);
		break;
	case MORE:
		buf_adds(out, "250 2.0.0 more\r\n");
		buf_addc(out, octet);
		break;
	default:
		buf_addc(out, octet);
	}
}

static void
move(struct pair *x, enum direction direction, const char *data, size_t len)
{
	struct buf out = BUF_INIT(65536);

	for (size_t i = 0; i < len && !x->lost; i++, x->moved[direction]++) {
		if (x->fault.direction == direction && x->moved[direction] == x->fault.at)
			spoil(x, &out, data[i]);
		else
			buf_addc(&out, data[i]);
	}
	if (direction == TO_SERVER)
		serve(x, buf_str(&out), out.len);
	else if (out.len > 0)
		smtp_client_input(x->c, out.data, out.len);
	buf_free(&out);
}

static bool
move_replies(struct pair *x)
{
	struct buf *r = smtp_server_replies(x->s);
	size_t n = r->len < x->mode->piece ? r->len : x->mode->piece;
	char *offer = r->len > 0 ? memmem(r->data, r->len, "PIPELINING", 10) : NULL;

	if (n == 0)
		return false;
	if (offer != NULL && !x->mode->pipelining)
		*offer = 'x';
	move(x, TO_CLIENT, r->data, n);
	buf_drop(r, n);
	return true;
}

/* The client. */

static void
begin(struct pair *x, struct mail *m)
{
	size_t n = 0;

	for (size_t i = 0; i < texts[m->number].rcpts; i++)
		if (!m->sent[i] && !m->bounced[i])
			m->index[n++] = (uint32_t)i;
	memset(m->told, 0, sizeof(m->told));
	m->done = n == 0;
	if (n == 0)
		return;
	m->under_way = true;
	m->t = (struct smtp_transaction){
	    .envelope = &m->envelope, .rcpt = m->index, .nrcpt = n, .owner = m};
	smtp_client_begin(x->c, &m->t);
}

static void
on_recipient(const struct smtp_event *ev)
{
	struct mail *m = ev->transaction->owner;
	size_t i = m->index[ev->rcpt];

	if (!m->under_way)
		complain("a fate outside of its transaction");
	m->told[i]++;
	m->sent[i] = ev->outcome.status.class == 2;
	m->bounced[i] = ev->outcome.status.class == 5;
	m->doubts[i] += strstr(ev->outcome.text, "may arrive twice") != NULL;
}

static void
on_done(const struct smtp_event *ev)
{
	struct mail *m = ev->transaction->owner;

	for (size_t i = 0; i < m->t.nrcpt; i++)
		if (m->told[m->index[i]] != 1)
			complain("not one fate");
	if (!m->under_way)
		complain("done twice");
	m->under_way = false;
	m->done = true;
}

static void
act(struct pair *x)
{
	struct smtp_event ev;

	while (smtp_client_event(x->c, &ev)) {
		if (ev.type == SMTP_EVENT_RCPT)
			on_recipient(&ev);
		else if (ev.type == SMTP_EVENT_DONE)
			on_done(&ev);
		else if (ev.type == SMTP_EVENT_CLOSED)
			x->closed = true;
	}
}

static void
feed(struct pair *x)
{
	act(x);
	while (!x->closed && x->begun < MAILS && smtp_client_room(x->c)) {
		begin(x, &mails[x->begun++]);
		act(x);
	}
	if (!x->closed && x->begun == MAILS && smtp_client_idle(x->c))
		smtp_client_quit(x->c);
}

static bool
move_content(struct pair *x, const struct smtp_output *w)
{
	const struct mail *m = w->body->owner;
	const char *text = w->bare ? texts[m->number].bare : texts[m->number].stuffed;
	size_t left = strlen(text) - x->at, n = left < x->mode->piece ? left : x->mode->piece;

	move(x, TO_SERVER, text + x->at, n);
	x->at += n;
	if (n < left)
		return true;
	x->at = 0;
	smtp_client_body_done(x->c);
	smtp_client_body_written(x->c);
	return true;
}

static bool
move_commands(struct pair *x)
{
	struct smtp_output w;
	size_t n;

	smtp_client_output(x->c, &w);
	if (w.len == 0)
		return w.body != NULL && move_content(x, &w);
	n = w.len < x->mode->piece ? w.len : x->mode->piece;
	move(x, TO_SERVER, w.data, n);
	smtp_client_wrote(x->c, n);
	return true;
}

static void
lose(struct pair *x)
{
	struct outcome o = {.scope = SCOPE_DESTINATION};

	smtp_client_lost(x->c, &o);
	act(x);
	if (!x->closed)
		complain("not closed when lost");
}

/* Until the client is through; when nothing moves, it has waited long enough. */
static void
talk(struct pair *x)
{
	for (bool moved = true; !x->closed; moved = false) {
		moved |= move_replies(x);
		feed(x);
		if (x->closed)
			return;
		if (!x->over && !x->lost)
			moved |= move_commands(x);
		feed(x);
		if (!x->closed && (x->lost || (!moved && smtp_server_replies(x->s)->len == 0)))
			lose(x);
	}
}

static void
session(struct pair *x, const struct mode *mode, struct fault fault)
{
	const struct smtp_client_config config = {.hostname = "client.example",
	    .host = "server",
	    .policy = TLS_POLICY_MAY,
	    .chunking = mode->chunking};
	const struct smtp_server_config at_server = {
	    .hostname = "server.example", .domain = "example.org", .size = 1000};

	*x = (struct pair){.mode = mode, .fault = fault, .content = BUF_INIT(65536)};
	x->c = smtp_client_new(&config);
	x->s = smtp_server_new(&at_server);
	talk(x);
	smtp_client_free(x->c);
	smtp_server_free(x->s);
	buf_free(&x->content);
	for (size_t i = 0; i < x->begun; i++)
		if (!mails[i].done)
			complain("not done");
}

/* The sessions. */

static unsigned sessions, twice;

/* A session with this fault and, when what it does is no lie, others until all is delivered. */
static bool
survives(const struct mode *mode, struct fault fault)
{
	bool honest = fault.kind == LOST || fault.kind == SHUT;
	struct pair x;

	fresh();
	session(&x, mode, fault);
	sessions++;
	if (honest) {
		check_copies(false);
		for (int i = 0; i < 2; i++)
			session(&x, mode, (struct fault){0});
		check_copies(true);
		for (size_t i = 0; i < MAILS; i++)
			for (size_t j = 0; j < RCPTS; j++)
				twice += mails[i].copies[j] > 1;
	}
	if (complaint != NULL)
		printf("# %s, fault %d in direction %d at %zu: %s\n", mode->name, (int)fault.kind,
		    (int)fault.direction, fault.at, complaint);
	return complaint == NULL;
}

static void
sweep(const struct mode *mode, enum kind kind, enum direction direction, size_t points,
    const char *what)
{
	unsigned bad = 0;

	for (size_t at = 0; at < points; at++)
		bad += !survives(mode, (struct fault){kind, direction, at});
	ok(bad == 0 && points > 0, "%s: %s, %zu points", mode->name, what, points);
}

static void
check_mode(const struct mode *mode)
{
	struct pair x;

	fresh();
	session(&x, mode, (struct fault){0});
	check_copies(false);
	ok(complaint == NULL, "%s: without a fault", mode->name);
	is_int((long long)x.begun, MAILS, "… all are tried");
	is_int(mails[0].copies[2] + mails[2].copies[0] + mails[4].copies[1], 3, "… and arrive");
	sweep(mode, LOST, TO_SERVER, x.moved[TO_SERVER], "lost on the way to the server");
	sweep(mode, LOST, TO_CLIENT, x.moved[TO_CLIENT], "lost on the way to the client");
	sweep(mode, SHUT, TO_CLIENT, x.steps, "shut down");
	sweep(mode, CHANGED, TO_CLIENT, x.moved[TO_CLIENT], "a reply changed");
	sweep(mode, DROPPED, TO_CLIENT, x.moved[TO_CLIENT], "a reply shortened");
	sweep(mode, DOUBLED, TO_CLIENT, x.moved[TO_CLIENT], "a reply lengthened");
	sweep(mode, MORE, TO_CLIENT, x.moved[TO_CLIENT], "a reply too many");
	sweep(mode, CHANGED, TO_SERVER, x.moved[TO_SERVER], "a command changed");
	sweep(mode, DROPPED, TO_SERVER, x.moved[TO_SERVER], "a command shortened");
}

int
main(void)
{
	static const struct mode modes[] = {
	    {"DATA", false, false, 4096},
	    {"DATA, PIPELINING", false, true, 4096},
	    {"DATA, PIPELINING, octets", false, true, 1},
	    {"BDAT", true, true, 4096},
	    {"BDAT, in pieces", true, true, 7},
	};

	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		check_mode(&modes[i]);
	printf(
	    "# %u sessions, %u recipients got a second copy that was announced\n", sessions, twice);
	ok(twice > 0, "some replies to the end of a message were lost");
	return done();
}
