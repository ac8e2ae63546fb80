/* SPDX-License-Identifier: ISC */
/*
 * supervise: the system flusher, root. Sees every owner, opens nothing of theirs: for each a child
 * becomes that owner for good and is the flusher of that spool (run.h) until it is empty.
 *
 * A child is wanted for every owner when the supervisor starts, when a poke comes from a uid that
 * owns a spool, when what it left comes to be due, and every RESCAN seconds, in case a poke was
 * lost; children.h says how many run. They share one smtp, which the supervisor starts as
 * _pillarbox (shared.h): so the relay's password never is in a process of a user.
 */
#ifndef SUPERVISE_H
#define SUPERVISE_H

struct service;

/*
 * Until SIGTERM. SIGHUP reads the settings again, SIGUSR1 and the service's interval have everything
 * tried. A sysexits status: EX_TEMPFAIL when another system flusher runs.
 */
int supervise(struct service *service);

#endif
