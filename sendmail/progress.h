/* SPDX-License-Identifier: ISC */
/*
 * progress: a queue run as a person at a terminal sees it, one line on stderr that is drawn anew:
 *
 *	sendmail: 120 of 200: 110 sent, 8 deferred, 2 failed; 35/s, 3s left; example.org
 *
 * They are recipients. Nothing is shown where stderr is no terminal.
 */
#ifndef PROGRESS_H
#define PROGRESS_H

#include "mail/route.h"
#include "options.h"
#include "spool/spool.h"

struct progress {
	bool shown; /* stderr is a terminal */
	uint64_t total, sent, deferred, failed;
	int64_t began, drawn; /* milliseconds, monotonic */
	char destination[HOST_LEN];
};

/* Count what waits in the spool, and is selected. */
void progress_begin(struct progress *p, struct spool *sp, const struct options *o);

/* A line of the flusher's answer, see sys/poke.h; NULL: time has passed. */
void progress_line(struct progress *p, const char *line);

/* Make room for a line of another kind. */
void progress_clear(const struct progress *p);

/* The last line, which stays. */
void progress_end(struct progress *p);

#endif
