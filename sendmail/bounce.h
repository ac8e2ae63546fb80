/* SPDX-License-Identifier: ISC */
/*
 * bounce: telling the sender what failed for good, or succeeded where that was asked for: a report
 * (mail/dsn.h) posted into the same spool, by the same commit as any other message.
 */
#ifndef BOUNCE_H
#define BOUNCE_H

#include "mail/dsn.h"
#include "spool/claim.h"

/*
 * Post the report about every recipient of `c` that is dsn_wanted(kind); the journal is folded in.
 * Durable when it returns 0, and *id is its queue ID: the same when it is called again after a
 * crash, and then no second one is made. -1 with errno and spool->error. The caller never asks this
 * for the null reverse-path. hostname: Reporting-MTA; mailer: the address that it comes from.
 */
int bounce_post(struct claim *c, enum dsn_kind kind, const char *hostname, const char *mailer,
    struct queue_id *id);

#endif
