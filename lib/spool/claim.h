/* SPDX-License-Identifier: ISC */
/*
 * claim: a spool file opened, checked and read, to be looked at or to be worked on.
 *
 * A spool file is hostile input, to mailq and root as well. It is opened with O_NOFOLLOW and
 * O_NONBLOCK and must be a regular file of the spool's owner with one link, not writable by
 * others, its name a queue ID and the same as inside, its sizes consistent, its journal well
 * formed. Everything else is CLAIM_DAMAGED with a reason, and left alone.
 *
 * To work on a message is to hold a lock on its file: an open file description lock, so the
 * descriptor that is passed to smtp holds it too, and a message that a dying flusher left on the
 * wire is not taken by the next one before smtp let go. The flusher's lock is a read lock (its
 * descriptor is read-only); who steers takes a write lock, which excludes it; mailq only asks.
 */
#ifndef SPOOL_CLAIM_H
#define SPOOL_CLAIM_H

#include <sys/stat.h>

#include "mail/buf.h"
#include "mail/envelope.h"
#include "spool/spool.h"

#define CLAIM_JOURNAL_MAX (16U * 1024 * 1024) /* octets of a journal */

struct claim {
	struct spool *spool;
	enum spool_state state;
	struct queue_id id;
	int fd; /* read-only but for CLAIM_STEER, -1 when closed; the offset is not used: pread */
	struct stat st;
	struct envelope envelope; /* with the journal folded in */
	uint64_t message;         /* offset of the message: octets of the head */
	struct buf journal;       /* its octets; the envelope's texts borrow from them */
	bool active;              /* CLAIM_LOOK: a flusher is working on it */
	const char *why;          /* CLAIM_DAMAGED: what is wrong, a constant string */
};

enum claim_result {
	CLAIM_OK,
	CLAIM_GONE,    /* not there (any more) */
	CLAIM_BUSY,    /* locked by somebody else */
	CLAIM_DAMAGED, /* not a spool file of ours; c->why, c->st when it could be opened */
	CLAIM_ERROR,   /* errno, spool->error */
};

enum claim_mode {
	CLAIM_LOOK, /* read only: mailq */
	CLAIM_WORK, /* lock it, to deliver it */
	CLAIM_STEER, /* lock it, to do with it what a person wants; the descriptor can be written to */
};

/* Whatever the result, the caller ends with claim_close(). */
enum claim_result claim_open(
    struct claim *c, struct spool *sp, enum spool_state state, const char *name, enum claim_mode mode);

void claim_close(struct claim *c);

/* Recipients that are neither delivered nor failed: still to be tried. */
size_t claim_pending(const struct claim *c);

/* Somebody took the file away, or to another state, though it is claimed: nothing can be noted there. */
bool claim_gone(const struct claim *c);

/*
 * Append whole journal lines in one write; with `sync` they are on disk when it returns. A torn last
 * line is closed off first. 0, or -1 with errno and spool->error.
 */
int claim_append(struct claim *c, const struct buf *lines, bool sync);

/* Next attempt at `when` (seconds since 1970): mtime, and into cur/ from wherever it is. */
int claim_defer(struct claim *c, int64_t when);

/*
 * The same for one that has no room now, whatever its own next attempt would be: what can be had
 * sooner than that, when there is room. Its mtime says so, see SPOOL_ASIDE.
 */
int claim_set_aside(struct claim *c, int64_t when);

/* Into another state, mtime kept. */
int claim_move(struct claim *c, enum spool_state state);

/* Out of the spool. */
int claim_remove(struct claim *c);

/* Octets of the message, from `offset` on, as pread(2). */
ssize_t claim_read(const struct claim *c, char *dst, size_t size, uint64_t offset);

#endif
