/* SPDX-License-Identifier: ISC */
/*
 * qp: quoted-printable (RFC 2045 6.7), streaming. Lines of 76 columns at most; white space at the
 * end of a line, "." and "From " at the start of one, and "-" behind a soft break (it could make a
 * delimiter) are encoded; line ends of the text stay line ends. The output depends on the text
 * alone, not on how it is cut into calls.
 *
 * Start with a struct qp of zeroes. qp_end() ends each line, for both directions of use.
 */
#ifndef MAIL_QP_H
#define MAIL_QP_H

#include <stdbool.h>

#include "mail/buf.h"

#define QP_PADDING 8 /* octets of white space behind a stray "=" that stay; more of them go */

struct qp {
	unsigned column;
	unsigned matched; /* octets of "From " held back at the start of a line */
	char blank;       /* white space held back, as it may be the last of its line */
	bool soft;        /* the line began behind a soft break */
	bool equals;      /* qp_again(): "=" came last, but for white space … */
	unsigned padded;  /* … that is held back, as it is nothing at the end of a line */
	char padding[QP_PADDING];
};

/* Encode octets of a line. */
void qp_text(struct qp *q, const char *data, size_t len, struct buf *out);

/*
 * Octets of a line that is quoted-printable already, but too long or (with seven) not ASCII: break
 * it softly, never inside "=XX", and encode what is above 0x7f.
 */
void qp_again(struct qp *q, const char *data, size_t len, bool seven, struct buf *out);

/* The line is over. */
void qp_end(struct qp *q, struct buf *out);

#endif
