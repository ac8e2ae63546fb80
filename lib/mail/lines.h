/* SPDX-License-Identifier: ISC */
/*
 * lines: line ends are settled once, here, at injection; and dots are stuffed once, at delivery.
 *
 * Input is whatever a caller writes: LF, CRLF, both mixed, CR CR LF, stray CRs, NULs. Output is
 * wire form: each line ends with CRLF, there is no other CR and no other LF, no NUL.
 *
 *	CR* LF        ends a line (LINES_CRS CRs at most; of more, the first are other CRs)
 *	other CR      becomes a space, as Postfix does (SMTP smuggling, 2023)
 *	NUL           is taken out, before anything else is looked at
 *	CR* and end of input end an unfinished last line
 *
 * Where the input is cut into pushes makes no difference.
 */
#ifndef MAIL_LINES_H
#define MAIL_LINES_H

#include <stdbool.h>
#include <stdint.h>

#include "mail/buf.h"

#define LINES_CRS 3 /* CRs held back until it is known what they are */

/* What is true of the text that went out; each only ever goes from false to true. */
struct lines_facts {
	bool dots;        /* a line begins with a dot */
	bool eightbit;    /* an octet above 0x7f */
	bool nuls;        /* NULs were taken out */
	bool crs;         /* stray CRs became spaces */
	uint64_t longest; /* octets of the longest line that has ended, without CRLF */
};

struct lines {
	bool dot_ends; /* a line holding only "." ends the input (sendmail without -i), whatever
			* its own end is; it does not go out */
	bool done;     /* … and it has come, or lines_end() was called */
	struct lines_facts facts;
	/* private */
	unsigned crs;    /* CRs seen whose meaning is open */
	uint64_t column; /* octets of the current line that went out */
	bool lone_dot;   /* the current line is "." so far, held back */
};

void lines_init(struct lines *l, bool dot_ends);

/*
 * Push octets, get wire form appended to `out`: 2 * len + 4 octets at most, but somewhat more room
 * is asked for. Returns how many octets were used: `len`, or fewer when l->done was reached; what
 * follows is not ours. When `out` has an error, or no room, `len` is returned: nothing more is done.
 */
size_t lines_push(struct lines *l, const char *data, size_t len, struct buf *out);

/* End of input: completes the last line. */
void lines_end(struct lines *l, struct buf *out);

/*
 * The other direction: double the dot at the start of each line (RFC 5321 4.5.2) of wire-form text.
 * *bol says whether data begins at the start of a line, and is updated; start with true.
 */
void lines_stuff(bool *bol, const char *data, size_t len, struct buf *out);

#endif
