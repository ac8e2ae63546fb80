/* SPDX-License-Identifier: ISC */
/*
 * waiters: who asked the flusher for something and waits at the other end of a pipe; see
 * sys/poke.h for the lines that are written there.
 */
#ifndef WAITERS_H
#define WAITERS_H

#include "attempt.h"
#include "run.h"

#define WAITERS_MAX 32

struct waiters {
	struct waiter {
		int fd;       /* 0: free */
		unsigned run; /* of due.h; 0: waits for one message */
		struct queue_id id;
		bool watch; /* the dialogue, too */
		bool done;  /* "done" is to be written as soon as the pipe takes it */
	} waiter[WAITERS_MAX];
};

/* The descriptor is ours from now on; -1: nobody waits. run: 0 for one message. */
void waiters_add(struct waiters *w, const struct request *r, unsigned run);

/* Whether somebody wants to see the dialogue about a message; a line of it. */
bool waiters_watch(const struct waiters *w, struct queue_id id);
void waiters_said(struct waiters *w, const char *text);

/* A recipient was attempted. */
void waiters_tell(
    struct waiters *w, struct queue_id id, const char *address, const struct outcome *o);

/* A message is settled. */
void waiters_settled(struct waiters *w, struct queue_id id);

/* Whether there is one whose run is over; release these. */
bool waiters_run_over(const struct waiters *w, const struct due *due, const struct work *work);
void waiters_runs(struct waiters *w, const struct due *due, const struct work *work);

/* Somebody's pipe is full and "done" is still to be written. */
bool waiters_blocked(const struct waiters *w);

bool waiters_none(const struct waiters *w);

void waiters_free(struct waiters *w);

#endif
