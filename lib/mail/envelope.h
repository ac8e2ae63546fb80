/* SPDX-License-Identifier: ISC */
/*
 * envelope: the one value that travels. The injector fills it in and a spool file stores
 * it; flush reads it back and folds the journal into it; smtp reads the same file and
 * speaks it to a server.
 *
 * The head of a spool file, lines ended by LF, fields in this order:
 *
 *	pillarbox 1              format and version
 *	id 0QK3ZP7V2M9X          queue ID = file name
 *	arrived 1764000000.123456
 *	uid 1000                 who posted it
 *	size 000000001234        octets of the message behind the head, 12 digits
 *	body 8BITMIME            7BIT, 8BITMIME or SMTPUTF8, padded with spaces to 8
 *	dots 1                   whether a line of the message begins with a dot: 0 or 1
 *	requiretls               optional, RFC 8689: over verified TLS only
 *	envid QQ314159           optional, RFC 3461 4.4 (xtext as it goes on the wire)
 *	ret HDRS                 optional, FULL or HDRS, RFC 3461 4.3
 *	from <cron@host.example> the reverse-path; <> is the null one
 *	rcpt <root@example.org> NOTIFY=FAILURE,DELAY ORCPT=rfc822;root@example.org
 *	                         one line a recipient, at least one; parameters optional
 *	                         an empty line ends the head
 *
 * size, body and dots are known only at the end of the message; their width is fixed so
 * that envelope_seal() can fill them in last. An address has no octet <= 0x20 and no 0x7f
 * (address_valid()), so a line can hold nothing but what its name says. The table of fields
 * is in envelope.c; printer and parser both walk it.
 */
#ifndef MAIL_ENVELOPE_H
#define MAIL_ENVELOPE_H

#include <stdbool.h>
#include <stdint.h>

#include "mail/buf.h"
#include "mail/queue_id.h"
#include "mail/retry.h"
#include "mail/status.h"

#define ENVELOPE_HEAD_MAX (16U * 1024 * 1024) /* octets of a head */
#define ENVELOPE_RCPT_MAX 50000U              /* recipients of a message */
#define ENVELOPE_SIZE_MAX 999999999999ULL     /* octets of a message: 12 digits */

enum body {
	BODY_7BIT,
	BODY_8BITMIME,
	BODY_SMTPUTF8,
};

enum ret {
	RET_NONE,
	RET_FULL,
	RET_HDRS,
};

/* NOTIFY, RFC 3461 4.1; 0: not given. */
enum {
	NOTIFY_NEVER = 1,
	NOTIFY_SUCCESS = 2,
	NOTIFY_FAILURE = 4,
	NOTIFY_DELAY = 8,
};

struct recipient {
	char *address; /* local@domain, no angle brackets */
	char *orcpt;   /* "rfc822;…" as xtext, or NULL */
	unsigned notify;

	/* folded from the journal, see mail/journal.h */
	struct status status; /* of the last attempt; class 0: none yet */
	bool reported;        /* final, and the sender has been told (or is not to be) */
	bool warned;          /* the sender has been told of the delay */
	bool copied;          /* the postmaster has been told that nobody can be told */
	unsigned attempts;    /* deferrals so far */
	int64_t when;         /* of the last attempt, seconds since 1970 */
	const char *text;     /* of the last attempt: borrowed from the folded octets, … */
	size_t textlen;       /* … not NUL-terminated */

	bool delivered; /* by the last server itself, not passed on; in memory only */
};

struct envelope {
	struct queue_id id;
	uint64_t arrived; /* microseconds since 1970 */
	unsigned uid;
	uint64_t size; /* octets of the message */
	enum body body;
	bool dots;
	bool requiretls;
	enum ret ret;
	char *envid; /* or NULL */
	char *from;  /* "" is the null reverse-path */
	struct recipient *rcpt;
	size_t nrcpt;
	struct retry_age age; /* from its arrival on, or as the journal has it */
};

/* Add a recipient; address is copied. 0, or -1: errno ENOMEM, or E2BIG beyond ENVELOPE_RCPT_MAX. */
int envelope_add(struct envelope *e, const char *address);

/*
 * Keep n of its recipients, which[0] first, and forget the others: of many it may be only a few that
 * are to stay in memory. 0, or -1: errno ENOMEM, or EINVAL where one is not there or named twice.
 */
int envelope_keep(struct envelope *e, const uint32_t *which, size_t n);

/*
 * Of recipients that are equal (address_equal()) the first stays. In n log n. Without memory for that
 * they stay twice, which is no harm.
 */
void envelope_unique(struct envelope *e);

/* Print the head. size, body, dots as they are now (zero while unknown). */
void envelope_print(struct buf *out, const struct envelope *e);

/*
 * Fill size, body and dots of `e` into the head at the start of `head`, as envelope_print() made
 * it: head[*offset .. *offset + *len) is what changed. 0, or -1 with errno ENOMEM.
 */
int envelope_seal(char *head, const struct envelope *e, size_t *offset, size_t *len);

/*
 * Parse the head at the start of data[len]. Returns its octets, the empty line included; 0 when
 * more octets are needed; -1 when it is not a head, with *why a constant string that says what is
 * wrong, or with *why NULL and errno ENOMEM. `e` owns copies of all strings: envelope_free() also after an error.
 */
long envelope_parse(struct envelope *e, const char *data, size_t len, const char **why);

void envelope_free(struct envelope *e);

/* "7BIT", "8BITMIME", "SMTPUTF8" */
const char *body_name(enum body body);

#endif
