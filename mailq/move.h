/* SPDX-License-Identifier: ISC */
/*
 * move: --export DIR and --import DIR (import.h), messages to and from another machine as spool files
 * (see spool/carry.h), and to and from a Maildir (see maildir.h), which a directory with cur, new and
 * tmp is.
 *
 * What is moved is on hold until it is gone from where it was: a move that is cut off leaves it there
 * and goes on when it is done again. As root each owner has a directory in DIR, its name the uid.
 */
#ifndef MAILQ_MOVE_H
#define MAILQ_MOVE_H

#include "act.h"

extern const struct act act_export;

/* For import.c: */

/* The states that a directory of spool files has. */
#define MOVE_STATES 3
extern const enum spool_state move_states[MOVE_STATES];

/* A directory in it. */
int move_open(int at, const char *name);

/* errno, of DIR. -1. */
int move_trouble(struct run *r, const char *what);

/* A message was moved, or would be: "imported from". */
void move_note(struct run *r, const char *name, const char *how);

/* The sum: "Imported". */
int move_end(const struct run *r, const char *title);

#endif
