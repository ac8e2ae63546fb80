/* SPDX-License-Identifier: ISC */
#include "mail/counts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mail/hash.h"

#define FORMAT "pillarbox counts 1\n"
#define END_LEN (sizeof("end 01234567\n") - 1)

static const char *const names[COUNTED] = {
    [COUNTED_SENT] = "sent",
    [COUNTED_DEFERRED] = "deferred",
    [COUNTED_BOUNCED] = "bounced",
    [COUNTED_EXPIRED] = "expired",
};

const char *
counted_name(enum counted what)
{
	return names[what];
}

/* The place of a destination: its own, a free one, or that of the one which is oldest. */
static struct counts_destination *
place(struct counts *c, const char *name)
{
	struct counts_destination *oldest = c->destination;

	for (unsigned i = 0; i < c->ndestinations; i++) {
		if (strcmp(c->destination[i].name, name) == 0)
			return &c->destination[i];
		if (c->destination[i].success < oldest->success)
			oldest = &c->destination[i];
	}
	if (c->ndestinations < COUNTS_DESTINATIONS)
		oldest = &c->destination[c->ndestinations++];
	oldest->success = 0;
	snprintf(oldest->name, sizeof(oldest->name), "%s", name);
	return oldest;
}

void
counts_success(struct counts *c, const char *name, int64_t when)
{
	struct counts_destination *d = place(c, name);

	if (when > d->success)
		d->success = when;
}

static void
add_success(struct counts *c, const char *destination, int64_t now)
{
	char name[HOST_LEN + sizeof("relay.")];

	if (destination[0] == '\0')
		counts_success(c, "relay", now);
	else if (destination[0] != ':')
		counts_success(c, destination, now);
	else if (snprintf(name, sizeof(name), "relay.%s", destination + 1) < HOST_LEN)
		counts_success(c, name, now);
}

void
counts_add(struct counts *c, const char *destination, struct status st, bool expired, int64_t now)
{
	unsigned subject = st.subject < COUNTS_SUBJECTS ? st.subject : 0;

	if (c->since == 0)
		c->since = now;
	if (st.class == 2) {
		c->total[COUNTED_SENT]++;
		add_success(c, destination, now);
		return;
	}
	c->total[st.class == 4 ? COUNTED_DEFERRED : expired ? COUNTED_EXPIRED : COUNTED_BOUNCED]++;
	c->failures[st.class != 4][subject]++;
}

void
counts_print(struct buf *out, const struct counts *c)
{
	size_t start = out->len;

	buf_addf(out, FORMAT "since %" PRId64 "\n", c->since);
	for (unsigned i = 0; i < COUNTED; i++)
		buf_addf(out, "%s %" PRIu64 "\n", names[i], c->total[i]);
	for (unsigned class = 0; class < 2; class ++)
		for (unsigned i = 0; i < COUNTS_SUBJECTS; i++)
			if (c->failures[class][i] != 0)
				buf_addf(out, "failures %u %u %" PRIu64 "\n", class + 4, i,
				    c->failures[class][i]);
	for (unsigned i = 0; i < c->ndestinations; i++)
		buf_addf(out, "success %" PRId64 " %s\n", c->destination[i].success,
		    c->destination[i].name);
	buf_addf(out, "end %08" PRIx32 "\n", hash_text(buf_str(out) + start));
}

/* Digits up to `end`, which is passed over. -1: there are none. */
static int
take(const char **s, char end, uint64_t *n)
{
	const char *p = *s;

	for (*n = 0; *p >= '0' && *p <= '9' && *n < UINT64_MAX / 100; p++)
		*n = *n * 10 + (uint64_t)(*p - '0');
	if (p == *s || *p != end)
		return -1;
	*s = p + (end != '\0');
	return 0;
}

static int
parse_failures(struct counts *c, const char *s)
{
	uint64_t class, subject, n;

	if (take(&s, ' ', &class) == -1 || take(&s, ' ', &subject) == -1 ||
	    take(&s, '\0', &n) == -1 || class < 4 || class > 5 || subject >= COUNTS_SUBJECTS)
		return -1;
	c->failures[class - 4][subject] = n;
	return 0;
}

static int
parse_success(struct counts *c, const char *s)
{
	uint64_t when;

	if (take(&s, ' ', &when) == -1 || when > INT64_MAX || *s == '\0' || strlen(s) >= HOST_LEN)
		return -1;
	counts_success(c, s, (int64_t)when);
	return 0;
}

/* What follows a word and a space; NULL: it is another word. */
static const char *
behind(const char *line, const char *word)
{
	size_t len = strlen(word);

	return strncmp(line, word, len) == 0 && line[len] == ' ' ? line + len + 1 : NULL;
}

static int
parse_line(struct counts *c, const char *line)
{
	const char *s;
	uint64_t n;

	for (unsigned i = 0; i < COUNTED; i++)
		if ((s = behind(line, names[i])) != NULL)
			return take(&s, '\0', &c->total[i]);
	if ((s = behind(line, "failures")) != NULL)
		return parse_failures(c, s);
	if ((s = behind(line, "success")) != NULL)
		return parse_success(c, s);
	if ((s = behind(line, "since")) == NULL || take(&s, '\0', &n) == -1 || n > INT64_MAX)
		return -1;
	c->since = (int64_t)n;
	return 0;
}

/* Where the line "end" begins; NULL: it is not there, or is not that of what stands before it. */
static const char *
find_end(const char *text)
{
	const char *end = strstr(text, "\nend ");
	char wanted[END_LEN + 1];
	char *head;

	if (end == NULL || (head = strndup(text, (size_t)(end + 1 - text))) == NULL)
		return NULL;
	snprintf(wanted, sizeof(wanted), "end %08" PRIx32 "\n", hash_text(head));
	free(head);
	return strncmp(end + 1, wanted, END_LEN) == 0 ? end + 1 : NULL;
}

static int
parse_lines(struct counts *c, const char *s, const char *end)
{
	char line[HOST_LEN + 64];

	for (; s < end; s += strlen(line) + 1) {
		size_t len = strcspn(s, "\n");
		if (len >= sizeof(line))
			return -1;
		memcpy(line, s, len);
		line[len] = '\0';
		if (parse_line(c, line) == -1)
			return -1;
	}
	return 0;
}

int
counts_parse(struct counts *c, const char *text, size_t len)
{
	char *copy = strndup(text, len);
	const char *end = copy != NULL ? find_end(copy) : NULL;
	int r = -1;

	memset(c, 0, sizeof(*c));
	if (end != NULL && strncmp(copy, FORMAT, strlen(FORMAT)) == 0)
		r = parse_lines(c, copy + strlen(FORMAT), end);
	if (r == -1)
		memset(c, 0, sizeof(*c));
	free(copy);
	return r;
}
