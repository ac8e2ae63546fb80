/* SPDX-License-Identifier: ISC */
#include "mail/qp.h"

#include <string.h>

#define COLUMNS 75                 /* and the "=" of a soft break */
#define SLICE 512                  /* octets encoded between two looks at the room in out */
#define ROOM(len) (6 * (len) + 64) /* "=\r\n=XX" for each octet, and what was held back */

static const char from[] = "From ";

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool
is_literal(char c)
{
	return c > ' ' && c < 0x7f && c != '=';
}

static char *
room(struct qp *q, char *o, unsigned width)
{
	if (q->column + width <= COLUMNS)
		return o;
	q->column = 0;
	q->soft = true;
	memcpy(o, "=\r\n", 3);
	return o + 3;
}

static char *
literal(struct qp *q, char *o, char c)
{
	q->column++;
	*o++ = c;
	return o;
}

static char *
escape(struct qp *q, char *o, char c)
{
	static const char hex[] = "0123456789ABCDEF";

	q->column += 3;
	*o++ = '=';
	*o++ = hex[(unsigned char)c >> 4];
	*o++ = hex[(unsigned char)c & 15];
	return o;
}

/* What is no trouble elsewhere but is at the start of a line. */
static bool
is_risky(const struct qp *q, char c)
{
	return q->column == 0 && (c == '.' || (c == '-' && q->soft));
}

/* What was held back turns out to be ordinary. */
static char *
release(struct qp *q, char *o)
{
	for (unsigned i = 0; i < q->matched; i++)
		o = literal(q, o, from[i]);
	q->matched = 0;
	if (q->blank != '\0')
		o = literal(q, room(q, o, 1), q->blank);
	q->blank = '\0';
	return o;
}

/* The space of "From " may in turn be the last of its line. */
static char *
match(struct qp *q, char *o)
{
	if (++q->matched < sizeof(from) - 1)
		return o;
	o = escape(q, o, 'F');
	for (unsigned i = 1; from[i] != ' '; i++)
		o = literal(q, o, from[i]);
	q->matched = 0;
	q->blank = ' ';
	return o;
}

static char *
put(struct qp *q, char *o, char c)
{
	if (q->matched > 0 && c == from[q->matched])
		return match(q, o);
	o = release(q, o);
	if (is_blank(c)) {
		q->blank = c;
		return o;
	}
	o = room(q, o, is_literal(c) ? 1 : 3);
	if (q->column == 0 && c == from[0]) {
		q->matched = 1;
		return o;
	}
	return is_literal(c) && !is_risky(q, c) ? literal(q, o, c) : escape(q, o, c);
}

/*
 * White space between "=" and the end of a line is padding (RFC 2045 6.7): a soft break may not come
 * into it, or the "=" would be text.
 */
static char *
put_again(struct qp *q, char *o, char c, bool seven)
{
	bool wide = seven && (unsigned char)c > 0x7f;

	if (q->equals && is_blank(c)) {
		if (q->padded < QP_PADDING)
			q->padding[q->padded++] = c;
		return o;
	}
	for (unsigned i = 0; i < q->padded; i++)
		o = literal(q, room(q, o, 1), q->padding[i]);
	q->padded = 0;
	q->equals = c == '=';
	o = room(q, o, wide || c == '=' ? 3 : 1); /* "=XX" stays together */
	return wide || (q->soft && is_risky(q, c)) ? escape(q, o, c) : literal(q, o, c);
}

void
qp_text(struct qp *q, const char *data, size_t len, struct buf *out)
{
	for (size_t at = 0; at < len;) {
		size_t n = len - at < SLICE ? len - at : SLICE;
		char *start = buf_reserve(out, ROOM(n)), *o = start;

		if (start == NULL)
			return;
		for (size_t i = 0; i < n; i++)
			o = put(q, o, data[at + i]);
		out->len += (size_t)(o - start);
		at += n;
	}
}

void
qp_again(struct qp *q, const char *data, size_t len, bool seven, struct buf *out)
{
	for (size_t at = 0; at < len;) {
		size_t n = len - at < SLICE ? len - at : SLICE;
		char *start = buf_reserve(out, ROOM(n)), *o = start;

		if (start == NULL)
			return;
		for (size_t i = 0; i < n; i++)
			o = put_again(q, o, data[at + i], seven);
		out->len += (size_t)(o - start);
		at += n;
	}
}

void
qp_end(struct qp *q, struct buf *out)
{
	char *start = buf_reserve(out, ROOM(0)), *o = start;
	char blank = q->blank;

	if (start != NULL) {
		q->blank = '\0';
		o = release(q, o);
		if (blank != '\0')
			o = escape(q, room(q, o, 3), blank);
		memcpy(o, "\r\n", 2);
		out->len += (size_t)(o + 2 - start);
	}
	*q = (struct qp){0};
}
