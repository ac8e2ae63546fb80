/* SPDX-License-Identifier: ISC */
#include "mail/smtp_ehlo.h"

#include <stdbool.h>
#include <string.h>

#define SIZE_DIGITS 18  /* more than any message, and no overflow */
#define LIMIT_DIGITS 6 /* RFC 9422 4 */

static void parse_size(struct smtp_ehlo *e, const char *text, size_t len);
static void parse_auth(struct smtp_ehlo *e, const char *text, size_t len);
static void parse_limits(struct smtp_ehlo *e, const char *text, size_t len);

/* A keyword and, when it has parameters, what reads them. */
static const struct {
	const char *name;
	enum smtp_extension bit;
	void (*parse)(struct smtp_ehlo *e, const char *text, size_t len);
} keywords[] = {
    {"PIPELINING", SMTP_PIPELINING, NULL},
    {"SIZE", SMTP_SIZE, parse_size},
    {"8BITMIME", SMTP_8BITMIME, NULL},
    {"SMTPUTF8", SMTP_SMTPUTF8, NULL},
    {"STARTTLS", SMTP_STARTTLS, NULL},
    {"DSN", SMTP_DSN, NULL},
    {"AUTH", SMTP_AUTH, parse_auth},
    {"REQUIRETLS", SMTP_REQUIRETLS, NULL},
    {"CHUNKING", SMTP_CHUNKING, NULL},
    {"LIMITS", SMTP_LIMITS, parse_limits},
};

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* The length of the word at text[0]. */
static size_t
word(const char *text, size_t len)
{
	size_t n = 0;

	while (n < len && !is_blank(text[n]))
		n++;
	return n;
}

/* The number that n octets are; 0 when they are none, or more digits than `most`. */
static uint64_t
number(const char *text, size_t n, size_t most)
{
	uint64_t value = 0;

	if (n > most)
		return 0;
	for (size_t i = 0; i < n; i++) {
		if (text[i] < '0' || text[i] > '9')
			return 0;
		value = value * 10 + (uint64_t)(text[i] - '0');
	}
	return value;
}

/* SIZE without a number, or with one that is none, sets no limit. */
static void
parse_size(struct smtp_ehlo *e, const char *text, size_t len)
{
	e->size = number(text, word(text, len), SIZE_DIGITS);
}

/* Add the words to the list; those that do not fit are left out whole. */
static void
parse_auth(struct smtp_ehlo *e, const char *text, size_t len)
{
	size_t at = strlen(e->auth), n;

	for (; len > 0; text += n, len -= n) {
		n = word(text, len);
		if (n == 0) {
			n = 1;
			continue;
		}
		if (at + 1 + n >= sizeof(e->auth) || memchr(text, '\0', n) != NULL)
			continue;
		if (at > 0)
			e->auth[at++] = ' ';
		memcpy(e->auth + at, text, n);
		e->auth[at += n] = '\0';
	}
}

static char
upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

/* Whether text begins with the keyword, then the end, a blank or "=". */
static bool
begins(const char *text, size_t len, const char *name)
{
	size_t n = strlen(name);

	if (len < n || (len > n && !is_blank(text[n]) && text[n] != '='))
		return false;
	for (size_t i = 0; i < n; i++)
		if (upper(text[i]) != name[i])
			return false;
	return true;
}

/* One "NAME=number"; what is not known, or no limit that a server can mean, is none. */
static void
parse_limit(struct smtp_ehlo *e, const char *text, size_t len)
{
	const struct {
		const char *name;
		unsigned *limit;
	} limits[] = {
	    {"MAILMAX", &e->mailmax},
	    {"RCPTMAX", &e->rcptmax},
	    {"RCPTDOMAINMAX", &e->rcptdomainmax},
	};

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		size_t n = strlen(limits[i].name);

		if (len > n && text[n] == '=' && begins(text, len, limits[i].name))
			*limits[i].limit =
			    (unsigned)number(text + n + 1, len - n - 1, LIMIT_DIGITS);
	}
}

static void
parse_limits(struct smtp_ehlo *e, const char *text, size_t len)
{
	for (size_t n; len > 0; text += n, len -= n) {
		n = word(text, len);
		parse_limit(e, text, n);
		n += n < len;
	}
}

void
smtp_ehlo_init(struct smtp_ehlo *e)
{
	*e = (struct smtp_ehlo){0};
}

void
smtp_ehlo_line(struct smtp_ehlo *e, const char *text, size_t len)
{
	for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++) {
		size_t n = strlen(keywords[i].name);

		if (!begins(text, len, keywords[i].name))
			continue;
		e->has |= keywords[i].bit;
		if (keywords[i].parse != NULL && len > n)
			keywords[i].parse(e, text + n + 1, len - n - 1);
	}
}
