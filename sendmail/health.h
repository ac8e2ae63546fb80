/* SPDX-License-Identifier: ISC */
/*
 * health: sendmail -bv without an address: are the settings right, can the spool be written, does
 * somebody empty it, does the relay answer? A line each, or with --json an object; with -v the
 * steps to the relay, too.
 */
#ifndef HEALTH_H
#define HEALTH_H

#include "options.h"
#include "sys/config.h"

/*
 * from: the sender to choose the relay by. Returns EX_OK, or the status of the first thing that is
 * wrong: EX_CONFIG, EX_CANTCREAT (the spool), EX_UNAVAILABLE (mail is overdue), or the probe's.
 */
int health(const struct options *o, const struct settings *s, const char *from);

#endif
