/* SPDX-License-Identifier: ISC */
/*
 * What children.c and children_table.c share.
 */
#ifndef CHILDREN_IMPL_H
#define CHILDREN_IMPL_H

#include "children.h"

#define NAME_LEN 32 /* of an owner's directory: uid, dot, 16 characters */

/* An owner's directory with a flusher, or that gets one again. Times are milliseconds, monotonic. */
struct child {
	struct child *next, **at;  /* of all */
	struct child *chain;       /* in its bucket */
	struct child *next_queued; /* in the queue, … */
	bool queued;               /* … if it is there */
	char name[NAME_LEN];
	uid_t owner;
	struct request request; /* fd -1: nobody waits for an answer */
	pid_t pid;              /* 0: none runs */
	pid_t alone;            /* of an smtp of its own, or 0 */
	int link;               /* where it asks; -1: none runs */
	bool again;             /* a poke came while it ran, or it crashed */
	bool told;              /* to leave, since others wait */
	bool killed;            /* it was stuck */
	int64_t due;  /* seconds since 1970: something is to be done; INT64_MAX: nothing */
	char *memory; /* of the child before, for the next one, or NULL */
	size_t nmemory;
	int64_t started, ping, deadline;
	int64_t pause;      /* after the last crash; 0: it ended well */
	int64_t not_before; /* started again then, after a crash */
};

/* Find it, or make room for it. NULL: out of memory, or the owner has enough of them. */
struct child *children_find(struct children *cs, const char *name, uid_t owner);

/* Neither runs nor waits. */
void children_forget(struct children *cs, struct child *c);

/* Whoever asked hears that there is no answer. */
void children_forget_request(struct child *c);

/* To the end of the queue, if it is not in it; and the first of a queue that is not empty. */
void children_enqueue(struct children *cs, struct child *c);
struct child *children_dequeue(struct children *cs);

#endif
