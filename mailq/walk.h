/* SPDX-License-Identifier: ISC */
/*
 * walk: through a spool, in a process that is its owner: an act's functions are called for each entry
 * that is selected. Trouble is named on stderr and noted in r->total.
 */
#ifndef MAILQ_WALK_H
#define MAILQ_WALK_H

#include "act.h"

/*
 * The entries come in the order of their arrival, up to WALK_BATCH at a time (a larger spool is
 * sorted in pieces, so memory stays the same); where IDs are selected, in the order of those. What
 * comes or goes meanwhile may be seen or not, nothing twice (but across pieces).
 */
#define WALK_BATCH 50000
void walk_spool(struct run *r, struct spool *sp);

/* When all has been walked: name the IDs that were selected and are not there. */
void walk_missing(const struct run *r, const char *where);

/*
 * Whether somebody delivers what is in a spool: a flusher of its own works there, or the system
 * flusher listens, which starts one when something is due; it sees what is below the queue directory.
 */
bool walk_served(const struct run *r, struct spool *sp);

#endif
