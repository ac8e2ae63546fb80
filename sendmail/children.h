/* SPDX-License-Identifier: ISC */
/*
 * children: the supervisor's children, one for each owner's directory with mail.
 *
 *	How many   [queue] flushers run at the same time. Others wait in the order of their coming;
 *	           while some do, those that run for CHILDREN_TURN are asked to leave, and go to the
 *	           end of the queue. What runs never is more, however many owners there are.
 *	How long   A child leaves when nothing is due soon, and says when there is something to do
 *	           again: of an owner with deferred mail alone that is all that is kept, and of one
 *	           without mail nothing.
 *	Stuck      One that does not answer for [queue] watchdog is killed.
 *	Crashes    A child that dies is started again after a pause, which doubles from one crash to
 *	           the next, up to CHILDREN_PAUSE_MAX, and begins anew after a life that ended well.
 *	           Nobody else waits for that.
 */
#ifndef CHILDREN_H
#define CHILDREN_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "rates.h"
#include "run.h"
#include "shared.h"
#include "sys/config.h"

#define CHILDREN_TURN 30000       /* milliseconds */
#define CHILDREN_PAUSE 10000      /* milliseconds after a first crash */
#define CHILDREN_PAUSE_MAX 900000 /* milliseconds */
#define CHILDREN_LOOK 300000      /* milliseconds; the wall clock may be set meanwhile */
#define CHILDREN_DIRECTORIES 8    /* of one uid; more are left alone */
#define CHILDREN_BUCKETS 1024

struct child;

struct children {
	const struct settings *settings; /* without secrets: children have them too */
	struct shared *shared;           /* where they get smtp, */
	struct rates *rates;             /* and leave to use it */
	/* In a new child, still root: let go of what is the supervisor's alone. */
	void (*leave)(void *arg);
	void *arg;
	/* private */
	struct child *first; /* all */
	size_t known;
	struct child *bucket[CHILDREN_BUCKETS];
	struct child *queue, **queued; /* those that wait for their turn */
};

/* The caller sets c->settings, shared, leave and arg. */
void children_init(struct children *c);

/* There may be something to do in this directory. request: what somebody asked for, or NULL. */
void children_want(
    struct children *c, const char *name, uid_t owner, const struct request *request);

/* Start, ask, and end those whose time it is. When to come again, milliseconds. */
int64_t children_turn(struct children *c);

/* How many run; and how many have mail. */
size_t children_count(const struct children *c);
size_t children_known(const struct children *c);

/* What to poll for them, children_count() entries; and then: take what they say. */
void children_list(const struct children *c, struct pollfd *p);
void children_serve(struct children *c, const struct pollfd *p);

/* A process has ended. Whether it was one of them, or of theirs. */
bool children_ended(struct children *c, pid_t pid, int status);

/* Forget all of them, once the last has ended. */
void children_free(struct children *c);

void children_signal(const struct children *c, int sig);

/* Those that run make room for others with new settings. */
void children_renew(struct children *c);

#endif
