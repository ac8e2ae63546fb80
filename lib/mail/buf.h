/* SPDX-License-Identifier: ISC */
/*
 * buf: a growing octet buffer with a maximum from birth.
 *
 *	struct buf b = BUF_INIT(64 * 1024);
 *	buf_adds(&b, "EHLO ");
 *	buf_adds(&b, name);
 *	if (b.error)
 *		...
 *
 * Errors are sticky: the adding calls return nothing, and once one of them has failed
 * the buffer takes no more and `error` says why (ENOMEM, or EMSGSIZE for the maximum).
 * Test it once, before the content is used. What was added before stays readable.
 * `data` is NUL-terminated whenever it is not NULL (behind what went in by buf_reserve(), from the
 * next call on); NULs inside are allowed.
 * The buffer owns its memory; buf_free() gives it back and leaves an empty buffer
 * that can be used again.
 */
#ifndef MAIL_BUF_H
#define MAIL_BUF_H

#include <stdarg.h>
#include <stddef.h>

struct buf {
	char *data;
	size_t len;
	size_t cap; /* octets allocated, the NUL's place included */
	size_t max; /* len never gets larger */
	int error;  /* 0, ENOMEM or EMSGSIZE */
};

#define BUF_INIT(maximum)        \
	{                        \
		.max = (maximum) \
	}

void buf_add(struct buf *b, const void *data, size_t len);
void buf_adds(struct buf *b, const char *s);
void buf_addc(struct buf *b, char c);
void buf_addf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_vaddf(struct buf *b, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));

/*
 * Room for `len` more octets behind data[len], to be read into; the caller then adds what it
 * really filled to b->len. NULL (and b->error) when there is none.
 */
char *buf_reserve(struct buf *b, size_t len);

/* The content as a string: "" for an empty buffer, never NULL. */
const char *buf_str(const struct buf *b);

/* Remove `n` octets at the front, n <= len. */
void buf_drop(struct buf *b, size_t n);

/* Empty it and forget the error; keeps the memory. */
void buf_clear(struct buf *b);

/*
 * Give the memory back. Secrets: buf_wipe() overwrites it first; reserve their room beforehand, for
 * a buffer that grows leaves its old octets behind in freed memory.
 */
void buf_free(struct buf *b);
void buf_wipe(struct buf *b);

#endif
