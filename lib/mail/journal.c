/* SPDX-License-Identifier: ISC */
#include "mail/journal.h"

#include <string.h>

#define TOLD "told"

static void
add(struct buf *out, int64_t now, size_t recipient, const char *status, const char *text)
{
	char clean[OUTCOME_TEXT];

	text_clean(clean, sizeof(clean), text, strlen(text));
	buf_addf(out, "@%lld %zu %s %s\n", (long long)now, recipient, status, clean);
}

void
journal_add(struct buf *out, int64_t now, size_t recipient, const struct outcome *o)
{
	char status[STATUS_LEN];

	add(out, now, recipient, status_print(status, o->status), o->text);
}

void
journal_add_told(struct buf *out, int64_t now, size_t recipient, const char *text)
{
	add(out, now, recipient, TOLD, text);
}

/* Digits up to a space: the number, or -1. *s moves behind the space. */
static int64_t
number(const char **s, const char *end)
{
	int64_t n = 0;
	const char *p = *s;

	while (p < end && *p >= '0' && *p <= '9' && n < INT64_MAX / 100)
		n = n * 10 + (*p++ - '0');
	if (p == *s || p == end || *p != ' ')
		return -1;
	*s = p + 1;
	return n;
}

/* "@time recipient status text" without its LF. */
static bool
parse(struct journal_line *line, const char *s, const char *end)
{
	const char *space;
	int64_t n;

	if (s == end || *s++ != '@' || (line->when = number(&s, end)) < 0 ||
	    (n = number(&s, end)) < 0)
		return false;
	line->recipient = (size_t)n;
	if ((space = memchr(s, ' ', (size_t)(end - s))) == NULL || space == s)
		return false;
	line->status = s;
	line->statuslen = (size_t)(space - s);
	line->text = space + 1;
	line->textlen = (size_t)(end - line->text);
	return true;
}

bool
journal_next(struct journal_line *line, const char *data, size_t len, size_t *at)
{
	while (*at < len) {
		const char *s = data + *at, *end = memchr(s, '\n', len - *at);
		if (end == NULL)
			return false;
		*at = (size_t)(end - data) + 1;
		if (parse(line, s, end))
			return true;
	}
	return false;
}

static void
fold(struct recipient *r, const struct journal_line *line)
{
	char word[STATUS_LEN];
	struct status st;

	if (line->statuslen >= sizeof(word))
		return;
	memcpy(word, line->status, line->statuslen);
	word[line->statuslen] = '\0';
	if (strcmp(word, TOLD) == 0) {
		r->reported = true;
		return;
	}
	if (status_parse(&st, word) != line->statuslen || r->status.class == 2 ||
	    r->status.class == 5)
		return;
	r->status = st;
	r->when = line->when;
	r->text = line->text;
	r->textlen = line->textlen;
	if (st.class == 4)
		r->attempts++;
}

void
journal_fold(struct envelope *e, const char *data, size_t len)
{
	struct journal_line line;
	size_t at = 0;

	while (journal_next(&line, data, len, &at))
		if (line.recipient < e->nrcpt)
			fold(&e->rcpt[line.recipient], &line);
}
