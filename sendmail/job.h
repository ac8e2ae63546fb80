/* SPDX-License-Identifier: ISC */
/*
 * job: a message on its way through smtp: a descriptor of its spool file, and the recipients that
 * are still open. The file is not looked at before a session takes the job, so what waits is small;
 * then the job's recipients alone are kept of it, so what is under way is, too.
 * A spool file is hostile input here: whatever is wrong with it, the job's recipients are
 * deferred with 4.3.0, and nothing else suffers.
 */
#ifndef JOB_H
#define JOB_H

#include "channel.h"
#include "net/session.h"
#include "sys/handoff.h"
#include "wire.h"

struct job {
	struct session_mail mail; /* first: a session gives back its transaction */
	struct wire *wire;
	struct channel *channel; /* where it came from; its jobs: */
	struct job *behind, *before;
	struct slot *slot; /* the session that has it; NULL: none */
	uint64_t round;    /* see channel.h */
	struct job *next;  /* in a queue */
	uint32_t number;   /* flush's */
	struct envelope envelope;     /* once a session has it: with these recipients alone */
	uint32_t rcpt[HANDOFF_RCPTS]; /* which of the file's they are */
	bool answered[HANDOFF_RCPTS];
	size_t nrcpt;
	bool watched;           /* see talk.h */
	int64_t arrived, begun; /* milliseconds, monotonic */
	/* see destination.h: */
	bool first, again, held, later;
	struct outcome held_outcome;
};

/* How far the results of a job had to go. */
struct job_report {
	const char *relay, *tls;
	uint32_t connected; /* milliseconds */
	bool dsn, lmtp;     /* as in struct handoff_result */
};

/* fd, or -1, is taken over. NULL: out of memory; fd is then closed. */
struct job *job_new(struct channel *c, const struct handoff_job *m, int fd);

/* Read the envelope. 0; or -1 with the outcome that the recipients are to get. */
int job_open(struct job *j, struct outcome *o);

/* The fate of recipient rcpt[i]. */
void job_result(struct job *j, size_t i, const struct outcome *o, const struct job_report *r);

/* The same for all that have none yet; then the job is over. */
void job_settle(struct job *j, const struct outcome *o, const struct job_report *r);

/* Take out the recipients that have a result: what remains can be tried again. */
void job_reopen(struct job *j);

/* Every recipient had its result: tell flush, and forget the job. */
void job_end(struct job *j);

/* Forget it without a word. */
void job_drop(struct job *j);

/* Jobs in the order of their coming. */
struct job_queue {
	struct job *first, **last;
	uint64_t tail_round; /* of the last, where they are in rounds */
};

void job_queue_init(struct job_queue *q);
void job_queue_add(struct job_queue *q, struct job *j);
void job_queue_fair(struct job_queue *q, struct job *j);            /* in its round */
void job_queue_purge(struct job_queue *q, const struct channel *c); /* drop those of a channel */
void job_queue_return(struct job_queue *q, struct job_queue *from); /* all of them, to the front */
struct job *job_queue_take(struct job_queue *q);                    /* or NULL */

#endif
