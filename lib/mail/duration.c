/* SPDX-License-Identifier: ISC */
#include "mail/duration.h"

#define DIGITS_MAX 9

/* Seconds of what stands behind the digits; 0: it is no unit. */
static unsigned
unit(const char *s, size_t len)
{
	static const struct {
		char letter;
		unsigned seconds;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};

	if (len == 0)
		return 1;
	for (size_t i = 0; len == 1 && i < sizeof(units) / sizeof(units[0]); i++)
		if (units[i].letter == *s)
			return units[i].seconds;
	return 0;
}

int
duration_parse(unsigned *seconds, const char *s, size_t len, const char **why)
{
	unsigned n = 0, each;
	size_t digits = 0;

	for (; digits < len && s[digits] >= '0' && s[digits] <= '9' && digits <= DIGITS_MAX;
	     digits++)
		n = n * 10 + (unsigned)(s[digits] - '0');
	if (digits == 0 || digits > DIGITS_MAX || (each = unit(s + digits, len - digits)) == 0) {
		*why = "not a duration such as 90s, 5m, 2h or 5d";
		return -1;
	}
	if (n > DURATION_MAX / each) {
		*why = "longer than ten years";
		return -1;
	}
	*seconds = n * each;
	return 0;
}
