/* SPDX-License-Identifier: ISC */
/*
 * flusher: the engine of a flusher, a turn at a time: messages that are due are begun, jobs go to
 * smtp, results come back, pokes are taken, who waits is told. Who may be the flusher, and when it
 * leaves, is run.c's.
 */
#ifndef FLUSHER_H
#define FLUSHER_H

#include "attempt.h"
#include "due.h"
#include "link.h"
#include "mail/address.h"
#include "parent.h"
#include "run.h"
#include "sys/alarm.h"
#include "waiters.h"

struct flusher {
	const struct run_facts *facts;
	struct settings own; /* loaded here */
	char hostname[HOST_LEN];
	char mailer[ADDRESS_MAX + 1];
	int sock;           /* where pokes come; -1: none */
	struct alarm alarm; /* for the next that is due */
	struct due due;
	struct work work;
	struct link link;
	struct parent parent;
	int64_t link_after; /* milliseconds: no link is opened before */
	unsigned deaths;    /* of smtp, with no result between them */
	bool alone;         /* smtp is there for us alone, while there are suspects */
	bool anew;          /* the next link is to one with the settings as they are then */
	struct waiters waiters;
	int64_t empty_since; /* milliseconds: since when nothing is left; 0: something is */
	int64_t idle_since;  /* milliseconds: since when the link has nothing to do */
	int64_t swept;       /* seconds since 1970 */
	bool full;           /* the channel to smtp: there are jobs that it does not take now */
	bool leaving;        /* what smtp has not done will be tried again */
	bool reload;         /* let smtp go when it is idle */
	int64_t stuck_until; /* milliseconds: when the disk is tried again */
};

/* Milliseconds that SIGTERM, and others who wait for their turn, give to what is on the wire. */
#define FLUSHER_GOODBYE 900
#define FLUSHER_YIELD 60000

/* Of one that is all zeros. 0, or -1 with errno when there is no memory for the settings. */
int flusher_init(struct flusher *f, const struct run_facts *facts);

/* What somebody wants; the descriptor is taken over. */
void flusher_request(struct flusher *f, const struct request *r);

/* Take the pokes that have come. */
void flusher_take_pokes(struct flusher *f);

/*
 * One turn: do what can be done now, then sleep until something happens; signals interrupt the
 * sleep only.
 */
void flusher_turn(struct flusher *f);

/*
 * Let smtp go as soon as it is idle, so that the next one has the settings as they are then. The log
 * is opened again.
 */
void flusher_reload(struct flusher *f);

/*
 * Nothing is under way, waits, or is waited for, and has not been for the time of queue.linger:
 * mail comes in bursts, and the next message is spared the start of two programs and a connection.
 * The supervisor's child leaves, too, when nothing is due for FLUSHER_AHEAD seconds.
 */
#define FLUSHER_AHEAD 10
bool flusher_idle(const struct flusher *f);

/*
 * In the supervisor's child: others wait for their turn, or the supervisor is gone. Then
 * flusher_goodbye().
 */
bool flusher_dismissed(const struct flusher *f);

/* The child's last word: when there is something to do again. */
void flusher_last_word(struct flusher *f);

/* Begin nothing more; give what is on the wire a moment, so that it need not be sent twice. */
void flusher_goodbye(struct flusher *f);

void flusher_free(struct flusher *f);

/* For flusher_link.c, and what it does for flusher.c: */

#define FLUSHER_LINK_IDLE 5000 /* milliseconds until smtp is let go */

/* The settings anew. 0, or -1. */
int flusher_load(struct flusher *f);

/* Hand over jobs as long as there are some. Whether the channel took them. */
bool flusher_send_jobs(struct flusher *f);

/* Everything that smtp has to say. */
void flusher_take_results(struct flusher *f);

/* Let it go when it has nothing to do, or is to be another one. */
void flusher_release_link(struct flusher *f);

#endif
