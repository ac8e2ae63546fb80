/* SPDX-License-Identifier: ISC */
/*
 * sasl: authentication mechanisms of the client (RFC 4422, RFC 4954), pure.
 * Digests and base64 come from the caller in a struct sasl_crypto, so that lib/mail
 * stays without OpenSSL. Messages are octets before base64; the dialogue does the base64.
 *
 * The best first:
 *
 *	SCRAM-SHA-256-PLUS SCRAM-SHA-1-PLUS   RFC 7677, 5802; bound to the TLS connection
 *	SCRAM-SHA-256 SCRAM-SHA-1             the server proves, too, that it knows the password
 *	PLAIN                                 RFC 4616; over verified TLS nobody else can read it
 *	LOGIN                                 no RFC; the same in two pieces
 *	CRAM-MD5                              RFC 2195; servers keep the password in clear for it
 *	OAUTHBEARER XOAUTH2                   RFC 7628; the password is a token
 *	EXTERNAL                              RFC 4422 A; the client's certificate says who it is
 *
 * User and password go out as they are. SCRAM wants them in the form of RFC 4013, which needs the
 * tables of Unicode: ASCII is always in that form, other UTF-8 is taken to be (what a keyboard
 * gives is, as a rule), and where one of them is not UTF-8 or has a control character in it, SCRAM
 * is passed over.
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
	const char *password; /* or token; "": none */
	/* Names, separated by blanks or commas: these alone, the first before the next. "": the
	 * best one that is offered, but never EXTERNAL, and a token's only where there is no other.
	 */
	const char *mechanisms;
};

/* What is peculiar to a TLS connection (RFC 5929 4, RFC 9266). */
struct sasl_binding {
	const char *name; /* "tls-exporter", "tls-server-end-point"; NULL: there is nothing */
	unsigned char data[64];
	size_t len;
};

/* What a session knows; all of it borrowed for as long as it authenticates. */
struct sasl_facts {
	const struct sasl_account *account;
	const struct sasl_crypto *crypto;
	const struct sasl_binding *binding; /* NULL: no TLS */
	const char *nonce;                  /* of SASL_NONCE, new for each session */
	const char *offered; /* the text behind EHLO's AUTH keyword: "PLAIN LOGIN …", any case */
};

struct sasl_mechanism; /* a row of the table in sasl.c */

struct sasl {
	const struct sasl_mechanism *mechanism;
	const struct sasl_facts *facts;
	const char *why; /* after -1: what is wrong with a challenge, or NULL */
	/* private */
	unsigned step;
	char nonce[SASL_NONCE + 1];
	unsigned char signature[SASL_DIGEST]; /* what the server has to say, … */
	bool proven;                          /* … and it did */
};

/* Whether a list for struct sasl_account has known names only. 0, or -1 with *why a constant. */
int sasl_check(const char *mechanisms, const char **why);

/* Whether such a list has this name. */
bool sasl_lists(const char *mechanisms, const char *name);

/* The mechanism to use, or NULL when none fits. */
const struct sasl_mechanism *sasl_choose(const struct sasl_facts *f);

/*
 * The one to try after `refused` was, with this reply code: a server may offer SCRAM although it
 * has no secret of this user that fits. Prefers those that send the password as it is, for any form
 * of secret fits them, and once one of those was told 535 no other will help. NULL: none.
 */
const struct sasl_mechanism *sasl_another(
    const struct sasl_facts *f, const struct sasl_mechanism *refused, int code);

const char *sasl_name(const struct sasl_mechanism *m);

/* again: not the first in this session, and so not to use its nonce as it is a second time. */
void sasl_start(
    struct sasl *s, const struct sasl_mechanism *m, const struct sasl_facts *f, bool again);

/* Whether the mechanism speaks first; then *out gets its initial response. */
bool sasl_initial(struct sasl *s, struct buf *out);

/*
 * Answer a challenge. 0, or -1 with s->why when it does not fit the mechanism (the dialogue sends
 * "*"). No mechanism answers more than three.
 */
int sasl_step(struct sasl *s, const char *challenge, size_t len, struct buf *out);

/* Whether the server's success may count: with SCRAM it must have proved itself before. */
bool sasl_proven(const struct sasl *s);

#endif
