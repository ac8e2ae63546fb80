/* SPDX-License-Identifier: ISC */
#include "mail/retry.h"

#include <assert.h>
#include <string.h>

#include "mail/duration.h"

/* A word of the list, blanks around it apart. 0, or -1 with *why. */
static int
parse_wait(unsigned *wait, const char *s, size_t len, const char **why)
{
	while (len > 0 && (*s == ' ' || *s == '\t'))
		s++, len--;
	while (len > 0 && (s[len - 1] == ' ' || s[len - 1] == '\t'))
		len--;
	if (duration_parse(wait, s, len, why) == -1) {
		*why = "not a list of durations such as 1m, 5m, 1h";
		return -1;
	}
	if (*wait == 0) {
		*why = "a wait of no time";
		return -1;
	}
	return 0;
}

int
retry_parse(struct retry_policy *p, const char *text, const char **why)
{
	struct retry_policy got = *p;

	got.waits = 0;
	for (;; text++) {
		size_t len = strcspn(text, ",");

		if (got.waits == RETRY_WAITS) {
			*why = "more than 32 durations";
			return -1;
		}
		if (parse_wait(&got.wait[got.waits++], text, len, why) == -1)
			return -1;
		text += len;
		if (*text == '\0')
			break;
	}
	*p = got;
	return 0;
}

static uint64_t
with_jitter(uint64_t wait, uint32_t seed)
{
	return wait + seed % (wait / RETRY_JITTER + 1);
}

int64_t
retry_next(const struct retry_policy *p, unsigned attempts, int64_t now, uint32_t seed)
{
	size_t i = attempts > 0 ? attempts - 1 : 0;
	int64_t when;

	assert(p->waits > 0);
	if (__builtin_add_overflow(
		now, with_jitter(p->wait[i < p->waits ? i : p->waits - 1], seed), &when))
		return INT64_MAX;
	return when;
}

int64_t
retry_longest(const struct retry_policy *p)
{
	unsigned longest = 0;

	for (size_t i = 0; i < p->waits; i++)
		if (p->wait[i] > longest)
			longest = p->wait[i];
	return (int64_t)longest + longest / RETRY_JITTER;
}

/* Seconds from one time to another; 0 when it is not later. */
static int64_t
span(int64_t from, int64_t to)
{
	int64_t seconds;

	if (to <= from)
		return 0;
	return __builtin_sub_overflow(to, from, &seconds) ? INT64_MAX : seconds;
}

static int64_t
add(int64_t a, int64_t b)
{
	int64_t sum;

	return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

int64_t
retry_used(const struct retry_policy *p, const struct retry_age *age, int64_t due, int64_t now)
{
	bool late = span(due, now) > RETRY_GAP;
	/* Both were set by a clock that was ahead, and has been set back. */
	bool early = age->at > now && span(now, due) > retry_longest(p) + RETRY_GAP;

	return add(age->used, span(age->at, late || early ? due : now));
}

bool
retry_differs(const struct retry_age *age, int64_t used, int64_t now)
{
	int64_t says = add(age->used, span(age->at, now));

	return span(used, says) > RETRY_GAP || span(says, used) > RETRY_GAP ||
	       span(now, age->at) > RETRY_GAP;
}

bool
retry_expired(const struct retry_policy *p, bool null_sender, int64_t used)
{
	return used >= (null_sender ? p->bounce_lifetime : p->lifetime);
}
