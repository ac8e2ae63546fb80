/* SPDX-License-Identifier: ISC */
#include "outage.c"

#include <malloc.h>
#include <stdio.h>

#include "tap.h"

static const struct retry_policy policy = {.wait = {60, 120, 3600}, .waits = 3};

/* What 10,000 destinations cost, each down with an ordinary reason. */
static void
test_cost(void)
{
	struct outages t = {0};
	struct outcome o = status_trouble(STAGE_LOOKUP, SCOPE_DESTINATION, STATUS(4, 4, 3),
			   "Host or domain name not found. Name service error for "
			   "name=some.host.example type=MX: Host not found, try again"),
		       got;
	size_t before = mallinfo2().uordblks, each;
	int64_t until;
	char name[32];
	bool good = true;

	for (int i = 0; i < 10000; i++) {
		snprintf(name, sizeof(name), "host%d.example", i);
		outage_note(&t, name, &o, &policy, 1000, (uint32_t)i);
	}
	each = (mallinfo2().uordblks - before) / 10000;
	for (int i = 0; i < 10000; i++) {
		snprintf(name, sizeof(name), "host%d.example", i);
		good &= outage_find(&t, name, 1001, &got, &until) && until > 1059;
	}
	ok(good && t.count == 10000, "10,000 destinations are out until their time");
	is(got.text, o.text, "an ordinary reason is kept whole");
	ok(each < 256, "each costs %zu octets", each);
	for (int i = 0; i < 10000; i++) {
		snprintf(name, sizeof(name), "later%d.example", i);
		outage_note(&t, name, &o, &policy, 1000 + 86400, (uint32_t)i);
	}
	ok(t.count == 10000, "those that nobody tried any more are forgotten");
	outage_free(&t);
	ok(t.count == 0 && t.bucket == NULL, "freed");
}

static void
test_bounds(void)
{
	struct outages t = {0};
	struct outcome o = {.status = STATUS(4, 4, 1)}, got;
	int64_t until;
	char name[32];

	memset(o.text, 'x', sizeof(o.text) - 1);
	for (int i = 0; i < OUTAGES_MAX + 100; i++) {
		snprintf(name, sizeof(name), "host%d.example", i);
		outage_note(&t, name, &o, &policy, 1000, (uint32_t)i);
	}
	is_int((long long)t.count, OUTAGES_MAX, "the table has an end");
	ok(outage_find(&t, "host1.example", 1001, &got, &until) &&
		strlen(got.text) == OUTAGE_TEXT - 1,
	    "a long reason is cut");
	outage_free(&t);
}

/* What a flusher leaves to the next one. */
static void
test_handing_on(void)
{
	struct outages t = {0}, next = {0};
	struct outcome o = {.status = STATUS(4, 4, 1), .stage = STAGE_CONNECT, .text = "refused"},
		       got;
	char memory[1024], name[32];
	int64_t until, then;
	size_t len;

	outage_note(&t, "", &o, &policy, 1000, 0);
	outage_find(&t, "", 1001, &got, &until);
	outage_note(&t, "", &o, &policy, until, 0);
	outage_note(&t, "a.example", &o, &policy, 1000, 0);
	outage_find(&t, "", until, &got, &until);
	len = outage_save(&t, memory, sizeof(memory));
	outage_load(&next, memory, len);
	ok(next.count == 2 && outage_find(&next, "", until - 1, &got, &then) && then == until,
	    "the next flusher knows what is out, and until when");
	is(got.text, "refused", "and why");
	outage_note(&next, "", &o, &policy, until, 0);
	ok(outage_find(&next, "", until + 1, &got, &then) && then - until > 1800,
	    "the failures are counted on");
	outage_free(&next);
	for (size_t i = 0; i < len; i++) {
		outage_load(&next, memory, i);
		outage_free(&next);
	}
	ok(1, "what is cut short does no harm");
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "host%d.example", i);
		outage_note(&t, name, &o, &policy, 1000, 0);
	}
	len = outage_save(&t, memory, sizeof(memory));
	outage_load(&next, memory, len);
	ok(len <= sizeof(memory) && next.count > 10 && next.count < 100,
	    "as much as there is room for");
	outage_free(&next);
	outage_free(&t);
}

int
main(void)
{
	struct outages t = {0};
	struct outcome o = status_trouble(
			   STAGE_CONNECT, SCOPE_DESTINATION, STATUS(4, 4, 1), "connect: refused"),
		       got;
	int64_t until, second;

	ok(!outage_find(&t, "a", 1000, &got, &until), "nothing is out");
	ok(!outage_over(&t, "a"), "nor comes back");
	ok(outage_note(&t, "a", &o, &policy, 1000, 0), "the first failure is news");
	ok(outage_find(&t, "a", 1001, &got, &until) && until >= 1060 && until <= 1068,
	    "out for about a minute");
	is(got.text, "connect: refused", "with its reason");
	ok(!outage_note(&t, "a", &o, &policy, 1002, 0), "what fails at the same time is none");
	outage_find(&t, "a", 1003, &got, &second);
	ok(second == until, "what fails together fails once");
	ok(!outage_find(&t, "a", until, &got, &second), "then it may be tried");
	ok(!outage_note(&t, "a", &o, &policy, until, 0), "nor is the same again");
	ok(outage_find(&t, "a", until, &got, &second) && second >= until + 120,
	    "the next wait is longer");
	outage_retry_all(&t, until);
	ok(!outage_find(&t, "a", until, &got, &second), "sendmail -q: tried now");
	o.stage = STAGE_AUTH;
	ok(outage_note(&t, "a", &o, &policy, until, 0), "another kind of failure is");
	ok(outage_over(&t, "a") && !outage_over(&t, "a"), "it answered");

	outage_free(&t);
	test_cost();
	test_bounds();
	test_handing_on();
	return done();
}
