/* SPDX-License-Identifier: ISC */
/*
 * b64: the base64 of MIME (RFC 2045 6.8), streaming, in lines of 76 columns. The output depends on
 * the text alone, not on how it is cut into calls.
 *
 * Start with a struct b64 of zeroes.
 */
#ifndef MAIL_B64_H
#define MAIL_B64_H

#include <stdbool.h>

#include "mail/buf.h"

struct b64 {
	unsigned long bits; /* octets that wait for a third */
	unsigned held;      /* how many they are */
	unsigned column;
	bool crlf; /* a line has ended; whether its end is content, what follows will tell */
};

/* Encode octets of a line; the line is over. */
void b64_text(struct b64 *b, const char *data, size_t len, struct buf *out);
void b64_line(struct b64 *b, struct buf *out);

/* Octets that are base64 already, in lines of any length; what is not of its alphabet is left out.
 */
void b64_again(struct b64 *b, const char *data, size_t len, struct buf *out);

/*
 * All is over, of either kind of use. Before a delimiter the last line end belongs to that
 * (RFC 2046 5.1.1) and crlf is false.
 */
void b64_end(struct b64 *b, bool crlf, struct buf *out);

#endif
