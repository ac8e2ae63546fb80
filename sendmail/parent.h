/* SPDX-License-Identifier: ISC */
/*
 * parent: a child's end of its link to the supervisor, a SOCK_SEQPACKET pair. A child that has
 * become an owner can neither read the relay's password nor start smtp as another user, and asks.
 *
 *	child -> supervisor   ASK_CHANNEL  to smtp; answered
 *	                      ASK_ALIVE    the answer to a TELL_PING
 *	                      ASK_LEAVE    the last word: when there is something to do again
 *	                      ASK_RATE     whether a message may begin; answered by `wait`
 *	                      ASK_RATE_BACK  one that began came to nothing
 *	supervisor -> child   TELL_ANSWER
 *	                      TELL_PING    to be answered by whoever is not stuck
 *	                      TELL_YIELD   others wait for their turn: leave soon
 *
 * Whatever a child says, it is an owner who says it: it can hurt that owner alone.
 */
#ifndef PARENT_H
#define PARENT_H

#include <stdbool.h>
#include <stdint.h>

#include "link.h"
#include "outage.h"

#define PARENT_MEMORY 4096

enum ask_type { ASK_CHANNEL = 1, ASK_ALIVE, ASK_LEAVE, ASK_RATE, ASK_RATE_BACK };

struct ask {
	uint32_t type;
	uint32_t alone; /* ASK_CHANNEL: to an smtp of its own */
	uint32_t anew;  /* ASK_CHANNEL: to one with the settings as they are now, … */
	uint32_t other; /* … another than that of this number; 0: than whatever there is */
	int64_t when;   /* ASK_LEAVE: seconds since 1970; INT64_MAX: nothing is left */
	char destination[HOST_LEN]; /* ASK_RATE, ASK_RATE_BACK */
	uint32_t nmemory; /* ASK_LEAVE: octets of what the next child is to know, for it alone: */
	char memory[PARENT_MEMORY]; /* … sent cut to so many */
};

enum tell_type { TELL_ANSWER = 1, TELL_PING, TELL_YIELD };

struct tell {
	uint32_t type;
	uint32_t number; /* of the smtp, with its channel as a descriptor; 0: there is none: */
	int64_t wait;    /* milliseconds, until it is to be asked for again; or */
	pid_t pid;
	char why[1024]; /* what is wrong */
};

struct parent {
	int fd;          /* -1: none, smtp is started here */
	uint32_t number; /* of the smtp that the last channel led to */
	bool yield;      /* the supervisor asked us to leave soon */
	bool gone;       /* it is there no more */
};

/*
 * A channel to smtp. alone: to one of our own; anew: to one with the settings as they are now. 0; -1
 * with a line in `why`; or milliseconds after which to ask again.
 */
int64_t parent_channel(struct parent *p, struct link *l, bool alone, bool anew, struct buf *why);

/* Take what it says by itself; when the descriptor is readable. */
void parent_take(struct parent *p);

/* For struct lanes, with the parent as their first argument. */
int64_t parent_rate(void *parent, const char *destination);
void parent_rate_back(void *parent, const char *destination);

/* We leave; when, and what is remembered: as in struct ask. */
void parent_leave(const struct parent *p, int64_t when, const struct outages *outages);

/* Octets of a struct ask as it is sent. */
size_t parent_ask_len(const struct ask *a);

#endif
