/* SPDX-License-Identifier: ISC */
/*
 * loop: smtp's only loop: the channel to flush, the resolver's answers, the sessions.
 */
#ifndef LOOP_H
#define LOOP_H

/*
 * Take settings and jobs from the channel (sys/handoff.h) until its end of file or SIGTERM, then
 * finish what is under way. Returns an exit status: 0, or EX_OSERR or EX_PROTOCOL when flush has to
 * try again what it has no results of.
 */
int loop_run(int channel);

#endif
