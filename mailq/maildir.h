/* SPDX-License-Identifier: ISC */
/*
 * maildir: a message of the queue as one of a Maildir, for a person to read, or a program: with LF as
 * line ends, and above its header the envelope as Return-Path and, for each recipient that waits, a
 * line X-Envelope-To. And those of a Maildir as an import finds them: the name of a file is
 *
 *	1700000000.M1P2.host,S=99,pillarbox=1N5X24Q8R0A1:2,S
 *
 * where what is behind the colon are flags, and `pillarbox` is written there before the message comes
 * into the queue under this ID: so an import that was cut off, and is done again, knows it by that.
 */
#ifndef MAILQ_MAILDIR_H
#define MAILQ_MAILDIR_H

#include <stdbool.h>

#include <limits.h>

#include "spool/claim.h"

/* Whether a directory has cur, new and tmp. */
bool maildir_is(int fd);

/*
 * Deliver, durably; as ID.pillarbox, so that what is there already is found. 0, or -1 with errno and
 * sp->error.
 */
int maildir_put(int fd, const struct claim *c, struct spool *sp);

/* Whether it has this flag, as 'T' for one that was thrown away. */
bool maildir_flag(const char *name, char flag);

/* The ID under which maildir_put() wrote it; false: somebody else did. */
bool maildir_exported(const char *name, struct queue_id *id);

/* The ID that is written in the name, if one is; the name with `id` written there. 0, or -1: too long. */
bool maildir_marked(const char *name, struct queue_id *id);
int maildir_mark(char dst[NAME_MAX + 1], const char *name, struct queue_id id);

/*
 * The lines that maildir_put() has written above the header: `e` has its sender and recipients, and
 * the octets of these lines are returned; -1: it does not begin so. envelope_free() whatever it is.
 */
long maildir_envelope(int fd, struct envelope *e);

/* Names, in their order, which is about that of their arrival. */
struct maildir_names {
	char **name;
	size_t n;
};

/* Those in a directory, without what begins with a dot. 0, or -1 with errno; names_free() then, too. */
int maildir_names(struct maildir_names *l, int dir);
void maildir_names_free(struct maildir_names *l);

#endif
