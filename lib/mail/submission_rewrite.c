/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "mail/submission_impl.h"

#define FOLD_LEN 76 /* octets of a line that has encoded words, RFC 2047 2 */

static const char *
rules_for(const struct submission_facts *f, enum header_name name)
{
	switch (name) {
	case HEADER_FROM:
	case HEADER_SENDER:
	case HEADER_RESENT_FROM:
	case HEADER_RESENT_SENDER:
		return f->header_from;
	case HEADER_REPLY_TO:
		return f->reply_to;
	default:
		return NULL;
	}
}

/* From "(" to behind its ")", which is there: the parser has seen it. */
static size_t
comment_len(const char *s, size_t len)
{
	size_t depth = 0, i = 0;

	for (; i < len; i++) {
		if (s[i] == '\\')
			i++;
		else if (s[i] == '(')
			depth++;
		else if (s[i] == ')' && --depth == 0)
			return i + 1;
	}
	return len;
}

/* Comments may stand inside an address that goes: "root (Cron) @host". */
static void
add_comments(struct buf *out, const char *s, size_t len)
{
	bool quoted = false;
	size_t n;

	for (size_t i = 0; i < len; i += n) {
		n = 1;
		if (s[i] == '\\') {
			n = 2;
		} else if (s[i] == '"') {
			quoted = !quoted;
		} else if (s[i] == '(' && !quoted) {
			n = comment_len(s + i, len - i);
			buf_addc(out, ' ');
			buf_add(out, s + i, n);
		}
	}
}

/* text[len] with each address completed and by the rules. Whether one is another than before. */
static bool
add_list(struct buf *out, const char *text, size_t len, const char *domain, const char *rules)
{
	struct address_parser p;
	struct address a;
	enum address_event ev;
	size_t copied = 0;
	bool changed = false;

	address_start(&p, text, len);
	while ((ev = address_next(&p, &a)) != ADDRESS_END) {
		char full[ADDRESS_MAX + 1], now[ADDRESS_MAX + 1];

		if (ev == ADDRESS_BAD || address_qualify(full, a.mailbox, domain) != 0)
			continue;
		memcpy(now, full, strlen(full) + 1);
		rewrite_apply(rules, now);
		if (strcmp(full, now) != 0) {
			changed = changed || !address_equal(full, now);
			buf_add(out, text + copied, a.start - copied);
			buf_adds(out, now);
			add_comments(out, text + a.start, a.end - a.start);
			copied = a.end;
		} else if (strchr(a.mailbox, '@') == NULL) {
			buf_add(out, text + copied, a.end - copied);
			buf_addc(out, '@');
			buf_adds(out, domain);
			copied = a.end;
		}
	}
	buf_add(out, text + copied, len - copied);
	return changed;
}

/* RFC 6532 3.2; what is not UTF-8 is no address. */
static bool
has_utf8_address(const char *text, size_t len)
{
	struct address_parser p;
	struct address a;
	enum address_event ev;

	address_start(&p, text, len);
	while ((ev = address_next(&p, &a)) != ADDRESS_END)
		if (ev == ADDRESS_ONE && address_utf8(a.mailbox) && address_valid(a.mailbox))
			return true;
	return false;
}

void
submission_addresses(struct submission *s, const struct header_field *f, struct buf *out)
{
	const char *value = f->text.data + f->value, *domain = s->facts->domain;
	size_t len = f->text.len - f->value, before = out->len + f->value;

	buf_add(out, f->text.data, f->value);
	if (add_list(out, value, len, domain, rules_for(s->facts, f->name)) &&
	    f->name == HEADER_FROM && s->facts->keep != KEEP_NONE)
		add_list(&s->original, value, len, domain, NULL);
	if (out->error == 0 && has_utf8_address(out->data + before, out->len - before))
		s->utf8_address = true;
}

/* The name is longer than "From": a line that was at its limit begins a line of its own. */
void
submission_keep(const struct submission *s, bool has_reply_to, struct buf *out)
{
	bool reply_to = s->facts->keep == KEEP_REPLY_TO && !has_reply_to;
	const char *name = reply_to ? "Reply-To:" : "X-Original-From:";
	const char *value = buf_str(&s->original);
	size_t len = s->original.len, blank = strspn(value, " \t\r\n");

	if (len == 0)
		return;
	value += blank;
	len -= blank;
	buf_adds(out, name);
	buf_adds(out, strlen(name) + 1 + strcspn(value, "\r") > FOLD_LEN ? "\r\n " : " ");
	add_list(out, value, len, s->facts->domain, reply_to ? s->facts->reply_to : NULL);
	buf_adds(out, "\r\n");
}
