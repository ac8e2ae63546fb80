/* SPDX-License-Identifier: ISC */
/*
 * intake: one message on its way in, from raw octets to a durable spool file. What
 * `sendmail` reads from standard input and what `-bs` gets in DATA go through here.
 *
 *	intake_new     names, time, a queue ID and a file in tmp/
 *	intake_begin   the envelope
 *	intake_push    the message, any line ends, piece by piece; until intake_done()
 *	intake_commit  completed and durable
 *	intake_free    any time; abandons what was not committed
 *
 * Calls return a sysexits status; when it is not EX_OK, intake_error() is one line that says
 * what went wrong, nothing is in the queue, and the message can only be freed.
 */
#ifndef INTAKE_H
#define INTAKE_H

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
	char hostname[HOST_LEN], domain[HOST_LEN];
	struct host_user user;
};

void names_gather(struct names *n, const struct settings *s);

/*
 * with: the protocol for Received ("SMTP", "ESMTP"); NULL for a local post, where a lone dot ends
 * the message unless o->dots, and recipients are taken from the header when o->from_header. NULL:
 * out of memory. All arguments are borrowed.
 */
struct intake *intake_new(
    const struct options *o, const struct settings *s, struct spool *sp, const char *with);

const struct names *intake_names(const struct intake *i);

/* The contents of `e` are taken over (e is empty afterwards). */
int intake_begin(struct intake *i, struct envelope *e);

/*
 * A recipient that is no address: it fails at once (5.1.3), and its sender is told by a bounce,
 * when other recipients get the message; when there is none, intake_commit() refuses with
 * EX_DATAERR.
 */
int intake_bad_recipient(struct intake *i, const char *text);

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

void intake_free(struct intake *i);

#endif
