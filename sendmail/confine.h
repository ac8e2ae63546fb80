/* SPDX-License-Identifier: ISC */
/*
 * confine: what each role of flush keeps in its sandbox (sys/sandbox.h).
 */
#ifndef CONFINE_H
#define CONFINE_H

#include "spool/spool.h"
#include "sys/config.h"

/*
 * The flusher of one spool, which is open: it has the spool, aliases, the log's descriptor, and what
 * tells the machine's name and time zone. It neither starts smtp nor reads settings any more.
 */
void confine_flusher(const struct spool *sp, const struct settings *s);

/* What the kernel lacks for that and for smtp, in the log. */
void confine_tell_lacks(void);

/* A line in the log where it was the sandbox that ended smtp, whose status this is. */
void confine_tell(int status);

#endif
