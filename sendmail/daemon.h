/* SPDX-License-Identifier: ISC */
/*
 * daemon: sendmail -bD and -bd: hand over to flush, which is the service.
 */
#ifndef DAEMON_H
#define DAEMON_H

#include "options.h"

/* -bD: becomes flush -D. Returns only when that cannot be run: a sysexits status. */
int daemon_foreground(const struct options *o);

/*
 * -bd: in the background, as init scripts want it. Returns when the service takes pokes, EX_OK; or
 * when it ended before, with its status, having passed on what it said.
 */
int daemon_background(const struct options *o);

#endif
