/* SPDX-License-Identifier: ISC */
#include "sys/alarm.h"

#include <poll.h>
#include <sys/timerfd.h>

#include "sys/clock.h"
#include "tap.h"

static bool
rings(const struct alarm *a, int ms)
{
	struct pollfd p = {.fd = a->fd, .events = POLLIN};

	return poll(&p, 1, ms) == 1;
}

/* What the kernel has, in seconds from now; 0: disarmed. */
static bool
armed(const struct alarm *a)
{
	struct itimerspec t;

	return timerfd_gettime(a->fd, &t) == 0 && (t.it_value.tv_sec > 0 || t.it_value.tv_nsec > 0);
}

int
main(void)
{
	struct alarm a, none = {.fd = -1};
	int64_t now = clock_seconds();

	alarm_open(&a);
	ok(a.fd != -1 && !rings(&a, 0), "silent at first");
	ok(alarm_set(&a, now + 2), "set");
	ok(!rings(&a, 0), "not before its time");
	ok(rings(&a, 10000) && clock_seconds() >= now + 2, "at its time");
	alarm_take(&a);
	ok(!rings(&a, 0), "taken");
	ok(alarm_set(&a, now + 3600) && !rings(&a, 0) && armed(&a), "another time");
	ok(alarm_set(&a, INT64_MAX) && !armed(&a), "never");
	ok(alarm_set(&a, INT64_MAX - 1) && !rings(&a, 0), "nearly never");
	ok(alarm_set(&a, 0) && rings(&a, 10000), "a time that is past");
	alarm_take(&a);
	ok(alarm_set(&a, -5) && rings(&a, 10000), "one before 1970");
	alarm_close(&a);
	ok(!alarm_set(&none, now), "without one the caller has to look");
	alarm_close(&none);
	return done();
}
