/* SPDX-License-Identifier: ISC */
#include "spool/removals.h"

#include <unistd.h>

void
removals_add(struct removals *r, enum spool_state from, int64_t now)
{
	if (!r->any)
		r->first = now;
	r->last = now;
	r->any = r->from[from] = true;
}

int64_t
removals_wait(const struct removals *r, int64_t now, int64_t ms)
{
	int64_t pause = r->last + REMOVALS_PAUSE, wait = r->first + REMOVALS_WAIT;
	int64_t left = (pause < wait ? pause : wait) - now;

	if (!r->any)
		return ms;
	return left < 0 ? 0 : left < ms ? left : ms;
}

int
removals_sync(struct removals *r, struct spool *sp)
{
	int result = 0;

	for (enum spool_state i = 0; i < SPOOL_STATES; i++) {
		int dir = r->from[i] ? spool_dir(sp, i) : -1;

		if (r->from[i] && (dir == -1 || fsync(dir) == -1))
			result = spool_fail(sp, "sync", spool_state_name(i));
	}
	*r = (struct removals){0};
	return result;
}
