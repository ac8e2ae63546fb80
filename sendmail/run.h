/* SPDX-License-Identifier: ISC */
/*
 * run: the one flusher of one spool: takes pokes, works on what is due, and leaves when nothing
 * waits any more. In a process that is the spool's owner.
 */
#ifndef RUN_H
#define RUN_H

#include <stdbool.h>

#include "service.h"
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
	struct service *service; /* NULL: none; one stays when the spool is empty */
	const char *memory;      /* of the flusher before, see outage_load(); nmemory octets */
	size_t nmemory;
	bool others;    /* wait for our turn to end: not to linger */
	int supervisor; /* where links are asked for, or -1 */
	int starter;    /* where settings and links are, see starter.h, or -1 */
};

/*
 * Be the flusher until the spool is empty (or, a service, until SIGTERM). request: what somebody
 * wants at once, or NULL; where another flusher already runs it is handed on to that one, and a
 * service takes its place. A sysexits status.
 */
int run_spool(const struct run_facts *facts, const struct request *request);

#endif
