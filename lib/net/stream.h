/* SPDX-License-Identifier: ISC */
/*
 * stream: a non-blocking connection to a server, by TCP or a Unix socket, in plain or, from some
 * moment on, in TLS.
 *
 * All calls return -1 with errno: EAGAIN, and stream_wants() tells what to poll for; anything else
 * is the end of it, and stream_why() puts it in words. A stream that is all zero but fd == -1 is
 * closed.
 */
#ifndef NET_STREAM_H
#define NET_STREAM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "net/inet.h"
#include "net/tls.h"

struct stream {
	int fd;
	struct tls *tls; /* NULL: plain */
	/* private */
	short wants;
	int error;
};

/* Start connecting, from an address of ours or NULL. 0: when poll(2) says that it is writable,
 * stream_connected() has the result. */
int stream_connect(struct stream *s, const struct inet *to, const struct inet *from);

/* 0: the connection is there. */
int stream_connected(struct stream *s);

/* Our own end. 0, or -1. */
int stream_local(const struct stream *s, struct inet *local);

/*
 * Go over to TLS: 0, or -1 when out of memory; then stream_handshake() until it returns 0. What the
 * arguments mean: tls_new().
 */
int stream_secure(struct stream *s, struct tls_context *ctx, const struct tls_peer *peer);
int stream_handshake(struct stream *s);

/* As read(2): 0 is the end of file. */
ssize_t stream_read(struct stream *s, void *data, size_t len);

/* More can be read although poll(2) may not say so. */
bool stream_pending(const struct stream *s);

/* As write(2). After EAGAIN the same octets must come again (more may follow them). */
ssize_t stream_write(struct stream *s, const void *data, size_t len);

/*
 * Write octets [at, at + len) of a file without looking at them. Only in plain. Returns how many
 * were written; 0: the file ends before `at`.
 */
ssize_t stream_sendfile(struct stream *s, int file, uint64_t at, size_t len);

/* poll(2) events for the last call that gave EAGAIN. */
short stream_wants(const struct stream *s);

/* "Connection refused", "certificate verify failed: self-signed certificate" */
const char *stream_why(const struct stream *s);

void stream_close(struct stream *s);

#endif
