/* SPDX-License-Identifier: ISC */
/*
 * outage: destinations that do not answer. They fail as one and are tried again as one, with
 * backoff; their messages wait without an attempt each. An entry a destination, in memory only:
 * after a restart each is simply tried again.
 *
 * Times are seconds of a clock that nobody sets (clock_uptime()): a wall clock that jumps back must
 * not keep a destination out for years.
 *
 * An entry is small (OUTAGE_SIZE octets and its name), and goes when its time came and nobody
 * tried: there is no mail for it any more. Beyond OUTAGES_MAX destinations nothing is noted, and
 * each message finds out for itself.
 */
#ifndef OUTAGE_H
#define OUTAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "mail/retry.h"
#include "mail/status.h"

#define OUTAGE_TEXT 160   /* octets of the last failure's text that are kept, with the NUL */
#define OUTAGE_SIZE 208   /* octets of an entry at most, without the name */
#define OUTAGE_STALE 7200 /* seconds after its time until an entry is forgotten, at least */
#define OUTAGES_MAX 65536

struct outage; /* opaque: one destination */

struct outages {
	struct outage **bucket;
	size_t buckets, count;
	int64_t swept; /* when those without mail were last looked for */
};

/*
 * Whether a destination is not to be tried before its time: then *o is its last failure and *until
 * that time.
 */
bool outage_find(const struct outages *t, const char *destination, int64_t now, struct outcome *o,
    int64_t *until);

/* It failed (again). Whether that is news: it was not out, or not at this stage. */
bool outage_note(struct outages *t, const char *destination, const struct outcome *o,
    const struct retry_policy *policy, int64_t now, uint32_t seed);

/* It answered. Whether it had been out. */
bool outage_over(struct outages *t, const char *destination);

/* Every destination may be tried now; failures stay counted. */
void outage_retry_all(struct outages *t, int64_t now);

/*
 * For a flusher that leaves, and the next one of the same spool: as much as fits dst[size]. The
 * octets used. What is loaded is checked; the rest of what is not well formed is left out.
 */
size_t outage_save(const struct outages *t, char *dst, size_t size);
void outage_load(struct outages *t, const char *src, size_t size);

void outage_free(struct outages *t);

#endif
