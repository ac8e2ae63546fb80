/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "mail/submission.h"
#include "mail/utf8.h"

#define NAME_LEN 256 /* octets of a display name that are used */

/* RFC 2047 2: 75 octets a word, less "=?UTF-8?Q?" and "?="; the first stands behind a name. */
#define WORD_START "=?UTF-8?Q?"
#define WORD_LEN 63
#define FIRST_WORD_LEN 50

#define DAY 86400
#define ERA 146097 /* days of 400 years */

static int
days_of_year(long long year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 366 : 365;
}

void
submission_date(struct buf *out, uint64_t usec, long utc_offset)
{
	static const char wdays[7][4] = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};
	static const char months[12][4] = {
	    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	int lengths[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int zone = utc_offset > -DAY && utc_offset < DAY ? (int)utc_offset / 60 : 0, month = 0;
	int hhmm = (zone < 0 ? -zone : zone) / 60 * 100 + (zone < 0 ? -zone : zone) % 60;
	long long now = (long long)(usec / 1000000) + zone * 60;
	long long day = now < 0 ? 0 : now / DAY, year = 1970 + day / ERA * 400;
	int second = now < 0 ? 0 : (int)(now % DAY);
	const char *wday = wdays[day % 7];

	for (day %= ERA; day >= days_of_year(year); year++)
		day -= days_of_year(year);
	lengths[1] += days_of_year(year) - 365;
	for (; day >= lengths[month]; month++)
		day -= lengths[month];
	buf_addf(out, "%s, %d %s %lld %02d:%02d:%02d %c%04d", wday, (int)day + 1, months[month],
	    year, second / 3600, second / 60 % 60, second % 60, zone < 0 ? '-' : '+', hhmm);
}

/*
 * A name without controls, space around it and quotes of its own (calendar(1) passes them), in
 * valid UTF-8, NAME_LEN octets at most.
 */
static void
clean_name(struct buf *dst, const char *name)
{
	size_t n;

	for (; *name != '\0'; name += n) {
		bool control = (unsigned char)*name < ' ' || *name == 0x7f;

		n = utf8_len(name, 4); /* stops at the NUL by itself */
		if (n == 2 && (unsigned char)name[0] == 0xc2 && (unsigned char)name[1] < 0xa0)
			control = true;
		if (control || (*name == ' ' && dst->len == 0))
			;
		else if (n == 0)
			buf_addc(dst, '?');
		else
			buf_add(dst, name, n);
		n += n == 0;
	}
	while (dst->len > 0 && dst->data[dst->len - 1] == ' ')
		dst->data[--dst->len] = '\0';
	if (dst->len >= 2 && dst->data[0] == '"' && dst->data[dst->len - 1] == '"') {
		dst->data[--dst->len] = '\0';
		buf_drop(dst, 1);
	}
}

static bool
is_phrase(const char *s)
{
	for (; *s != '\0'; s++)
		if (!address_atext(*s) && *s != ' ')
			return false;
	return true;
}

static void
add_quoted(struct buf *out, const char *s)
{
	buf_addc(out, '"');
	for (; *s != '\0'; s++) {
		if (*s == '"' || *s == '\\')
			buf_addc(out, '\\');
		buf_addc(out, *s);
	}
	buf_addc(out, '"');
}

/* What stands for itself in an encoded word of a phrase (RFC 2047 5 (3)). */
static bool
is_plain(char c)
{
	return (unsigned char)c < 0x80 && address_atext(c) && strchr("#$%&'=?^_`{|}~.", c) == NULL;
}

static size_t
encoded_len(const char *s, size_t n)
{
	return n == 1 && (is_plain(*s) || *s == ' ') ? 1 : 3 * n;
}

/* Q encoding; a character is never cut in two. */
static void
add_encoded(struct buf *out, const char *s)
{
	size_t room = FIRST_WORD_LEN, n;

	buf_adds(out, WORD_START);
	for (; *s != '\0'; s += n) {
		n = utf8_len(s, 4);
		if (encoded_len(s, n) > room) {
			buf_adds(out, "?=\r\n " WORD_START);
			room = WORD_LEN;
		}
		room -= encoded_len(s, n);
		for (size_t i = 0; i < n; i++) {
			if (s[i] == ' ')
				buf_addc(out, '_');
			else if (is_plain(s[i]))
				buf_addc(out, s[i]);
			else
				buf_addf(out, "=%02X", (unsigned char)s[i]);
		}
	}
	buf_adds(out, "?=");
}

void
submission_phrase(struct buf *out, const char *name)
{
	struct buf clean = BUF_INIT(NAME_LEN);

	clean_name(&clean, name);
	if (clean.len == 0)
		;
	else if (address_utf8(buf_str(&clean)))
		add_encoded(out, clean.data);
	else if (is_phrase(clean.data))
		buf_adds(out, clean.data);
	else
		add_quoted(out, clean.data);
	buf_free(&clean);
}
