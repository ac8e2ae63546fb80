/* SPDX-License-Identifier: ISC */
#include "mail/words.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

/* The pieces of "=?charset?encoding?text?=". */
struct word {
	const char *charset, *text;
	size_t charsetlen, textlen;
	char encoding;
	size_t len; /* of the whole */
};

static bool
parse(struct word *w, const char *s)
{
	const char *p;

	if (s[0] != '=' || s[1] != '?')
		return false;
	w->charset = s + 2;
	p = w->charset + strcspn(w->charset, "? \t\r\n");
	w->charsetlen = strcspn(w->charset, "?*");
	if (*p != '?' || w->charsetlen == 0 || p[1] == '\0' || p[2] != '?')
		return false;
	w->encoding = p[1];
	w->text = p + 3;
	w->textlen = strcspn(w->text, "? \t\r\n");
	p = w->text + w->textlen;
	if (p[0] != '?' || p[1] != '=')
		return false;
	w->len = (size_t)(p + 2 - s);
	return true;
}

static int
hex(char c)
{
	static const char digits[] = "0123456789ABCDEFabcdef";
	const char *at = c != '\0' ? strchr(digits, c) : NULL;
	int n = at != NULL ? (int)(at - digits) : -1;

	return n < 16 ? n : n - 6;
}

/* RFC 2047 4.2 */
static bool
decode_q(struct buf *out, const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (s[i] != '=') {
			buf_addc(out, s[i] == '_' ? ' ' : s[i]);
			continue;
		}
		int high = len - i < 3 ? -1 : hex(s[i + 1]);
		int low = high < 0 ? -1 : hex(s[i + 2]);
		if (low < 0)
			return false;
		buf_addc(out, (char)(high * 16 + low));
		i += 2;
	}
	return true;
}

static bool
decode_b(struct buf *out, const char *s, size_t len)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	unsigned bits = 0, nbits = 0;

	while (len > 0 && s[len - 1] == '=')
		len--;
	for (size_t i = 0; i < len; i++) {
		const char *at = s[i] != '\0' ? strchr(digits, s[i]) : NULL;
		if (at == NULL)
			return false;
		bits = (bits << 6 | (unsigned)(at - digits)) & 0xfff;
		nbits += 6;
		if (nbits >= 8) {
			nbits -= 8;
			buf_addc(out, (char)(bits >> nbits & 0xff));
		}
	}
	return true;
}

static bool
is_charset(const struct word *w, const char *name)
{
	return strlen(name) == w->charsetlen && strncasecmp(name, w->charset, w->charsetlen) == 0;
}

static void
add_latin1(struct buf *out, const struct buf *octets)
{
	for (size_t i = 0; i < octets->len; i++) {
		unsigned char c = (unsigned char)octets->data[i];
		if (c >= 0x80)
			buf_addc(out, (char)(0xc0 | c >> 6));
		buf_addc(out, (char)(c < 0x80 ? c : 0x80 | (c & 0x3f)));
	}
}

static bool
decode_word(struct buf *out, const struct word *w)
{
	bool latin1 = is_charset(w, "iso-8859-1"), good = false;
	struct buf octets = BUF_INIT(out->max);

	if (!latin1 && !is_charset(w, "utf-8") && !is_charset(w, "us-ascii"))
		return false;
	if (w->encoding == 'Q' || w->encoding == 'q')
		good = decode_q(&octets, w->text, w->textlen);
	else if (w->encoding == 'B' || w->encoding == 'b')
		good = decode_b(&octets, w->text, w->textlen);
	if (good && latin1)
		add_latin1(out, &octets);
	else if (good)
		buf_add(out, octets.data, octets.len);
	buf_free(&octets);
	return good;
}

void
words_decode(struct buf *out, const char *text)
{
	bool word = false; /* an encoded word was the last */
	struct word w;

	while (*text != '\0') {
		size_t space = strspn(text, " \t\r\n"), len;
		bool next = parse(&w, text + space);

		if (!word || !next)
			buf_add(out, text, space);
		text += space;
		if (next && (word = decode_word(out, &w))) {
			text += w.len;
			continue;
		}
		len = strcspn(text, " \t\r\n");
		buf_add(out, text, len);
		text += len;
		word = false;
	}
}
