/* SPDX-License-Identifier: ISC */
/*
 * channel: smtp's end of a channel to one flush: the jobs that came by it, and what is to be told of
 * them. The first channel is the control: it brings the settings, and may bring further channels,
 * each of a flusher of its own (sys/handoff.h).
 *
 * All channels share the sessions. So that none has to stand behind all mail of another, a
 * destination takes messages by their rounds (job_queue_fair()): each channel has one in a round.
 */
#ifndef CHANNEL_H
#define CHANNEL_H

#include "wire.h"

#define CHANNEL_JOBS_LEAST \
	8                  /* open jobs that a channel may have, however many channels there are */
#define CHANNEL_OUTBOX 512 /* messages that wait in its outbox, before no more jobs are taken */

struct job;

struct channel {
	struct channel *next;
	struct wire *wire;
	int fd; /* -1: gone */
	struct outbox outbox;
	struct job *jobs; /* all that are open */
	unsigned njobs;
	unsigned nwatched; /* of them: somebody wants to see their dialogue */
	uint64_t round; /* of its last job */
	bool eof;       /* brings no more jobs */
	bool gone;      /* and nobody hears of those there are */
	int polled;     /* index of its pollfd; -1: none yet */
};

/* fd is taken over, and made non-blocking. NULL: out of memory; it is then closed. */
struct channel *channel_new(struct wire *w, int fd);

/* How many open jobs each of n channels may have. */
unsigned channel_share(const struct wire *w, size_t n);

/* Whether it may be read now. */
bool channel_wants(const struct channel *c, unsigned share);

/* Nobody hears of it any more. Its jobs remain, and are told to nobody. */
void channel_gone(struct channel *c);

/* Whether nothing of it is left: no job, nothing to be told, and no more to come. */
bool channel_done(const struct channel *c);

/* With its jobs, which no session has any more. */
void channel_free(struct channel *c);

#endif
