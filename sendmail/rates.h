/* SPDX-License-Identifier: ISC */
/*
 * rates: how many messages go to each destination in what time (smtp.rate), counted for all owners
 * together by the supervisor. In memory only: after a restart rates begin anew.
 */
#ifndef RATES_H
#define RATES_H

#include <stdint.h>

#include "sys/config.h"

#define RATES_MAX 16384  /* destinations of which messages are counted at the same time */
#define RATES_FULL 10000 /* milliseconds that others have to wait then */
#define RATES_BUCKETS 1024

struct rates {
	const struct settings *settings;
	/* private */
	struct rates_entry *bucket[RATES_BUCKETS];
	unsigned count;
};

/* What the settings say of a destination (named as in struct handoff_job); "": no limit. */
const char *rates_text(const struct settings *s, const char *destination);

/*
 * A message is to begin. 0: it is counted, and may; else milliseconds until it may be asked again.
 * now: milliseconds, monotonic.
 */
int64_t rates_take(struct rates *r, const char *destination, int64_t now);

/* One that was counted came to nothing. */
void rates_return(struct rates *r, const char *destination);

#endif
