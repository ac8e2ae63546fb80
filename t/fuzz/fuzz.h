/* SPDX-License-Identifier: ISC */
/*
 * fuzz: what fuzz targets share. A target is one .c file with
 *
 *	int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
 *
 * which libFuzzer calls (`make fuzz`), and replay.c with the inputs that are kept (`make check`).
 * What must be true is CHECK()ed; so is a buffer's error before its content is taken for granted,
 * since replay.c has memory end. The last octets of an input choose among the ways to take the
 * rest, so that every text is an input:
 *
 *	struct fuzz f = fuzz_start(data, size);
 *	bool lmtp = fuzz_choose(&f, 2);
 *	... the rest is f.data[f.len]
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mail/buf.h"
#include "mail/utf8.h"

#define FUZZ_SHARED __attribute__((unused)) static
#define FUZZ_MAX ((size_t)1 << 26) /* octets of a buffer that has no maximum of its own */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Of replay.c, which libFuzzer goes without: does not return where memory was to end, and did. */
__attribute__((weak)) void fuzz_forgive(void);

FUZZ_SHARED _Noreturn void
fuzz_fail(const char *file, int line, const char *what)
{
	if (fuzz_forgive != NULL)
		fuzz_forgive();
	fprintf(stderr, "%s:%d: not true: %s\n", file, line, what);
	abort();
}

#define CHECK(what)                                           \
	do {                                                  \
		if (!(what))                                  \
			fuzz_fail(__FILE__, __LINE__, #what); \
	} while (0)

struct fuzz {
	const char *data;
	size_t len;
};

FUZZ_SHARED struct fuzz
fuzz_start(const uint8_t *data, size_t size)
{
	return (struct fuzz){(const char *)data, size};
}

/* A number below n, out of the last octet. */
FUZZ_SHARED unsigned
fuzz_choose(struct fuzz *f, unsigned n)
{
	return f->len > 0 ? (unsigned char)f->data[--f->len] % n : 0;
}

/* What is up to the next LF, or to the end, as a string of its own, NULs taken out. */
FUZZ_SHARED char *
fuzz_line(struct fuzz *f)
{
	char *s = malloc(f->len + 1), *p = s;

	CHECK(s != NULL);
	while (f->len > 0) {
		char c = *f->data++;

		f->len--;
		if (c == '\n')
			break;
		if (c != '\0')
			*p++ = c;
	}
	*p = '\0';
	p = realloc(s, strlen(s) + 1); /* exactly, so that ASan sees what is read behind it */
	CHECK(p != NULL);
	return p;
}

/* The rest of it, the same way. */
FUZZ_SHARED char *
fuzz_string(struct fuzz *f)
{
	struct buf b = BUF_INIT(FUZZ_MAX);
	char *s;

	for (size_t i = 0; i < f->len; i++)
		if (f->data[i] != '\0')
			buf_addc(&b, f->data[i]);
	s = strdup(buf_str(&b));
	CHECK(s != NULL);
	buf_free(&b);
	return s;
}

/*
 * Text in pieces, as seed says: 0 in one, 1 octet by octet, else of 1 to `seed` octets. Each is an
 * allocation of its own.
 *
 *	struct fuzz_pieces p = fuzz_pieces(data, len, seed);
 *	while (fuzz_piece(&p))
 *		push(p.piece, p.len);
 */
struct fuzz_pieces {
	char *piece;
	size_t len;
	/* private */
	const char *data;
	size_t left;
	unsigned seed;
	uint32_t state;
};

FUZZ_SHARED struct fuzz_pieces
fuzz_pieces(const char *data, size_t len, unsigned seed)
{
	return (struct fuzz_pieces){.data = data, .left = len, .seed = seed, .state = seed + 1};
}

FUZZ_SHARED bool
fuzz_piece(struct fuzz_pieces *p)
{
	free(p->piece);
	p->piece = NULL;
	if (p->left == 0)
		return false;
	p->state = p->state * 1664525 + 1013904223;
	p->len = p->seed == 0 ? p->left : 1 + (p->state >> 8) % p->seed;
	if (p->len > p->left)
		p->len = p->left;
	p->piece = malloc(p->len);
	CHECK(p->piece != NULL);
	memcpy(p->piece, p->data, p->len);
	p->data += p->len;
	p->left -= p->len;
	return true;
}

FUZZ_SHARED bool
fuzz_same(const struct buf *a, const struct buf *b)
{
	return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

/* Whether it is lines that end with CRLF, with no other CR or LF and no NUL. */
FUZZ_SHARED bool
fuzz_is_wire(const char *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (data[i] == '\0' || (data[i] == '\n' && (i == 0 || data[i - 1] != '\r')) ||
		    (data[i] == '\r' && (i + 1 == len || data[i + 1] != '\n')))
			return false;
	return len == 0 || data[len - 1] == '\n';
}

FUZZ_SHARED bool
fuzz_is_utf8(const char *data, size_t len)
{
	for (size_t i = 0, n; i < len; i += n)
		if ((n = utf8_len(data + i, len - i)) == 0)
			return false;
	return true;
}

/* Whether it can do nothing to a log or a terminal: UTF-8 without C0, DEL and C1. */
FUZZ_SHARED bool
fuzz_is_clean(const char *data, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)data[i];

		if (c < 0x20 || c == 0x7f || (c == 0xc2 && (unsigned char)data[i + 1] < 0xa0))
			return false;
	}
	return fuzz_is_utf8(data, len);
}

/* Octets of the longest line, without its end. */
FUZZ_SHARED size_t
fuzz_longest(const char *data, size_t len)
{
	size_t most = 0;

	for (size_t at = 0; at < len;) {
		const char *lf = memchr(data + at, '\n', len - at);
		size_t next = lf != NULL ? (size_t)(lf - data) + 1 : len, n = next - at;

		if (lf != NULL)
			n -= n > 1 && lf[-1] == '\r' ? 2 : 1;
		most = n > most ? n : most;
		at = next;
	}
	return most;
}

#endif
