/* SPDX-License-Identifier: ISC */
/*
 * watch: --watch, the list on a terminal, anew each second until somebody presses q or ^C. It is on the
 * terminal's other screen; the terminal is afterwards as it was, also when a signal ends us.
 */
#ifndef MAILQ_WATCH_H
#define MAILQ_WATCH_H

#include "act.h"

/* list: prints the list, once, to stdout; called in a child. The exit status. */
int watch(struct run *r, int (*list)(struct run *r));

#endif
