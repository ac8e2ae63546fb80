/* SPDX-License-Identifier: ISC */
/*
 * reception: where the system flusher takes posts through its socket (parcel.h). It only accepts,
 * counts and forks; not an octet of a poster's is read here. See clerk.h for what the child does.
 *
 * A uid has queue.owner_posts at the same time, all of them queue.posts; who is beyond is told so and
 * comes again. So a poster that stalls keeps its own places only.
 */
#ifndef RECEPTION_H
#define RECEPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "sys/config.h"

#define RECEPTION_GOODBYE 1000 /* milliseconds */

struct reception; /* opaque */

/*
 * Listen on queue.post_socket, for everybody, in place of what a dead flusher left. NULL with errno:
 * it cannot be; errno 0: the setting is empty.
 */
struct reception *reception_open(const struct settings *s);

/* To be polled for POLLIN; -1 for NULL. */
int reception_fd(const struct reception *r);

/* Accept who waits, a few at a time, with the settings of now. */
void reception_take(struct reception *r, const struct settings *s);

/* A child ended, with a status of waitpid(): true when it was one of ours. */
bool reception_ended(struct reception *r, pid_t pid, int status);

/* Take no more, and tell those under way to leave. */
void reception_stop(struct reception *r);

/* Wait for them, RECEPTION_GOODBYE at most; who does not leave (its user may have stopped it) is killed. */
void reception_close(struct reception *r);

/* In a child that is none of ours. */
void reception_leave(const struct reception *r);

#endif
