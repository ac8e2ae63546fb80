/* SPDX-License-Identifier: ISC */
/*
 * settle: from results to the spool. See attempt.h for what is written when.
 */
#ifndef SETTLE_H
#define SETTLE_H

#include "attempt.h"

/* A recipient's result: journal line, log line, and who asked is told. */
void settle_result(struct work *w, struct attempt *a, const struct handoff_result *r);

/* The same for one that was not tried, since its destination is out: it counts as no attempt. */
void settle_untried(struct work *w, struct attempt *a, const struct handoff_result *r);

/* Whether a message is so old that its next deferral is its last. */
bool settle_expired(const struct work *w, const struct attempt *a);

/* A job of several is over: what is final goes to the disk now. */
void settle_part(struct work *w, struct attempt *a);

/*
 * All jobs are over: remove, bounce, defer or park the message, and end the attempt; or leave it
 * `stuck` when the disk does not let us.
 */
void settle(struct work *w, struct attempt *a);

/*
 * The disk refused something (errno, spool->error; `what` is put before, or ""): to the log, but of the
 * same reason not for each message and each time. Returns -1.
 */
int settle_refused(struct work *w, const char *what);

#endif
