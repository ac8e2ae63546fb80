/* SPDX-License-Identifier: ISC */
/*
 * resolver: a pool of threads for look-ups (net/resolve.h), the only threads of the program.
 *
 * A domain whose name servers are dead holds a thread for half a minute. So that it delays nobody,
 * a question that finds no thread idle starts another one, up to RESOLVER_THREADS.
 *
 * A question goes in by resolver_ask(); when the descriptor turns readable, resolver_take() gives
 * an answer. All calls here belong to one thread, the caller's.
 */
#ifndef NET_RESOLVER_H
#define NET_RESOLVER_H

#include "net/resolve.h"

#define RESOLVER_THREADS 128

struct resolver;

/*
 * Start a first thread. Lives as long as the process. NULL with errno. Signals that the caller
 * waits for must be blocked before.
 */
struct resolver *resolver_new(void);

/* Readable when an answer waits. */
int resolver_fd(const struct resolver *r);

/*
 * Ask. A numeric address is answered without a thread. Returns the handle for resolver_forget(), or
 * NULL: no memory, or the name is too long.
 */
struct lookup *resolver_ask(struct resolver *r, enum lookup_type type, const char *name,
    uint16_t port, bool implicit, bool dane, void *owner);

/* The answer is not wanted any more: it will not be given out. */
void resolver_forget(struct resolver *r, struct lookup *l);

/* The next answer, to be given back to free(); NULL when there is none yet. */
struct lookup *resolver_take(struct resolver *r);

#endif
