/* SPDX-License-Identifier: ISC */
/*
 * The message: octet by octet, since what is to be found is what a reader of lines would not see.
 */
#include <stdlib.h>
#include <strings.h>

#include "sink.h"

enum { LINE_MAX_OCTETS = 1000 }; /* RFC 5321 4.5.3.1.6, its CRLF included */

enum place {
	LINE_START,
	DOT,    /* the first of a line */
	DOT_CR, /* and a CR */
	IN_LINE,
	AFTER_CR,
	THE_END,
};

struct data {
	struct session *s;
	FILE *f;      /* NULL: thrown away */
	bool counted; /* by BDAT */
	uint64_t octets;
	unsigned line;
	unsigned told; /* violations that were recorded, so that each comes once a message */
};

enum {
	TOLD_LF = 1,
	TOLD_CR = 2,
	TOLD_NUL = 4,
	TOLD_LONG = 8,
	TOLD_8BIT = 16,
	TOLD_DOT = 32,
};

static void
tell(struct data *d, unsigned which, const char *what)
{
	if (d->told & which)
		return;
	d->told |= which;
	session_violation(
	    d->s, "%s in the message, at octet %llu", what, (unsigned long long)d->octets);
}

static void
keep(struct data *d, int c)
{
	if (d->f)
		putc_unlocked(c, d->f);
	d->octets++;
	if (++d->line > LINE_MAX_OCTETS)
		tell(d, TOLD_LONG, "a line over 1000 octets");
}

/* An octet that stands in a line. */
static enum place
in_line(struct data *d, int c)
{
	if (c == '\n')
		tell(d, TOLD_LF, "a bare LF");
	if (c == '\0')
		tell(d, TOLD_NUL, "a NUL");
	if (c > 0x7f && !d->s->eightbit && !d->s->utf8)
		tell(d, TOLD_8BIT, "an 8-bit octet without BODY=8BITMIME");
	keep(d, c);
	return c == '\r' ? AFTER_CR : IN_LINE;
}

static enum place
step(struct data *d, enum place place, int c)
{
	switch (place) {
	case LINE_START:
		return c == '.' ? DOT : in_line(d, c);
	case DOT:
		if (c == '\r')
			return DOT_CR;
		if (c != '.')
			tell(d, TOLD_DOT, "a line that begins with a dot not doubled");
		return in_line(d, c);
	case DOT_CR:
		if (c == '\n')
			return THE_END;
		tell(d, TOLD_CR, "a bare CR");
		keep(d, '\r');
		return in_line(d, c);
	case AFTER_CR:
		if (c == '\n') {
			keep(d, c);
			d->line = 0;
			return LINE_START;
		}
		tell(d, TOLD_CR, "a bare CR");
		return in_line(d, c);
	default:
		return in_line(d, c);
	}
}

/* All of it. false: the connection ended before the dot, or before `size` octets of a BDAT. */
static bool
receive(struct data *d, uint64_t size)
{
	struct session *s = d->s;
	const struct rule *early = script_match(s->sink->script, s->each, STAGE_BODY, "", s->conn);
	uint64_t due = early ? script_after(early) : UINT64_MAX;
	enum place place = d->counted ? IN_LINE : LINE_START;
	while (place != THE_END && d->octets < size) {
		if (d->octets >= due) {
			script_play(early, NULL, &s->wire);
			due = UINT64_MAX;
			if (s->wire.dead)
				return false;
		}
		int c = wire_get(&s->wire);
		if (c < 0)
			return false;
		place = step(d, place, c);
		if (d->counted && place == LINE_START)
			place = IN_LINE; /* a dot is a dot */
	}
	return true;
}

static bool
accepted(struct session *s, const struct data *d)
{
	char reply[64];
	const char *ordinary = reply;
	uint64_t limit = s->sink->size_limit;
	snprintf(reply, sizeof reply, "250 2.0.0 Ok: queued as %u.%u", s->conn, s->messages + 1);
	if (s->env.recipients == 0)
		ordinary = "554 5.5.1 no valid recipients";
	else if (limit > 0 && d->octets > limit)
		ordinary = "552 5.3.4 message too big";
	return session_decide(s, STAGE_DOT, "", ordinary) / 100 == 2;
}

/* LMTP: a reply for each recipient, and the message is kept when one of them got it. */
static bool
accepted_by_each(struct session *s)
{
	char reply[64];
	bool kept = false;
	snprintf(reply, sizeof reply, "250 2.0.0 Ok: queued as %u.%u", s->conn, s->messages + 1);
	for (unsigned i = 0; i < s->env.recipients && !s->wire.dead; i++) {
		const char *path = s->env.recipient[i];
		if (session_decide(s, STAGE_DOT, path, reply) / 100 == 2) {
			envelope_add(&s->env, "kept <%s>", path);
			kept = true;
		}
		session_say(s);
	}
	return kept;
}

/* Keep it and say so, or not. */
static void
finish(struct data *d, bool whole)
{
	char event[96];
	struct session *s = d->s;
	snprintf(event, sizeof event, "%s after %llu octets", whole ? "dot" : "the end",
	    (unsigned long long)d->octets);
	store_command(s->sink->store, s->conn, '=', event);
	if (whole && (s->sink->lmtp ? accepted_by_each(s) : accepted(s, d))) {
		envelope_add(&s->env, "size %llu", (unsigned long long)d->octets);
		store_commit(s->sink->store, s->conn, d->f, &s->env);
		s->messages++;
	} else {
		store_abandon(s->sink->store, s->conn, d->f);
		s->wrecked = d->counted;
	}
	if (whole && !s->sink->lmtp)
		session_say(s);
}

void
data_run(struct session *s)
{
	struct data d = {.s = s, .f = store_begin(s->sink->store, s->conn)};
	finish(&d, receive(&d, UINT64_MAX));
}

void
data_bdat(struct session *s, char *arg)
{
	struct data d = {.s = s, .counted = true};
	char *end = arg;
	uint64_t size = strtoull(arg, &end, 10);
	if (!(s->offered & EXT_CHUNKING))
		session_violation(s, "BDAT was not offered");
	if (end == arg || strcasecmp(end, " LAST") != 0)
		session_violation(s, "wrong syntax, or in pieces: BDAT %s", arg);
	if (s->env.recipients == 0 && !(s->refused && (s->offered & EXT_PIPELINING)))
		session_violation(s, "BDAT out of its place");
	d.f = store_begin(s->sink->store, s->conn);
	finish(&d, receive(&d, size));
}
