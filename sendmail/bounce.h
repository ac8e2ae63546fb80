/* SPDX-License-Identifier: ISC */
/*
 * bounce: telling the sender what failed for good: a report (mail/dsn.h) posted into the same
 * spool, by the same commit as any other message.
 */
#ifndef BOUNCE_H
#define BOUNCE_H

#include "spool/claim.h"

/*
 * Post the report about every recipient of `c` that has failed and is not `reported`; the journal
 * is folded in. Durable when it returns 0, and *id is its queue ID: the same when it is called
 * again after a crash, and then no second one is made. -1 with errno and spool->error. The caller
 * never asks this for the null reverse-path. hostname: Reporting-MTA; domain: that of
 * MAILER-DAEMON.
 */
int bounce_post(struct claim *c, const char *hostname, const char *mailer, struct queue_id *id);

#endif
