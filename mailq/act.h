/* SPDX-License-Identifier: ISC */
/*
 * act: what mailq can do with the queue. An act is a row of functions that walk.c calls; a mode of
 * options.c names it. Each spool is walked by a process that is its owner, so that whatever has to be
 * known over all spools is counted in `memory`, which these processes share.
 */
#ifndef MAILQ_ACT_H
#define MAILQ_ACT_H

#include "entry.h"
#include "options.h"
#include "sys/config.h"
#include "total.h"

struct run {
	const struct options *options;
	const struct settings *settings;
	const struct act *act;
	struct total *total; /* shared */
	bool *found;         /* shared: of each ID that is selected, whether it is in the queue */
	void *memory;        /* shared: act->memory octets, zero at first; NULL when that is 0 */
	int64_t now;         /* seconds since 1970 */
	bool root;           /* everybody's spools are seen */
};

struct act {
	size_t memory;
	/* A spool's entries follow; NULL: nothing is done then. */
	void (*spool)(struct run *r, struct spool *sp);
	/* An entry that was selected, counted in r->total already. */
	void (*entry)(struct run *r, struct entry *e);
	/* That was the spool; NULL: nothing is done then. */
	void (*left)(struct run *r, struct spool *sp);
	/* All spools have been walked: the sums. The exit status, unless r->total has another, … */
	int (*end)(struct run *r);
	bool own_status; /* … which end() has then considered */
	/* As root, before the process becomes the owner of a spool; NULL: nothing is done then. */
	void (*owner)(struct run *r, uid_t owner);
};

#endif
