/* SPDX-License-Identifier: ISC */
/*
 * attempt: messages under way. A message is claimed, its pending recipients become jobs (those of
 * one destination together), results come back one per recipient, and when all are there the
 * message is settled: removed, deferred, bounced, or parked in failed/.
 *
 * What is written when, so that nothing is lost and little repeated:
 *
 *	every recipient delivered    the file is removed; nothing is journalled, unless there is
 *	                             success to report
 *	otherwise, as a job ends     its results are appended; synced where one of them is final
 *	failed recipients, success   the report is committed, then "told" is appended or the file
 *	or delay to report           removed; what a crash left untold comes before all else
 *	nobody to tell               a copy for the postmaster is committed, then "copied" is
 *	                             appended, then the file goes to failed/
 *	pending recipients           mtime is set to the next attempt, then new/ -> cur/
 *
 * A destination that has no room (lanes.h) is passed over: what can be settled is, and the rest of
 * the message is parked.
 *
 * When the journal cannot be appended to (disk full), a message that went to some of its recipients stays
 * claimed and the append is tried again (work_again()): better a message that waits than one that is
 * sent twice. All others make way, for who is delivered makes room on the disk: a deferral or a failure
 * that cannot be journalled is forgotten, and a report that cannot be posted is tried again later.
 */
#ifndef ATTEMPT_H
#define ATTEMPT_H

#include "due.h"
#include "lanes.h"
#include "link.h"
#include "mail/rate.h"
#include "mail/retry.h"
#include "outage.h"
#include "spool/claim.h"
#include "spool/removals.h"
#include "spool/tally.h"
#include "sys/handoff.h"

/* One message. */
struct attempt {
	bool used;
	struct claim claim;
	uint32_t *order;   /* indexes of pending recipients, those of a destination together */
	size_t norder, at; /* how many; how many have become jobs */
	unsigned jobs;     /* under way */
	struct buf lines;  /* of the journal, not yet appended */
	bool final;        /* one of them is a success or a failure, or must not be lost else */
	bool keep;         /* one of them says that something went out, which is not to go twice */
	bool stuck;        /* it could not be settled: to be tried again */
	bool active;       /* the log has said so */
	bool parked;
	unsigned strikes; /* times that smtp died while it had this message; see work_crashed() */
	char held[HOST_LEN]; /* a destination that was passed over; nobody is when !holds */
	bool holds;
	unsigned run;         /* the run that it belongs to, see due.h */
	int64_t until;        /* its destinations are out until then; 0: they are not */
	uint64_t began;       /* microseconds since 1970 */
	int64_t began_uptime; /* seconds, by clock_uptime() */
	int64_t age;          /* seconds of its lifetime that were used up then */
};

struct job {
	struct attempt *attempt; /* NULL: free */
	uint32_t number;
	char destination[HOST_LEN];
	uint32_t nrcpt, nresults;
	uint32_t rcpt[HANDOFF_RCPTS];
	bool answered[HANDOFF_RCPTS];
	bool begun; /* smtp has looked into the file */
	enum lane_end end;
};

/* Everything under way for one spool. */
struct work {
	struct spool *spool;
	struct due *due;
	const struct settings *settings;
	struct retry_policy policy;
	struct outages outages;
	struct lanes lanes;
	const char *hostname;
	const char *mailer;  /* the address that bounces come from */
	pid_t wire;          /* of smtp, for the log */
	unsigned suspects;   /* messages with strikes */
	bool renew;          /* the next smtp is to read its files anew: a login failed, or TLS */
	int64_t renew_after; /* milliseconds: not for a relay that is passed by before that */
	struct attempt attempts[HANDOFF_JOBS];
	struct job jobs[HANDOFF_JOBS];
	unsigned nattempts, njobs;
	size_t top;  /* behind the last attempt that is used */
	size_t turn; /* the attempt that the next job is looked for first */
	uint32_t next_number;
	struct rate_window reports; /* posted in the last while, see queue.bounce_rate */
	ino_t damaged[32];          /* files already named in the log */
	unsigned ndamaged;
	int refusal;         /* what the disk last said no by, for the log: errno, … */
	int64_t refusal_old; /* … and until when that is not news: milliseconds */
	struct tally tally;  /* of every result */
	struct removals removals;
	/* Told of every recipient whose fate is known for now (for sendmail -q and -odi). */
	void (*told)(void *arg, const struct envelope *e, const struct recipient *r,
	    const struct outcome *o);
	/* Whether somebody wants to see the dialogue about a message; NULL: nobody ever. */
	bool (*watched)(void *arg, struct queue_id id);
	/* Told when a message is settled. */
	void (*settled)(void *arg, struct queue_id id);
	void *arg;
};

void work_init(struct work *w);

/* The settings, at first and when they changed. */
void work_use(struct work *w, const struct settings *s);

/* Whether another message can be begun. */
bool work_room(const struct work *w);

/* Milliseconds until a rate lets something go on; INT64_MAX: no rate is in the way. */
int64_t work_wait(const struct work *w);

/* Claim a message and prepare its jobs. Damaged and foreign files are named in the log once. */
void work_begin(struct work *w, enum spool_state state, const char *name, unsigned run);

/* The same for a parked message that may go on now; false: there is none. */
bool work_resume(struct work *w);

/* Those that could not even be parked are looked at again, where there is room for them by now. */
void work_recall(struct work *w);

/* The run that a message which is due belongs to: what was set aside is still of the run that did. */
unsigned work_run(const struct work *w, const struct scan_entry *e);

/* Whether this message is under way, or parked. */
bool work_has(const struct work *w, const char *id);

/*
 * The next job to be sent into *m, with its descriptor in *fd (borrowed); false: none now. It
 * counts as sent; work_unsent() takes it back.
 */
bool work_job(struct work *w, union handoff_message *m, int *fd);
void work_unsent(struct work *w, const union handoff_message *m);

/* What came back. A message that does not fit the open jobs: -1 (the link is then closed). */
int work_result(struct work *w, const struct handoff_result *r);
int work_begun(struct work *w, const struct handoff_done *d);
int work_done(struct work *w, const struct handoff_done *d);
void work_passed(struct work *w, const struct handoff_passed *m);

/*
 * smtp died. What it had not begun is sent again as if nothing had been. What it had begun is
 * suspect: while work_suspects(), one of them at a time is all that is sent, and should be to an
 * smtp of its own. Who is not cleared by an end of that, but has it die, has a strike; with
 * ATTEMPT_STRIKES the message is kept in failed/ and tried no more.
 */
#define ATTEMPT_STRIKES 3
void work_crashed(struct work *w);
bool work_suspects(const struct work *w);

/* smtp is gone or cannot be had: every open job is deferred with this outcome. */
void work_fail(struct work *w, const struct outcome *o);

/* Whether the disk did not let a message be settled; and try again those that are. */
bool work_stuck(const struct work *w);
void work_again(struct work *w);

/* No message of a run up to this one is under way, parked or set aside. */
bool work_run_over(const struct work *w, unsigned run);

/* Nothing is under way or parked, and no rate has to be remembered. */
bool work_none(const struct work *w);

/* Whether nothing is remembered that would be missed, messages under way and parked apart. */
bool work_forgettable(const struct work *w);

/* For settle.c and jobs.c: */

/* The message is dealt with, or given up for now. */
void attempt_end(struct work *w, struct attempt *a);

/* Some of its destinations have no room: it waits for that. 0, or -1: the disk does not let us. */
int attempt_park(struct work *w, struct attempt *a);

/* Seconds of its lifetime that a message has used up by now, see mail/retry.h. */
int64_t attempt_age(const struct attempt *a);

/* It is suspect no more. */
void attempt_clear(struct work *w, struct attempt *a);

/* The log is told, once, that something is being done. */
void attempt_active(struct attempt *a);

/*
 * The destination of all of a message, in dst, when it goes by relays; NULL: each recipient has one
 * of its own. Asked anew each time: the settings may be others now.
 */
const char *work_relay(const struct work *w, const struct attempt *a, char dst[HOST_LEN]);

/* Of recipient i, as struct handoff_job has it; relay: what work_relay() said. */
void work_destination(const struct attempt *a, size_t i, const char *relay, char dst[HOST_LEN]);

/* What the settings say, "" for no limit. */
const char *work_rate(const struct work *w, const char *destination);

/* Let go of everything without settling (at the end). */
void work_free(struct work *w);

#endif
