/* SPDX-License-Identifier: ISC */
#include "mail/b64.h"

#include <string.h>

#define COLUMNS 76
#define SLICE 510                  /* octets encoded between two looks at the room in out */
#define ROOM(len) (3 * (len) + 16) /* at most */

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static char *
put(struct b64 *b, char *o, char c)
{
	*o++ = c;
	if (++b->column < COLUMNS)
		return o;
	b->column = 0;
	memcpy(o, "\r\n", 2);
	return o + 2;
}

/* What is held, as four characters. */
static char *
group(struct b64 *b, char *o)
{
	unsigned long bits = b->bits << 8 * (3 - b->held);

	for (unsigned i = 0; i < 4; i++, bits <<= 6)
		o = put(b, o, i <= b->held ? alphabet[bits >> 18 & 63] : '=');
	b->bits = 0;
	b->held = 0;
	return o;
}

static char *
encode(struct b64 *b, char *o, char c)
{
	b->bits = b->bits << 8 | (unsigned char)c;
	return ++b->held == 3 ? group(b, o) : o;
}

static char *
line_end(struct b64 *b, char *o)
{
	if (b->crlf)
		o = encode(b, encode(b, o, '\r'), '\n');
	b->crlf = false;
	return o;
}

void
b64_text(struct b64 *b, const char *data, size_t len, struct buf *out)
{
	for (size_t at = 0; at < len;) {
		size_t n = len - at < SLICE ? len - at : SLICE;
		char *start = buf_reserve(out, ROOM(n)), *o = start;

		if (start == NULL)
			return;
		o = line_end(b, o);
		for (size_t i = 0; i < n; i++)
			o = encode(b, o, data[at + i]);
		out->len += (size_t)(o - start);
		at += n;
	}
}

void
b64_line(struct b64 *b, struct buf *out)
{
	char *start = buf_reserve(out, ROOM(0));

	if (start != NULL)
		out->len += (size_t)(line_end(b, start) - start);
	b->crlf = true;
}

void
b64_again(struct b64 *b, const char *data, size_t len, struct buf *out)
{
	for (size_t at = 0; at < len;) {
		size_t n = len - at < SLICE ? len - at : SLICE;
		char *start = buf_reserve(out, ROOM(n)), *o = start;

		if (start == NULL)
			return;
		for (size_t i = 0; i < n; i++)
			if (data[at + i] == '=' ||
			    (data[at + i] != '\0' && strchr(alphabet, data[at + i]) != NULL))
				o = put(b, o, data[at + i]);
		out->len += (size_t)(o - start);
		at += n;
	}
}

void
b64_end(struct b64 *b, bool crlf, struct buf *out)
{
	char *start = buf_reserve(out, ROOM(0)), *o = start;

	if (start != NULL) {
		b->crlf = b->crlf && crlf;
		o = line_end(b, o);
		if (b->held > 0)
			o = group(b, o);
		if (b->column > 0) {
			memcpy(o, "\r\n", 2);
			o += 2;
		}
		out->len += (size_t)(o - start);
	}
	*b = (struct b64){0};
}
