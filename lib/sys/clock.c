/* SPDX-License-Identifier: ISC */
#include "sys/clock.h"

#include <time.h>

/* Linux's CLOCK_MONOTONIC stands still in a suspended machine; that of others does not. */
#if defined(__linux__) && defined(CLOCK_BOOTTIME)
#define STEADY_CLOCK CLOCK_BOOTTIME
#else
#define STEADY_CLOCK CLOCK_MONOTONIC
#endif

uint64_t
clock_wall(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

int64_t
clock_seconds(void)
{
	/* Not time(2): it may still say the second before when a timer has rung. */
	return (int64_t)(clock_wall() / 1000000);
}

int64_t
clock_monotonic(void)
{
	struct timespec t;

	clock_gettime(STEADY_CLOCK, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t
clock_uptime(void)
{
	return clock_monotonic() / 1000;
}

long
clock_utc_offset(uint64_t wall)
{
	time_t seconds = (time_t)(wall / 1000000);
	struct tm tm;

	return localtime_r(&seconds, &tm) != NULL ? tm.tm_gmtoff : 0;
}
