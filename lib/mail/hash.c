/* SPDX-License-Identifier: ISC */
#include "mail/hash.h"

uint32_t
hash_text(const char *s)
{
	uint32_t h = 2166136261U;

	for (; *s != '\0'; s++)
		h = (h ^ (unsigned char)*s) * 16777619U;
	return h;
}
