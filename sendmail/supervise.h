/* SPDX-License-Identifier: ISC */
/*
 * supervise: the system flusher, root. Sees every owner, opens nothing of theirs: for each a child
 * becomes that owner for good and is the flusher of that spool (run.h) until it is empty.
 *
 * A child is started for every owner when the supervisor starts, when a poke comes from a uid
 * that owns a spool, and every RESCAN seconds, in case a poke was lost. A child that dies of
 * anything but its own wish is started again after a pause. smtp is started by the supervisor, as
 * _pillarbox, and its channel handed to the child that asks: so the relay's password never is in a
 * process of a user.
 */
#ifndef SUPERVISE_H
#define SUPERVISE_H

/* Until SIGTERM; SIGHUP reads the settings again. A sysexits status: EX_TEMPFAIL when another
 * system flusher runs. */
int supervise(void);

#endif
