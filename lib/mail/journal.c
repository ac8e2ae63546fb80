/* SPDX-License-Identifier: ISC */
#include "mail/journal.h"

#include <stdio.h>
#include <string.h>

#define WAITS "waits"
#define AGE "age"

static const char words[][STATUS_LEN] = {
    [JOURNAL_TOLD] = "told",
    [JOURNAL_WARNED] = "warned",
    [JOURNAL_COPIED] = "copied",
    [JOURNAL_RELEASED] = "released",
};

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
journal_add_waits(struct buf *out, int64_t now, size_t recipient, const struct outcome *o)
{
	char text[OUTCOME_TEXT + STATUS_LEN], status[STATUS_LEN];

	snprintf(text, sizeof(text), "%s %s", status_print(status, o->status), o->text);
	add(out, now, recipient, WAITS, text);
}

void
journal_add_age(struct buf *out, const struct retry_age *age)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)age->used);
	add(out, age->at, 0, AGE, text);
}

void
journal_add_word(
    struct buf *out, int64_t now, size_t recipient, enum journal_word word, const char *text)
{
	add(out, now, recipient, words[word], text);
}

/* Digits up to a `stop`: the number, or -1. *s moves behind it. */
static int64_t
number(const char **s, const char *end, char stop)
{
	int64_t n = 0;
	const char *p = *s;

	while (p < end && *p >= '0' && *p <= '9' && n < INT64_MAX / 100)
		n = n * 10 + (*p++ - '0');
	if (p == *s || p == end || *p != stop)
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

	if (s == end || *s++ != '@' || (line->when = number(&s, end, ' ')) < 0 ||
	    (n = number(&s, end, ' ')) < 0)
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

static bool
has_word(const struct journal_line *line, const char *word)
{
	return line->statuslen == strlen(word) && memcmp(line->status, word, line->statuslen) == 0;
}

/* The status at the start of s[len]: its octets, 0 when there is none. */
static size_t
take_status(struct status *st, const char *s, size_t len)
{
	char word[STATUS_LEN];
	const char *space = memchr(s, ' ', len);
	size_t n = space != NULL ? (size_t)(space - s) : len;

	if (n >= sizeof(word))
		return 0;
	memcpy(word, s, n);
	word[n] = '\0';
	return status_parse(st, word) == n ? n : 0;
}

static void
set(struct recipient *r, struct status st, int64_t when, const char *text, size_t len)
{
	if (r->status.class == 2 || r->status.class == 5)
		return;
	r->status = st;
	r->when = when;
	r->text = text;
	r->textlen = len;
}

static void
fold_waits(struct recipient *r, const struct journal_line *line)
{
	struct status st;
	size_t n = take_status(&st, line->text, line->textlen);

	if (n > 0 && n < line->textlen && st.class == 4)
		set(r, st, line->when, line->text + n + 1, line->textlen - n - 1);
}

/* Its schedule and its reports begin anew; that the postmaster has a copy stays. */
static void
fold_released(struct recipient *r)
{
	if (r->status.class != 5)
		return;
	r->status = STATUS(4, r->status.subject, r->status.detail);
	r->reported = r->warned = false;
	r->attempts = 1;
}

static void
fold(struct recipient *r, const struct journal_line *line)
{
	struct status st = {0};

	r->reported |= has_word(line, words[JOURNAL_TOLD]);
	r->warned |= has_word(line, words[JOURNAL_WARNED]);
	r->copied |= has_word(line, words[JOURNAL_COPIED]);
	if (has_word(line, words[JOURNAL_RELEASED]))
		fold_released(r);
	else if (has_word(line, WAITS))
		fold_waits(r, line);
	else if (take_status(&st, line->status, line->statuslen) == line->statuslen) {
		r->attempts += st.class == 4 && r->status.class != 2 && r->status.class != 5;
		set(r, st, line->when, line->text, line->textlen);
	}
}

static void
fold_age(struct envelope *e, const struct journal_line *line)
{
	const char *s = line->text;
	int64_t used = number(&s, s + line->textlen + 1, '\n');

	if (used >= 0)
		e->age = (struct retry_age){.used = used, .at = line->when};
}

void
journal_fold(struct envelope *e, const char *data, size_t len)
{
	struct journal_line line;
	size_t at = 0;

	while (journal_next(&line, data, len, &at))
		if (has_word(&line, AGE))
			fold_age(e, &line);
		else if (line.recipient < e->nrcpt)
			fold(&e->rcpt[line.recipient], &line);
}
