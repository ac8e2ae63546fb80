/* SPDX-License-Identifier: ISC */
/*
 * lanes: what each destination holds of the jobs that smtp takes, and which messages wait for room
 * there, so that a destination which hangs, or may have so many messages an hour only, delays
 * nobody but its own mail.
 *
 * A destination may begin another job while
 *	it has fewer than its window: LANE_FIRST at first, one more for each job that was answered,
 *	up to LANE_JOBS, and LANE_FIRST again when it fails, so that what hangs holds little;
 *	it has fewer than there are free: what was busy when it began to hang leaves something;
 *	its rate allows it.
 * Where all mail goes to one destination there is nobody to be fair to: it has what its connections
 * can do with.
 *
 * A message that has to wait is parked: its ID alone is kept, in the order of their coming, and it
 * comes back when there is room. No attempt is counted. LANES_PARKED are kept at most; more than
 * that are set aside in cur/, each LANES_OVERFLOWS of them until a later time (lanes_overflow()), so
 * that the directory is read now and then and each file opened once a while, however many there are.
 * Those of the next such time are called back sooner (lanes_recall()) when as many can be parked: a
 * destination that takes its mail is not made to wait for any.
 *
 * In memory only. After a restart what is in the spool is looked at anew, and rates begin anew.
 */
#ifndef LANES_H
#define LANES_H

#include <stdbool.h>
#include <stdint.h>

#include "mail/queue_id.h"
#include "mail/rate.h"
#include "spool/spool.h"
#include "sys/handoff.h"

#define LANE_FIRST 2       /* open jobs of a destination that has not answered yet, … */
#define LANE_JOBS 128      /* … and at most */
#define LANES_PARKED 16384 /* messages */
#define LANES_BUCKETS 256
#define LANES_OVERFLOW 10       /* seconds between looks at what is beyond LANES_PARKED, … */
#define LANES_OVERFLOWS 8192    /* … for so many files a time */
#define LANES_OVERFLOW_MAX 3600 /* seconds: none of these looks is further away */

struct lane; /* opaque: a destination */

struct parked {
	struct queue_id id;
	enum spool_state state; /* where it was seen */
	unsigned run;           /* see due.h */
	/* private */
	struct parked *next, *chain;
};

struct lanes {
	/* The rate of a destination. */
	struct rate (*rate)(void *arg, const char *destination);
	void *arg;
	/*
	 * Where others send to the same destinations, who counts for all: milliseconds until a
	 * message may go, 0: now, and it is counted; and one that was counted came to nothing.
	 * NULL: it is counted here.
	 */
	int64_t (*take)(void *arg, const char *destination);
	void (*give_back)(void *arg, const char *destination);
	void *counter; /* their first argument */
	unsigned only; /* there is one destination, which may have so many jobs; 0: others too */
	/* private */
	struct lane *bucket[LANES_BUCKETS];
	size_t count, sweep_at;
	unsigned jobs;
	struct parked **ids; /* a hash table; NULL: nothing was ever parked */
	size_t nparked;
	struct lane *first, **last; /* those that have parked messages: whose turn it is */
	int64_t overflow;           /* seconds since 1970; of the last lanes_overflow() */
	unsigned overflows;         /* how many were sent there */
	int64_t recalled;           /* what was sent up to then came back */
	int64_t owed;               /* up to then there are messages of runs … */
	unsigned owed_run;          /* … from this one on; 0: of none */
};

/* The caller sets l->rate, l->arg and l->only. */
void lanes_init(struct lanes *l);

/* What the caller sets has changed. A rate that is another one now begins anew. */
void lanes_renew(struct lanes *l);

/* Times are milliseconds, monotonic. */

/* Whether a destination may begin a job. */
bool lanes_room(const struct lanes *l, const char *destination, int64_t now);

/*
 * A job begins. *limited: the rate is filled up by it, for the first time. 0; 1: it may not, the rate
 * was filled up by others; -1: out of memory.
 */
int lanes_begin(struct lanes *l, const char *destination, int64_t now, bool *limited);

enum lane_end {
	LANE_ANSWERED, /* to a message: that counts for its rate */
	LANE_FAILED,   /* the destination did, not the message */
	LANE_UNSENT,   /* taken back */
};

/* A job is over. */
void lanes_end(struct lanes *l, const char *destination, enum lane_end how);

/* A message waits for its destination. -1: too many do, or out of memory. */
int lanes_park(struct lanes *l, const char *destination, const struct queue_id *id,
    enum spool_state state, unsigned run);

/* The next parked message whose destination has room; it is forgotten here. */
bool lanes_next(struct lanes *l, int64_t now, struct parked *p);

/*
 * Whether this message is parked; and whether none is; and whether none is of a run up to this one,
 * nor set aside.
 */
bool lanes_has(const struct lanes *l, const char *id);
bool lanes_none(const struct lanes *l);
bool lanes_run_over(const struct lanes *l, unsigned run);

/*
 * When a message that could not be parked is looked at again: seconds since 1970, as is `now`. run: 0:
 * of none that anybody waits for.
 */
int64_t lanes_overflow(struct lanes *l, int64_t now, unsigned run);

/*
 * Until when those were sent away that there is room for now; they are to be looked at. 0: there is no
 * room, or nobody was. To be asked only when those of the last time have been looked at.
 */
int64_t lanes_recall(struct lanes *l, int64_t now);

/* Milliseconds until a rate lets something go that is parked, or `destination`; INT64_MAX: none. */
int64_t lanes_wait(const struct lanes *l, const char *destination, int64_t now);

/* Whether no message that was sent is counted for a rate any more. */
bool lanes_idle(const struct lanes *l, int64_t now);

void lanes_free(struct lanes *l);

#endif
