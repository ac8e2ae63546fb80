/* SPDX-License-Identifier: ISC */
/*
 * total: what a run has come by so far, over all spools, and what went wrong. It lies in memory that
 * the children which look into the spools of others share with their parent.
 */
#ifndef MAILQ_TOTAL_H
#define MAILQ_TOTAL_H

#include <stdbool.h>
#include <stdint.h>

#include "mail/buf.h"

struct total {
	uint64_t requests; /* entries that were selected */
	uint64_t octets;   /* of their messages */
	uint64_t damaged;  /* of the entries: files that are no messages of their owner's */
	bool root;         /* root's own spool was among those of everybody */
	bool stuck;        /* mail waits where nobody delivers */
	int status;        /* EX_OK, or what went wrong first, … */
	char why[256];     /* … and the words for it */
	int output;        /* errno of the first failure of stdout: nobody listens any more; or 0 */
};

/* "mailq: " and a line on stderr, made clean; `status` unless an earlier one stands. */
void total_trouble(struct total *t, int status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The exit status for errno: EX_UNAVAILABLE where only a person can help, else EX_TEMPFAIL. */
int total_sysexit(int error);

/* What was put together goes to stdout, and is cleared. Where memory did not do for it, output failed. */
void total_put(struct total *t, struct buf *b);

/* What is still buffered for stdout goes out. */
void total_flush(struct total *t);

/* The exit status of a list: EX_OK, or EX_DATAERR where something damaged is in it. */
int total_listed(const struct total *t);

#endif
