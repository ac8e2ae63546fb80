/* SPDX-License-Identifier: ISC */
/*
 * draft: a message on its way into the spool.
 *
 *	draft_open    a name and a file in tmp/
 *	draft_head    the envelope; recipients are known now
 *	draft_write   the message, wire form, piece by piece
 *	draft_commit  sizes filled in, fsync, rename to new/, fsync of new/: durable (or where `into` says)
 *	draft_abandon any time before that: as if nothing had been
 *
 * A small message is one write(2). Any call may fail with -1, errno, and spool->error; the caller
 * then abandons the draft. After draft_commit() has failed nothing is there.
 */
#ifndef SPOOL_DRAFT_H
#define SPOOL_DRAFT_H

#include "mail/buf.h"
#include "mail/envelope.h"
#include "spool/spool.h"

#define DRAFT_BUFFER (64 * 1024)

struct draft {
	struct spool *spool;
	struct queue_id id;
	int fd;                /* -1: nothing is open */
	enum spool_state into; /* SPOOL_NEW, unless the caller changes it */
	/* private */
	uint64_t started; /* octets that the disk was told to begin with */
	bool made;        /* the name in tmp/ is ours to remove */
	struct buf out;   /* not yet written */
	struct buf lines; /* of the journal */
	uint64_t written; /* octets written to the file */
	size_t head;      /* octets of the head */
	bool head_out;    /* the head has left the buffer: it is sealed in the file */
};

/* now: microseconds since 1970, for the ID. */
int draft_open(struct draft *d, struct spool *sp, uint64_t now);

/* The same with an ID that the caller chose; EEXIST when tmp/ has it. */
int draft_open_as(struct draft *d, struct spool *sp, struct queue_id id);

int draft_head(struct draft *d, const struct envelope *e);
int draft_write(struct draft *d, const char *data, size_t len);

/* Octets of the message that were written so far. */
uint64_t draft_size(const struct draft *d);

/* Octets of the message as written so far, from `offset` on; as pread(2). */
ssize_t draft_read(struct draft *d, char *dst, size_t size, uint64_t offset);

/*
 * Begin anew under the same ID, with draft_head(). What was written is in `old`, to be read with
 * draft_read() and let go of with draft_abandon().
 */
int draft_again(struct draft *d, struct draft *old);

/* Journal lines that the message begins with; call it any time before the commit. */
int draft_journal(struct draft *d, const struct buf *lines);

/* e->size is set here; body and dots are the caller's. EEXIST: there is one of this ID already. */
int draft_commit(struct draft *d, struct envelope *e);

void draft_abandon(struct draft *d);

#endif
