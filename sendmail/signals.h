/* SPDX-License-Identifier: ISC */
/*
 * signals: what a flusher is told by them. They are blocked but where it sleeps, in ppoll() with an
 * empty mask, and there set a flag; so none is missed and no work is done in a handler.
 *
 *	SIGTERM, SIGINT  leave, within a second
 *	SIGHUP           read the settings again, open the log again
 *	SIGUSR1          try everything now
 *	SIGCHLD, SIGALRM end the sleep only
 */
#ifndef SIGNALS_H
#define SIGNALS_H

#include <stdbool.h>

/* From now on; what came before counts no more, so that a forked child begins anew. */
void signals_catch(void);

/* To stop; stays true. */
bool signals_stop(void);

/* Whether one came since the last call. */
bool signals_reload(void);
bool signals_flush(void);

#endif
