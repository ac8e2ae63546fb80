/* SPDX-License-Identifier: ISC */
#include "mail/rate.h"

#include <stdlib.h>

#include "tap.h"

static const struct {
	const char *text;
	long messages; /* -1: refused */
	long long interval;
} texts[] = {
    {"", 0, 0},
    {"100/1h", 100, 3600000},
    {"10/s", 10, 1000},
    {"10/1s", 10, 1000},
    {"500/1d", 500, 86400000},
    {"30/5m", 30, 300000},
    {"1000000/366d", 1000000, 366 * 86400000LL},
    {"0/1h", -1, 0},
    {"-1/1h", -1, 0},
    {"1000001/1h", -1, 0},
    {"10", -1, 0},
    {"10/", -1, 0},
    {"/1h", -1, 0},
    {"10/0s", -1, 0},
    {"10/1", -1, 0},
    {"10/1w", -1, 0},
    {"10/1hh", -1, 0},
    {"10/367d", -1, 0},
    {"10 /1h", -1, 0},
    {"10/99999999999999999999s", -1, 0},
    {"99999999999999999999/s", -1, 0},
};

static void
test_texts(void)
{
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct rate r = {7, 7};
		const char *why = NULL;
		int result = rate_parse(&r, texts[i].text, &why);

		if (texts[i].messages == -1)
			ok(result == -1 && why != NULL && r.messages == 7, "refused: \"%s\"",
			    texts[i].text);
		else
			ok(result == 0 && r.messages == texts[i].messages &&
				r.interval == texts[i].interval,
			    "taken: \"%s\"", texts[i].text);
	}
}

#define SENT_MAX 20000

/*
 * A sender that sends as soon as it may: the most in any stretch of one interval, and how many
 * there were in all. It looks at the clock at odd times where `jitter` is set.
 */
static uint32_t
most(const struct rate *r, int64_t start, int64_t span, unsigned jitter, unsigned *all)
{
	static int64_t at[SENT_MAX];
	struct rate_window w = {0};
	unsigned n = 0, first = 0;
	uint32_t worst = 0;

	for (int64_t now = start; now < start + span && n < SENT_MAX;) {
		int64_t wait = rate_wait(r, &w, now);

		if (wait > 0) {
			now += wait + (jitter > 0 ? rand() % (int)jitter : 0);
			continue;
		}
		rate_take(r, &w, now);
		at[n++] = now;
		while (at[first] + r->interval <= now)
			first++;
		if (n - first > worst)
			worst = n - first;
	}
	*all = n;
	return worst;
}

static void
test_promise(void)
{
	static const char *const rates[] = {"1/1s", "10/1s", "7/13s", "100/1h", "30/5m", "999/1d"};

	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++)
		for (unsigned jitter = 0; jitter < 2; jitter++) {
			const char *why;
			struct rate r;
			unsigned all;
			uint32_t worst;

			rate_parse(&r, rates[i], &why);
			worst = most(
			    &r, 123456789 + 77 * (int64_t)i, 12 * r.interval, jitter * 500, &all);
			ok(worst <= r.messages, "%s: never more in an interval (%u)", rates[i],
			    worst);
			if (jitter == 0)
				ok(all >= 11 * r.messages,
				    "… and nearly as many as allowed: %u in 12", all);
		}
}

static void
test_steps(void)
{
	struct rate r = {3, 20000}, none = {0};
	struct rate_window w = {0};

	is_int(rate_wait(&r, &w, 5000), 0, "nothing was sent");
	ok(rate_idle(&r, &w, 5000), "… and nothing is counted");
	for (int i = 0; i < 3; i++)
		rate_take(&r, &w, 5000 + i);
	ok(!rate_idle(&r, &w, 5100), "three were");
	is_int(rate_wait(&r, &w, 5100), 20900, "the fourth waits for the first to be past");
	is_int(rate_wait(&r, &w, 25999), 1, "up to the last millisecond");
	is_int(rate_wait(&r, &w, 26000), 0, "then it may go");
	ok(rate_idle(&r, &w, 26000), "all three are past");
	rate_return(&w);
	is_int(rate_wait(&r, &w, 5100), 0, "one that came to nothing makes room");
	rate_take(&r, &w, 90000000);
	is_int(rate_wait(&r, &w, 90000000), 0, "after a long time none of the old ones counts");
	memset(&w, 0, sizeof(w));
	rate_return(&w);
	ok(rate_idle(&r, &w, 0), "nothing to return");
	rate_take(&none, &w, 1);
	is_int(rate_wait(&none, &w, 1), 0, "no limit");
	ok(rate_idle(&none, &w, 1), "… counts nothing");
}

int
main(void)
{
	test_texts();
	test_promise();
	test_steps();
	return done();
}
