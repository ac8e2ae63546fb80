/* SPDX-License-Identifier: ISC */
/*
 * destination: what goes to one place: the relay, or a domain. It has messages that wait, in the
 * order of their coming, a path to its servers, and sessions.
 *
 * One session is opened first; when it works, more are, up to smtp.connections and no more than
 * messages wait (of which flush hands over more and more: lanes.h); but only when a message has
 * waited for DESTINATION_PATIENCE: a server that takes them as fast as they come needs no second
 * one. A session takes smtp.messages_per_connection at most.
 *
 * The end of a session that had worked halves that number, and so does a server that says it is
 * given too much (status_throttled()), for DESTINATION_HOLD at least. Each success allows one more
 * again. Sessions beyond it say QUIT when they come to their next message.
 *
 * Destinations fail, not messages. When a session ends badly:
 *	after it had worked           (a limit of messages, a restart) another one is opened
 *	before, and others work       they carry on alone for DESTINATION_HOLD
 *	before, TLS only welcome      the same address again without TLS
 *	before                        the next address is tried, then the next host, then the next
 *	                              relay (at once when this one refused our account); at the end
 *	                              of the path all that waits gets the last outcome
 *	twice in the middle of a      as if it had not worked: one message may be what the server
 *	message, none between         dies of, two in a row are the server
 * A message whose MAIL went into a session that was used before, and was lost or turned away with
 * it, has had no chance: it is tried at once in another, as often as that session took a message
 * (`took`: for one recipient at least), and once more before that counts.
 *
 * At the end of the path the destination stays for DESTINATION_REFUSES: jobs that flush sent before
 * it heard of the failure get the same outcome, and not an attempt of their own.
 */
#ifndef DESTINATION_H
#define DESTINATION_H

#include "job.h"
#include "path.h"

#define DESTINATION_PATIENCE 20 /* milliseconds */
#define DESTINATION_HOLD 30000  /* milliseconds */
#define DESTINATION_REFUSES 500 /* milliseconds */

struct destination;

/* A session of a destination. */
struct slot {
	struct slot *next;
	struct destination *destination;
	struct session *session;
	int64_t opened;
	uint32_t connected; /* milliseconds from there to where mail could be sent */
	bool ready, closed, took;
	bool leaving;           /* takes no more mail */
	unsigned inflight;      /* messages under way, … */
	unsigned unheard;       /* … of channels that are gone */
	unsigned number;        /* for who watches, see talk.h; … */
	struct channel *sole;   /* … whose mail alone it has had; NULL: several channels' */
	unsigned begun, worked; /* messages: taken; settled by the server's own words */
	struct job_queue held; /* those that had no chance, if the session turns out to be over, …
				   and those with more recipients than the server took at once */
	struct outcome outcome; /* closed: why */
};

struct destination {
	struct destination *next;
	struct wire *wire;
	char name[HOST_LEN]; /* "": the relay */
	struct job_queue waiting;
	struct path path;
	struct slot *slots;
	unsigned nslots, limit;
	unsigned strikes; /* sessions lost in the middle of a message, one after the other */
	int64_t hold;     /* no further sessions before this time */
	int64_t refuses;  /* what comes before this time gets `failure` */
	struct outcome failure;
	char failed[SESSION_NAME]; /* the server that was spoken to last in vain; "none" */
};

/* Find it in the list, or add it. NULL: out of memory. */
struct destination *destination_find(struct destination **list, struct wire *w, const char *name);

/* Take a message over. */
void destination_add(struct destination *d, struct job *j);

/* Once a turn of the loop: clean up what ended, open what is needed, settle what has no chance. */
void destination_run(struct destination *d);

/* When destination_run() must be called at the latest, sessions apart. */
int64_t destination_deadline(const struct destination *d);

/* Too much for the server: fewer sessions. */
void destination_back_off(struct destination *d);

/* How many of its sessions take mail. */
unsigned destination_working(const struct destination *d);

/* Nothing waits, nothing is open, and there is no failure to be remembered. */
bool destination_done(const struct destination *d);

/* Let go of what waits; QUIT when the rest is over. */
void destination_quit(struct destination *d);

/*
 * A channel brings no more: let go of what waits of it. `gone`: nobody can write down what becomes of
 * the rest either. Better that is broken off, to be sent again as a whole, than accepted unrecorded;
 * but where a session has others' mail too, that comes first.
 */
void destination_leave(struct destination *d, const struct channel *c, bool gone);

void destination_free(struct destination *d);

/* slot.c: a session's turn: what poll(2) said, and what comes of it. */
void slot_turn(struct slot *s, short revents);

/* Messages of a channel that is gone: count them, and break the session off if it has no others. */
void slot_leave(struct slot *s, const struct channel *c);

/* Open a session to the address that the path is at. NULL: out of memory. */
struct slot *slot_new(struct destination *d);
void slot_free(struct slot *s);

#endif
