/* SPDX-License-Identifier: ISC */
#include "lanes.c"

#include <malloc.h>
#include <stdio.h>

#include "tap.h"

static struct rate limit;

static struct rate
rate_for(void *arg, const char *destination)
{
	(void)arg;
	return strcmp(destination, "limited") == 0 ? limit : (struct rate){0};
}

static void
start(struct lanes *l)
{
	lanes_init(l);
	l->rate = rate_for;
	limit = (struct rate){0};
}

/* Begin as many as there is room for. */
static unsigned
fill(struct lanes *l, const char *destination, int64_t now)
{
	bool limited;
	unsigned n = 0;

	while (lanes_room(l, destination, now) && lanes_begin(l, destination, now, &limited) == 0)
		n++;
	return n;
}

static int
park(struct lanes *l, const char *destination, unsigned number, unsigned run)
{
	struct queue_id id;

	snprintf(id.s, sizeof(id.s), "0QK3ZP%06u", number % 1000000);
	return lanes_park(l, destination, &id, SPOOL_NEW, run);
}

/* The numbers of those that go on now. */
static const char *
go_on(struct lanes *l, int64_t now, unsigned most)
{
	static char out[256];
	struct parked p;

	out[0] = '\0';
	while (most-- > 0 && lanes_next(l, now, &p))
		snprintf(out + strlen(out), sizeof(out) - strlen(out), "%d ", atoi(p.id.s + 6));
	return out;
}

/* Begin and end them, so that the destination is known to answer. */
static void
prove_it(struct lanes *l, const char *destination)
{
	for (int i = 0; i < LANE_JOBS; i++) {
		bool limited;

		lanes_begin(l, destination, 1, &limited);
		lanes_end(l, destination, LANE_ANSWERED);
	}
}

/* Who counts for all is asked where there is a rate only, and here there is none. */
static int64_t
never(void *arg, const char *destination)
{
	(void)arg;
	ok(0, "asked for %s", destination);
	return 0;
}

static void
never_back(void *arg, const char *destination)
{
	never(arg, destination);
}

/* How far an answer, and what was taken back, open a window. */
static void
test_window(struct lanes *l, const char *by)
{
	printf("# counted by %s\n", by);
	fill(l, "a", 1);
	lanes_end(l, "a", LANE_ANSWERED);
	is_int(fill(l, "a", 1), 2, "one that answered gets one more");
	prove_it(l, "a");
	is_int(fill(l, "a", 1), LANE_JOBS - LANE_FIRST - 1, "… and so on up to LANE_JOBS");
	for (int i = 0; i < LANE_JOBS; i++)
		lanes_end(l, "a", LANE_FAILED);
	is_int(fill(l, "a", 1), LANE_FIRST, "… until it fails");
	lanes_end(l, "a", LANE_UNSENT);
	is_int(fill(l, "a", 1), 1, "what was not sent changes nothing");
	lanes_free(l);
}

static void
test_shares(void)
{
	unsigned hung = 0;
	struct lanes l;
	char name[16];

	start(&l);
	for (unsigned n = LANE_FIRST; n == LANE_FIRST; hung++) {
		snprintf(name, sizeof(name), "d%u", hung);
		n = fill(&l, name, 1);
	}
	ok(hung >= HANDOFF_JOBS / LANE_FIRST, "%u that never answered have a share", hung);
	lanes_free(&l);

	start(&l);
	test_window(&l, "the flusher");
	start(&l);
	l.take = never;
	l.give_back = never_back;
	test_window(&l, "the supervisor");

	start(&l);
	for (int i = 0; i < 5; i++) {
		snprintf(name, sizeof(name), "d%d", i);
		prove_it(&l, name);
		fill(&l, name, 1);
	}
	ok(lanes_room(&l, "new", 1), "five that were busy when they began to hang leave something");
	lanes_free(&l);

	start(&l);
	l.only = LANE_JOBS + 1;
	is_int(fill(&l, "", 1), LANE_JOBS + 1,
	    "where there is one destination only, it gets all at once");
	lanes_free(&l);
}

static void
test_turns(void)
{
	struct lanes l;

	start(&l);
	fill(&l, "a", 1);
	fill(&l, "b", 1);
	for (unsigned i = 1; i <= 4; i++)
		park(&l, "a", i, 1);
	for (unsigned i = 11; i <= 14; i++)
		park(&l, "b", i, 2);
	ok(lanes_has(&l, "0QK3ZP000003") && !lanes_has(&l, "0QK3ZP000005"),
	    "what is parked is known");
	is(go_on(&l, 1, 9), "", "no room, nothing goes on");
	ok(!lanes_none(&l) && !lanes_run_over(&l, 1), "run 1 is not over");
	lanes_end(&l, "a", LANE_UNSENT);
	is(go_on(&l, 1, 1), "1 ", "room at a: its first");
	lanes_end(&l, "b", LANE_UNSENT);
	is(go_on(&l, 1, 4), "11 2 12 3 ", "room at both: by turns, each in the order of coming");
	is(go_on(&l, 1, 9), "13 4 14 ", "the rest");
	ok(lanes_none(&l) && lanes_run_over(&l, 2), "all went on");
	lanes_free(&l);
}

static void
test_rates(void)
{
	struct lanes l;
	bool limited;

	start(&l);
	limit = (struct rate){.messages = 2, .interval = 20000};
	lanes_begin(&l, "limited", 1000, &limited);
	ok(!limited, "one of two");
	lanes_begin(&l, "limited", 1000, &limited);
	ok(limited, "two of two, which the log is told");
	ok(!lanes_room(&l, "limited", 1001) && lanes_room(&l, "b", 1001), "the third waits");
	park(&l, "limited", 3, 1);
	lanes_end(&l, "limited", LANE_ANSWERED);
	lanes_end(&l, "limited", LANE_ANSWERED);
	ok(lanes_wait(&l, NULL, 1001) == 20999, "until the first is past");
	is(go_on(&l, 21999, 9), "", "not before");
	ok(!lanes_idle(&l, 21999), "it is remembered so long");
	is(go_on(&l, 22000, 9), "3 ", "but then");
	ok(lanes_idle(&l, 22000), "… and nothing is counted");
	lanes_begin(&l, "limited", 22000, &limited);
	lanes_begin(&l, "limited", 22000, &limited);
	ok(!limited, "filled up again, of which the log knows");
	lanes_end(&l, "limited", LANE_FAILED);
	ok(lanes_room(&l, "limited", 22000), "one that came to nothing does not count");
	lanes_begin(&l, "limited", 22000, &limited);
	lanes_end(&l, "limited", LANE_ANSWERED);
	lanes_end(&l, "limited", LANE_ANSWERED);
	ok(!lanes_room(&l, "limited", 22000), "the rate is used up");
	limit.messages = 3;
	lanes_renew(&l);
	ok(lanes_room(&l, "limited", 22000), "another rate begins anew");
	lanes_free(&l);
}

static void
test_bounds(void)
{
	struct lanes l;
	size_t before = mallinfo2().uordblks, each;
	unsigned n = 0;
	int64_t first, when;
	bool limited, good = true;
	char name[16];

	start(&l);
	fill(&l, "a", 1);
	while (park(&l, "a", n, 1) == 0)
		n++;
	each = (mallinfo2().uordblks - before) / n;
	is_int(n, LANES_PARKED, "so many are parked");
	ok(each < 80, "at %zu octets each", each);

	first = lanes_overflow(&l, 1000000, 0);
	is_int(first, 1000000 + LANES_OVERFLOW, "more wait in the spool");
	for (unsigned i = 1; i < LANES_OVERFLOWS; i++)
		good &= lanes_overflow(&l, 1000001, 0) == first;
	ok(good, "… so many for the same time");
	when = lanes_overflow(&l, 1000000, 0);
	is_int(when, first + LANES_OVERFLOW, "… others for a later one");
	is_int(lanes_overflow(&l, 1001000, 0), 1001000 + LANES_OVERFLOW,
	    "a time that is past is not used");
	is_int(lanes_overflow(&l, 1000, 0), 1000 + LANES_OVERFLOW, "nor one of a clock set back");

	for (unsigned i = 0; i < 10000; i++) {
		snprintf(name, sizeof(name), "d%u", i);
		lanes_begin(&l, name, 1, &limited);
		lanes_end(&l, name, LANE_ANSWERED);
	}
	ok(l.count < 2 * SWEEP_FIRST, "10,000 destinations that came and went: %zu are left",
	    l.count);
	lanes_free(&l);
	ok(l.count == 0 && l.nparked == 0, "freed");
}

/* As many messages of one destination as are parked and set aside, and another time half as many. */
static void
test_recall(void)
{
	const unsigned more = LANES_OVERFLOWS + LANES_OVERFLOWS / 2;
	int64_t t = 1000000;
	struct lanes l;
	unsigned n = 0;

	start(&l);
	is_int(lanes_recall(&l, t), 0, "nothing was set aside, nothing comes back");
	fill(&l, "a", 1);
	while (park(&l, "a", n, 1) == 0)
		n++;
	for (unsigned i = 0; i < more; i++)
		lanes_overflow(&l, t, 1);
	ok(!lanes_run_over(&l, 1) && lanes_recall(&l, t) == 0, "no room, nothing comes back");
	lanes_end(&l, "a", LANE_ANSWERED);
	for (; l.nparked > LANES_PARKED - LANES_OVERFLOWS; n++)
		go_on(&l, 1, 1);
	is_int(lanes_recall(&l, t), t + LANES_OVERFLOW, "room for some: they come back at once");
	for (unsigned i = 0; i < LANES_OVERFLOWS; i++)
		park(&l, "a", n++, 1);
	is_int(lanes_recall(&l, t), 0, "they fill it");
	while (l.nparked > 0)
		go_on(&l, 1, 1);
	ok(!lanes_run_over(&l, 1), "none is parked, but the run is not over");
	is_int(lanes_recall(&l, t), t + 2 * LANES_OVERFLOW, "the rest comes back");
	is_int(lanes_overflow(&l, t, 0), t + 3 * LANES_OVERFLOW,
	    "who is sent away meanwhile is not taken for one that came back");
	ok(!lanes_run_over(&l, 1), "they have not been looked at before the next is asked for");
	is_int(lanes_recall(&l, t), t + 3 * LANES_OVERFLOW, "that one comes back");
	ok(lanes_run_over(&l, 1), "… which nobody waits for: the run is over");
	is_int(lanes_recall(&l, t), 0, "nothing is left");
	lanes_overflow(&l, t - 86400, 2);
	is_int(lanes_recall(&l, t - 86400), t - 86400 + LANES_OVERFLOW,
	    "a clock that was set back keeps nobody away");
	is_int(lanes_recall(&l, t - 86400), 0, "… nor a run from its end");
	ok(lanes_run_over(&l, 2), "… which it has reached");
	lanes_free(&l);
}

int
main(void)
{
	test_shares();
	test_turns();
	test_rates();
	test_bounds();
	test_recall();
	return done();
}
