/* SPDX-License-Identifier: ISC */
/*
 * dsn: the text of a delivery status notification (RFC 3464 in RFC 6522's multipart/report), as
 * wire form. Pure; the caller posts it and appends the original (header or whole).
 *
 *	To the sender, from MAILER-DAEMON, null reverse-path, Auto-Submitted: auto-replied.
 *	Part 1: what happened, for a person: what was sent, what the server said, what that
 *	probably means and what to do.
 *	Part 2: message/delivery-status, for a program; message/global-delivery-status where an
 *	address is UTF-8 (RFC 6533).
 *	Part 3: the whole message (RET=FULL) or its header: the caller streams it between
 *	dsn_head() and dsn_tail().
 *
 * Texts of servers are taken as hostile even out of our own journal: they come out clean, cut to
 * OUTCOME_TEXT, wrapped, and cannot begin a line or a field. Of many recipients the first
 * DSN_PEOPLE are told of in part 1, the first DSN_FULL with all fields in part 2, the rest with
 * those that RFC 3464 demands.
 *
 *	dsn.c          who is told, the report's frame
 *	dsn_human.c    part 1
 *	dsn_explain.c  what a status probably means
 *	dsn_status.c   part 2
 */
#ifndef MAIL_DSN_H
#define MAIL_DSN_H

#include <stdbool.h>
#include <stdint.h>

#include "mail/envelope.h"

#define DSN_PEOPLE 100
#define DSN_FULL 1000
#define DSN_MAX (2 * ENVELOPE_HEAD_MAX) /* octets of all but part 3 */

/* How a text begins of what was given up; the status and text of the last attempt follow. */
#define DSN_EXPIRED "delivery time expired; last: "

/* Seconds until a delay is told of that was asked for by NOTIFY=DELAY only. */
#define DSN_DELAY_AFTER (4 * 60 * 60)

/* What a report is about. */
enum dsn_kind {
	DSN_FAILURE, /* what failed for good */
	DSN_SUCCESS, /* what NOTIFY=SUCCESS was asked for and the next server will not tell of */
	DSN_DELAY,   /* what still waits, unless NOTIFY speaks against it */
	DSN_DELAY_ASKED, /* the same, where NOTIFY=DELAY was asked for only */
	DSN_COPY,        /* a report (or other mail from nobody) that failed, for the postmaster */
};

/*
 * Whether a recipient's outcome is of that kind, and what comes of it is not yet noted; and whether
 * the sender is to be told of it (NOTIFY, RFC 3461 4.1).
 */
bool dsn_open(enum dsn_kind kind, const struct recipient *r);
bool dsn_wanted(enum dsn_kind kind, const struct recipient *r);

/* What is told of the original, besides its envelope. */
struct dsn_original {
	char subject[256];    /* one clean line; "": none */
	char message_id[256]; /* with its brackets, fit for References; "": none */
	bool eightbit;        /* there are 8-bit octets in its header … */
	bool utf8;            /* … and they are UTF-8 */
};

/* Out of its header, header[len]. */
void dsn_read_original(struct dsn_original *o, const char *header, size_t len);

struct dsn_facts {
	enum dsn_kind kind;
	const char *hostname; /* Reporting-MTA */
	const char *mailer;   /* address of MAILER-DAEMON */
	const char *to;       /* whom it is for */
	struct queue_id id;   /* of the report; its boundary derives from it */
	uint64_t now;         /* microseconds since 1970 */
	int64_t retry_until;  /* seconds since 1970; of delays */
	long utc_offset;
	bool whole; /* part 3 is the whole message */
	struct dsn_original original;
};

/*
 * Everything up to the first octet of part 3's content, about the recipients that are wanted; DSN_MAX
 * octets at most. A recipient that is not `delivered` was relayed.
 */
void dsn_head(struct buf *out, const struct envelope *e, const struct dsn_facts *facts);

/* What closes the report. */
void dsn_tail(struct buf *out, const struct dsn_facts *facts);

/* What the report is: it has the 8-bit octets of addresses, of servers' texts, or of the message. */
enum body dsn_body(const struct envelope *e, const struct dsn_facts *facts);

/*
 * The ORCPT of an address (RFC 3461 4.2, "rfc822;" and xtext; RFC 6533 3, "utf-8;" where it must
 * be), appended.
 */
void dsn_orcpt(struct buf *out, const char *address);

/* xtext (RFC 3461 4) decoded; what is not printable ASCII becomes '?'. */
void dsn_xtext(struct buf *out, const char *s);

/*
 * The ID of the report: always the same, so that a crash makes no second one. That of a failure or a
 * success is another one when there is more to report than before the crash. That of a delay is
 * the same even then: better one warning that is missed than one that comes twice.
 */
struct queue_id dsn_id(const struct envelope *e, enum dsn_kind kind);

#endif
