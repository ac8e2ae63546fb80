/* SPDX-License-Identifier: ISC */
#include "detail.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "mail/journal.h"
#include "show.h"
#include "text.h"

#define INDENT "    "

/* "2026-11-23 16:13:05", local. */
static void
print_time(int64_t seconds)
{
	time_t when = (time_t)seconds;
	char text[32] = "(no such time)";
	struct tm tm;

	if (localtime_r(&when, &tm) != NULL)
		strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm);
	fputs(text, stdout);
}

static void
print_state(const struct run *r, const struct entry *e)
{
	const struct claim *c = &e->claim;
	char age[TEXT_AGE];
	unsigned n = entry_attempts(e);

	printf(INDENT "%s, in %s/%s of uid %u\n", label_name(e->label), c->spool->path,
	    spool_state_name(c->state), (unsigned)c->spool->owner);
	fputs(INDENT "arrived ", stdout);
	print_time((int64_t)(e->arrived / 1000000));
	printf(", %s ago, posted by uid %u, %s, %u attempt%s\n",
	    text_age(age, r->now - (int64_t)(e->arrived / 1000000)), c->envelope.uid,
	    body_name(c->envelope.body), n, n == 1 ? "" : "s");
}

static void
print_next(const struct run *r, const struct entry *e)
{
	char age[TEXT_AGE];
	int64_t when;

	if (e->label == LABEL_ACTIVE)
		puts(INDENT "being attempted now");
	else if (!entry_next(e, &when))
		puts(INDENT "no further attempt until somebody decides");
	else if (when <= r->now)
		puts(INDENT "next attempt as soon as possible");
	else {
		fputs(INDENT "next attempt ", stdout);
		print_time(when);
		printf(", in %s\n", text_age(age, when - r->now));
	}
}

/* The fields of the head that have not been said in other words. */
static void
print_envelope(const struct run *r, const struct entry *e)
{
	static const char *const said[] = {
	    "pillarbox ", "id ", "arrived ", "uid ", "size ", "body ", "dots "};
	struct buf b = BUF_INIT(ENVELOPE_HEAD_MAX);
	const char *end;

	envelope_print(&b, &e->claim.envelope);
	if (b.error != 0)
		r->total->output = b.error;
	for (const char *s = buf_str(&b); (end = strchr(s, '\n')) != NULL && end > s; s = end + 1) {
		size_t i = 0, n = sizeof(said) / sizeof(said[0]);
		while (i < n && strncmp(s, said[i], strlen(said[i])) != 0)
			i++;
		if (i < n)
			continue;
		fputs(INDENT, stdout);
		show_clean(s, (size_t)(end - s));
		putchar('\n');
	}
	buf_free(&b);
}

static void
print_history(const struct entry *e)
{
	const struct envelope *v = &e->claim.envelope;
	struct journal_line line;
	size_t at = 0;

	while (journal_next(&line, e->claim.journal.data, e->claim.journal.len, &at)) {
		fputs(INDENT, stdout);
		print_time(line.when);
		fputs(" <", stdout);
		if (line.recipient < v->nrcpt)
			show_clean(v->rcpt[line.recipient].address,
			    strlen(v->rcpt[line.recipient].address));
		fputs("> ", stdout);
		show_clean(line.status, line.statuslen);
		putchar(' ');
		show_clean(line.text, line.textlen);
		putchar('\n');
	}
}

void
detail_print(const struct run *r, const struct entry *e)
{
	if (e->label == LABEL_DAMAGED) {
		printf(INDENT "damaged, in %s/%s of uid %u\n", e->claim.spool->path,
		    spool_state_name(e->claim.state), (unsigned)e->claim.spool->owner);
		return;
	}
	print_state(r, e);
	print_next(r, e);
	print_envelope(r, e);
	print_history(e);
}
