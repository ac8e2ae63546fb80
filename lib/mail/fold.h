/* SPDX-License-Identifier: ISC */
/*
 * fold: cut a line of more than 998 octets (RFC 5322 2.1.1) into legal ones, streaming.
 *
 *	struct fold f;
 *	fold_start(&f, in_header);
 *	fold_push(&f, piece, len, out);  as often as it takes
 *	fold_end(&f, out);               the line is over
 *
 * In a header the cut is before white space (RFC 5322 2.2.3), at 78 columns where there is some,
 * never so that a line of white space alone results; unfolding gives the line back. Damage is done
 * only where there is no white space in 998 octets: CRLF SP goes in, and f.cut is set; and a run of
 * white space that would fill a line, or lies across its end, is cut short.
 * In a body the cut is before the last white space of 998 octets, or where there is none, at 998.
 */
#ifndef MAIL_FOLD_H
#define MAIL_FOLD_H

#include <stdbool.h>

#include "mail/buf.h"

#define FOLD_LINE 998 /* octets of a line without CRLF */
#define FOLD_HEADER 78

struct fold {
	bool header;
	bool cut; /* a header line was cut where there is no white space */
	/* private */
	size_t n;
	char held[FOLD_LINE + 2]; /* a line, the place of the cut, and what is behind it */
};

void fold_start(struct fold *f, bool header);
void fold_push(struct fold *f, const char *data, size_t len, struct buf *out);
void fold_end(struct fold *f, struct buf *out);

#endif
