/* SPDX-License-Identifier: ISC */
/*
 * tlsa: the TLSA records (RFC 6698) of a server, as far as SMTP can use them (RFC 7672 3.1): usages
 * DANE-TA(2) and DANE-EE(3), selectors 0 and 1, matching types 0 to 2, with data of the right
 * length. Pure; goes by value.
 */
#ifndef NET_TLSA_H
#define NET_TLSA_H

#include <stdbool.h>
#include <stddef.h>

#include "mail/route.h"

#define TLSA_OCTETS 4096 /* of all records of a server that are kept */

enum tlsa_state {
	TLSA_NONE,     /* there are none, or they are not proven: DANE says nothing */
	TLSA_UNUSABLE, /* there are, but none of use here: TLS is demanded, whoever answers */
	TLSA_USABLE,   /* TLS is demanded, and one of them must match */
};

/* All zero: TLSA_NONE. */
struct tlsa_set {
	enum tlsa_state state;
	char base[HOST_LEN]; /* the name they were found for: for SNI, and to be in a certificate */
	/* private: records, each behind its length in two octets */
	size_t len;
	unsigned char octets[TLSA_OCTETS];
};

struct tlsa {
	unsigned char usage, selector, matching;
	const unsigned char *data; /* in the set */
	size_t len;
};

/* Add a record's data as it stands in DNS. What is of no use makes a set that was NONE UNUSABLE. */
void tlsa_add(struct tlsa_set *set, const unsigned char *rdata, size_t len);

/* The record at *at, which is 0 for the first and moves on; false behind the last one. */
bool tlsa_next(const struct tlsa_set *set, size_t *at, struct tlsa *r);

#endif
