/* SPDX-License-Identifier: ISC */
#include "sys/clock.h"

#include <time.h>

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
	return (int64_t)time(NULL);
}

int64_t
clock_monotonic(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

long
clock_utc_offset(uint64_t wall)
{
	time_t seconds = (time_t)(wall / 1000000);
	struct tm tm;

	return localtime_r(&seconds, &tm) != NULL ? tm.tm_gmtoff : 0;
}
