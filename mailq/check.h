/* SPDX-License-Identifier: ISC */
/*
 * check: whether the queue is as it should be, for Nagios and the like: act_check. One line with
 * performance data to stdout, and the exit statuses of the Monitoring Plugins: 0 OK, 1 WARNING,
 * 2 CRITICAL, 3 UNKNOWN:
 *
 *	MAILQ WARNING: 3 messages, the oldest 2h old | messages=3;100;1000;0 age=7200s;3600;86400;0 …
 *
 * Age and number of messages have levels of their own. What is on hold counts for neither: a person
 * put it there. What failed for good, or is damaged, is a warning. Mail that is overdue where
 * nobody delivers is critical. UNKNOWN is what could not be looked at.
 */
#ifndef MAILQ_CHECK_H
#define MAILQ_CHECK_H

#include "act.h"

extern const struct act act_check;

/* The defaults of o->warning and o->critical. */
#define CHECK_WARNING                         \
	{                                     \
		.age = 4 * 3600, .count = 100 \
	}
#define CHECK_CRITICAL                          \
	{                                       \
		.age = 24 * 3600, .count = 1000 \
	}

/* "AGE,COUNT", "AGE" or ",COUNT"; what is left out is no level. NULL, or a complaint. */
const char *check_parse(struct level *l, const char *text);

/* The line for what is wrong before anything could be looked at. Its exit status, 3. */
int check_unknown(const char *why);

#endif
