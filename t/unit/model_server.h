/* SPDX-License-Identifier: ISC */
/*
 * model_server: a server in memory that keeps its own books of the messages it is sent, of which
 * there are some of all kinds. Speaks SMTP or LMTP, with PIPELINING and CHUNKING or without; what
 * a client does wrong is its `complaint`.
 */
#ifndef MODEL_SERVER_H
#define MODEL_SERVER_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mail/buf.h"
#include "mail/smtp_client.h"

#define MESSAGES 12
#define RCPTS 260
#define BODY 80000
#define SESSIONS 800
#define STEPS 2000000

/* A recipient's local-part says what the server thinks of it: o ok, x no, y later. */
struct message {
	struct envelope envelope;
	struct recipient rcpt[RCPTS];
	char address[RCPTS][40], from[40], body[BODY];
	uint32_t index[RCPTS];
	struct smtp_transaction t;
	unsigned told[RCPTS], taken[RCPTS], delivered[RCPTS], failed[RCPTS], doubted[RCPTS], done;
	bool under_way, again; /* again: with those that go later */
	unsigned later;
};

struct server {
	bool pipelining, lmtp, eager; /* eager: 354 even without a valid recipient */
	bool chunking;
	bool open, body, gone;
	bool wrecked;            /* a BDAT was refused: RSET is due */
	size_t chunk;            /* octets of a BDAT still to come */
	unsigned faults;         /* one command in so many is answered 421; 0: none */
	struct message *message; /* under way */
	bool named[RCPTS];
	unsigned order[RCPTS]; /* the good ones as they came */
	unsigned good, asked;
	unsigned most;    /* recipients it takes at once; 0: all */
	unsigned rcptmax; /* … and says so in LIMITS; 0: not */
	struct buf in, out;
	char content[BODY];
	size_t ncontent;
	const char *complaint; /* what the client did wrong */
};

static struct message messages[MESSAGES];
static size_t nmessages; /* that are to be sent */
static uint64_t state;

static unsigned
rnd(unsigned n)
{
	state = state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (unsigned)(state >> 33) % n;
}

/* Of all sizes that matter to the client. */
static void
lengthen(char *body)
{
	static const unsigned sizes[] = {1, 100, 20000, 60000, BODY - 200};
	size_t want = rnd(sizes[rnd(5)]), len = strlen(body);

	while (len < want)
		len += (size_t)sprintf(body + len, "%zu and so on\r\n", len);
}

static void
make_messages(bool chunking)
{
	static const unsigned counts[] = {1, 4, 30, RCPTS};

	nmessages = chunking ? MESSAGES : 3;
	for (size_t i = 0; i < nmessages; i++) {
		struct message *m = &messages[i];
		size_t n = 1 + rnd(counts[rnd(4)]);

		memset(m, 0, sizeof(*m));
		snprintf(m->from, sizeof(m->from), "%s%zu@client.example", rnd(5) ? "a" : "x", i);
		snprintf(
		    m->body, sizeof(m->body), "%s %zu\r\n..dot\r\n", rnd(5) ? "ham" : "spam", i);
		if (chunking)
			lengthen(m->body);
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
	if (s->wrecked)
		complain(s, "MAIL without RSET");
	for (size_t i = 0; i < nmessages; i++)
		if (strlen(messages[i].from) == len &&
		    strncmp(messages[i].from, line + 11, len) == 0)
			s->message = &messages[i];
	s->asked = 0;
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

	if (s->rcptmax > 0 && ++s->asked > s->rcptmax)
		complain(s, "more than RCPTMAX");
	if (!s->open) {
		buf_adds(&s->out, "503 MAIL first\r\n");
	} else if (line[9] != 'o') {
		buf_adds(&s->out, line[9] == 'x' ? "550-no\r\n550 such\r\n" : "450 later\r\n");
	} else if (s->most > 0 && s->good >= s->most) {
		buf_adds(&s->out, "452 enough\r\n");
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
add_content(struct server *s, const char *data, size_t len)
{
	if (s->ncontent + len < sizeof(s->content))
		memcpy(s->content + s->ncontent, data, len);
	s->ncontent += len;
}

static void
on_bdat(struct server *s, const char *line)
{
	char *end;

	s->chunk = strtoul(line + 5, &end, 10);
	s->ncontent = 0;
	if (!s->chunking || strcmp(end, " LAST\r\n") != 0)
		complain(s, "a wrong BDAT");
	else if (s->open && s->good > 0 && s->chunk != strlen(s->message->body))
		complain(s, "BDAT with another size");
}

/* All octets of a BDAT are there. */
static void
on_chunk(struct server *s)
{
	bool take = s->open && s->good > 0;

	s->open = false;
	s->content[s->ncontent] = '\0';
	s->wrecked = !take || s->content[0] == 's';
	if (!take) {
		buf_adds(&s->out, "503 nobody\r\n");
	} else if (s->wrecked) {
		buf_adds(&s->out, "554 no\r\n");
	} else {
		if (strcmp(s->content, s->message->body) != 0)
			complain(s, "another content");
		for (size_t i = 0; i < RCPTS; i++)
			s->message->taken[i] += s->named[i];
		buf_adds(&s->out, "250 queued\r\n");
	}
}

static void
on_line(struct server *s, const char *line, size_t len)
{
	if (s->body && strcmp(line, ".\r\n") != 0) {
		add_content(s, line, len);
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
	} else if (strncmp(line, "BDAT ", 5) == 0) {
		on_bdat(s, line);
	} else if (strcmp(line, "RSET\r\n") == 0) {
		s->open = s->wrecked = false;
		buf_adds(&s->out, "250 ok\r\n");
	} else if (strcmp(line, s->lmtp ? "LHLO client.example\r\n" : "EHLO client.example\r\n") ==
		   0) {
		buf_adds(&s->out, s->pipelining ? "250-hi\r\n250-PIPELINING\r\n" : "250-hi\r\n");
		if (s->rcptmax > 0)
			buf_addf(&s->out, "250-LIMITS RCPTMAX=%u\r\n", s->rcptmax);
		buf_adds(&s->out, s->chunking ? "250 CHUNKING\r\n" : "250 NOTHING\r\n");
	} else if (strcmp(line, "QUIT\r\n") == 0) {
		buf_adds(&s->out, "221 bye\r\n");
		s->gone = true;
	} else {
		complain(s, "unknown command");
	}
}

static bool
serve_chunk(struct server *s)
{
	size_t n = s->in.len < s->chunk ? s->in.len : s->chunk;

	add_content(s, s->in.data, n);
	buf_drop(&s->in, n);
	s->chunk -= n;
	if (s->chunk == 0)
		on_chunk(s);
	return n > 0;
}

static bool
serve(struct server *s)
{
	const char *lf = s->in.len > 0 ? memchr(s->in.data, '\n', s->in.len) : NULL;
	char line[1024] = "";
	size_t len;

	if (s->chunk > 0 && !s->gone && s->in.len > 0)
		return serve_chunk(s);
	if (lf == NULL || s->gone)
		return false;
	len = (size_t)(lf - s->in.data) + 1;
	if (len >= sizeof(line)) {
		complain(s, "a long line");
		return false;
	}
	memcpy(line, s->in.data, len);
	if (!s->pipelining && !s->body && len < s->in.len && strncmp(line, "BDAT ", 5) != 0)
		complain(s, "commands without waiting");
	buf_drop(&s->in, len);
	on_line(s, line, len);
	return true;
}

#endif
