/* SPDX-License-Identifier: ISC */
/*
 * removals: what was removed since a directory was last synced. A power cut before that brings it
 * back, and what was delivered comes twice; many a file system would leave it at that for half a
 * minute. One sync is for all removals of a moment: it costs as much as a post.
 */
#ifndef SPOOL_REMOVALS_H
#define SPOOL_REMOVALS_H

#include "spool/spool.h"

#define REMOVALS_PAUSE 100 /* milliseconds without a removal, until those before are synced, … */
#define REMOVALS_WAIT 1000 /* … or since the first of them */

/* Of one that is all zeros. Times are milliseconds of the monotonic clock. */
struct removals {
	bool any, from[SPOOL_STATES];
	int64_t first, last;
};

/* A file was removed from this state's directory. */
void removals_add(struct removals *r, enum spool_state from, int64_t now);

/* Milliseconds until it is time to sync, but no more than `ms`. */
int64_t removals_wait(const struct removals *r, int64_t now, int64_t ms);

/*
 * Sync now, if there is something to sync. 0; -1 with errno and sp->error: it cannot be said what came
 * to the disk, and trying again would not tell.
 */
int removals_sync(struct removals *r, struct spool *sp);

#endif
