/* SPDX-License-Identifier: ISC */
/*
 * queue_run: sendmail -q, everything that is queued is tried now, due or not;
 * or what -qI, -qR, -qS select.
 */
#ifndef QUEUE_RUN_H
#define QUEUE_RUN_H

#include "options.h"
#include "sys/config.h"

/*
 * The caller's queue; for root everybody's, each by a child that has become its owner. Returns when
 * each message had its attempt. A sysexits status: EX_OK also when nothing was delivered,
 * EX_TEMPFAIL when the queue could not be run.
 */
int queue_run(const struct settings *s, const struct options *o);

#endif
