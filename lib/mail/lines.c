/* SPDX-License-Identifier: ISC */
#include "mail/lines.h"

#include <string.h>

/*
 * Bodies of megabytes pass here. So a line without surprises is found by memchr() and copied
 * whole; only a line with a NUL, a stray CR or a dot that may end the input, and what is left of
 * one from the push before, goes octet by octet.
 */

/* What may come with a line besides its octets: CRs and a dot held back, and an LF's CR. */
#define HELD (LINES_CRS + 2)

/*
 * Octets made room for at a time, for `left` that are to come: mostly all. Twice as many, which line
 * ends alone would need, would keep what comes behind them from pages that a post has in use. No
 * object is so large that it could wrap.
 */
#define ROOM(left) ((left) + (left) / 16 + HELD)

/* What is known of a push as a whole, so that its lines need not be asked one by one. */
struct traits {
	bool crs, nuls;
};

static bool
has_eightbit(const char *data, size_t len)
{
	uint64_t seen = 0, w[8];
	size_t i = 0;

	for (; i + sizeof(w) <= len; i += sizeof(w)) {
		memcpy(w, data + i, sizeof(w));
		for (size_t k = 0; k < 8; k++)
			seen |= w[k];
	}
	for (; i < len; i++)
		seen |= (unsigned char)data[i];
	return (seen & UINT64_C(0x8080808080808080)) != 0;
}

void
lines_init(struct lines *l, bool dot_ends)
{
	*l = (struct lines){.dot_ends = dot_ends};
}

static char *
end_line(struct lines *l, char *o)
{
	if (l->column > l->facts.longest)
		l->facts.longest = l->column;
	l->column = 0;
	l->crs = 0;
	*o++ = '\r';
	*o++ = '\n';
	return o;
}

static char *
emit(struct lines *l, char *o, char c)
{
	if (c == '.' && l->column == 0)
		l->facts.dots = true;
	l->column++;
	*o++ = c;
	return o;
}

/* What was held back turns out to be content. */
static char *
release(struct lines *l, char *o, unsigned crs)
{
	if (l->lone_dot)
		o = emit(l, o, '.');
	l->lone_dot = false;
	for (; crs > 0; crs--, l->crs--) {
		o = emit(l, o, ' ');
		l->facts.crs = true;
	}
	return o;
}

static char *
put(struct lines *l, char *o, char c)
{
	switch (c) {
	case '\0':
		l->facts.nuls = true;
		return o;
	case '\r':
		if (l->crs == LINES_CRS)
			o = release(l, o, 1);
		l->crs++;
		return o;
	case '\n':
		l->done = l->lone_dot;
		return l->done ? o : end_line(l, o);
	case '.':
		if (l->dot_ends && !l->lone_dot && l->column == 0 && l->crs == 0) {
			l->lone_dot = true;
			return o;
		}
		break;
	}
	return emit(l, release(l, o, l->crs), c);
}

/*
 * The octets of a line that can be copied as they are, or -1 for one that has to go through put().
 * *len: its octets, those of its end included.
 */
static long
plain(const struct lines *l, struct traits t, const char *s, size_t *len)
{
	const char *lf = memchr(s, '\n', *len), *cr;
	size_t n = lf != NULL ? (size_t)(lf - s) : *len;

	*len = lf != NULL ? n + 1 : n;
	if (l->crs != 0 || l->lone_dot)
		return -1;
	if (l->dot_ends && l->column == 0 && s[0] == '.')
		return -1;
	if (t.nuls && memchr(s, '\0', n) != NULL)
		return -1;
	if (t.crs && (cr = memchr(s, '\r', n)) != NULL) {
		if (lf == NULL || cr + 1 != lf)
			return -1;
		n--;
	}
	return (long)n;
}

static char *
copy(struct lines *l, char *o, const char *s, size_t n, bool ends)
{
	if (n > 0 && l->column == 0 && s[0] == '.')
		l->facts.dots = true;
	memcpy(o, s, n);
	l->column += n;
	return ends ? end_line(l, o + n) : o + n;
}

size_t
lines_push(struct lines *l, const char *data, size_t len, struct buf *out)
{
	struct traits t;
	size_t at = 0, room = 0; /* room: octets free from o on */
	char *o = NULL, *start;

	if (l->done || len == 0)
		return 0;
	t.crs = memchr(data, '\r', len) != NULL;
	t.nuls = memchr(data, '\0', len) != NULL;
	while (at < len && !l->done) {
		size_t n = len - at;
		long take = plain(l, t, data + at, &n);

		if (o == NULL || room < n + HELD) {
			room = ROOM(len - at);
			if ((o = buf_reserve(out, room)) == NULL)
				return len;
		}
		start = o;
		if (take >= 0)
			o = copy(l, o, data + at, (size_t)take, data[at + n - 1] == '\n');
		else
			for (size_t i = at; i < at + n; i++)
				o = put(l, o, data[i]);
		at += n;
		room -= (size_t)(o - start);
		out->len += (size_t)(o - start);
	}
	l->facts.eightbit = l->facts.eightbit || has_eightbit(data, at);
	return at;
}

void
lines_end(struct lines *l, struct buf *out)
{
	char end[2];

	if (l->done)
		return;
	l->done = true;
	if (!l->lone_dot && (l->column > 0 || l->crs > 0)) {
		end_line(l, end);
		buf_add(out, end, sizeof(end));
	}
	l->lone_dot = false;
	l->crs = 0;
}

void
lines_stuff(bool *bol, const char *data, size_t len, struct buf *out)
{
	const char *end, *from = data, *at = data;
	char *o;
	size_t room;

	/* A dot is doubled behind an LF, or once as the first octet. */
	if (__builtin_add_overflow(len, len / 2 + 1, &room))
		room = SIZE_MAX;
	o = buf_reserve(out, room);
	if (o == NULL || len == 0)
		return;
	end = data + len;
	for (bool start = *bol; at < end; start = true) {
		if (start && *at == '.') {
			memcpy(o, from, (size_t)(at - from));
			o += at - from;
			*o++ = '.';
			from = at;
		}
		at = memchr(at, '\n', (size_t)(end - at));
		if (at == NULL)
			break;
		at++;
	}
	memcpy(o, from, (size_t)(end - from));
	o += end - from;
	out->len = (size_t)(o - out->data);
	*bol = end[-1] == '\n';
}
