/* SPDX-License-Identifier: ISC */
/*
 * target: what -d and the like are given: queue IDs, "ALL", or "-" for IDs from standard input, one
 * in the beginning of each line. A line that begins with none is passed over, so that the output of
 * mailq will do.
 */
#ifndef MAILQ_TARGET_H
#define MAILQ_TARGET_H

#include "options.h"

/* A word of the command line, borrowed. NULL, or a complaint. */
const char *target_add(struct target *t, const char *word);

/* When there are no more: read standard input if it is wanted, and select. NULL, or a complaint. */
const char *target_use(struct target *t, struct selection *s);

#endif
