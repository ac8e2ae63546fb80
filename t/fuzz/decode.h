/* SPDX-License-Identifier: ISC */
/*
 * decode: what a reader makes of quoted-printable and base64 (RFC 2045 6.7, 6.8); knows nothing of
 * lib/mail/qp.c and b64.c.
 */
#ifndef DECODE_H
#define DECODE_H

#include "fuzz.h"

FUZZ_SHARED int
hex_digit(char c)
{
	static const char digits[] = "0123456789ABCDEFabcdef";
	const char *at = c != '\0' ? strchr(digits, c) : NULL;

	return at == NULL ? -1 : (int)(at - digits < 16 ? at - digits : at - digits - 6);
}

/* White space at the end of a line is not there; "=" before two hex digits or at the end of one. */
FUZZ_SHARED void
decode_quoted(const char *s, size_t len, struct buf *out)
{
	for (size_t at = 0; at < len;) {
		const char *lf = memchr(s + at, '\n', len - at);
		size_t next = lf != NULL ? (size_t)(lf - s) + 1 : len, stop = next;
		bool soft;

		while (stop > at && strchr("\r\n\t ", s[stop - 1]) != NULL && s[stop - 1] != '\0')
			stop--;
		soft = stop > at && s[stop - 1] == '=';
		for (stop -= soft; at < stop; at++) {
			int high = s[at] == '=' && stop - at >= 3 ? hex_digit(s[at + 1]) : -1;
			int low = high >= 0 ? hex_digit(s[at + 2]) : -1;

			if (low < 0) {
				buf_addc(out, s[at]);
				continue;
			}
			buf_addc(out, (char)(high * 16 + low));
			at += 2;
		}
		if (!soft && lf != NULL)
			buf_adds(out, "\r\n");
		at = next;
	}
}

/* What is not of the alphabet is nothing; so is padding. */
FUZZ_SHARED void
decode_base64(const char *s, size_t len, struct buf *out)
{
	static const char set[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	unsigned bits = 0, n = 0;

	for (size_t i = 0; i < len; i++) {
		const char *at = memchr(set, s[i], 64);

		if (at == NULL)
			continue;
		bits = (bits << 6 | (unsigned)(at - set)) & 0xffffff;
		n += 6;
		if (n >= 8) {
			n -= 8;
			buf_addc(out, (char)(bits >> n));
		}
	}
}

#endif
