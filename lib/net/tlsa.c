/* SPDX-License-Identifier: ISC */
#include "net/tlsa.h"

#include <string.h>

#define HEAD 3 /* usage, selector, matching type */

enum { /* RFC 7218 */
	USAGE_DANE_TA = 2,
	USAGE_DANE_EE = 3,
	SELECTOR_SPKI = 1,
	MATCHING_FULL = 0,
	MATCHING_SHA256 = 1,
	MATCHING_SHA512 = 2,
};

static bool
usable(const unsigned char *rdata, size_t len)
{
	size_t n = len - HEAD;

	if ((rdata[0] != USAGE_DANE_TA && rdata[0] != USAGE_DANE_EE) || rdata[1] > SELECTOR_SPKI)
		return false;
	switch (rdata[2]) {
	case MATCHING_FULL:
		return n > 0;
	case MATCHING_SHA256:
		return n == 32;
	case MATCHING_SHA512:
		return n == 64;
	default:
		return false;
	}
}

void
tlsa_add(struct tlsa_set *set, const unsigned char *rdata, size_t len)
{
	if (set->state == TLSA_NONE)
		set->state = TLSA_UNUSABLE;
	if (len < HEAD || len > TLSA_OCTETS - 2 || !usable(rdata, len))
		return;
	/* One that finds no room still counts: else too many records would make TLS unproven. */
	set->state = TLSA_USABLE;
	if (set->len + 2 + len > TLSA_OCTETS)
		return;
	set->octets[set->len] = (unsigned char)(len >> 8);
	set->octets[set->len + 1] = (unsigned char)(len & 0xff);
	memcpy(set->octets + set->len + 2, rdata, len);
	set->len += 2 + len;
}

bool
tlsa_next(const struct tlsa_set *set, size_t *at, struct tlsa *r)
{
	const unsigned char *p = set->octets + *at;
	size_t len;

	if (*at == set->len)
		return false;
	len = (size_t)p[0] << 8 | p[1];
	*r = (struct tlsa){p[2], p[3], p[4], p + 2 + HEAD, len - HEAD};
	*at += 2 + len;
	return true;
}
