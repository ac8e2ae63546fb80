/* SPDX-License-Identifier: ISC */
/*
 * Plays t/transcripts/NAME.txt (see transcript.h) against the client: a line at a time, in blocks
 * and in octets, and then cut off behind each of the server's lines.
 */
#include "mail/smtp_client.h"

#include <glob.h>

#include "tap.h"
#include "transcript.h"

enum mode { BY_LINE, BY_BLOCK, BY_OCTET, CUT };

struct play {
	struct script *script;
	struct smtp_client *c;
	size_t begun, done, served;
	bool starttls, sending;
	unsigned closed;
	char pending[8192]; /* BY_BLOCK: server lines held back */
	size_t npending;
	char why[2048]; /* what went wrong; "" */
};

static void
wrong(struct play *p, const char *what, const char *more)
{
	if (p->why[0] == '\0')
		snprintf(p->why, sizeof(p->why), "%s: %s", what, more);
}

/* What the client says, and what becomes of it. */

static const char *
scope_name(enum scope scope)
{
	static const char *names[] = {
	    [SCOPE_RECIPIENT] = "recipient",
	    [SCOPE_MESSAGE] = "message",
	    [SCOPE_DESTINATION] = "destination",
	};
	return names[scope];
}

static void
check_fate(struct play *p, const struct fate *want, const struct outcome *o, const char *whose)
{
	char status[STATUS_LEN], got[2 * OUTCOME_TEXT];

	snprintf(got, sizeof(got), "%s: %s %s %s", whose, status_print(status, o->status),
	    scope_name(o->scope), o->text);
	if (want->status == NULL || strcmp(status, want->status) != 0 ||
	    (o->status.class != 2 && strcmp(scope_name(o->scope), want->scope) != 0) ||
	    strstr(o->text, want->text) == NULL)
		wrong(p, "another fate", got);
}

/* No text may have the password in it, in no form. */
static void
check_secret(struct play *p, const struct outcome *o)
{
	const struct sasl_account *a = p->script->config.account;
	struct buf raw = BUF_INIT(1024), text = BUF_INIT(2048);

	if (a == NULL)
		return;
	crypto_sasl.encode(&text, a->password, strlen(a->password));
	if (strstr(o->text, a->password) != NULL || strstr(o->text, buf_str(&text)) != NULL)
		wrong(p, "password in", o->text);
	buf_clear(&text);
	buf_addc(&raw, '\0');
	buf_adds(&raw, a->user);
	buf_addc(&raw, '\0');
	buf_adds(&raw, a->password);
	crypto_sasl.encode(&text, raw.data, raw.len);
	if (strstr(o->text, buf_str(&text)) != NULL)
		wrong(p, "credentials in", o->text);
	buf_free(&raw);
	buf_free(&text);
}

static void
on_event(struct play *p, const struct smtp_event *ev, bool cut)
{
	struct message *m = ev->transaction != NULL ? ev->transaction->owner : NULL;
	struct smtp_output w;
	bool later;

	if (p->closed > 0)
		wrong(p, "event", "after the end");
	check_secret(p, &ev->outcome);
	switch (ev->type) {
	case SMTP_EVENT_STARTTLS:
		p->starttls = true;
		break;
	case SMTP_EVENT_READY:
		break;
	case SMTP_EVENT_RCPT:
		if (m->done > 0)
			wrong(p, "recipient", "after its message");
		m->told[ev->rcpt]++;
		later = strcmp(m->fate[ev->rcpt].status, "later") == 0;
		if (!cut && ev->later != later)
			wrong(p, later ? "not later" : "later", m->rcpt[ev->rcpt].address);
		if (!cut && !later)
			check_fate(p, &m->fate[ev->rcpt], &ev->outcome, m->rcpt[ev->rcpt].address);
		else if (ev->outcome.status.class == 2 && m->fate[ev->rcpt].status[0] != '2')
			wrong(p, "delivered", m->rcpt[ev->rcpt].address);
		break;
	case SMTP_EVENT_DONE:
		m->done++;
		p->done++;
		smtp_client_output(p->c, &w);
		if (w.body == ev->transaction)
			wrong(p, "done", "although its content is wanted");
		break;
	case SMTP_EVENT_CLOSED:
		p->closed++;
		if (!cut)
			check_fate(p, &p->script->closed, &ev->outcome, "closed");
		break;
	}
}

static void
release(struct play *p, struct message *m)
{
	struct outcome o =
	    status_trouble(STAGE_BODY, SCOPE_MESSAGE, STATUS(4, 3, 0), "cannot be read");
	bool trouble = strcmp(m->held, "trouble") == 0;

	if (strcmp(m->held, "unknown") != 0)
		smtp_client_release(
		    p->c, &m->t, strcmp(m->held, "encode") == 0, trouble ? &o : NULL);
}

static void
begin(struct play *p)
{
	static const uint32_t all[RCPTS] = {0, 1, 2, 3, 4, 5, 6, 7};
	struct message *m = &p->script->message[p->begun++];

	memset(m->told, 0, sizeof(m->told));
	m->done = 0;
	memset(&m->t, 0x55, sizeof(m->t)); /* private fields need no initialisation */
	m->t.envelope = &m->envelope;
	m->t.rcpt = all;
	m->t.nrcpt = m->envelope.nrcpt;
	m->t.owner = m;
	m->t.probe = false;
	smtp_client_begin(p->c, &m->t);
	if (m->t.held)
		release(p, m);
	if (p->begun == p->script->nmessages && p->script->quits)
		smtp_client_quit(p->c);
}

static void
pump(struct play *p, bool cut)
{
	struct smtp_event ev;
	bool more;

	do {
		more = false;
		while (smtp_client_event(p->c, &ev))
			on_event(p, &ev, cut);
		if (p->begun < p->script->nmessages && smtp_client_room(p->c) &&
		    (!p->script->serial || p->begun == p->done)) {
			begin(p);
			more = true;
		}
	} while (more);
}

/* Steps of the dialogue. */

static void
feed(struct play *p, const char *data, size_t len, enum mode mode)
{
	if (mode != BY_OCTET) {
		smtp_client_input(p->c, data, len);
	} else {
		for (size_t i = 0; i < len; i++) {
			smtp_client_input(p->c, data + i, 1);
			pump(p, false);
		}
	}
	pump(p, mode == CUT);
}

static void
server(struct play *p, const char *line, bool strict, enum mode mode)
{
	struct smtp_output w;

	smtp_client_output(p->c, &w);
	if (strict && w.len > 0)
		wrong(p, "unasked", w.data);
	p->served++;
	p->npending += (size_t)snprintf(
	    p->pending + p->npending, sizeof(p->pending) - p->npending, "%s\r\n", line);
	if (mode == BY_BLOCK)
		return;
	feed(p, p->pending, p->npending, mode);
	p->npending = 0;
}

static void
client(struct play *p, const char *line)
{
	struct smtp_output w;
	const char *end;

	smtp_client_output(p->c, &w);
	if (strcmp(line, "[message]") == 0 || strcmp(line, "[bare]") == 0) {
		p->sending = true;
		if (w.len > 0 || w.body == NULL || w.bare != (line[1] == 'b'))
			wrong(p, "no message", w.data);
		return;
	}
	if (strcmp(line, "[end]") == 0) {
		if (p->sending)
			smtp_client_body_done(p->c);
		p->sending = false;
		smtp_client_body_written(p->c);
		pump(p, false);
		return;
	}
	if (p->sending) {
		p->sending = false;
		smtp_client_body_done(p->c);
		pump(p, false);
		smtp_client_output(p->c, &w);
	}
	end = w.len > 0 ? memmem(w.data, w.len, "\r\n", 2) : NULL;
	if (end == NULL || strlen(line) != (size_t)(end - w.data) ||
	    strncmp(w.data, line, strlen(line)) != 0) {
		wrong(p, line, w.data);
		return;
	}
	smtp_client_wrote(p->c, strlen(line) + 2);
}

static void
lost(struct play *p, const char *reason, bool cut)
{
	struct outcome o =
	    status_trouble(STAGE_CONNECT, SCOPE_DESTINATION, STATUS(4, 4, 2), "%s", reason);

	smtp_client_lost(p->c, &o);
	pump(p, cut);
}

static void
step(struct play *p, const char *line, enum mode mode)
{
	const char *text = line[2] == ' ' ? line + 3 : line + 2;
	struct outcome o;

	if (p->npending > 0 && line[0] != 'S' && line[0] != 's') {
		feed(p, p->pending, p->npending, mode);
		p->npending = 0;
	}
	switch (line[0]) {
	case 'S':
	case 's':
		server(p, text, line[0] == 'S', mode);
		break;
	case 'C':
		client(p, text);
		break;
	case 'T':
		if (!p->starttls)
			wrong(p, "no STARTTLS", "event");
		else
			smtp_client_secured(p->c, strcmp(text, "verified") == 0);
		break;
	case 'D':
		p->sending = false;
		smtp_client_body_done(p->c);
		break;
	case 'X':
		lost(p, text, mode == CUT);
		break;
	case 'B':
		o = status_trouble(STAGE_BODY, SCOPE_MESSAGE, STATUS(4, 3, 0), "%s", text);
		smtp_client_body_failed(p->c, &o);
		pump(p, mode == CUT);
		break;
	default:
		wrong(p, "transcript", line);
	}
}

static void
check_end(struct play *p, bool cut)
{
	const struct script *s = p->script;
	struct smtp_output w;

	smtp_client_output(p->c, &w);
	if (w.len > 0 || w.body != NULL)
		wrong(p, "left over", w.data);
	if (p->closed != (cut || s->closed.status != NULL))
		wrong(p, "end", p->closed > 0 ? "closed" : "open");
	for (size_t i = 0; i < s->nmessages; i++) {
		if (i >= p->begun && !cut && s->closed.status == NULL)
			wrong(p, "never begun", s->message[i].envelope.from);
		if (i >= p->begun)
			continue;
		if (s->message[i].done != 1)
			wrong(p, "not done", s->message[i].envelope.from);
		for (size_t j = 0; j < s->message[i].envelope.nrcpt; j++)
			if (s->message[i].told[j] != 1)
				wrong(p, "not told once", s->message[i].rcpt[j].address);
	}
}

/* Play it; CUT: the connection is lost behind the server's line number `cut`. */
static size_t
play(struct script *s, const char *name, enum mode mode, size_t cut)
{
	static const char *modes[] = {"by line", "by block", "by octet", "cut behind line"};
	struct play p = {.script = s, .c = smtp_client_new(&s->config)};

	if (s->nmessages == 0 && s->quits)
		smtp_client_quit(p.c);
	for (size_t i = 0; i < s->nlines && p.why[0] == '\0'; i++) {
		step(&p, s->line[i], mode);
		if (mode == CUT && p.served == cut) {
			lost(&p, "", true);
			break;
		}
	}
	if (p.npending > 0)
		feed(&p, p.pending, p.npending, mode);
	check_end(&p, mode == CUT);
	smtp_client_free(p.c);
	if (!ok(p.why[0] == '\0', "%s, %s %zu", name, modes[mode], cut))
		printf("# %s\n", p.why);
	return p.served;
}

int
main(void)
{
	static struct script s;
	glob_t files;

	if (glob("t/transcripts/*.txt", 0, NULL, &files) != 0)
		return !ok(false, "transcripts");
	for (size_t i = 0; i < files.gl_pathc; i++) {
		const char *name = strrchr(files.gl_pathv[i], '/') + 1;
		size_t served;

		load(&s, files.gl_pathv[i]);
		served = play(&s, name, BY_LINE, 0);
		play(&s, name, BY_BLOCK, 0);
		play(&s, name, BY_OCTET, 0);
		for (size_t cut = 1; cut <= served; cut++)
			play(&s, name, CUT, cut);
		free(s.text);
	}
	globfree(&files);
	return done();
}
