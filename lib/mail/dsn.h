/* SPDX-License-Identifier: ISC */
/*
 * dsn: the text of a delivery status notification (RFC 3464 in RFC 6522's multipart/report), as
 * wire form. Pure; the caller posts it and appends the original (header or whole).
 *
 *	To the sender, from MAILER-DAEMON, null reverse-path, Auto-Submitted: auto-replied.
 *	Part 1: what happened, for a person. Part 2: message/delivery-status.
 *	Part 3: message/rfc822 (RET=FULL) or text/rfc822-headers: the caller streams it between
 *	dsn_head() and dsn_tail().
 */
#ifndef MAIL_DSN_H
#define MAIL_DSN_H

#include <stdbool.h>
#include <stdint.h>

#include "mail/envelope.h"

struct dsn_facts {
	const char *hostname; /* Reporting-MTA */
	const char *mailer;   /* address of MAILER-DAEMON */
	struct queue_id id;   /* of the report; its boundary derives from it */
	uint64_t now;         /* microseconds since 1970 */
	long utc_offset;
	bool whole; /* part 3 is the whole message */
};

/*
 * Everything up to the first octet of part 3's content. The recipients reported are those whose
 * status is of class 5 and that are not `reported`.
 */
void dsn_head(struct buf *out, const struct envelope *e, const struct dsn_facts *facts);

/* What closes the report. */
void dsn_tail(struct buf *out, const struct dsn_facts *facts);

/* xtext (RFC 3461 4) decoded; what is not printable ASCII becomes '?'. */
void dsn_xtext(struct buf *out, const char *s);

/* The ID of the bounce for message `id`: always the same, so that a crash makes no second one. */
struct queue_id dsn_id(struct queue_id id, unsigned nth);

#endif
