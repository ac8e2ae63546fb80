/* SPDX-License-Identifier: ISC */
#include "text.h"

#include <inttypes.h>
#include <stdio.h>

char *
text_age(char dst[TEXT_AGE], int64_t seconds)
{
	static const struct {
		int64_t seconds, until; /* a unit, and the age that is too old for it */
		char unit;
	} units[] = {
	    {1, 60, 's'},
	    {60, 3600, 'm'},
	    {3600, 48 * 3600, 'h'},
	    {86400, 28 * 86400, 'd'},
	    {7 * 86400, INT64_MAX, 'w'},
	};
	size_t i = 0;

	if (seconds < 0)
		seconds = 0;
	while (seconds >= units[i].until)
		i++;
	snprintf(dst, TEXT_AGE, "%" PRId64 "%c", seconds / units[i].seconds, units[i].unit);
	return dst;
}

char *
text_size(char dst[TEXT_SIZE], uint64_t octets)
{
	const char *unit = "KMGTPE";
	uint64_t whole = octets, tenths = 0;

	if (octets < 1000) {
		snprintf(dst, TEXT_SIZE, "%" PRIu64, octets);
		return dst;
	}
	for (;; unit++) {
		tenths = whole % 1024 * 10 / 1024 + (whole % 1024 * 10 % 1024 != 0);
		whole /= 1024;
		if (tenths == 10) {
			whole++;
			tenths = 0;
		}
		if (whole < 1000)
			break;
	}
	if (whole < 10)
		snprintf(dst, TEXT_SIZE, "%" PRIu64 ".%" PRIu64 "%c", whole, tenths, *unit);
	else
		snprintf(dst, TEXT_SIZE, "%" PRIu64 "%c", whole + (tenths != 0), *unit);
	return dst;
}
