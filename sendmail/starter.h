/* SPDX-License-Identifier: ISC */
/*
 * starter: a small process beside a flusher of one's own, for what the flusher gave up by entering
 * its sandbox: to read the settings and the passwords, to run password_command, and to start smtp.
 * It does that when it is asked to, and leaves when the flusher has.
 *
 * Below, `starter` is the flusher's end of the socket between them.
 */
#ifndef STARTER_H
#define STARTER_H

#include "link.h"
#include "mail/buf.h"
#include "sys/config.h"

/*
 * Start it, with `dir` as its working directory, before the sandbox. service: as of log_open(). Its
 * descriptor, or -1: there is none to be had.
 */
int starter_begin(int dir, bool service);

/*
 * The settings as they are now, without secrets; and *log, where they name a file for it, a
 * descriptor that the caller closes, else -1. 0, or -1: no memory.
 */
int starter_settings(int starter, struct settings *s, int *log);

/* As link_open(), with the settings as they are now. */
int starter_link(int starter, struct link *l, struct buf *why);

/* End the last smtp, which is stuck. */
void starter_kill(int starter);

#endif
