/* SPDX-License-Identifier: ISC */
/*
 * shared: the smtp that the supervisor runs for all its children, as _pillarbox. A child that asks
 * gets a channel to it (sys/handoff.h); the relay's secrets go to smtp by descriptor alone.
 *
 *	It is started when a child asks for it, with the settings and secrets as they are then, and
 *	let go [queue] smtp_linger after its last channel was over.
 *
 *	A child may ask for a new one: a password was refused, TLS failed with the relay, or somebody
 *	wants his mail tried who may have mended the settings. It gets one, too, when the file of the
 *	settings was changed, and when a relay was passed by whose login or TLS had failed. There is
 *	one for that every SHARED_FRESH at most, and none while there are SHARED_MOST; the old one
 *	finishes what it has and leaves.
 *
 *	One that does not answer, the old ones among them, is killed; so is one that was let go and
 *	has not left as long as an answer may take ([queue] watchdog). One that dies is started again
 *	after a pause that doubles from death to death. What it had, its children try again.
 */
#ifndef SHARED_H
#define SHARED_H

#include <poll.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "link.h"
#include "parent.h"

#define SHARED_FRESH 1000      /* milliseconds */
#define SHARED_PAUSE 1000      /* milliseconds after a first death */
#define SHARED_PAUSE_MAX 60000 /* milliseconds */
#define SHARED_MOST 8          /* that are watched: the one that runs, and old ones */

struct shared_smtp {
	struct link control;     /* fd -1: it was let go */
	uint32_t given;          /* channels of it */
	struct timespec changed; /* the file of its settings, when it was read */
	bool renew; /* a relay was passed by for what another one may have anew: link_passed() */
	int64_t linger;   /* milliseconds that it stays when it is idle; 0: it was replaced */
	int64_t idle;     /* milliseconds: let go then; INT64_MAX: it is in use */
	int64_t leave_by; /* milliseconds: killed then; INT64_MAX: never */
};

struct shared {
	struct shared_smtp smtp[SHARED_MOST]; /* the first one runs, if its control.fd is not -1 */
	uint32_t number;
	int64_t wished;      /* milliseconds, as are all: another one was wished for, and came */
	int64_t renew_after; /* not before that one for a relay that was passed by */
	int64_t started;
	int64_t pause;      /* after the last death; 0: there was none lately */
	int64_t not_before; /* not started before */
};

void shared_init(struct shared *s);

/* Answer a child's ASK_CHANNEL. The pid of an smtp of its own that it was given, or 0. */
pid_t shared_serve(struct shared *s, int child, const struct ask *a);

/* Fill SHARED_MOST entries to poll; and take what the processes say. */
void shared_list(const struct shared *s, struct pollfd *p);
void shared_take(struct shared *s);

/* Do what is due. When to come again: milliseconds, INT64_MAX: never. */
int64_t shared_turn(struct shared *s);

/* A process has ended. */
void shared_ended(struct shared *s, pid_t pid, int status);

/* The one that runs finishes what it has, with nothing new. */
void shared_replace(struct shared *s);

/* So do all, and nobody watches them any more. */
void shared_close(struct shared *s);

#endif
