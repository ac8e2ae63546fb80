/* SPDX-License-Identifier: ISC */
/*
 * header: the header section of a message, a line pushed, a field pulled (RFC 5322 2.2, with
 * the obsolete "Name : value" and what real callers send).
 *
 *	h = a struct header; header_init(&h);
 *	for each line (wire form without CRLF):
 *		switch (header_push(&h, line, len)) {
 *		case HEADER_MORE:  taken, nothing whole yet
 *		case HEADER_FIELD: h.field holds a whole field; THEN push the same line again
 *		case HEADER_END:   the empty line; the header is over
 *		case HEADER_BODY:  not a header line: the header is over, this line is body
 *		                   (no empty line was there; no header at all)
 *		}
 *
 * A leading header_is_mbox_from() is taken silently. A name is printable ASCII without ":", white
 * space before the ":" is tolerated. A line of white space alone continues a field.
 * A field larger than HEADER_FIELD_MAX is HEADER_HUGE (h.field.text.error is EMSGSIZE, or ENOMEM
 * where memory is the reason); nothing may be pushed after it, nor after HEADER_END and HEADER_BODY.
 */
#ifndef MAIL_HEADER_H
#define MAIL_HEADER_H

#include <stdbool.h>

#include "mail/buf.h"

#define HEADER_FIELD_MAX (2U * 1024 * 1024) /* octets of a field with its folds */

/* The fields that mean something to us; all others are HEADER_OTHER. One table in header.c. */
enum header_name {
	HEADER_OTHER,
	HEADER_APPARENTLY_TO,
	HEADER_BCC,
	HEADER_CC,
	HEADER_CONTENT_LENGTH,
	HEADER_CONTENT_TRANSFER_ENCODING,
	HEADER_CONTENT_TYPE,
	HEADER_DATE,
	HEADER_FROM,
	HEADER_MESSAGE_ID,
	HEADER_MIME_VERSION,
	HEADER_RECEIVED,
	HEADER_REPLY_TO,
	HEADER_RESENT_BCC,
	HEADER_RESENT_CC,
	HEADER_RESENT_DATE,
	HEADER_RESENT_FROM,
	HEADER_RESENT_MESSAGE_ID,
	HEADER_RESENT_SENDER,
	HEADER_RESENT_TO,
	HEADER_RETURN_PATH,
	HEADER_SENDER,
	HEADER_SUBJECT,
	HEADER_TO,
};

enum header_event {
	HEADER_MORE,
	HEADER_FIELD,
	HEADER_END,
	HEADER_BODY,
	HEADER_HUGE,
};

struct header_field {
	enum header_name name;
	size_t value;    /* offset in text of the value: behind ":" */
	struct buf text; /* the field as it came: lines joined by CRLF, no CRLF at the end */
};

struct header {
	struct header_field field;
	/* private */
	bool first; /* no line yet */
	bool open;  /* field.text holds a field that may still be continued */
	bool given; /* field was handed out and is to be cleared */
};

void header_init(struct header *h);
enum header_event header_push(struct header *h, const char *line, size_t len);

/* End of input inside the header: HEADER_FIELD when a field is still open, else HEADER_END. */
enum header_event header_finish(struct header *h);

void header_free(struct header *h);

/*
 * The offset behind ":" of a line that begins a field, and its name's length; 0 for other lines.
 */
size_t header_parse_name(const char *line, size_t len, size_t *name);

/*
 * Whether a line (without CRLF) is the envelope line of a mailbox file: "From x Thu Jan 1 …", or
 * ">From …", as a caller quotes it that takes it for text. "From :" is a field (RFC 5322 4.5).
 */
bool header_is_mbox_from(const char *line, size_t len);

/* The table: which field is this ("To", any case)? And its usual spelling. */
enum header_name header_lookup(const char *name, size_t len);
const char *header_spelling(enum header_name name);

/* Whether its value is an address list that must be qualified (From, To, Resent-Cc …). */
bool header_has_addresses(enum header_name name);

#endif
