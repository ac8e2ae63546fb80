/* SPDX-License-Identifier: ISC */
/*
 * tls: the client's side of TLS 1.2 and 1.3 over a non-blocking socket. Besides crypto.c the only
 * file that knows OpenSSL.
 *
 * A server is verified when its chain leads to a trusted CA, its certificate is for servers, and a
 * subjectAltName (never the CN) holds the host name, or the address where the host is one. With
 * `verify` anything less fails the handshake; without, it goes on and tls_verified() tells. No
 * renegotiation, no compression. Where no CA certificates are found nothing is verified: it
 * fails closed.
 *
 * The calls that do I/O return -1 with errno EAGAIN and tls_wants() tells what to poll for; EPROTO
 * is the end, and tls_why() says why in words. SIGPIPE must be ignored.
 */
#ifndef NET_TLS_H
#define NET_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "mail/sasl.h"

#define TLS_TEXT 256

struct tls_context;
struct tls;

/*
 * What all connections share. ca_file: PEM certificates to trust; "": the system's, which are
 * read when the first connection is made. NULL with a text in `why`, for example for a file that is
 * missing or has no certificate.
 */
struct tls_context *tls_context_new(const char *ca_file, char why[TLS_TEXT]);
void tls_context_free(struct tls_context *ctx);

/*
 * A connection over fd, which stays the caller's; nothing is written yet. host: the name or address
 * that was configured, for SNI and verification. NULL: out of memory.
 */
struct tls *tls_new(struct tls_context *ctx, int fd, const char *host, bool verify);

/* 0 when the handshake is done, or -1. */
int tls_handshake(struct tls *t);

/* As read(2) and write(2); 0 of tls_read() is the end, announced or not. After EAGAIN tls_write()
 * must be called again with the same octets (more may follow them). */
ssize_t tls_read(struct tls *t, void *data, size_t len);
ssize_t tls_write(struct tls *t, const void *data, size_t len);

/* Octets that can be read without the socket turning readable. */
bool tls_pending(const struct tls *t);

/* Events of poll(2) for the call that gave EAGAIN. */
short tls_wants(const struct tls *t);

const char *tls_why(const struct tls *t);

/* After the handshake. */
bool tls_verified(const struct tls *t);

/* "TLSv1.3 TLS_AES_256_GCM_SHA384 verified", or "… anonymous" */
void tls_describe(const struct tls *t, char *dst, size_t size);

/*
 * What SASL can bind to: with TLS 1.3 tls-exporter (RFC 9266), below that tls-server-end-point
 * (RFC 5929 4); a name of NULL where there is neither.
 */
void tls_binding(const struct tls *t, struct sasl_binding *b);

/* Say goodbye where that is possible without waiting, and free. */
void tls_free(struct tls *t);

#endif
