/* SPDX-License-Identifier: ISC */
/*
 * trigger: getting committed mail on its way: poke the flusher that runs, or start one.
 */
#ifndef TRIGGER_H
#define TRIGGER_H

#include <stdbool.h>

#include "mail/queue_id.h"
#include "options.h"
#include "spool/spool.h"
#include "sys/config.h"

/*
 * New mail is in the spool: poke the owner's flusher, else the system's, else start one in the
 * background. Never fails as far as the caller is concerned: the mail is safe. The working
 * directory is changed.
 */
void trigger_background(struct spool *sp, const struct settings *s);

/*
 * The same, and wait for the outcome of message `id`, s->queue_wait seconds at most. Returns EX_OK
 * when it was sent, deferred, or is still under way; else the status of the first recipient that
 * failed for good: EX_NOUSER, EX_NOHOST, EX_UNAVAILABLE. tell: what was neither sent nor failed
 * is said on stderr, with where it waits.
 */
int trigger_foreground(struct spool *sp, const struct settings *s, struct queue_id id, bool tell);

/*
 * sendmail -q: everything in this spool that the options select is tried now; waits until each
 * message had its attempt. o->verbose: a line per recipient on stdout. EX_OK, or EX_TEMPFAIL when
 * no flusher can be had.
 */
int trigger_run(struct spool *sp, const struct settings *s, const struct options *o);

#endif
