/* SPDX-License-Identifier: ISC */
/*
 * wake: get the flusher of a spool to work, the owner's own, else the system's, else one that is
 * started; and hear what becomes of what it was asked for. See poke.h for what is said to it.
 */
#ifndef SYS_WAKE_H
#define SYS_WAKE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "mail/status.h"
#include "sys/poke.h"

struct wake {
	int dir;            /* the owner's directory, where its own flusher listens */
	const char *socket; /* of the system flusher; "" is none */
	dev_t queue_dev;    /* what it has to serve to be asked: struct spool's */
	ino_t queue_ino;
	bool start; /* one is started, in the background, where nobody listens */
};

/* There is something to do: POKE_NEW or POKE_LOOK. Never fails. The working directory is changed. */
void wake_news(const struct wake *w, enum poke_type type);

/*
 * Ask for something. Answers come out of the descriptor that is returned; -1: no pipe can be had. The
 * working directory is changed.
 */
int wake_ask(const struct wake *w, const struct poke *p);

#define ANSWER_WHY 1024

struct answer {
	/* Each line, before it counts; NULL: nobody wants them. */
	void (*line)(void *arg, const char *line);
	void *arg;
	int tick;             /* milliseconds after which `line` is called with NULL; 0: never */
	bool done;            /* the flusher said so */
	int status;           /* EX_OK, or that of the first recipient that failed for good */
	char why[ANSWER_WHY]; /* of the last recipient that has to wait: "<address> text", or "" */
};

/* Read answers until "done", the end, or the deadline (milliseconds, monotonic; -1: none). */
void wake_listen(int fd, struct answer *a, int64_t deadline);

/* What is in a line of an answer, "ID 4.4.1 <address> text": its status; class 0: it is none. */
struct status wake_status(const char *line);

#endif
