/* SPDX-License-Identifier: ISC */
#include "mail/fold.h"

#include <string.h>

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

void
fold_start(struct fold *f, bool header)
{
	f->header = header;
	f->cut = false;
	f->n = 0;
}

/* The first `n` octets go out as a line. */
static void
put_line(struct fold *f, size_t n, struct buf *out)
{
	buf_add(out, f->held, n);
	buf_add(out, "\r\n", 2);
	memmove(f->held, f->held + n, f->n - n);
	f->n -= n;
}

/* Where to cut if there is no white space: not inside a UTF-8 character. */
static size_t
hard_place(const struct fold *f)
{
	size_t place = FOLD_LINE;

	while (place > FOLD_LINE - 3 && ((unsigned char)f->held[place] & 0xc0) == 0x80)
		place--;
	return place;
}

static void
remove_octet(struct fold *f, size_t at)
{
	memmove(f->held + at, f->held + at + 1, f->n - at - 1);
	f->n--;
}

/*
 * Where to fold a header line: before a blank that has something other than blanks on both sides,
 * and is not the one of the obsolete "Name :". 0: nowhere.
 */
static size_t
header_place(const struct fold *f)
{
	size_t i = 0, place = 0;

	while (i < f->n && is_blank(f->held[i]))
		i++;
	for (; i <= FOLD_LINE && i + 1 < f->n; i++) {
		if (!is_blank(f->held[i]) || is_blank(f->held[i + 1]) || f->held[i + 1] == ':')
			continue;
		if (i > FOLD_HEADER && place > 0)
			break;
		place = i;
	}
	return place;
}

/* Shorten what is held of a header line, which is more than a line. */
static void
header_step(struct fold *f, struct buf *out)
{
	size_t place = header_place(f), blanks = 0;

	if (place > 0) {
		put_line(f, place, out);
		return;
	}
	while (blanks < FOLD_LINE && is_blank(f->held[blanks]))
		blanks++;
	if (is_blank(f->held[FOLD_LINE]) || blanks == FOLD_LINE) {
		remove_octet(f, blanks == FOLD_LINE ? 0 : FOLD_LINE);
		return;
	}
	f->cut = true;
	put_line(f, hard_place(f), out);
	memmove(f->held + 1, f->held, f->n);
	f->held[0] = ' ';
	f->n++;
}

static void
body_step(struct fold *f, struct buf *out)
{
	size_t place = FOLD_LINE;

	while (place > 0 && !is_blank(f->held[place]))
		place--;
	put_line(f, place > 0 ? place : hard_place(f), out);
}

static void
step(struct fold *f, struct buf *out)
{
	if (f->header)
		header_step(f, out);
	else
		body_step(f, out);
}

void
fold_push(struct fold *f, const char *data, size_t len, struct buf *out)
{
	while (len > 0) {
		size_t room = sizeof(f->held) - f->n, n = len < room ? len : room;

		memcpy(f->held + f->n, data, n);
		f->n += n;
		data += n;
		len -= n;
		while (f->n == sizeof(f->held))
			step(f, out);
	}
}

void
fold_end(struct fold *f, struct buf *out)
{
	while (f->n > FOLD_LINE)
		step(f, out);
	put_line(f, f->n, out);
}
