/* SPDX-License-Identifier: ISC */
/*
 * usage: how much mail lies in an owner's spool: in new, cur, hold and failed. What is being written
 * by others at the same time does not count yet.
 */
#ifndef SPOOL_USAGE_H
#define SPOOL_USAGE_H

#include "spool/spool.h"

struct usage {
	uint64_t messages;
	uint64_t octets; /* of their files: envelope, message and journal */
};

/*
 * Count. It may stop once it has reached a limit that is not 0. 0, or -1 with errno and
 * spool->error.
 */
int usage_count(struct usage *u, struct spool *sp, uint64_t messages, uint64_t octets);

#endif
