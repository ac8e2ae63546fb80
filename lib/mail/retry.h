/* SPDX-License-Identifier: ISC */
/*
 * retry: when the next attempt is due. A pure schedule: the clock and the randomness are
 * arguments.
 *
 * A wait for each attempt that failed, the last one again and again: by default 1, 2, 5, 10, 20 and
 * 40 minutes, then hourly. Each with a jitter of up to an eighth, so that the messages of one outage
 * do not come back in one instant.
 */
#ifndef MAIL_RETRY_H
#define MAIL_RETRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RETRY_WAITS 32
#define RETRY_JITTER 8 /* a wait grows by up to this part of itself */

struct retry_policy {
	unsigned wait[RETRY_WAITS]; /* seconds, each at least 1 */
	size_t waits;               /* how many, at least 1 */
	unsigned lifetime;          /* seconds until a message is given up */
	unsigned bounce_lifetime;   /* the same for one with the null reverse-path */
};

/*
 * The waits of "1m, 2m, 5m", a list of durations with commas. The lifetimes are left as they are.
 * 0, or -1 with *why a constant string; the waits are then untouched.
 */
int retry_parse(struct retry_policy *p, const char *text, const char **why);

/* Seconds since 1970 of the attempt after `attempts` failed ones (1 or more). seed: any number. */
int64_t retry_next(const struct retry_policy *p, unsigned attempts, int64_t now, uint32_t seed);

/* Seconds: no wait that retry_next() gives is longer. */
int64_t retry_longest(const struct retry_policy *p);

/*
 * How much of its lifetime a message has used up, in seconds, at a time of the wall clock. It begins
 * as 0 at its arrival.
 *
 * A stretch in which nobody looked at it for more than RETRY_GAP is not counted: the machine was off,
 * or its clock was set, maybe by fifty years (without a clock of its own it boots in 1970). So what
 * has waited is tried again as if that stretch had not been, and nothing is given up because of it.
 */
struct retry_age {
	int64_t used, at;
};

#define RETRY_GAP 86400 /* seconds */

/* What it has used up at `now`, when its next attempt was set to `due`. */
int64_t retry_used(
    const struct retry_policy *p, const struct retry_age *age, int64_t due, int64_t now);

/* Whether the wall clock would say another age at `now`, so that this one must be written down. */
bool retry_differs(const struct retry_age *age, int64_t used, int64_t now);

/* Whether a message that has used up so much is too old. */
bool retry_expired(const struct retry_policy *p, bool null_sender, int64_t used);

#endif
