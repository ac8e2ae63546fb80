/* SPDX-License-Identifier: ISC */
#include "mail/address.h"

#include <string.h>

/*
 * Two passes over each member of a list, both by tokens: scan() finds where it ends and whether it
 * has angle brackets (only then is it known what a word is), read_spec() reads the addr-spec.
 */
enum kind {
	TOKEN_END,
	TOKEN_WORD, /* atoms and dots without anything between them */
	TOKEN_QUOTED,
	TOKEN_LITERAL,
	TOKEN_SPECIAL, /* one octet of <>@,;:)] */
	TOKEN_BAD,     /* something has no end */
};

struct token {
	enum kind kind;
	size_t start, end;
};

/* A member of a list as scan() finds it. */
struct member {
	size_t start, end;  /* without white space and comments around it */
	size_t open, close; /* what is between < and > */
	bool angle, bad, last;
	bool phrase; /* words and quoted strings so far */
};

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool
is_special(char c)
{
	return c != '\0' && strchr("<>@,;:)]", c) != NULL;
}

static bool
ends_word(char c)
{
	return is_space(c) || is_special(c) || c == '"' || c == '(' || c == '[';
}

/* From "(" to behind its ")"; false when there is none, *at is then unchanged. */
static bool
skip_comment(const char *s, size_t len, size_t *at)
{
	size_t depth = 0, i = *at;

	for (; i < len; i++) {
		if (s[i] == '\\')
			i++;
		else if (s[i] == '(' && ++depth > ADDRESS_NEST)
			return false;
		else if (s[i] == ')' && --depth == 0) {
			*at = i + 1;
			return true;
		}
	}
	return false;
}

static bool
skip_space(const char *s, size_t len, size_t *at)
{
	while (*at < len) {
		if (is_space(s[*at]))
			++*at;
		else if (s[*at] != '(')
			break;
		else if (!skip_comment(s, len, at))
			return false;
	}
	return true;
}

/* A quoted string or a domain literal, from its first octet to behind `close`. */
static struct token
delimited(const char *s, size_t len, size_t at, enum kind kind, char close)
{
	for (size_t i = at + 1; i < len; i++) {
		if (s[i] == '\\')
			i++;
		else if (s[i] == close)
			return (struct token){kind, at, i + 1};
	}
	return (struct token){TOKEN_BAD, at, len};
}

static struct token
next_token(const char *s, size_t len, size_t at)
{
	size_t end;

	if (!skip_space(s, len, &at))
		return (struct token){TOKEN_BAD, at, len};
	if (at == len)
		return (struct token){TOKEN_END, len, len};
	if (s[at] == '"')
		return delimited(s, len, at, TOKEN_QUOTED, '"');
	if (s[at] == '[')
		return delimited(s, len, at, TOKEN_LITERAL, ']');
	if (is_special(s[at]))
		return (struct token){TOKEN_SPECIAL, at, at + 1};
	for (end = at + 1; end < len && !ends_word(s[end]); end++)
		;
	return (struct token){TOKEN_WORD, at, end};
}

/* The octet of a special, else NUL. */
static char
special(const char *s, struct token t)
{
	return t.kind == TOKEN_SPECIAL ? s[t.start] : '\0';
}

/* Add a token to the member; it is none that ends it. */
static void
extend(struct member *m, struct token t, char c)
{
	bool inside = m->angle && m->close == 0;

	if (m->end == 0)
		m->start = t.start;
	m->end = t.end;
	m->phrase = m->phrase && (t.kind == TOKEN_WORD || t.kind == TOKEN_QUOTED);
	if (t.kind == TOKEN_BAD || (c == ':' && !inside)) {
		m->bad = true;
	} else if (c == '<') {
		m->bad = m->bad || m->angle;
		m->angle = true;
		m->open = t.end;
	} else if (c == '>') {
		m->bad = m->bad || !inside;
		m->close = t.start;
	} else if (m->angle && !inside) {
		m->bad = true; /* a comma is missing: who is meant cannot be known */
	}
}

static struct member
scan(struct address_parser *p)
{
	struct member m = {.phrase = true};

	for (;;) {
		struct token t = next_token(p->text, p->len, p->at);
		bool inside = m.angle && m.close == 0;
		char c = special(p->text, t);

		p->at = t.end;
		if (t.kind == TOKEN_END) {
			m.bad = m.bad || inside;
			m.last = true;
			return m;
		}
		if (!inside && (c == ',' || c == ';'))
			return m;
		if (m.phrase && c == ':')
			m = (struct member){.phrase = true}; /* that was the name of a group */
		else
			extend(&m, t, c);
	}
}

/* A string being put together in a mailbox. */
struct piece {
	char s[ADDRESS_MAX + 1];
	size_t len;
	bool bad;
};

static void
append(struct piece *d, char c)
{
	if ((unsigned char)c <= ' ' || c == 0x7f || d->len == ADDRESS_MAX) {
		d->bad = true;
		return;
	}
	d->s[d->len++] = c;
	d->s[d->len] = '\0';
}

/* The content of a token, quotes and quoted pairs undone. */
static void
append_token(struct piece *d, const char *s, struct token t)
{
	size_t i = t.start, end = t.end;

	if (t.kind == TOKEN_QUOTED) {
		i++;
		end--;
	}
	for (; i < end && !d->bad; i++) {
		if (t.kind == TOKEN_QUOTED && s[i] == '\\')
			i++;
		append(d, s[i]);
	}
}

/* By RFC 5322, dots between atoms only. */
static bool
is_dot_atom(const char *s)
{
	char before = '.';

	for (; address_atext(*s) || (*s == '.' && before != '.'); s++)
		before = *s;
	return *s == '\0' && before != '.';
}

/* local-part as it goes on the wire, "@", domain. */
static bool
compose(char *mailbox, const struct piece *local, bool quoted, const struct piece *domain)
{
	struct piece out = {0};

	quoted = quoted && !is_dot_atom(local->s);
	if (quoted)
		append(&out, '"');
	for (size_t i = 0; i < local->len; i++) {
		if (quoted && (local->s[i] == '"' || local->s[i] == '\\'))
			append(&out, '\\');
		append(&out, local->s[i]);
	}
	if (quoted)
		append(&out, '"');
	if (domain->len > 0)
		append(&out, '@');
	for (size_t i = 0; i < domain->len; i++)
		append(&out, domain->s[i]);
	if (local->bad || domain->bad || out.bad)
		return false;
	memcpy(mailbox, out.s, out.len + 1);
	return true;
}

/* "@relay,@relay:" at the start of what is in angle brackets is passed over. */
static size_t
skip_route(const char *s, size_t at, size_t end)
{
	struct token t = next_token(s, end, at);

	if (special(s, t) != '@')
		return at;
	while (t.kind != TOKEN_END && t.kind != TOKEN_BAD && special(s, t) != ':')
		t = next_token(s, end, t.end);
	return t.end;
}

/* Whether a token may stand in an addr-spec behind `last`. */
static bool
fits(const char *s, struct token t, struct token last, bool domain)
{
	bool first = last.kind == TOKEN_END || special(s, last) == '@';

	if (t.kind == TOKEN_LITERAL)
		return domain && first;
	if (t.kind == TOKEN_QUOTED && domain)
		return false;
	if (t.kind != TOKEN_WORD && t.kind != TOKEN_QUOTED)
		return false;
	return first || s[t.start] == '.' || s[last.end - 1] == '.';
}

/* Not one with "@" in its quotes: that would be taken for a complete address later. */
static bool
is_bare_name(const char *mailbox)
{
	size_t len = strlen(mailbox);

	return len > 0 && address_local(mailbox) == len && strchr(mailbox, '@') == NULL;
}

/* The addr-spec or bare name at text[at .. end), into *a. */
static bool
read_spec(struct address *a, const char *s, size_t at, size_t end)
{
	struct piece local = {0}, domain = {0};
	struct token t, last = {.kind = TOKEN_END};
	bool quoted = false, has_domain = false;

	for (at = skip_route(s, at, end);; at = t.end, last = t) {
		t = next_token(s, end, at);
		if (t.kind == TOKEN_END)
			break;
		if (last.kind == TOKEN_END)
			a->start = t.start;
		a->end = t.end;
		if (special(s, t) == '@' && !has_domain && last.kind != TOKEN_END) {
			has_domain = true;
			continue;
		}
		if (!fits(s, t, last, has_domain))
			return false;
		quoted = quoted || t.kind == TOKEN_QUOTED;
		append_token(has_domain ? &domain : &local, s, t);
	}
	if ((has_domain && domain.len == 0) || !compose(a->mailbox, &local, quoted, &domain))
		return false;
	return has_domain ? address_valid(a->mailbox) : is_bare_name(a->mailbox);
}

void
address_start(struct address_parser *p, const char *text, size_t len)
{
	*p = (struct address_parser){.text = text, .len = len};
}

enum address_event
address_next(struct address_parser *p, struct address *a)
{
	struct member m = scan(p);

	while (m.end == 0 && !m.last)
		m = scan(p);
	a->mailbox[0] = '\0';
	a->start = a->end = p->len;
	if (m.end == 0)
		return ADDRESS_END;
	if (!m.bad && read_spec(a, p->text, m.angle ? m.open : m.start, m.angle ? m.close : m.end))
		return ADDRESS_ONE;
	a->mailbox[0] = '\0';
	a->start = m.start;
	a->end = m.end;
	if (m.angle && !m.bad && next_token(p->text, m.close, m.open).kind == TOKEN_END)
		a->start = a->end = m.open;
	return ADDRESS_BAD;
}
