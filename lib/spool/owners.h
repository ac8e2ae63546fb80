/* SPDX-License-Identifier: ISC */
/*
 * owners: the directories below the queue directory, for root. Root lists the top directory and
 * asks who owns each entry; it opens nothing below.
 */
#ifndef SPOOL_OWNERS_H
#define SPOOL_OWNERS_H

#include <sys/types.h>

/*
 * Call `each` for every directory in queue_dir that is a spool by its name ("1000" or
 * "1000.<16 characters>"), with its real owner, who may be somebody else than the name says. Stops
 * when `each` returns non-zero and returns that; else 0, or -1 with errno when queue_dir cannot be
 * read.
 */
int spool_owners(const char *queue_dir,
    int (*each)(void *arg, const char *name, uid_t owner), void *arg);

#endif
