/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <string.h>

#include "mail/address.h"
#include "mail/alias_impl.h"

#define SHOWN_MAX 100 /* octets of a bad value in a mistake */
#define INCLUDE ":include:"

static void
add_value(struct aliases *a, enum alias_kind kind, size_t line, const char *s, size_t len)
{
	size_t text = alias_keep(a, s, len);
	struct alias_value *v = alias_room(&a->error, a->value, a->nvalues, sizeof(*v));

	if (v == NULL)
		return;
	a->value = v;
	a->value[a->nvalues++] = (struct alias_value){.kind = kind, .text = text, .line = line};
}

void
alias_quote(struct buf *out, const char *what, const char *s, size_t len)
{
	while (len > 0 && (alias_space(s[len - 1]) || s[len - 1] == ','))
		len--;
	buf_adds(out, what);
	for (size_t i = 0; i < len && i < SHOWN_MAX; i++)
		buf_addc(out, alias_space(s[i]) ? ' ' : s[i] == '\0' ? '?' : s[i]);
	if (len > SHOWN_MAX)
		buf_adds(out, "...");
}

void
alias_bad(struct aliases *a, size_t line, const char *what, const char *s, size_t len)
{
	struct buf b = BUF_INIT(ALIAS_MISTAKE_MAX);

	alias_quote(&b, what, s, len);
	if (b.error != 0)
		a->error = ENOMEM;
	add_value(a, ALIAS_BAD, line, buf_str(&b), b.len);
	buf_free(&b);
}

size_t
alias_seek(const char *s, size_t len, size_t at, const char *stops)
{
	for (bool quoted = false; at < len; at++) {
		if (s[at] == '"')
			quoted = !quoted;
		else if (s[at] == '\\' && at + 1 < len)
			at++;
		else if (!quoted && s[at] != '\0' && strchr(stops, s[at]) != NULL)
			return at;
	}
	return len;
}

static bool
is_include(const char *s, size_t len)
{
	size_t n = sizeof(INCLUDE) - 1;

	if (len < n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (alias_lower(s[i]) != INCLUDE[i])
			return false;
	return true;
}

/* A path, and not a local-part that begins with a slash (X.400 gateways). */
static bool
is_path(const char *s, size_t len)
{
	if (len == 0 || s[0] != '/')
		return false;
	for (size_t i = 0; i < len && s[i] != ',' && s[i] != ';' && !alias_space(s[i]); i++)
		if (s[i] == '@')
			return false;
	return true;
}

/* A program, a path or an include file: s[0 .. len), quotes around all of it taken off. */
static void
add_special(struct aliases *a, size_t line, const char *s, size_t len)
{
	size_t n = sizeof(INCLUDE) - 1;

	if (!is_include(s, len)) {
		if (len == strlen("/dev/null") && memcmp(s, "/dev/null", len) == 0)
			add_value(a, ALIAS_DROP, line, s, len);
		else
			alias_bad(a, line, "programs and files are not delivered to: ", s, len);
		return;
	}
	for (s += n, len -= n; len > 0 && alias_space(*s); len--)
		s++;
	if (len == 0 || len > ALIAS_PATH_MAX || *s != '/' || memchr(s, '\0', len) != NULL)
		alias_bad(a, line, "an include file is named by its whole path: ", s, len);
	else
		add_value(a, ALIAS_INCLUDE, line, s, len);
}

/*
 * The address at s[at .. len); returns where the next value is. A group is refused for what it
 * hides: an entry that was indented by mistake looks like one.
 */
static size_t
add_address(
    struct aliases *a, size_t line, const char *s, size_t len, size_t at, enum alias_kind kind)
{
	struct address_parser p;
	struct address address;
	enum address_event ev;
	size_t mark;

	address_start(&p, s, len);
	p.at = at;
	ev = address_next(&p, &address);
	if (ev == ADDRESS_END)
		return len;
	mark = alias_seek(s, address.start, at, ":<");
	if (ev == ADDRESS_ONE && (mark == address.start || s[mark] != ':'))
		add_value(a, kind, line, address.mailbox, strlen(address.mailbox));
	else if (memmem(s + at, p.at - at, " #", 2) != NULL)
		alias_bad(a, line, "not an address (a comment has a line of its own): ", s + at,
		    p.at - at);
	else
		alias_bad(a, line, "not an address: ", s + at, p.at - at);
	return p.at;
}

/* Whether s[0 .. len), behind a quote or not, begins a value that is no address. */
static bool
is_special(const char *s, size_t len)
{
	return len > 0 && (s[0] == '|' || is_path(s, len) || is_include(s, len));
}

/* A special value, in quotes or not, or "\name" in quotes, at s[at .. len); returns its end. */
static size_t
parse_special(struct aliases *a, size_t line, const char *s, size_t len, size_t at)
{
	size_t end = alias_seek(s, len, at, ","), from = at, to = end;

	while (to > at && alias_space(s[to - 1]))
		to--;
	if (s[at] == '"') {
		from++;
		if (to < at + 2 || s[--to] != '"') {
			alias_bad(a, line, "not a quoted value: ", s + at, end - at);
			return end;
		}
	}
	if (s[from] != '\\')
		add_special(a, line, s + from, to - from);
	else if (add_address(a, line, s, to, from + 1, ALIAS_FINAL) < to)
		alias_bad(a, line, "not one address: ", s + at, end - at);
	return end;
}

/* The value at s[at .. len), which is there; returns where the next one is. */
static size_t
parse_value(struct aliases *a, size_t line, const char *s, size_t len, size_t at)
{
	size_t from = s[at] == '"' ? at + 1 : at;

	if (s[at] == '\\')
		return add_address(a, line, s, len, at + 1, ALIAS_FINAL);
	if (is_special(s + from, len - from) || (from > at && from < len && s[from] == '\\'))
		return parse_special(a, line, s, len, at);
	return add_address(a, line, s, len, at, ALIAS_ADDRESS);
}

void
alias_values(struct aliases *a, const char *s, size_t len, size_t line)
{
	for (size_t at = 0, next; at < len && a->error == 0; at = next) {
		next = at + 1;
		if (s[at] == '\n')
			line++;
		if (alias_space(s[at]) || s[at] == ',' || s[at] == ';')
			continue;
		next = parse_value(a, line, s, len, at);
		for (size_t i = at; i < next; i++)
			line += s[i] == '\n';
	}
}
