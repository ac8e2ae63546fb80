/* SPDX-License-Identifier: ISC */
/*
 * tls_impl: what the files of TLS share among themselves.
 *
 *	tls.c          a connection: handshake, octets, the end
 *	tls_context.c  what all share: trust, our own certificate
 *	tls_verify.c   whom to expect, what the server is held to be, and why it is refused
 *	tls_cache.c    sessions to be resumed
 */
#ifndef NET_TLS_IMPL_H
#define NET_TLS_IMPL_H

#include <openssl/ssl.h>
#include <stdint.h>

#include "mail/fingerprint.h"
#include "net/tls.h"

#define TLS_CACHED 64 /* sessions, one for each kind of connection to a server */
#define TLS_KEY 32    /* octets of a digest of all that decides a verdict */

enum tls_verdict {
	TLS_ANONYMOUS,
	TLS_VERIFIED,
	TLS_PINNED,
	TLS_DANE,
};

struct tls_cached {
	SSL_SESSION *session; /* NULL: the place is free */
	unsigned char key[TLS_KEY];
	enum tls_verdict verdict;
	int64_t since; /* when that was found, in seconds */
	uint64_t used;
};

struct tls_context {
	SSL_CTX *ctx; /* NULL: not needed yet */
	bool trusts;  /* CA certificates are loaded */
	struct fingerprints pins;
	struct tls_cached cached[TLS_CACHED];
	uint64_t uses;
};

struct tls {
	SSL *ssl; /* NULL: OpenSSL cannot, and why says why */
	struct tls_context *context;
	bool verify, pinned, dane; /* as in tls_peer; pinned: and there are fingerprints */
	unsigned char key[TLS_KEY];
	/* The session that was offered: its verdict, and since when that holds. */
	enum tls_verdict resumed;
	int64_t since;
	short wants;
	bool open; /* the handshake is done and nothing has failed since */
	char host[HOST_LEN];
	char why[TLS_TEXT];
	char flaw[TLS_TEXT]; /* what was found wrong with the certificate; "": nothing */
};

/* The oldest error of OpenSSL's queue, in words: later ones are its consequences. */
const char *tls_first_error(void);

/* Before ctx is used. 0, or -1 with a text in `why`. */
int tls_context_open(struct tls_context *c, char why[TLS_TEXT]);

/* Names, DANE and the rules of verification. 0: out of memory. */
int tls_expect(struct tls *t, const struct tls_peer *peer);

/* What the server is held to be, once its certificate was seen. */
enum tls_verdict tls_verdict(const struct tls *t);

/* The hosts that a certificate is for, a few of them: clean. */
void tls_list_names(char *dst, size_t size, const X509 *cert);

/* The certificate is not one of the fingerprints: say so in t->flaw. */
void tls_note_pin(struct tls *t);

/* Let sessions be kept; offer one; the key under which that happens. */
void tls_cache_init(struct tls_context *c);
int tls_cache_key(struct tls *t, const struct tls_peer *peer);
void tls_cache_offer(struct tls *t);
/* It came to nothing: the next connection begins anew. */
void tls_cache_drop(struct tls *t);
void tls_cache_free(struct tls_context *c);

#endif
