/* SPDX-License-Identifier: ISC */
#include "outage.c"

#include <stdio.h>

#include "tap.h"

static const struct retry_policy policy = {.first = 60, .last = 3600};

int
main(void)
{
	struct outages t = {0};
	struct outcome o = status_trouble(
			   STAGE_CONNECT, SCOPE_DESTINATION, STATUS(4, 4, 1), "connect: refused"),
		       got;
	int64_t until, second;
	char name[32];
	bool good = true;

	ok(!outage_find(&t, "a", 1000, &got, &until), "nothing is out");
	ok(!outage_over(&t, "a"), "nor comes back");
	outage_note(&t, "a", &o, &policy, 1000, 0);
	ok(outage_find(&t, "a", 1001, &got, &until) && until >= 1060 && until <= 1068,
	    "out for about a minute");
	is(got.text, "connect: refused", "with its reason");
	outage_note(&t, "a", &o, &policy, 1002, 0);
	outage_find(&t, "a", 1003, &got, &second);
	ok(second == until, "what fails together fails once");
	ok(!outage_find(&t, "a", until, &got, &second), "then it may be tried");
	outage_note(&t, "a", &o, &policy, until, 0);
	ok(outage_find(&t, "a", until, &got, &second) && second >= until + 120, "the wait doubles");
	outage_retry_all(&t);
	ok(!outage_find(&t, "a", until, &got, &second), "sendmail -q: tried now");
	ok(outage_over(&t, "a") && !outage_over(&t, "a"), "it answered");

	for (int i = 0; i < 10000; i++) {
		snprintf(name, sizeof(name), "host%d.example", i);
		outage_note(&t, name, &o, &policy, 1000, (uint32_t)i);
	}
	for (int i = 0; i < 10000; i++) {
		snprintf(name, sizeof(name), "host%d.example", i);
		good &= outage_find(&t, name, 1001, &got, &until);
	}
	ok(good && t.count == 10000, "10,000 destinations");
	outage_free(&t);
	ok(t.count == 0 && t.bucket == NULL, "freed");
	return done();
}
