/* SPDX-License-Identifier: ISC */
#include "mail/retry.h"

#include "tap.h"

#define NOW 1764000000

static struct retry_policy policy = {.lifetime = 432000, .bounce_lifetime = 86400};

/* The default, with what an eighth more makes of it. */
static const struct {
	unsigned attempts;
	int wait, most;
} waits[] = {
    {0, 60, 67},
    {1, 60, 67},
    {2, 120, 135},
    {3, 300, 337},
    {4, 600, 675},
    {5, 1200, 1350},
    {6, 2400, 2700},
    {7, 3600, 4050},
    {8, 3600, 4050},
    {1000, 3600, 4050},
    {UINT32_MAX, 3600, 4050},
};

static void
test_waits(void)
{
	for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
		int64_t least = INT64_MAX, most = 0;

		for (uint32_t seed = 0; seed < 5000; seed++) {
			int64_t wait = retry_next(&policy, waits[i].attempts, NOW, seed) - NOW;

			least = wait < least ? wait : least;
			most = wait > most ? wait : most;
		}
		ok(least == waits[i].wait && most == waits[i].most, "after %u attempts: %d to %d s",
		    waits[i].attempts, waits[i].wait, waits[i].most);
	}
	is_int(retry_longest(&policy), 4050, "none is longer");
}

/* The whole life of a message that is always deferred, by a clock of the test's. */
static void
test_life(void)
{
	int64_t now = NOW, before = NOW;
	unsigned attempts = 0;

	while (!retry_expired(&policy, false, now - NOW)) {
		before = now;
		attempts++;
		now = retry_next(&policy, attempts, now, 7919 * attempts);
	}
	ok(attempts >= 110 && attempts <= 126, "%u attempts in five days", attempts);
	ok(before < NOW + 432000 && now < NOW + 432000 + 4050, "and the last one soon after");
}

static const struct {
	const char *text;
	const char *why; /* NULL: good */
	unsigned first, last;
	size_t n;
} lists[] = {
    {"1m", NULL, 60, 60, 1},
    {"90", NULL, 90, 90, 1},
    {" 1m ,2m,\t1h", NULL, 60, 3600, 3},
    {"1h, 1s", NULL, 3600, 1, 2},
    {"3650d", NULL, 315360000, 315360000, 1},
    {"1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,2", NULL, 1, 2, 32},
    {"1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1", "more than 32 durations",
	0, 0, 0},
    {"", "not a list of durations such as 1m, 5m, 1h", 0, 0, 0},
    {"1m,", "not a list of durations such as 1m, 5m, 1h", 0, 0, 0},
    {"1m 2m", "not a list of durations such as 1m, 5m, 1h", 0, 0, 0},
    {"1m,,2m", "not a list of durations such as 1m, 5m, 1h", 0, 0, 0},
    {"never", "not a list of durations such as 1m, 5m, 1h", 0, 0, 0},
    {"3651d", "not a list of durations such as 1m, 5m, 1h", 0, 0, 0},
    {"1m, 0s", "a wait of no time", 0, 0, 0},
};

static void
test_lists(void)
{
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		struct retry_policy p = {.wait = {77}, .waits = 1, .lifetime = 5};
		const char *why = NULL;
		int r = retry_parse(&p, lists[i].text, &why);

		if (lists[i].why != NULL)
			ok(r == -1 && strcmp(why, lists[i].why) == 0 && p.wait[0] == 77,
			    "\"%s\": %s", lists[i].text, lists[i].why);
		else
			ok(r == 0 && p.waits == lists[i].n && p.wait[0] == lists[i].first &&
				p.wait[p.waits - 1] == lists[i].last && p.lifetime == 5,
			    "\"%s\" is a list", lists[i].text);
	}
}

static void
test_odd(void)
{
	struct retry_policy odd = {.wait = {600, 60}, .waits = 2};

	ok(retry_next(&odd, 1, 0, 0) == 600 && retry_next(&odd, 2, 0, 0) == 60, "waits may shrink");
	is_int(retry_longest(&odd), 675, "the longest is not the last then");
	odd.wait[0] = odd.wait[1] = UINT32_MAX;
	ok(retry_next(&odd, 9, 0, 0) == UINT32_MAX, "large waits");
	ok(retry_next(&policy, 9, INT64_MAX - 1, 0) == INT64_MAX, "the end of time");
	ok(retry_next(&policy, 1, -5000, 0) == -4940, "before 1970");
}

static const struct {
	const char *name;
	bool null_sender;
	int64_t used;
	bool expired;
} lives[] = {
    {"fresh", false, 0, false},
    {"one second left", false, 431999, false},
    {"over", false, 432000, true},
    {"bounce, one second left", true, 86399, false},
    {"bounce, over", true, 86400, true},
    {"for ever", false, INT64_MAX, true},
};

#define DAY 86400
#define YEAR (365 * (int64_t)DAY)

static const struct {
	const char *name;
	struct retry_age age;
	int64_t due, now, used;
	bool differs; /* from what the clock says */
} ages[] = {
    {"just arrived", {0, NOW}, NOW, NOW, 0, false},
    {"at its time", {0, NOW}, NOW + 60, NOW + 61, 61, false},
    {"an hour late", {0, NOW}, NOW + 60, NOW + 3660, 3660, false},
    {"a day late", {0, NOW}, NOW + 60, NOW + 60 + DAY, 60 + DAY, false},
    {"off for longer", {0, NOW}, NOW + 60, NOW + 61 + DAY, 60, true},
    {"off for a month, and noted", {60, NOW + 30 * DAY}, NOW + 30 * DAY + 120, NOW + 30 * DAY + 130,
	190, false},
    {"tried before its time", {0, NOW}, NOW + 3600, NOW + 10, 10, false},
    {"booted in 1970, then the time came", {0, 12}, 12, NOW, 0, true},
    {"the same, tried in 1970 already", {0, 12}, 75, NOW, 63, true},
    {"the next attempt after that", {63, NOW}, NOW + 65, NOW + 65, 128, false},
    {"and a month later, off again", {128, NOW}, NOW + 200, NOW + 30 * DAY, 328, true},
    {"a clock ten years ahead", {3600, NOW}, NOW + 4000, NOW + 10 * YEAR, 7600, true},
    {"and put right again", {7600, NOW + 10 * YEAR}, NOW + 10 * YEAR + 4000, NOW + 300, 11600,
	true},
    {"a next attempt in ten years, nobody knows why", {0, NOW}, NOW + 10 * YEAR, NOW + 300, 300,
	false},
    {"arrived in the future, never tried", {0, NOW + YEAR}, NOW + YEAR, NOW, 0, true},
    {"put back by an hour", {100, NOW}, NOW + 60, NOW - 3600, 100, false},
    {"no arithmetic beyond int64", {0, INT64_MIN}, INT64_MAX, INT64_MAX, INT64_MAX, false},
    {"nor at the other end", {INT64_MAX, INT64_MAX}, INT64_MIN, INT64_MIN, INT64_MAX, true},
};

static void
test_ages(void)
{
	for (size_t i = 0; i < sizeof(ages) / sizeof(ages[0]); i++) {
		int64_t used = retry_used(&policy, &ages[i].age, ages[i].due, ages[i].now);

		is_int(used, ages[i].used, ages[i].name);
		ok(retry_differs(&ages[i].age, used, ages[i].now) == ages[i].differs, "… %s",
		    ages[i].differs ? "which is to be noted" : "as the clock says");
	}
}

/*
 * A message that is always deferred, on a machine that boots in 1970 each day, is given the right
 * time an hour later, and runs for eight hours. Its time is what the machine ran, whatever the clock.
 */
static void
test_reboots(void)
{
	struct retry_age age = {0, 20};
	int64_t due = 20, used = 0, running = 0;
	unsigned attempts = 0;

	for (int day = 0; !retry_expired(&policy, false, used); day++)
		for (int64_t t = 0; t < 8 * 3600 && !retry_expired(&policy, false, used); t += 10) {
			int64_t now = t < 3600 ? t : NOW + day * DAY + t;
			running += 10;
			if (due > now && due < now + retry_longest(&policy) + 3600)
				continue;
			used = retry_used(&policy, &age, due, now);
			if (retry_differs(&age, used, now))
				age = (struct retry_age){used, now};
			attempts++;
			due = retry_next(&policy, attempts, now, attempts);
		}
	ok(running >= 400000 && running <= 480000, "it ran %lld s when the message is given up",
	    (long long)running);
	ok(attempts > 100, "after %u attempts", attempts);
}

int
main(void)
{
	const char *why;

	ok(retry_parse(&policy, "1m, 2m, 5m, 10m, 20m, 40m, 1h", &why) == 0, "the default");
	test_waits();
	test_life();
	test_lists();
	test_odd();
	for (size_t i = 0; i < sizeof(lives) / sizeof(lives[0]); i++)
		ok(retry_expired(&policy, lives[i].null_sender, lives[i].used) == lives[i].expired,
		    "%s", lives[i].name);
	test_ages();
	test_reboots();
	return done();
}
