/* SPDX-License-Identifier: ISC */
#include "mail/buf.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUF_FIRST 64 /* octets of a first allocation */

/* Make cap hold `len` more octets and the NUL; false and b->error when it cannot. */
static bool
grow(struct buf *b, size_t len)
{
	size_t need, cap;
	char *data;

	if (b->error != 0)
		return false;
	if (b->len > b->max || len > b->max - b->len ||
	    __builtin_add_overflow(b->len + len, 1, &need)) {
		b->error = EMSGSIZE;
		return false;
	}
	if (need <= b->cap)
		return true;
	cap = BUF_FIRST;
	if (b->cap >= BUF_FIRST && __builtin_mul_overflow(b->cap, 2, &cap))
		cap = need;
	if (cap - 1 > b->max)
		cap = b->max + 1; /* cannot wrap: cap is larger */
	if (cap < need)
		cap = need;
	data = realloc(b->data, cap);
	if (data == NULL) {
		b->error = ENOMEM;
		return false;
	}
	b->data = data;
	b->cap = cap;
	return true;
}

void
buf_add(struct buf *b, const void *data, size_t len)
{
	if (!grow(b, len))
		return;
	if (len > 0)
		memcpy(b->data + b->len, data, len);
	b->len += len;
	b->data[b->len] = '\0';
}

void
buf_adds(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void
buf_addc(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void
buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_vaddf(b, fmt, ap);
	va_end(ap);
}

void
buf_vaddf(struct buf *b, const char *fmt, va_list ap)
{
	size_t room = b->cap - b->len;
	va_list again;
	int n;

	if (b->error != 0)
		return;
	/* Mostly it fits, and need not be printed once more. */
	va_copy(again, ap);
	n = vsnprintf(room > 0 ? b->data + b->len : NULL, room, fmt, again);
	va_end(again);
	if (n < 0) /* more than INT_MAX octets */
		b->error = EMSGSIZE;
	else if ((size_t)n >= room && grow(b, (size_t)n))
		vsnprintf(b->data + b->len, (size_t)n + 1, fmt, ap);
	if (b->error == 0)
		b->len += (size_t)n;
	else if (b->data != NULL)
		b->data[b->len] = '\0';
}

char *
buf_reserve(struct buf *b, size_t len)
{
	return grow(b, len) ? b->data + b->len : NULL;
}

const char *
buf_str(const struct buf *b)
{
	if (b->data == NULL)
		return "";
	b->data[b->len] = '\0'; /* missing after buf_reserve() */
	return b->data;
}

void
buf_drop(struct buf *b, size_t n)
{
	assert(n <= b->len);
	if (n == 0)
		return;
	memmove(b->data, b->data + n, b->len - n);
	b->len -= n;
	b->data[b->len] = '\0';
}

void
buf_clear(struct buf *b)
{
	b->len = 0;
	b->error = 0;
	if (b->data != NULL)
		b->data[0] = '\0';
}

void
buf_free(struct buf *b)
{
	free(b->data);
	b->data = NULL;
	b->len = b->cap = 0;
	b->error = 0;
}

void
buf_wipe(struct buf *b)
{
	if (b->data != NULL)
		explicit_bzero(b->data, b->cap);
	buf_free(b);
}
