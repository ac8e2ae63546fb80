/* SPDX-License-Identifier: ISC */
/*
 * steer: acts that a person wants done to messages: -d, -h, -H and -r.
 *
 * Each is done with the message locked, see spool/claim.h, so a flusher that runs has not begun with it,
 * or is through with it. One that is being delivered is waited for, STEER_PATIENCE for all
 * of them together; then it is left alone and named. What was done is logged with the uid of who
 * did it, and durable when mailq ends; the flusher is told what may be delivered again.
 */
#ifndef MAILQ_STEER_H
#define MAILQ_STEER_H

#include "act.h"
#include "sys/wake.h"

#define STEER_PATIENCE 2000 /* milliseconds */

extern const struct act act_delete;
extern const struct act act_hold;
extern const struct act act_release;
extern const struct act act_retry;

/* For a question before: nothing is done, the entries are counted. */
extern const struct act act_count;

/* In shared memory: the beginning of what each act has that steers. */
struct steer {
	uint64_t done;
	int64_t waited; /* milliseconds, for messages that are being delivered */
};

/* Who acts: root, whatever the process has become. */
unsigned steer_actor(const struct run *r);

/*
 * Lock the message of an entry, wherever it is by now. CLAIM_GONE, CLAIM_BUSY after the wait, and
 * CLAIM_ERROR have been told of as they deserve; `what` is what is not done then: "deleted". The
 * caller ends with claim_close().
 */
enum claim_result steer_claim(
    struct run *r, struct claim *c, const struct entry *e, const char *what);

/* Into cur/, due now; what failed for good is as good as deferred. 0, or -1 with spool->error. */
int steer_release(struct claim *c, unsigned actor, int64_t now);

/* Who delivers what is in this spool. */
struct wake steer_wake(const struct run *r, const struct spool *sp);

/* What was moved and removed in this spool is so on the disk. */
void steer_sync(struct run *r, struct spool *sp);

#endif
