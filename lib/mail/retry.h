/* SPDX-License-Identifier: ISC */
/*
 * retry: when the next attempt is due. A pure schedule: the clock and the randomness are
 * arguments.
 *
 * The waits double from `first` (60 seconds) up to `last` (one hour), each with a jitter of
 * up to an eighth, so that the messages of one outage do not come back in one instant:
 * about 1, 2, 4, 8, 16, 32 minutes, then hourly.
 */
#ifndef MAIL_RETRY_H
#define MAIL_RETRY_H

#include <stdbool.h>
#include <stdint.h>

struct retry_policy {
	unsigned first;           /* seconds */
	unsigned last;            /* seconds */
	unsigned lifetime;        /* seconds until a message is given up */
	unsigned bounce_lifetime; /* the same for one with the null reverse-path */
};

/* Seconds since 1970 of the attempt after `attempts` failed ones (1 or more). seed: any number. */
int64_t retry_next(const struct retry_policy *p, unsigned attempts, int64_t now, uint32_t seed);

/*
 * Whether a message that arrived then is too old now. A clock that jumped back (arrival in the
 * future) does not expire it.
 */
bool retry_expired(const struct retry_policy *p, bool null_sender, int64_t arrived, int64_t now);

#endif
