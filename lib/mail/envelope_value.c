/* SPDX-License-Identifier: ISC */
#include "mail/envelope_value.h"

#include <stdlib.h>
#include <string.h>

#include "mail/address.h"

bool
value_take(struct value *v, const char *prefix)
{
	size_t n = strlen(prefix);

	if (v->len < n || memcmp(v->s, prefix, n) != 0)
		return false;
	v->s += n;
	v->len -= n;
	return true;
}

size_t
value_number(struct value *v, uint64_t max, uint64_t *n)
{
	size_t digits = 0;

	*n = 0;
	while (digits < v->len && v->s[digits] >= '0' && v->s[digits] <= '9') {
		unsigned d = (unsigned)(v->s[digits] - '0');
		if (*n > (max - d) / 10)
			return 0;
		*n = *n * 10 + d;
		digits++;
	}
	v->s += digits;
	v->len -= digits;
	return digits;
}

char *
value_word(struct value *v, size_t max)
{
	size_t n = 0;
	char *s;

	while (n < v->len && v->s[n] > 0x20 && v->s[n] < 0x7f)
		n++;
	if (n == 0 || n > max || (s = strndup(v->s, n)) == NULL)
		return NULL;
	v->s += n;
	v->len -= n;
	return s;
}

char *
value_path(struct value *v, bool null)
{
	const char *end;
	char *s;
	size_t n;

	if (!value_take(v, "<") || (end = memchr(v->s, '>', v->len)) == NULL)
		return NULL;
	/* A quoted local-part may hold ">": the first that a space or the end follows is meant. */
	for (const char *p = end; p < v->s + v->len; p++)
		if (*p == '>' && (p + 1 == v->s + v->len || p[1] == ' ')) {
			end = p;
			break;
		}
	n = (size_t)(end - v->s);
	if (n > ADDRESS_MAX || (s = strndup(v->s, n)) == NULL)
		return NULL;
	if (!(null && n == 0) && !address_valid(s)) {
		free(s);
		return NULL;
	}
	v->s = end + 1;
	v->len -= n + 1;
	return s;
}
