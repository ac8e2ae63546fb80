/* SPDX-License-Identifier: ISC */
/*
 * summary: what waits, in three tables: act_summary. Recipients by destination, messages by sender,
 * recipients by the reason of the last attempt; each with the age of the oldest and the most frequent
 * first. On a line there are a count, an age, and what they are of:
 *
 *	Recipients  Oldest  Destination
 *	       120      3h  example.org
 *
 * A table has SUMMARY_GROUPS lines at most; what finds no room is in one of its own, "(others)".
 * Memory stays the same.
 */
#ifndef MAILQ_SUMMARY_H
#define MAILQ_SUMMARY_H

#include "act.h"

#define SUMMARY_GROUPS 4096

extern const struct act act_summary;

#endif
