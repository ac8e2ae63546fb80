/* SPDX-License-Identifier: ISC */
/*
 * bounce: telling the sender what failed for good, is late, or succeeded where that was asked for: a
 * report (mail/dsn.h) posted into the same spool, by the same commit as any other message.
 */
#ifndef BOUNCE_H
#define BOUNCE_H

#include "mail/dsn.h"
#include "spool/claim.h"

struct bounce {
	enum dsn_kind kind;
	const char *hostname;      /* Reporting-MTA */
	const char *mailer;        /* the address that it comes from */
	int64_t retry_until;       /* of a delay: seconds since 1970 */
	const struct envelope *to; /* DSN_COPY: its recipients get it; else NULL: the sender does */
};

/*
 * Post the report about every recipient of `c` that is dsn_wanted(kind); the journal is folded in.
 * Durable when it returns 0, and *id is its queue ID: the same when it is called again after a
 * crash, and then no second one is made. A copy's journal says from the start that it is one. -1
 * with errno and spool->error. The caller never asks this for the null reverse-path, but for
 * DSN_COPY.
 */
int bounce_post(struct claim *c, const struct bounce *b, struct queue_id *id);

/* Whether it was posted before a crash, and still is in the spool: bounce_post() would post nothing. */
bool bounce_posted(struct claim *c, const struct bounce *b);

#endif
