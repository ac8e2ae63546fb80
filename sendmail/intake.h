/* SPDX-License-Identifier: ISC */
/*
 * intake: one message on its way in, from raw octets to a durable spool file. What
 * `sendmail` reads from standard input and what `-bs` gets in DATA go through here.
 *
 *	intake_new     names, time
 *	intake_begin   the envelope, a queue ID and a file in tmp/
 *	intake_push    the message, any line ends, piece by piece; until intake_done()
 *	intake_commit  completed and durable
 *	intake_free    any time; abandons what was not committed
 *
 * A message that is larger than queue.message_size is an EX_DATAERR as soon as that is seen; one
 * that has no room beside what its owner has in the spool (queue.owner_messages,
 * queue.owner_octets) an EX_TEMPFAIL.
 *
 * Calls return a sysexits status; when it is not EX_OK, intake_error() is one line that says
 * what went wrong, nothing is in the queue, and the message can only be freed.
 */
#ifndef INTAKE_H
#define INTAKE_H

#include "mail/address.h"
#include "mail/envelope.h"
#include "options.h"
#include "spool/spool.h"
#include "sys/config.h"
#include "sys/host.h"

struct intake; /* opaque */

/*
 * Bare recipients are completed with this until aliases have been applied, so that they can be told
 * from addresses that were written out; what is left of it then becomes mail.domain.
 */
#define INTAKE_LOCAL "localhost"

/*
 * An address (or ORCPT) that ends with INTAKE_LOCAL then ends with `domain`. 1 when it changed, 0
 * when it stayed, -1 when out of memory.
 */
int intake_complete(char **text, const char *domain);

/* What this machine and this caller are called. */
struct names {
	int unread; /* errno: the domain could not be read just now; else 0 */
	char hostname[HOST_LEN], domain[HOST_LEN];
	struct host_user user; /* private; "": not asked for yet */
};

void names_gather(struct names *n, const struct settings *s);

/*
 * The caller's own address; a login that cannot be one ("CORP\alice") gives way to the uid. 0; -1:
 * the domain is none.
 */
int names_sender(struct names *n, char address[ADDRESS_MAX + 1]);

/* The caller; looked up at the first call, since few messages need it. */
const struct host_user *names_user(struct names *n);

/*
 * with: the protocol for Received ("SMTP", "ESMTP"); NULL for a local post, where a lone dot ends
 * the message unless o->dots, and recipients are taken from the header when o->from_header. NULL:
 * out of memory. All arguments are borrowed.
 */
struct intake *intake_new(
    const struct options *o, const struct settings *s, struct spool *sp, const char *with);

struct names *intake_names(struct intake *i);

/*
 * For mailq --import, before intake_begin(): the message gets this ID and is put on hold; what is in
 * tmp/ under it is the rest of such an attempt.
 */
void intake_hold(struct intake *i, struct queue_id id);

/*
 * Or: it is only looked at, and no spool is needed. It is pushed until intake_known(), or to its end,
 * and the end is said by intake_finish(), which is part of intake_commit() otherwise. Then the
 * envelope has its recipients, and *from is the address of its Return-Path; NULL: it has none.
 */
void intake_look(struct intake *i);
bool intake_known(const struct intake *i);
int intake_finish(struct intake *i);
const struct envelope *intake_envelope(const struct intake *i, const char **from);

/* The contents of `e` are taken over (e is empty afterwards). */
int intake_begin(struct intake *i, struct envelope *e);

/*
 * A recipient that is no address: it fails at once (5.1.3), and its sender is told by a bounce,
 * when other recipients get the message; when there is none, intake_commit() refuses with
 * EX_DATAERR.
 */
int intake_bad_recipient(struct intake *i, const char *text);

/* Behind a failed intake_begin(): the spool is one that cannot be written to; see spool_unwritable(). */
bool intake_unwritable(const struct intake *i);

int intake_push(struct intake *i, const char *data, size_t len);

/* A lone dot has ended the message. */
bool intake_done(const struct intake *i);

/*
 * EX_DATAERR, EX_USAGE (no recipients), EX_NOUSER (an alias leads to nobody), EX_UNAVAILABLE (mail
 * loop), EX_CONFIG (mail.domain is no domain), EX_TEMPFAIL, EX_OSERR. With
 * EX_OK the ID is "" where aliases send all of the message to /dev/null.
 */
int intake_commit(struct intake *i, struct queue_id *id);

const char *intake_error(const struct intake *i);

/* The reply of SMTP where the status does not say it all, "452 4.3.1"; else NULL. */
const char *intake_reply(const struct intake *i);

void intake_free(struct intake *i);

#endif
