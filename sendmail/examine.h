/* SPDX-License-Identifier: ISC */
/*
 * examine: sendmail's part of the probe: start smtp, have it go the way, show the steps as they
 * come and what they mean. Nothing is sent and nothing queued.
 *
 * For people: a heading for each relay or domain, a line a step; steps that failed begin with "!".
 * As JSON: an object a line, {"step":…,"ok":…,"ms":…,"code":…,"status":…,"text":…} for each step,
 * and at last {"conclusion":…,"kind":…,"remedy":…,"exit":…}, see mail/diagnose.h. What servers say
 * is clean in both.
 */
#ifndef EXAMINE_H
#define EXAMINE_H

#include <stdbool.h>

#include "sys/config.h"

struct examine {
	const char *destination; /* as of a job, see sys/handoff.h */
	const char *from, *to;   /* to "": only whether mail could go */
	bool json;
	bool quiet; /* the conclusion only */
};

/* Returns an exit status, by what was found: see diagnose.c. */
int examine(const struct examine *e, const struct settings *s);

#endif
