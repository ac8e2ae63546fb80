/* SPDX-License-Identifier: ISC */
#include "mail/retry.h"

#include "tap.h"

static const struct retry_policy policy = {60, 3600, 432000, 86400};

static const struct {
	unsigned attempts;
	int wait;
} waits[] = {
    {0, 60},
    {1, 60},
    {2, 120},
    {3, 240},
    {4, 480},
    {5, 960},
    {6, 1920},
    {7, 3600},
    {8, 3600},
    {1000, 3600},
    {UINT32_MAX, 3600},
};

static void
test_waits(void)
{
	for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
		int64_t least = INT64_MAX, most = 0;

		for (uint32_t seed = 0; seed < 2000; seed++) {
			int64_t wait = retry_next(&policy, waits[i].attempts, 1000, seed) - 1000;

			least = wait < least ? wait : least;
			most = wait > most ? wait : most;
		}
		ok(least == waits[i].wait && most == waits[i].wait + waits[i].wait / 8,
		    "after %u attempts: %d s and up to an eighth", waits[i].attempts,
		    waits[i].wait);
	}
}

static void
test_odd(void)
{
	struct retry_policy odd = {0, 0, 0, 0};

	ok(retry_next(&odd, 1, 1000, 7) > 1000, "never at once");
	odd.first = 600;
	odd.last = 60;
	ok(retry_next(&odd, 1, 0, 0) == 60, "last is the limit");
	odd.first = odd.last = UINT32_MAX;
	ok(retry_next(&odd, 9, 0, 0) == UINT32_MAX, "large waits");
	ok(retry_next(&policy, 9, INT64_MAX - 1, 0) == INT64_MAX, "the end of time");
	ok(retry_next(&policy, 1, -5000, 0) == -4940, "before 1970");
}

static const struct {
	const char *name;
	bool null_sender;
	int64_t arrived, now;
	bool expired;
} ages[] = {
    {"fresh", false, 1000, 1000, false},
    {"one second left", false, 1000, 1000 + 431999, false},
    {"over", false, 1000, 1000 + 432000, true},
    {"bounce, one second left", true, 1000, 1000 + 86399, false},
    {"bounce, over", true, 1000, 1000 + 86400, true},
    {"clock jumped back", false, 2000000, 1000, false},
    {"clock jumped far back", false, INT64_MAX, INT64_MIN, false},
    {"no arithmetic beyond int64", false, INT64_MIN, INT64_MAX, true},
};

int
main(void)
{
	test_waits();
	test_odd();
	for (size_t i = 0; i < sizeof(ages) / sizeof(ages[0]); i++)
		ok(retry_expired(&policy, ages[i].null_sender, ages[i].arrived, ages[i].now) ==
			ages[i].expired,
		    "%s", ages[i].name);
	return done();
}
