/* SPDX-License-Identifier: ISC */
/*
 * clerk: the child that serves one poster (parcel.h). In this order it
 *
 *	lets go of all that is the flusher's
 *	becomes the peer for good, without capabilities and with no_new_privs where that is root
 *	reads the request, within its bounds and CLERK_REQUEST seconds
 *	runs our own sendmail with that command line, those three descriptors, and an environment
 *	made here
 *	answers with its exit status
 *
 * Only a post is run: -bm, -t, -bs. It is broken off, by SIGTERM and then SIGKILL, when the poster
 * goes away, when queue.post_time is over, and on SIGTERM. sendmail exits 0 upon SIGTERM once the
 * message is durable; else the answer is 75.
 *
 * The environment: each setting of [mail], [rewrite], [queue] and [log] that the flusher has, or the
 * poster in its place (parcel.h); no file of settings, and none of [relay], [tls] or [smtp], so no
 * secret; PATH, the flusher's TZ, and REMOTE_MARK. What would be logged to stderr goes to syslog,
 * since stderr is the poster's.
 */
#ifndef CLERK_H
#define CLERK_H

#include <sys/types.h>

#include "sys/config.h"

#define CLERK_REQUEST 10 /* seconds for the request, once it is accepted */
#define CLERK_GRACE 400  /* milliseconds from SIGTERM to SIGKILL, and to giving up */

struct clerk {
	int conn;
	uid_t uid;
	const struct settings *settings; /* without secrets */
	const char *program;             /* path of sendmail */
};

/* In a forked child, which exits with what is returned: the status that was answered. */
int clerk_serve(const struct clerk *c);

#endif
