/* SPDX-License-Identifier: ISC */
/*
 * outage: destinations that do not answer. They fail as one and are tried again as one, with
 * backoff; their messages wait without an attempt each. A small entry a destination, in memory
 * only: after a restart each is simply tried again.
 */
#ifndef OUTAGE_H
#define OUTAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "mail/retry.h"
#include "mail/status.h"

struct outage; /* opaque: one destination */

struct outages {
	struct outage **bucket;
	size_t buckets, count;
};

/*
 * Whether a destination is not to be tried before its time: then *o is its last failure and *until
 * that time.
 */
bool outage_find(const struct outages *t, const char *destination, int64_t now, struct outcome *o,
    int64_t *until);

/* It failed (again). */
void outage_note(struct outages *t, const char *destination, const struct outcome *o,
    const struct retry_policy *policy, int64_t now, uint32_t seed);

/* It answered. Whether it had been out. */
bool outage_over(struct outages *t, const char *destination);

/* Every destination may be tried now; failures stay counted. */
void outage_retry_all(struct outages *t);

void outage_free(struct outages *t);

#endif
