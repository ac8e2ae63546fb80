/* SPDX-License-Identifier: ISC */
#include <string.h>
#include <strings.h>

#include "mail/address.h"
#include "mail/utf8.h"

#define DOMAIN_MAX 255
#define LABEL_MAX 63 /* characters: a label in UTF-8 is longer in octets */

static bool
is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool
is_high(char c)
{
	return (unsigned char)c >= 0x80;
}

bool
address_atext(char c)
{
	return is_alnum(c) || is_high(c) || (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

/* The octets of a quoted string without spaces, its quotes included. */
static size_t
quoted_len(const char *s)
{
	size_t i = 1;

	for (; s[i] != '"'; i++) {
		if (s[i] == '\\' && is_high(s[++i]))
			return 0;
		if ((unsigned char)s[i] <= ' ' || s[i] == 0x7f)
			return 0;
	}
	return i > 1 ? i + 1 : 0;
}

static bool
good_utf8(const char *s, size_t len)
{
	size_t n;

	for (size_t i = 0; i < len; i += n) {
		n = utf8_len(s + i, len - i);
		if (n == 0 ||
		    (n == 2 && (unsigned char)s[i] == 0xc2 && (unsigned char)s[i + 1] < 0xa0))
			return false; /* C1 controls are as good as ESC to a terminal */
	}
	return true;
}

/*
 * Dots may follow each other and may come last, though no RFC allows it: mailboxes of that kind are
 * in use (a Japanese carrier gave them out), and such a local-part can be mistaken for nothing
 * else.
 */
size_t
address_local(const char *s)
{
	size_t n = 0;

	if (s[0] == '"')
		n = quoted_len(s);
	else if (s[0] != '.')
		while (address_atext(s[n]) || s[n] == '.')
			n++;
	return good_utf8(s, n) ? n : 0;
}

static bool
literal_valid(const char *s)
{
	size_t n = 1;

	while (is_alnum(s[n]) || s[n] == '.' || s[n] == ':' || s[n] == '-')
		n++;
	return n > 1 && s[n] == ']' && s[n + 1] == '\0';
}

/* Underscores: names of containers and of Windows hosts have them. */
static bool
domain_valid(const char *s)
{
	size_t len = strnlen(s, DOMAIN_MAX + 1), label = 0;

	if (len > DOMAIN_MAX || !good_utf8(s, len))
		return false;
	if (s[0] == '[')
		return literal_valid(s);
	for (; *s != '\0'; s++) {
		if (*s == '.') {
			if (label == 0 || s[-1] == '-')
				return false;
			label = 0;
			continue;
		}
		if (!is_alnum(*s) && !is_high(*s) && *s != '_' && (*s != '-' || label == 0))
			return false;
		label += !is_high(*s) || ((unsigned char)*s & 0xc0) != 0x80;
		if (label > LABEL_MAX)
			return false;
	}
	return label > 0 && s[-1] != '-';
}

bool
address_valid(const char *address)
{
	size_t n;

	if (strnlen(address, ADDRESS_MAX + 1) > ADDRESS_MAX)
		return false;
	n = address_local(address);
	return n > 0 && address[n] == '@' && domain_valid(address + n + 1);
}

int
address_qualify(char dst[ADDRESS_MAX + 1], const char *mailbox, const char *domain)
{
	size_t len = strnlen(mailbox, ADDRESS_MAX + 1), dlen = strnlen(domain, DOMAIN_MAX + 1);
	size_t n;

	if (len > ADDRESS_MAX)
		return -1;
	n = address_local(mailbox);
	memmove(dst, mailbox, len + 1);
	if (n == len) {
		if (len + 1 + dlen > ADDRESS_MAX)
			return -1;
		dst[len] = '@';
		memcpy(dst + len + 1, domain, dlen + 1);
	}
	return address_valid(dst) ? 0 : -1;
}

bool
address_utf8(const char *address)
{
	for (; *address != '\0'; address++)
		if (is_high(*address))
			return true;
	return false;
}

/* The "@" that ends the local-part, or the end of what has no domain. */
static size_t
find_at(const char *s)
{
	size_t n = address_local(s);

	return s[n] == '@' ? n : strlen(s);
}

int
address_compare(const char *a, const char *b)
{
	size_t an = find_at(a), bn = find_at(b);
	int order = strcasecmp(a + an, b + bn);

	if (order == 0)
		order = memcmp(a, b, an < bn ? an : bn);
	return order != 0 ? order : (an > bn) - (an < bn);
}

bool
address_equal(const char *a, const char *b)
{
	return address_compare(a, b) == 0;
}
