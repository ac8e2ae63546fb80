/* SPDX-License-Identifier: ISC */
/*
 * server_play: a session with the server dialogue and a caller who does as smtp_server.h says. The
 * replies, and the events as lines of text, are collected.
 */
#ifndef SERVER_PLAY_H
#define SERVER_PLAY_H

#include <stdlib.h>
#include <string.h>

#include "mail/address.h"
#include "mail/smtp_server.h"
#include "tap.h"

#define ANSWERS 8
#define BIG (8U * 1024 * 1024)

struct script {
	char *text;
	uint64_t size;
	const char *local, *begin;
	const char *answer[ANSWERS];
	unsigned answers;
};

/* A session, its caller, and what came of it. */
struct play {
	const struct script *script;
	struct smtp_server *server;
	struct buf replies, events, content;
	bool in_message, over;
	unsigned ended;
	const char *wrong;
};

static const struct script plain = {.size = 1000000};

static void
wrong(struct play *p, const char *what)
{
	if (p->wrong == NULL)
		p->wrong = what;
}

static void
escape(struct buf *out, const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];
		if (c == '\r' || c == '\n' || c == '\\')
			buf_addf(out, "\\%c", c == '\r' ? 'r' : c == '\n' ? 'n' : '\\');
		else if (c < 0x20 || c >= 0x7f)
			buf_addf(out, "\\x%02x", c);
		else
			buf_addc(out, (char)c);
	}
}

static void
start(struct play *p, const struct script *script)
{
	struct smtp_server_config config = {.hostname = "box.example",
	    .domain = "example.org",
	    .size = script->size,
	    .local = script->local};

	*p = (struct play){.script = script, .server = smtp_server_new(&config)};
	p->replies = p->events = p->content = (struct buf)BUF_INIT(64 * BIG);
}

static void
finish(struct play *p)
{
	smtp_server_free(p->server);
	buf_free(&p->replies);
	buf_free(&p->events);
	buf_free(&p->content);
}

static void
collect(struct play *p)
{
	struct buf *r = smtp_server_replies(p->server);

	if (r->error != 0)
		wrong(p, "replies overflow");
	buf_add(&p->replies, r->data, r->len);
	buf_clear(r);
}

static void
say_answer(struct play *p, const char *answer)
{
	smtp_server_answer(p->server, (unsigned)atoi(answer), answer + 4);
	p->in_message = false;
}

static void
show_envelope(struct play *p)
{
	const struct envelope *e = smtp_server_envelope(p->server);

	buf_addf(&p->events, "begin %s <%s>", smtp_server_protocol(p->server), e->from);
	if (e->body != BODY_7BIT)
		buf_addf(&p->events, " body=%s", body_name(e->body));
	if (e->ret != RET_NONE)
		buf_addf(&p->events, " ret=%s", e->ret == RET_FULL ? "FULL" : "HDRS");
	if (e->envid != NULL)
		buf_addf(&p->events, " envid=%s", e->envid);
	buf_addc(&p->events, '\n');
	for (size_t i = 0; i < e->nrcpt; i++) {
		if (!address_valid(e->rcpt[i].address))
			wrong(p, "recipient");
		buf_addf(&p->events, "rcpt <%s>", e->rcpt[i].address);
		if (e->rcpt[i].notify != 0)
			buf_addf(&p->events, " notify=%u", e->rcpt[i].notify);
		if (e->rcpt[i].orcpt != NULL)
			buf_addf(&p->events, " orcpt=%s", e->rcpt[i].orcpt);
		buf_addc(&p->events, '\n');
	}
}

static void
show_content(struct play *p)
{
	if (p->content.len == 0)
		return;
	buf_adds(&p->events, "data ");
	escape(&p->events, p->content.data, p->content.len);
	buf_addc(&p->events, '\n');
	buf_clear(&p->content);
}

/* The caller. */
static void
act(struct play *p, const struct smtp_server_event *ev)
{
	const char *answer;

	if (p->over && ev->type != SERVER_QUIT)
		wrong(p, "event after the end");
	if (ev->type == SERVER_BEGIN && p->in_message)
		wrong(p, "a message in a message");
	if ((ev->type == SERVER_DATA || ev->type == SERVER_END || ev->type == SERVER_RESET) &&
	    !p->in_message)
		wrong(p, "content outside a message");
	switch (ev->type) {
	case SERVER_MORE:
		return;
	case SERVER_REFUSED:
		buf_adds(&p->events, "refused ");
		escape(&p->events, ev->data, ev->len);
		buf_addc(&p->events, '\n');
		if (ev->reply[0] != '4' && ev->reply[0] != '5')
			wrong(p, "refused, but not so");
		return;
	case SERVER_BEGIN:
		p->in_message = true;
		show_envelope(p);
		if (p->script->begin != NULL)
			say_answer(p, p->script->begin);
		return;
	case SERVER_DATA:
		buf_add(&p->content, ev->data, ev->len);
		return;
	case SERVER_END:
		show_content(p);
		buf_adds(&p->events, "end\n");
		answer =
		    p->ended < p->script->answers ? p->script->answer[p->ended] : "250 2.0.0 Ok";
		p->ended++;
		say_answer(p, answer);
		return;
	case SERVER_RESET:
		buf_clear(&p->content); /* how much of it was seen depends on the cuts */
		buf_adds(&p->events, "reset\n");
		p->in_message = false;
		return;
	case SERVER_QUIT:
		if (!p->over)
			buf_adds(&p->events, "quit\n");
		p->over = true;
		return;
	}
}

/* An allocation of its own, so that ASan sees what is read behind it. */
static void
push(struct play *p, const char *data, size_t len)
{
	char *copy = malloc(len > 0 ? len : 1);
	struct smtp_server_event ev;
	size_t at = 0;

	if (copy == NULL) {
		wrong(p, "out of memory");
		return;
	}
	memcpy(copy, data, len);
	do {
		size_t used = smtp_server_push(p->server, copy + at, len - at, &ev);
		if (used > len - at) {
			wrong(p, "used more than there is");
			break;
		}
		at += used;
		act(p, &ev);
	} while (!p->over && (ev.type != SERVER_MORE || at < len));
	free(copy);
	collect(p);
}

/* The beginnings of sessions. */
#define HELLO "EHLO c\r\n"
#define MAIL HELLO "MAIL FROM:<a@x>\r\n"
#define RCPT MAIL "RCPT TO:<b@x>\r\n"

__attribute__((unused)) static bool
replies_are_smtp(const struct buf *b)
{
	for (size_t at = 0; at < b->len;) {
		const char *line = b->data + at, *end = memmem(line, b->len - at, "\r\n", 2);
		size_t n = end != NULL ? (size_t)(end - line) : 0;
		if (end == NULL || n + 2 > SMTP_SERVER_REPLY || n < 4 || line[0] < '2' ||
		    line[0] > '5' || (line[3] != ' ' && line[3] != '-'))
			return false;
		for (size_t i = 0; i < n; i++)
			if (line[i] < 0x20 || line[i] == 0x7f)
				return false;
		at += n + 2;
	}
	return true;
}

#endif
