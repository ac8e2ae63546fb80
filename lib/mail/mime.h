/* SPDX-License-Identifier: ISC */
/*
 * mime: which part of a message a line belongs to (RFC 2045, 2046). Lines are pushed, events come
 * out; nothing is kept but the parts that are open, so memory is constant.
 *
 *	for each line (without CRLF; of a longer one the first MIME_LINE octets, and whole = false):
 *		switch (mime_push(&m, line, len, whole)) {
 *		case MIME_HEADER_OVER: mime_top() has been read; push the same line again
 *		case MIME_PART_OVER:   mime_over() has ended; push the same line again
 *		case MIME_FIELD:       a line of a header; of the field m.field
 *		case MIME_BLANK:       the empty line behind a header
 *		case MIME_TEXT:        content of the part mime_top(), which is a leaf
 *		case MIME_OUTSIDE:     before the first or behind the last delimiter of mime_top()
 *		case MIME_DELIMITER:   the next part begins; mime_top()->closed: there is none
 *		}
 *	and the rest of a line that is not whole goes to mime_more().
 *	while (mime_finish(&m) != MIME_DONE): the same two events for what is still open
 *
 * Tolerant: a header may end without an empty line or be missing, delimiters may be missing, those
 * of an outer multipart end what is inside. A multipart without a boundary is a leaf; one whose
 * delimiter never comes consists of what is before it, and delimited stays false. Multiparts and
 * message/rfc822 deeper than MIME_DEPTH, and parts beyond MIME_PARTS, are fixed leaves.
 */
#ifndef MAIL_MIME_H
#define MAIL_MIME_H

#include <stdbool.h>
#include <stddef.h>

#include "mail/content_type.h"
#include "mail/header.h"

#define MIME_LINE 998   /* octets of a line that can be a delimiter or an unfolded field */
#define MIME_DEPTH 32   /* containers in containers */
#define MIME_PARTS 4096 /* parts that are told apart */
#define MIME_VALUE 4096 /* octets of a MIME field that are looked at */

enum mime_event {
	MIME_FIELD,
	MIME_BLANK,
	MIME_TEXT,
	MIME_OUTSIDE,
	MIME_DELIMITER,
	MIME_HEADER_OVER,
	MIME_PART_OVER,
	MIME_DONE,
};

enum mime_kind {
	MIME_LEAF,
	MIME_MULTIPART,
	MIME_MESSAGE, /* message/rfc822: one part inside, without delimiters */
};

/* A part. What the header says is true from MIME_HEADER_OVER on. */
struct mime_entity {
	unsigned part; /* 0 is the message, then in the order of their beginnings; MIME_PARTS for
			* all from there on */
	enum mime_kind kind;
	enum content_encoding encoding;
	bool message;  /* has a header of RFC 5322: the message, or inside of message/rfc822 */
	bool digest;   /* multipart/digest */
	bool fixed;    /* may not be encoded: in multipart/signed (RFC 1847), of a type message/…
			* (RFC 2045 6.4), or beyond our limits */
	bool has_type; /* has the field, whatever it says */
	bool has_encoding;
	bool has_version;
	bool delimited; /* a delimiter of it has come */
	bool closed;    /* … and the last one */
	size_t boundary_len;
	char boundary[CONTENT_TYPE_BOUNDARY + 1];
};

struct mime {
	enum header_name field; /* of a MIME_FIELD: one of the MIME fields, or HEADER_OTHER */
	bool dkim;              /* the message has a DKIM-Signature */
	/* private */
	enum { MIME_IN_HEADER, MIME_BEHIND_HEADER, MIME_IN_BODY } state;
	bool first;      /* no line of this header has come */
	bool open;       /* a field is, and may be continued */
	unsigned open_n; /* entities on the stack */
	unsigned parts;  /* that have begun */
	struct {
		bool on; /* collecting */
		size_t len;
		char text[MIME_VALUE];
	} value[2]; /* Content-Type and Content-Transfer-Encoding of the open header */
	struct mime_entity stack[MIME_DEPTH + 1];
};

void mime_init(struct mime *m);
enum mime_event mime_push(struct mime *m, const char *line, size_t len, bool whole);
void mime_more(struct mime *m, const char *data, size_t len);
enum mime_event mime_finish(struct mime *m);

/* The innermost open part; at MIME_PART_OVER there may be none, and this is not to be called. */
struct mime_entity *mime_top(struct mime *m);
/* At MIME_PART_OVER: the part that has ended. */
struct mime_entity *mime_over(struct mime *m);
/* How many parts are around mime_top(), and itself. */
unsigned mime_depth(const struct mime *m);

/* At MIME_HEADER_OVER: take mime_top() for a leaf, whatever its type says. */
void mime_flatten(struct mime *m);

#endif
