/* SPDX-License-Identifier: ISC */
/*
 * carry: spool files to and from a directory elsewhere, as they are: what waits in the directory itself,
 * what is on hold or has failed in its hold/ and failed/, what is being written in its tmp/. Such a
 * directory is a spool, too, for claim.h and scan.h: its SPOOL_CUR is the directory itself, and
 * it has no SPOOL_NEW.
 *
 * A file is in two places for a moment. Whoever moves it has it on hold in the spool meanwhile, so that
 * after a crash nobody delivers it before the move is done again, which finds the copy.
 */
#ifndef SPOOL_CARRY_H
#define SPOOL_CARRY_H

#include "spool/claim.h"

/* fd is taken over. The owner is the caller. 0, or -1 with errno. */
int carry_open(struct spool *sp, int fd, const char *path);

/*
 * Copy the file of a claim (CLAIM_STEER) to `to`, into `state`, under `id` (other than its own: it has
 * that inside), with its time. 0: it is durable there. -1 with errno and to->error; EEXIST: there is
 * one already.
 */
int carry_copy(const struct claim *c, struct spool *to, enum spool_state state, struct queue_id id);

/* Whether `to` has an equal file of this name in `state`. -1 with errno ENOENT: it has none there. */
int carry_same(const struct claim *c, struct spool *to, enum spool_state state);

#endif
