/* SPDX-License-Identifier: ISC */
#include "sys/alarm.h"

#include <unistd.h>

#define NEVER INT64_MAX

#if __has_include(<sys/timerfd.h>)
#include <sys/timerfd.h>

static int
open_timer(void)
{
	return timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
}

/* A time of 0 would disarm it. */
static int
set_timer(int fd, int64_t when)
{
	struct itimerspec t = {.it_value.tv_sec = when > 0 ? (time_t)when : 1};

	if (when == NEVER)
		t.it_value.tv_sec = 0;
	return timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &t, NULL);
}

#else

static int
open_timer(void)
{
	return -1;
}

static int
set_timer(int fd, int64_t when)
{
	(void)fd, (void)when;
	return -1;
}

#endif

void
alarm_open(struct alarm *a)
{
	*a = (struct alarm){.fd = open_timer(), .when = NEVER};
}

bool
alarm_set(struct alarm *a, int64_t when)
{
	if (a->fd == -1)
		return false;
	if (when == a->when)
		return true;
	a->when = NEVER;
	if (set_timer(a->fd, when) == -1) /* as when the clock was set at this moment */
		return false;
	a->when = when;
	return true;
}

void
alarm_take(struct alarm *a)
{
	uint64_t times;

	/* It is an error when the clock was set; what it says is not wanted. */
	if (read(a->fd, &times, sizeof(times)) == -1)
		times = 0;
	a->when = NEVER;
}

void
alarm_close(struct alarm *a)
{
	if (a->fd != -1)
		close(a->fd);
	a->fd = -1;
}
