/* SPDX-License-Identifier: ISC */
/*
 * tell: what a sender, or the postmaster, is told as a message is settled. Each report is durable
 * before it is noted in the journal: the lines are added to a->lines, and the caller appends them.
 *
 * No more reports are posted than queue.bounce_rate allows an owner: a program that writes to
 * 100,000 unknown users is not to fill a mailbox, nor to make the relay think ill of this machine.
 * What is beyond that is not told and not noted; a message that failed is kept in failed/ then, and
 * a delay or a success is told of when there is room. What was posted is counted in memory; the
 * flusher stays while more than half of it is.
 */
#ifndef TELL_H
#define TELL_H

#include "attempt.h"
#include "mail/dsn.h"

/* Whether there is a recipient of whom that is so. */
bool tell_any(const struct envelope *e, enum dsn_kind kind,
    bool (*which)(enum dsn_kind, const struct recipient *));

/*
 * What failed, went well, or is late, to the sender, who is not the null one; the journal is folded
 * in. 0, or -1: the disk does not let us; the log has said so.
 */
int tell_sender(struct work *w, struct attempt *a);

/*
 * What a crash left untold, as a message is begun: before anything else happens to it, so that its
 * report is found if it was posted, and is the same; later it may have been delivered, and gone.
 */
void tell_left(struct work *w, struct attempt *a);

/* A copy of what failed for the alias postmaster, if there is one; once in a message's life. */
int tell_postmaster(struct work *w, struct attempt *a);

/* Whether the flusher may forget how many reports there were. */
bool tell_quiet(const struct work *w);

#endif
