/* SPDX-License-Identifier: ISC */
/*
 * alarm: being woken at a time of the wall clock: also when that clock is set meanwhile, forward or
 * back, and as soon as the machine is resumed after a time that it slept through. poll(2)'s own
 * timeout does neither: it counts the time that the machine was awake.
 */
#ifndef SYS_ALARM_H
#define SYS_ALARM_H

#include <stdbool.h>
#include <stdint.h>

struct alarm {
	int fd;       /* to be polled for reading; -1: this system has none, or no descriptor is left */
	int64_t when; /* that it is set to */
};

void alarm_open(struct alarm *a);

/*
 * Make a->fd readable at `when`, in seconds since 1970 (INT64_MAX: never), or earlier, when the clock
 * is set. Whether it will be; else the caller has to look at the clock himself now and then.
 */
bool alarm_set(struct alarm *a, int64_t when);

/* a->fd was readable: it is not any more, and nothing is set. */
void alarm_take(struct alarm *a);

void alarm_close(struct alarm *a);

#endif
