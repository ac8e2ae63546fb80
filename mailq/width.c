/* SPDX-License-Identifier: ISC */
#include "width.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "mail/utf8.h"

static const struct {
	uint32_t first, last;
	unsigned char columns;
} ranges[] = {
    {0x0300, 0x036f, 0},
    {0x1100, 0x115f, 2},
    {0x200b, 0x200f, 0},
    {0x20d0, 0x20ff, 0},
    {0x2e80, 0x303e, 2},
    {0x3041, 0x4dbf, 2},
    {0x4e00, 0xa4cf, 2},
    {0xac00, 0xd7a3, 2},
    {0xf900, 0xfaff, 2},
    {0xfe00, 0xfe0f, 0},
    {0xfe30, 0xfe6f, 2},
    {0xff00, 0xff60, 2},
    {0xffe0, 0xffe6, 2},
    {0x1f300, 0x1f64f, 2},
    {0x1f680, 0x1f6ff, 2},
    {0x1f900, 0x1f9ff, 2},
    {0x20000, 0x3fffd, 2},
};

static size_t
columns_of(const char *s, size_t n)
{
	uint32_t point = (unsigned char)s[0];

	if (n < 2)
		return 1;
	point &= 0x7fU >> n;
	for (size_t i = 1; i < n; i++)
		point = point << 6 | ((unsigned char)s[i] & 0x3fU);
	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
		if (point >= ranges[i].first && point <= ranges[i].last)
			return ranges[i].columns;
	return 1;
}

/* The octets that fit, and in *used the columns that they take. */
static size_t
measure(const char *text, size_t len, size_t columns, size_t *used)
{
	size_t at = 0, n, w;

	for (*used = 0; at < len; at += n, *used += w) {
		if ((n = utf8_len(text + at, len - at)) == 0)
			n = 1;
		w = columns_of(text + at, n);
		if (*used + w > columns)
			break;
	}
	return at;
}

size_t
width_of(const char *text, size_t len)
{
	size_t used;

	measure(text, len, SIZE_MAX, &used);
	return used;
}

size_t
width_fit(const char *text, size_t len, size_t columns)
{
	size_t used;

	return measure(text, len, columns, &used);
}

void
width_print(const char *text, size_t columns)
{
	size_t len = strlen(text);

	if (width_of(text, len) <= columns)
		fputs(text, stdout);
	else if (columns < 4)
		printf("%.*s", (int)width_fit(text, len, columns), text);
	else
		printf("%.*s...", (int)width_fit(text, len, columns - 3), text);
}

/* Where a line of text[len] is to end, which has more than fits: `fit` octets. */
static size_t
break_at(const char *text, size_t fit)
{
	for (size_t i = fit; i > fit / 2; i--)
		if (text[i] == ' ')
			return i;
	return fit;
}

void
width_wrap(const char *text, size_t indent, size_t columns)
{
	size_t len = strlen(text), room = columns > indent + 10 ? columns - indent : 10, n;

	for (; len > 0; text += n, len -= n) {
		n = width_fit(text, len, room);
		if (n < len)
			n = n == 0 ? 1 : break_at(text, n);
		printf("%*s%.*s\n", (int)indent, "", (int)n, text);
		while (n < len && text[n] == ' ')
			n++;
	}
}
