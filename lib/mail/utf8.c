/* SPDX-License-Identifier: ISC */
#include "mail/utf8.h"

#include <stdint.h>

size_t
utf8_len(const char *s, size_t len)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	unsigned char c = len > 0 ? (unsigned char)s[0] : 0xff;
	size_t n = c < 0x80 ? 1 : c < 0xc0 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf8 ? 4 : 0;
	uint32_t point;

	if (n < 2)
		return n;
	if (n > len)
		return 0;
	point = c & (0x7fU >> n);
	for (size_t i = 1; i < n; i++) {
		c = (unsigned char)s[i];
		if ((c & 0xc0) != 0x80)
			return 0;
		point = point << 6 | (c & 0x3fU);
	}
	if (point < least[n] || point > 0x10ffff || (point >= 0xd800 && point < 0xe000))
		return 0;
	return n;
}
