/* SPDX-License-Identifier: ISC */
#include "mail/retry.h"

#define JITTER 8 /* a wait grows by up to one JITTER-th of itself */

/* Seconds to wait after that many failed attempts, without jitter; never 0. */
static uint64_t
wait_after(const struct retry_policy *p, unsigned attempts)
{
	uint64_t wait = p->first > 0 ? p->first : 1;
	uint64_t last = p->last > 0 ? p->last : 1;

	for (unsigned i = 1; i < attempts && wait < last; i++)
		wait *= 2;
	return wait < last ? wait : last;
}

int64_t
retry_next(const struct retry_policy *p, unsigned attempts, int64_t now, uint32_t seed)
{
	uint64_t wait = wait_after(p, attempts);
	int64_t when;

	wait += seed % (wait / JITTER + 1);
	if (__builtin_add_overflow(now, wait, &when))
		return INT64_MAX;
	return when;
}

bool
retry_expired(const struct retry_policy *p, bool null_sender, int64_t arrived, int64_t now)
{
	unsigned lifetime = null_sender ? p->bounce_lifetime : p->lifetime;
	int64_t age;

	if (now < arrived)
		return false;
	if (__builtin_sub_overflow(now, arrived, &age))
		return true;
	return age >= lifetime;
}
