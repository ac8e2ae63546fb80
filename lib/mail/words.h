/* SPDX-License-Identifier: ISC */
/*
 * words: encoded words of a header's text (RFC 2047), as a person reads them. UTF-8, US-ASCII and
 * ISO-8859-1 are known, with a language behind them or not (RFC 2231 5); a word in another charset,
 * or one that is malformed, stays as it is. Space between two encoded words goes.
 */
#ifndef MAIL_WORDS_H
#define MAIL_WORDS_H

#include "mail/buf.h"

/* Appended to `out`. What comes out may be any octets: it is the caller's to clean. */
void words_decode(struct buf *out, const char *text);

#endif
