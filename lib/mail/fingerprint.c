/* SPDX-License-Identifier: ISC */
#include "mail/fingerprint.h"

#include <string.h>

static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* One digest. Its length in the text, or 0. */
static size_t
take_digest(unsigned char digest[FINGERPRINT_OCTETS], const char *s)
{
	const char *p = s;

	for (size_t i = 0; i < FINGERPRINT_OCTETS; i++) {
		int high, low;

		if (i > 0 && *p == ':')
			p++;
		high = hex(p[0]);
		low = high == -1 ? -1 : hex(p[1]);
		if (low == -1)
			return 0;
		digest[i] = (unsigned char)(high << 4 | low);
		p += 2;
	}
	return *p == '\0' || strchr(", \t", *p) != NULL ? (size_t)(p - s) : 0;
}

int
fingerprints_parse(struct fingerprints *set, const char *text, const char **why)
{
	size_t len;

	*set = (struct fingerprints){0};
	for (text += strspn(text, ", \t"); *text != '\0'; text += strspn(text, ", \t")) {
		*why = "too many fingerprints";
		if (set->n == FINGERPRINTS_MAX)
			return -1;
		*why = "not a SHA-256 digest: 64 hexadecimal digits, colons allowed";
		if ((len = take_digest(set->digest[set->n], text)) == 0)
			return -1;
		set->n++;
		text += len;
	}
	return 0;
}

bool
fingerprints_have(const struct fingerprints *set, const unsigned char *digest)
{
	for (size_t i = 0; i < set->n; i++)
		if (memcmp(set->digest[i], digest, FINGERPRINT_OCTETS) == 0)
			return true;
	return false;
}

void
fingerprint_print(char dst[FINGERPRINT_TEXT], const unsigned char *digest)
{
	static const char digits[] = "0123456789ABCDEF";

	for (size_t i = 0; i < FINGERPRINT_OCTETS; i++) {
		dst[3 * i] = digits[digest[i] >> 4];
		dst[3 * i + 1] = digits[digest[i] & 15];
		dst[3 * i + 2] = i + 1 < FINGERPRINT_OCTETS ? ':' : '\0';
	}
}
