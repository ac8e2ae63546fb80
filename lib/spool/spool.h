/* SPDX-License-Identifier: ISC */
/*
 * spool: where an owner's messages lie, and which states they can be in.
 *
 *	<queue dir>/<owner>/tmp/ID      being written; nobody looks at it; swept after 36 hours
 *	                    new/ID      committed, never tried
 *	                    cur/ID      tried; its mtime is the time of the next attempt
 *	                    hold/ID     waits for a person
 *	                    failed/ID   could be neither delivered nor bounced; waits for a person
 *	                    lock        locked by the one flusher of this spool
 *	                    socket      that flusher listens for pokes here, see sys/poke.h
 *	                    counts      what that flusher has counted, see tally.h
 *
 * The moves, each one rename(2) or unlink(2), so a crash leaves one state or the other:
 *
 *	(nothing) -> tmp -> new      post: draft.h
 *	new -> cur                   deferred, claim.h
 *	new, cur -> (nothing)        every recipient delivered or told; synced later, removals.h
 *	new, cur -> failed           a bounce that cannot be delivered
 *	hold <-> cur, failed -> cur  a person, with mailq
 *
 * A message is in one state only: a file is never linked twice (link count 1 is demanded).
 * A spool file is an envelope (mail/envelope.h), the message in wire form, and a journal
 * (mail/journal.h). Nothing is rewritten in place once it is in new/.
 *
 * The owner of a directory is its st_uid, never its name. Everything below it is done as that
 * owner and relative to descriptors. See spool_open() for where the directory is.
 */
#ifndef SPOOL_SPOOL_H
#define SPOOL_SPOOL_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum spool_state {
	SPOOL_TMP,
	SPOOL_NEW,
	SPOOL_CUR,
	SPOOL_HOLD,
	SPOOL_FAILED,
};
#define SPOOL_STATES 5

/* "tmp", "new", "cur", "hold", "failed" */
const char *spool_state_name(enum spool_state state);

/* Behind a squatted uid and a dot: letters and digits, as many as make guessing hopeless. */
#define SPOOL_SUFFIX_LEN 16

/*
 * The nanoseconds of the mtime of what was set aside for want of room, not for its next attempt, for
 * which they are 0. Half a second: file systems that count no finer than milliseconds keep it; where
 * it is lost, the message waits until its time.
 */
#define SPOOL_ASIDE 500000000L

#define SPOOL_LOCK "lock"
#define SPOOL_TMP_AGE (36 * 60 * 60) /* seconds, as maildir has it */

#define SPOOL_TEXT 1024

struct spool {
	int fd;                /* the owner's directory; -1: not open */
	int state[SPOOL_STATES]; /* its subdirectories, opened when first needed; -1 before */
	uid_t owner;
	bool flat; /* no spool of a flusher, but a directory of carry.h */
	dev_t queue_dev; /* of the queue directory that it is below; 0 and 0: of none */
	ino_t queue_ino;
	char path[PATH_MAX]; /* of the owner's directory, for messages */
	/* What went wrong last: "cannot create /var/spool/pillarbox/1000: Permission denied (uid 1000)" */
	char error[SPOOL_TEXT];
	/* A squatted name, for the log: "" or "…/1000, of uid 33, is not our directory". */
	char notice[SPOOL_TEXT];
};

enum {
	SPOOL_CREATE = 1, /* make the owner's directory when it is missing */
};

/*
 * Open the calling user's spool (geteuid()) below queue_dir:
 *
 *	<queue_dir>/<uid>              when it is ours: a directory, st_uid ours, mode 0700 (EACCES when
 *	                               others may write to it)
 *	<queue_dir>/<uid>.<16 chars>   when that name is squatted by somebody else; found again by
 *	                               looking for a directory that is ours
 *
 * queue_dir must be sticky or ours, else EPERM. Root makes it (mode 1777) when it is missing and
 * SPOOL_CREATE is given. When it is missing or not writable for others, and `home_state` is not
 * NULL, the spool is in that directory instead (made 0700).
 * 0; or -1 with errno and spool->error: ENOENT when there is no spool yet (without SPOOL_CREATE).
 */
int spool_open(struct spool *sp, const char *queue_dir, const char *home_state, unsigned flags);

/*
 * Open an owner's directory by name, for a process that has become its owner: the same checks.
 */
int spool_open_named(struct spool *sp, const char *queue_dir, const char *name);

void spool_close(struct spool *sp);

/*
 * Whether this errno, of opening a spool or making a file in it, says that this user cannot write here
 * at all, so that another way may help: not that a disk is full.
 */
bool spool_unwritable(int error);

/* Whether a file can be made in it, by its mode and its file system. 0, or -1 with errno and spool->error. */
int spool_writable(struct spool *sp);

/* Descriptor of a state's directory (owned by the spool), or -1 with errno and spool->error. */
int spool_dir(struct spool *sp, enum spool_state state);

/*
 * Become the one flusher: a descriptor that holds the lock until it is closed; -1 with errno
 * EWOULDBLOCK when somebody else is.
 */
int spool_lock(struct spool *sp);

/* Whether somebody holds the lock. */
bool spool_flusher_alive(struct spool *sp);

/* Remove what killed injectors left in tmp/ more than SPOOL_TMP_AGE seconds ago. How many. */
unsigned spool_sweep(struct spool *sp, int64_t now);

/*
 * Move a message to another state, never over one that is there (EEXIST). 0, or -1 with errno.
 */
int spool_rename(struct spool *sp, const char *id, enum spool_state from, enum spool_state to);

/* For the functions of this folder: note errno and what was being done in sp->error. Returns -1. */
int spool_fail(struct spool *sp, const char *act, const char *name);

/* For the functions of this folder: write(2) until all is written. 0, or -1 with errno. */
int spool_write(int fd, const char *data, size_t len);

#endif
