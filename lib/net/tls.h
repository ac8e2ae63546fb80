/* SPDX-License-Identifier: ISC */
/*
 * tls: the client's side of TLS 1.2 and 1.3 over a non-blocking socket. tls*.c and crypto.c are the
 * only files that know OpenSSL.
 *
 * What a server is held to be, the last word of tls_describe():
 *
 *	verified    its chain leads to a trusted CA, its certificate is for servers and in
 *	            force, and a subjectAltName (never the CN) has the host's name, or its
 *	            address where the host is one. Where there are no CA certificates
 *	            nothing is verified: it fails closed
 *	pinned      its certificate is one of tls_settings.fingerprint, whatever else is
 *	            wrong with it
 *	dane        it matches a TLSA record (RFC 7672)
 *	anonymous   none of them
 *
 * With tls_peer.verify the last one fails the handshake, and the first three count as verified. No
 * renegotiation, no compression. Sessions are resumed (tls_cache.c): a server that was verified
 * once need not show its certificate again for an hour, to a connection that demands the same.
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
#include "net/tlsa.h"

#define TLS_TEXT 320

struct tls_context;
struct tls;

/* What all connections share; each "" when unset. Files are PEM. */
struct tls_settings {
	const char *ca_file, *ca_path; /* to trust; a path is a directory as `openssl rehash` makes;
					* neither: the system's, read when they are first wanted */
	const char *fingerprint;       /* see mail/fingerprint.h */
	const char *client_cert;       /* our own certificate, the chain behind it */
	const char *client_key;        /* its key; unset: in client_cert's file too */
};

/*
 * NULL with a text in `why`, for example for a file that is missing or has no certificate. Without
 * files OpenSSL, which takes two milliseconds to begin, is left alone until the first tls_new().
 */
struct tls_context *tls_context_new(const struct tls_settings *settings, char why[TLS_TEXT]);
void tls_context_free(struct tls_context *ctx);

/* Each path where OpenSSL looks by itself, for certificates and for its own settings. */
void tls_each_path(void (*each)(void *arg, const char *path), void *arg);

/* Whom to expect; read by tls_new() only. */
struct tls_peer {
	const char *name; /* "host[address]:port": what a session may be resumed with */
	const char *host; /* the name or address that was configured, for SNI and verification */
	const char *also; /* another name that may be in the certificate; NULL: none */
	bool verify;      /* fail unless it is verified, pinned or dane */
	bool pinned;      /* the fingerprints are for it: when there are any, nothing else counts */
	const struct tlsa_set *tlsa; /* TLSA_USABLE: nothing else counts, and its base stands in
				      * the place of `host`; NULL, or in another state: nothing */
};

/* A connection over fd, which stays the caller's; nothing is written yet. NULL: out of memory. When
 * OpenSSL's own settings forbid it to begin, the handshake fails. */
struct tls *tls_new(struct tls_context *ctx, int fd, const struct tls_peer *peer);

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

/* After the handshake: verified, pinned or dane. */
bool tls_verified(const struct tls *t);

/* "TLSv1.3 TLS_AES_256_GCM_SHA384 verified" */
void tls_describe(const struct tls *t, char *dst, size_t size);

/* After the handshake: "certificate for NAMES, issued by NAME, expires in 45 days", clean. */
void tls_show_certificate(const struct tls *t, char *dst, size_t size);

/*
 * What SASL can bind to: with TLS 1.3 tls-exporter (RFC 9266), below that tls-server-end-point
 * (RFC 5929 4); a name of NULL where there is neither.
 */
void tls_binding(const struct tls *t, struct sasl_binding *b);

/* Say goodbye where that is possible without waiting, and free. */
void tls_free(struct tls *t);

#endif
