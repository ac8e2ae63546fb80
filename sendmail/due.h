/* SPDX-License-Identifier: ISC */
/*
 * due: which message is next. Walks new/ and cur/ in constant memory: a batch of entries at a
 * time, sorted, so that messages go in the order of their arrival as far as a batch reaches.
 *
 *	a poke       new/ is looked through: everything in it is due
 *	time         cur/ is looked through when the earliest next attempt has come, and new/ again
 *	a run        cur/ and then new/ are looked through, due or not
 *	a recall     cur/ is looked through for what was set aside, its time come or not
 *
 * So that very many that wait cost little: a look through cur/ at its time is followed by a rest of
 * a second for each DUE_REST entries, and what is committed meanwhile does not wait for its end.
 *
 * A next attempt further away than anything here sets one is taken for a clock that jumped back: due.
 */
#ifndef DUE_H
#define DUE_H

#include <stdbool.h>
#include <stdint.h>

#include "spool/scan.h"
#include "spool/spool.h"

#define DUE_BATCH 256
#define DUE_REST 16384 /* some 50 ms of work */

struct due {
	struct spool *spool;
	int64_t horizon; /* seconds: nobody sets a next attempt further away */
	/* private */
	struct scan scan;
	enum spool_state state; /* being walked */
	bool walking;
	bool run; /* this walk is part of a run */
	bool new_wanted, run_wanted;
	int64_t recall, recall_wanted; /* due_recall(): of this walk, of the next; 0: nothing */
	bool told[SPOOL_STATES]; /* that it cannot be read */
	int64_t next; /* seconds since 1970: the earliest next attempt in cur/, INT64_MAX: none */
	struct scan aside; /* of cur/, while new/ is looked through; dir is NULL: none */
	size_t seen;       /* entries of cur/ in this walk … */
	size_t since;      /* … and since new/ was looked through */
	int64_t rest_from, rest_to; /* seconds since 1970 */
	struct scan_entry batch[DUE_BATCH];
	size_t nbatch, at;
	unsigned runs_asked, runs_done;
};

/* The caller sets d->horizon. */
void due_init(struct due *d, struct spool *sp);

/* Something was committed to new/. */
void due_new(struct due *d);

/* Something was put into cur/, or is to be looked at again, then; 0: now, without a rest. */
void due_at(struct due *d, int64_t when);

/*
 * Everything is to be tried, due or not. Returns the number of the run: it has handed out all its
 * messages when d->runs_done has reached it.
 */
unsigned due_run(struct due *d);

/*
 * There is room again for what was set aside (claim_set_aside()) until `when` or sooner: cur/ is
 * looked through for that, without a rest. Not before due_at_rest().
 */
void due_recall(struct due *d, int64_t when);

/* Nothing is being looked through, or is to be: every message there was has been handed out. */
bool due_at_rest(const struct due *d);

/* Whether there is a message now. To be asked, too, when none can be begun: that ends a run. */
bool due_ready(struct due *d, int64_t now);

/* The next message; false when there is none now. */
bool due_next(struct due *d, int64_t now, enum spool_state *state, struct scan_entry *entry);

/* When to ask again: seconds since 1970; 0: now; INT64_MAX: nothing waits. */
int64_t due_when(const struct due *d);

void due_free(struct due *d);

#endif
