/* SPDX-License-Identifier: ISC */
#include "spool/usage.h"

#include "spool/scan.h"

static bool
reached(uint64_t have, uint64_t limit)
{
	return limit != 0 && have >= limit;
}

int
usage_count(struct usage *u, struct spool *sp, uint64_t messages, uint64_t octets)
{
	static const enum spool_state states[] = {SPOOL_NEW, SPOOL_CUR, SPOOL_HOLD, SPOOL_FAILED};
	int r = 0;

	*u = (struct usage){0};
	for (size_t i = 0; r == 0 && i < sizeof(states) / sizeof(states[0]); i++) {
		struct scan_entry entry;
		struct scan scan;

		if (scan_open(&scan, sp, states[i]) == -1)
			return -1;
		while (!reached(u->messages, messages) && !reached(u->octets, octets) &&
		       (r = scan_next(&scan, &entry)) == 1) {
			u->messages++;
			u->octets += entry.size;
		}
		if (r == -1)
			spool_fail(sp, "read", spool_state_name(states[i]));
		else
			r = 0;
		scan_close(&scan);
	}
	return r;
}
