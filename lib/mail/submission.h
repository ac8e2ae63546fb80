/* SPDX-License-Identifier: ISC */
/*
 * submission: what a message still lacks when a program hands it in (RFC 6409 8, RFC 5322 3.6).
 * Pure: fields go in as the header scanner yields them, wire form comes out.
 *
 *	Received            added first, with uid and queue ID
 *	Bcc, Resent-Bcc     removed, always; recipients with -t
 *	Return-Path         removed, and told
 *	Content-Length      removed: the line ends it counted have changed
 *	From, Sender, Reply-To, To, Cc and their Resent- forms: bare names get the domain, and what
 *	                    is no address stays; nothing else in them changes
 *	From, Sender, Resent-From, Resent-Sender; Reply-To: addresses replaced by rules, see
 *	                    mail/rewrite.h; display names, comments and folds stay
 *	Reply-To            added when an address of From was replaced, with the From that it was;
 *	                    X-Original-From where the message has a Reply-To, or by facts->keep
 *	second From, Date, Message-ID: dropped, the first stays
 *	From, Sender without a mailbox, address fields, Date, Message-ID with nothing: dropped
 *	From, Date, Message-ID (Resent- ones where a Resent- field is there): added when missing
 *	To: undisclosed-recipients:; added when there is no To, Cc, Resent-To, Resent-Cc or
 *	                    Apparently-To
 *
 * Recipients with -t: To, Cc, Bcc; where any Resent-To, Resent-Cc or Resent-Bcc is there, those
 * of the first Resent- block instead (RFC 5322 3.6.6). A block is over where one of its fields
 * comes again, or at a Received or Return-Path.
 */
#ifndef MAIL_SUBMISSION_H
#define MAIL_SUBMISSION_H

#include <stdbool.h>
#include <stdint.h>

#include "mail/address.h"
#include "mail/buf.h"
#include "mail/envelope.h"
#include "mail/header.h"
#include "mail/rewrite.h"

#define SUBMISSION_HOPS 50 /* Received fields that mean a loop */

/*
 * What the caller knows; borrowed for as long as the submission lives. Marked "late" is what is asked
 * for by submission_end() only, and only when submission_lacks_author() or _date().
 */
struct submission_facts {
	const char *domain;    /* completes bare addresses */
	const char *local;     /* completes bare recipients (-t), which aliases may still mean */
	const char *hostname;  /* in Received and Message-ID */
	const char *login;     /* late: of the uid, local-part of a From that is missing */
	const char *full_name; /* late: display name of it, UTF-8; "" or NULL: none */
	unsigned uid;
	uint64_t now;     /* microseconds since 1970 */
	long utc_offset;  /* late: seconds east of Greenwich, for Date; Received is in UTC */
	bool from_header; /* -t: recipients are taken from the header */
	struct queue_id id;
	const char *with;        /* protocol for Received: "ESMTP"; NULL: none */
	const char *peer;        /* whom it came from, for Received; NULL: unknown */
	const char *header_from; /* rules for From, Sender and their Resent- forms; NULL: none */
	const char *reply_to;    /* rules for Reply-To, also for one that keeps the From */
	enum keep keep;          /* what becomes of a From that was replaced */
};

struct submission {
	const struct submission_facts *facts;
	unsigned received;            /* Received fields seen */
	bool eightbit_header;         /* an octet above 0x7f in a field */
	bool utf8_address;            /* … and in an address of one: it needs SMTPUTF8 */
	char sender[ADDRESS_MAX + 1]; /* first From (or Sender) mailbox, as it came; "": none */
	bool returned;                /* there was a Return-Path: */
	char return_path[ADDRESS_MAX + 1]; /* the first one's address; "" is the null one */
	struct buf bad_list;   /* recipients of the header that are no address, NUL-terminated */
	struct buf message_id; /* the value of the first Message-ID, or of ours; for the log */
	/* private */
	unsigned long seen;     /* bit per enum header_name */
	bool resent_recipients; /* a Resent-To, -Cc or -Bcc was there */
	bool resent_over;       /* the first block of Resent- fields is */
	struct buf to;          /* -t: NUL-terminated addresses of To, Cc, Bcc … */
	struct buf resent;      /* … and of the Resent- ones */
	struct buf original;    /* the value of a From that was replaced */
};

void submission_init(struct submission *s, const struct submission_facts *facts);

/* The Received field, to be written before the first field. */
void submission_start(struct submission *s, struct buf *out);

/* One field: what goes out is appended, CRLF included; nothing when it is dropped. */
void submission_field(struct submission *s, const struct header_field *f, struct buf *out);

/* Whether a From or Resent-From, a Date or Resent-Date will have to be made, as far as is known now. */
bool submission_lacks_author(const struct submission *s);
bool submission_lacks_date(const struct submission *s);

/*
 * The header is over: what is missing is appended, then the empty line. With -t the recipients are
 * added to `e` (each once; those there already stay). A From that is missing takes e->from, or
 * the login name where that is NULL or "", and then header_from's rules; so let those for the
 * envelope be applied to e->from afterwards. 0, or -1 with errno of envelope_add() or buf. No
 * recipients is no error here; s->bad_list tells of those that could not be taken.
 */
int submission_end(struct submission *s, struct envelope *e, struct buf *out);

void submission_free(struct submission *s);

/*
 * Add each of the NUL-terminated addresses in `list` to `e`, in their order, but those that `e` or
 * the list had before (address_equal()). In n log n. 0, or -1 with errno.
 */
int submission_recipients(struct envelope *e, const struct buf *list);

/* "Mon, 23 Nov 2026 16:13:05 +0100" (RFC 5322 3.3) appended; also used by bounces. */
void submission_date(struct buf *out, uint64_t usec, long utc_offset);

/*
 * A display name as a phrase: as is, quoted, or encoded (RFC 2047) as it needs. Control characters
 * are dropped.
 */
void submission_phrase(struct buf *out, const char *name);

#endif
