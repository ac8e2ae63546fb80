/* SPDX-License-Identifier: ISC */
/*
 * due: which message is next. Walks new/ and cur/ in constant memory: a batch of entries at a
 * time, sorted, so that messages go in the order of their arrival as far as a batch reaches.
 *
 *	a poke       new/ is looked through: everything in it is due
 *	time         cur/ is looked through when the earliest next attempt has come, and new/ again
 *	a run        cur/ and then new/ are looked through, due or not
 *
 * A next attempt further away than the schedule can set is taken for a clock that jumped back: due.
 */
#ifndef DUE_H
#define DUE_H

#include <stdbool.h>
#include <stdint.h>

#include "spool/scan.h"
#include "spool/spool.h"

#define DUE_BATCH 256

struct due {
	struct spool *spool;
	int64_t horizon; /* seconds: the longest wait that the schedule can set */
	/* private */
	struct scan scan;
	enum spool_state state; /* being walked */
	bool walking;
	bool run; /* this walk is part of a run */
	bool new_wanted, run_wanted;
	int64_t next; /* seconds since 1970: the earliest next attempt in cur/, INT64_MAX: none */
	struct scan_entry batch[DUE_BATCH];
	size_t nbatch, at;
	unsigned runs_asked, runs_done;
};

/* The caller sets d->horizon. */
void due_init(struct due *d, struct spool *sp);

/* Something was committed to new/. */
void due_new(struct due *d);

/* Something was put into cur/, or is to be looked at again, then. */
void due_at(struct due *d, int64_t when);

/*
 * Everything is to be tried, due or not. Returns the number of the run: it has handed out all its
 * messages when d->runs_done has reached it.
 */
unsigned due_run(struct due *d);

/* Whether there is a message now. To be asked, too, when none can be begun: that ends a run. */
bool due_ready(struct due *d, int64_t now);

/* The next message; false when there is none now. */
bool due_next(struct due *d, int64_t now, enum spool_state *state, struct scan_entry *entry);

/* When to ask again: seconds since 1970; 0: now; INT64_MAX: nothing waits. */
int64_t due_when(const struct due *d);

void due_free(struct due *d);

#endif
