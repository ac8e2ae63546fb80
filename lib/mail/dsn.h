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

/* What a report is about. */
enum dsn_kind {
	DSN_FAILURE, /* what failed for good */
	DSN_SUCCESS, /* what NOTIFY=SUCCESS was asked for and the next server will not tell of */
};

/*
 * Whether a recipient's outcome is of that kind, and what comes of it is not yet noted; and whether
 * the sender is to be told of it (NOTIFY, RFC 3461 4.1).
 */
bool dsn_open(enum dsn_kind kind, const struct recipient *r);
bool dsn_wanted(enum dsn_kind kind, const struct recipient *r);

struct dsn_facts {
	enum dsn_kind kind;
	const char *hostname; /* Reporting-MTA */
	const char *mailer;   /* address of MAILER-DAEMON */
	struct queue_id id;   /* of the report; its boundary derives from it */
	uint64_t now;         /* microseconds since 1970 */
	long utc_offset;
	bool whole; /* part 3 is the whole message */
};

/*
 * Everything up to the first octet of part 3's content, about the recipients that are wanted. A
 * recipient that is not `delivered` was relayed.
 */
void dsn_head(struct buf *out, const struct envelope *e, const struct dsn_facts *facts);

/* What closes the report. */
void dsn_tail(struct buf *out, const struct dsn_facts *facts);

/* Whether the report has 8-bit octets: those of an address, or of the message. */
bool dsn_eightbit(const struct envelope *e, enum dsn_kind kind);

/*
 * The ORCPT of an address (RFC 3461 4.2, "rfc822;" and xtext; RFC 6533 3, "utf-8;" where it must
 * be), appended.
 */
void dsn_orcpt(struct buf *out, const char *address);

/* xtext (RFC 3461 4) decoded; what is not printable ASCII becomes '?'. */
void dsn_xtext(struct buf *out, const char *s);

/*
 * The ID of the report: always the same, so that a crash makes no second one; and another one when
 * there is more to report than before the crash.
 */
struct queue_id dsn_id(const struct envelope *e, enum dsn_kind kind);

#endif
