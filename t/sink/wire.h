/* SPDX-License-Identifier: ISC */
/*
 * wire: the octets of one connection, in clear or under TLS. After any failure the wire is dead:
 * reading gives the end, writing does nothing, so that callers need not check each call.
 */
#ifndef WIRE_H
#define WIRE_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>

enum { WIRE_BUFFER = 64 * 1024 };

struct wire {
	int fd;
	SSL *ssl;
	bool dead;
	unsigned dribble; /* milliseconds between octets written; 0: all at once */
	size_t at, have;
	unsigned char in[WIRE_BUFFER];
};

void wire_open(struct wire *w, int fd);

/* The next octet, or -1 at the end. */
int wire_get(struct wire *w);

/* Whether octets are there that were not read yet. Does not wait. */
bool wire_waiting(struct wire *w);

void wire_put(struct wire *w, const void *data, size_t length);

/* From here on in clear, under the TLS that was; no alert says so. These octets to begin with. */
void wire_clear(struct wire *w, const void *data, size_t length);

/* The server's side of the handshake. 0, or -1. */
int wire_tls(struct wire *w, SSL_CTX *ctx);

/* Read nothing, write nothing, until the peer leaves or `ms` have passed (0: no limit). */
void wire_stall(struct wire *w, unsigned ms);

/* Until the peer says something, or leaves. */
void wire_wait(struct wire *w);

/* End it: orderly, with all that was written arriving; or by RST. */
void wire_close(struct wire *w);
void wire_reset(struct wire *w);

void wire_sleep(unsigned ms);

#endif
