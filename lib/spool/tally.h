/* SPDX-License-Identifier: ISC */
/*
 * tally: the counts of a spool, kept by its flusher for mailq -m in the file TALLY_FILE of the owner's
 * directory. There is one flusher, which holds the lock, so one writer.
 *
 * Nothing depends on it: it is written over in place, now and then and when the flusher leaves, and
 * never synced; what is lost or unreadable begins anew. Failures are silent.
 */
#ifndef SPOOL_TALLY_H
#define SPOOL_TALLY_H

#include "mail/counts.h"
#include "spool/spool.h"

#define TALLY_FILE "counts"

#define TALLY_EVERY 1000 /* milliseconds between writings */

struct tally {
	struct counts counts;
	bool changed;    /* since it was written */
	int64_t written; /* when: milliseconds of the monotonic clock */
};

/* 0, or -1 with nothing counted: it is not there, or not whole. */
int tally_read(struct counts *c, struct spool *sp);

/* For the flusher: go on from what there is. */
void tally_begin(struct tally *t, struct spool *sp);

/* Write what has changed, unless that was done a moment ago. now: as `written`. */
void tally_write(struct tally *t, struct spool *sp, int64_t now);

/* Milliseconds until there is something to write, but no more than `ms`. */
int64_t tally_wait(const struct tally *t, int64_t now, int64_t ms);

/* Write what has changed: the last thing. */
void tally_end(struct tally *t, struct spool *sp);

#endif
