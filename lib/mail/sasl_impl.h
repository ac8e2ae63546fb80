/* SPDX-License-Identifier: ISC */
/*
 * sasl_impl: what the files of SASL share among themselves.
 *
 *	sasl.c        the table of mechanisms, the choice, those that fit in a few lines
 *	sasl_scram.c  SCRAM
 */
#ifndef MAIL_SASL_IMPL_H
#define MAIL_SASL_IMPL_H

#include "mail/sasl.h"

enum sasl_kind {
	SASL_PROOF, /* shows that it knows the password */
	SASL_CLEAR, /* sends it */
	SASL_TOKEN, /* sends what stands for one */
	SASL_OTHER, /* has none */
};

struct sasl_mechanism {
	const char *name;
	enum sasl_kind kind;
	bool initial; /* the client speaks first */
	/* The answer to the challenge number s->step; -1 when there is none. */
	int (*respond)(struct sasl *s, struct sasl_octets challenge, struct buf *out);
	/* SCRAM: */
	bool scram, plus;
	enum sasl_hash hash;
};

/* Add a user's name where commas mean something: RFC 5802 5.1, RFC 5801 4. */
void sasl_add_name(struct buf *out, const char *user);

/* Whether the server offers any mechanism with channel binding. */
bool sasl_offers_plus(const struct sasl_facts *f);

size_t sasl_digest_len(enum sasl_hash h);

/* sasl_scram.c */
int sasl_scram(struct sasl *s, struct sasl_octets challenge, struct buf *out);

#endif
