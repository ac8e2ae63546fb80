/* SPDX-License-Identifier: ISC */
/*
 * remote: posting through the socket of the system flusher, where the spool cannot be written to.
 */
#ifndef REMOTE_H
#define REMOTE_H

#include <stdbool.h>
#include <stddef.h>

#include "options.h"
#include "sys/config.h"

/* In the environment of the sendmail that the system flusher runs for a poster: it starts no flusher. */
#define REMOTE_MARK "PILLARBOX_RECEPTION"

/* Whether this is that sendmail. */
bool remote_received(void);

/*
 * Hand the command line and descriptors 0 to 2 over, and wait. words: the command line as it was given,
 * without its first word, NULL last. Returns the exit status of the post, EX_OK when the message is
 * durable (with -bs: of the session), and what there is to say has been said; or -1 where nobody
 * listens, and then why[size] is "cannot post through PATH: reason", or "" when there is no socket
 * in the settings.
 */
int remote_post(
    const struct options *o, const struct settings *s, char *const *words, char *why, size_t size);

#endif
