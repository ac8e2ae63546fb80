/* SPDX-License-Identifier: ISC */
/*
 * post: a message from the command line and a descriptor into the spool.
 */
#ifndef POST_H
#define POST_H

#include "mail/queue_id.h"
#include "options.h"
#include "spool/spool.h"
#include "sys/config.h"

/*
 * Read the message from `input`, complete it, commit it. Returns a sysexits status: EX_OK when it
 * is durable, and then *id is its queue ID; else there is nothing in the spool and one line on
 * stderr: EX_USAGE (no recipients), EX_DATAERR (an address or a header that cannot be),
 * EX_NOUSER (an alias leads to nobody), EX_CONFIG,
 * EX_UNAVAILABLE (a mail loop), EX_TEMPFAIL (the spool, or the input broke off), EX_OSERR. Or -1:
 * the spool cannot be written to; nothing was read, and nothing was said: sp->error is the reason.
 */
int post(const struct options *o, const struct settings *s, struct spool *sp, int input,
    struct queue_id *id);

#endif
