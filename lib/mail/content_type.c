/* SPDX-License-Identifier: ISC */
#include "mail/content_type.h"

#include <string.h>

struct cursor {
	const char *at, *end;
};

static bool
is_white(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* RFC 2045 5.1: printable ASCII but tspecials. */
static bool
is_token(char c)
{
	return c > ' ' && c < 0x7f && strchr("()<>@,;:\\\"/[]?=", c) == NULL;
}

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static void
skip_comment(struct cursor *c)
{
	for (unsigned long nest = 0; c->at < c->end; c->at++) {
		if (*c->at == '(')
			nest++;
		else if (*c->at == '\\' && c->end - c->at > 1)
			c->at++;
		else if (*c->at == ')' && --nest == 0) {
			c->at++;
			return;
		}
	}
}

static void
skip_white(struct cursor *c)
{
	while (c->at < c->end && (is_white(*c->at) || *c->at == '(')) {
		if (*c->at == '(')
			skip_comment(c);
		else
			c->at++;
	}
}

/* A token in small letters behind white space; "" when there is none or dst is too small for it. */
static void
take_token(struct cursor *c, char *dst, size_t size)
{
	size_t n = 0;

	skip_white(c);
	for (; c->at < c->end && is_token(*c->at); c->at++, n++)
		if (n < size)
			dst[n] = lower(*c->at);
	dst[n < size ? n : 0] = '\0';
	skip_white(c);
}

/* A parameter's value into dst; its length, or 0 when it is empty, has no end or does not fit. */
static size_t
take_value(struct cursor *c, char *dst, size_t size)
{
	bool quoted, closed;
	size_t n = 0;

	skip_white(c);
	quoted = c->at < c->end && *c->at == '"';
	closed = !quoted;
	if (quoted)
		c->at++;
	for (; c->at < c->end; c->at++) {
		if (quoted && *c->at == '"') {
			c->at++;
			closed = true;
			break;
		}
		if (!quoted && (is_white(*c->at) || *c->at == ';' || *c->at == '('))
			break;
		if (quoted && *c->at == '\\' && c->end - c->at > 1)
			c->at++;
		else if (*c->at == '\r' || *c->at == '\n')
			continue;
		if (n < size)
			dst[n] = *c->at;
		n++;
	}
	return closed && n < size ? n : 0;
}

/* Behind the next ";": what is in the way is no parameter. */
static bool
next_parameter(struct cursor *c)
{
	char ignored[1];

	while (c->at < c->end && *c->at != ';') {
		if (*c->at == '"')
			take_value(c, ignored, sizeof(ignored));
		else if (*c->at == '(')
			skip_comment(c);
		else
			c->at++;
	}
	if (c->at == c->end)
		return false;
	c->at++;
	return true;
}

/* Blanks at its end cannot be told from padding (RFC 2046 5.1.1); beyond ASCII nobody agrees. */
static void
set_boundary(struct content_type *ct, size_t len)
{
	while (len > 0 && is_white(ct->boundary[len - 1]))
		len--;
	for (size_t i = 0; i < len; i++)
		if (ct->boundary[i] < ' ' || ct->boundary[i] > '~')
			len = 0;
	ct->boundary[len] = '\0';
	ct->boundary_len = len;
}

void
content_type_parse(struct content_type *ct, const char *text, size_t len)
{
	struct cursor c = {text, text + len};
	char name[CONTENT_TYPE_NAME + 1];

	*ct = (struct content_type){0};
	take_token(&c, ct->type, sizeof(ct->type));
	if (c.at == c.end || *c.at != '/') {
		ct->type[0] = '\0';
		return;
	}
	c.at++;
	take_token(&c, ct->subtype, sizeof(ct->subtype));
	while (ct->boundary_len == 0 && next_parameter(&c)) {
		take_token(&c, name, sizeof(name));
		if (c.at == c.end || *c.at != '=')
			continue;
		c.at++;
		if (strcmp(name, "boundary") == 0)
			set_boundary(ct, take_value(&c, ct->boundary, sizeof(ct->boundary)));
	}
}

enum content_encoding
content_encoding_parse(const char *text, size_t len)
{
	static const struct {
		const char *name;
		enum content_encoding encoding;
	} table[] = {
	    {"", CONTENT_7BIT},
	    {"7bit", CONTENT_7BIT},
	    {"7-bit", CONTENT_7BIT},
	    {"8bit", CONTENT_WIDE},
	    {"8-bit", CONTENT_WIDE},
	    {"binary", CONTENT_WIDE},
	    {"quoted-printable", CONTENT_QP},
	    {"base64", CONTENT_BASE64},
	};
	struct cursor c = {text, text + len};
	char name[CONTENT_TYPE_NAME + 1];

	skip_white(&c);
	if (c.at < c.end && !is_token(*c.at))
		return CONTENT_UNKNOWN;
	take_token(&c, name, sizeof(name));
	if (name[0] == '\0' && len > CONTENT_TYPE_NAME)
		return CONTENT_UNKNOWN;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (strcmp(name, table[i].name) == 0)
			return table[i].encoding;
	return CONTENT_UNKNOWN;
}
