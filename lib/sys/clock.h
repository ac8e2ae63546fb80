/* SPDX-License-Identifier: ISC */
/*
 * clock: the wall clock for stamps, the monotonic one for waiting.
 */
#ifndef SYS_CLOCK_H
#define SYS_CLOCK_H

#include <stdint.h>

/* Microseconds since 1970. */
uint64_t clock_wall(void);

/* The same in seconds: what the journal and a file's next attempt are stamped with. */
int64_t clock_seconds(void);

/* Milliseconds since some time in the past. Time in which the machine was suspended counts. */
int64_t clock_monotonic(void);

/* The same in seconds. */
int64_t clock_uptime(void);

/* Seconds east of Greenwich at a wall clock time (microseconds), by TZ or /etc/localtime. */
long clock_utc_offset(uint64_t wall);

#endif
