/* SPDX-License-Identifier: ISC */
/*
 * run: the one flusher of one spool: takes pokes, works on what is due, and leaves when nothing
 * waits any more. In a process that is the spool's owner.
 */
#ifndef RUN_H
#define RUN_H

#include <stdbool.h>

#include "spool/spool.h"
#include "sys/config.h"
#include "sys/poke.h"

/* Somebody who waits for an answer; see sys/poke.h. */
struct request {
	struct poke poke;
	int fd; /* -1: nobody */
};

struct run_facts {
	struct spool *spool;
	/* The supervisor's settings, without secrets; NULL: loaded here, again at each start of
	 * smtp. */
	const struct settings *settings;
	bool resident;  /* stay when the spool is empty */
	int supervisor; /* where links are asked for, or -1 */
};

/*
 * Be the flusher until the spool is empty (or, resident, until SIGTERM). request: what somebody
 * wants at once, or NULL; where another flusher already runs it is handed on to that one. A
 * sysexits status.
 */
int run_spool(const struct run_facts *facts, const struct request *request);

#endif
