/* SPDX-License-Identifier: ISC */
/*
 * sasl: authentication mechanisms of the client (RFC 4422, RFC 4954), pure.
 * Digests and base64 come from the caller in a struct sasl_crypto, so that lib/mail
 * stays without OpenSSL. Messages are octets before base64; the dialogue does the base64.
 */
#ifndef MAIL_SASL_H
#define MAIL_SASL_H

#include <stdbool.h>

#include "mail/buf.h"

enum sasl_hash { SASL_MD5, SASL_SHA1, SASL_SHA256 };

#define SASL_DIGEST 32 /* octets of the longest digest */
#define SASL_NONCE 25  /* characters of a nonce, its NUL included */

struct sasl_octets {
	const void *at;
	size_t len;
};

/* The calls that return int: 0, or -1 when it cannot be had (memory, a hash that is forbidden). */
struct sasl_crypto {
	/* Append base64 of the octets, in one line, to `out`. */
	void (*encode)(struct buf *out, const void *data, size_t len);
	/* Decode one line; -1 when it is not base64. */
	int (*decode)(struct buf *out, const char *text, size_t len);
	int (*hash)(enum sasl_hash h, struct sasl_octets data, unsigned char out[SASL_DIGEST]);
	int (*hmac)(enum sasl_hash h, struct sasl_octets key, struct sasl_octets data,
	    unsigned char out[SASL_DIGEST]);
	/* PBKDF2 (RFC 8018 5.2) to the length of the digest, which is RFC 5802's Hi(). */
	int (*stretch)(enum sasl_hash h, struct sasl_octets password, struct sasl_octets salt,
	    unsigned rounds, unsigned char out[SASL_DIGEST]);
	/* Compare in a time that does not depend on the octets. */
	bool (*same)(const void *a, const void *b, size_t len);
};

/* An account, borrowed from the caller for as long as the session lives. */
struct sasl_account {
	const char *user;
	const char *password;
};

struct sasl_mechanism; /* a row of the table in sasl.c */

struct sasl {
	const struct sasl_mechanism *mechanism;
	const struct sasl_account *account;
	unsigned step;
};

/*
 * Choose the best mechanism that the server offers: `offered` is the text behind EHLO's AUTH
 * keyword ("PLAIN LOGIN …", any case). NULL when none fits. Order: PLAIN, LOGIN (over verified
 * TLS one round trip less is the better mechanism).
 */
const struct sasl_mechanism *sasl_choose(const char *offered);
const char *sasl_name(const struct sasl_mechanism *m);

void sasl_start(struct sasl *s, const struct sasl_mechanism *m, const struct sasl_account *a);

/* Whether the mechanism speaks first; then *out gets its initial response. */
bool sasl_initial(struct sasl *s, struct buf *out);

/* Answer a challenge. 0, or -1 when it does not fit the mechanism (the dialogue sends "*"). */
int sasl_step(struct sasl *s, const char *challenge, size_t len, struct buf *out);

#endif
