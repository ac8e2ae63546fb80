/* SPDX-License-Identifier: ISC */
/*
 * import: --import DIR, from what --export has put there, and from any Maildir. What is selected is on
 * hold in the spool, durably, before its file is removed, and is released after that.
 */
#ifndef MAILQ_IMPORT_H
#define MAILQ_IMPORT_H

#include "act.h"

/* The exit status. */
int import_run(struct run *r);

/* For import_maildir.c: */

/* Where a message of this ID lies in the spool; false: nowhere. */
bool import_find(struct spool *sp, const char *id, enum spool_state *state);

/* An ID that it does not have. */
struct queue_id import_id(struct spool *sp);

/* import_maildir.c: the Maildir `fd`; sp is not looked at in a dry run. */
void import_maildir(struct run *r, int fd, struct spool *sp);

#endif
