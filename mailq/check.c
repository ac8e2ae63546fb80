/* SPDX-License-Identifier: ISC */
#include "check.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"
#include "walk.h"

#define OVERDUE 600 /* seconds behind its time at which a message says that nobody delivers */

enum verdict { OK, WARNING, CRITICAL, UNKNOWN };

struct check {
	uint64_t waiting; /* incoming, active, deferred */
	uint64_t messages[LABELS];
	int64_t oldest; /* age of those, seconds */
	int64_t late;   /* seconds that one is overdue where nobody delivers */
	int64_t due;    /* the same in this spool, whoever delivers */
};

const char *
check_parse(struct level *l, const char *text)
{
	const char *comma = strchr(text, ',');
	char age[32] = "", *end = NULL;
	const char *wrong = NULL;

	*l = (struct level){-1, -1};
	if (comma != NULL && comma[1] != '\0') {
		l->count = comma[1] >= '0' && comma[1] <= '9' ? strtoll(comma + 1, &end, 10) : -1;
		if (end == NULL || *end != '\0')
			return "not a number of messages behind the comma";
	}
	snprintf(age, sizeof(age), "%.*s", (int)(comma != NULL ? comma - text : 31), text);
	if (age[0] != '\0')
		wrong = select_parse_age(&l->age, age);
	return wrong != NULL || l->age != -1 || l->count != -1 ? wrong : "no level: AGE,COUNT";
}

static void
check_entry(struct run *r, struct entry *e)
{
	struct check *c = r->memory;
	int64_t next, age = r->now - (int64_t)(e->arrived / 1000000);

	c->messages[e->label]++;
	if (!entry_next(e, &next))
		return;
	c->waiting++;
	if (age > c->oldest)
		c->oldest = age;
	if (e->label != LABEL_ACTIVE && r->now - next > c->due)
		c->due = r->now - next;
}

static void
check_left(struct run *r, struct spool *sp)
{
	struct check *c = r->memory;

	if (c->due > c->late && !walk_served(r, sp))
		c->late = c->due;
	c->due = 0;
}

static bool
reached(const struct level *l, const struct check *c)
{
	return (l->age != -1 && c->waiting > 0 && c->oldest >= l->age) ||
	       (l->count != -1 && c->waiting >= (uint64_t)l->count);
}

static enum verdict
judge(const struct run *r)
{
	const struct check *c = r->memory;

	if (r->total->status != 0)
		return UNKNOWN;
	if (c->late > OVERDUE || reached(&r->options->critical, c))
		return CRITICAL;
	return reached(&r->options->warning, c) || c->messages[LABEL_FAILED] > 0 ||
		       c->messages[LABEL_DAMAGED] > 0
		   ? WARNING
		   : OK;
}

static void
say(enum verdict v)
{
	static const char *const words[] = {"OK", "WARNING", "CRITICAL", "UNKNOWN"};

	printf("MAILQ %s: ", words[v]);
}

static void
print_number(
    const char *label, long long n, const char *unit, long long warning, long long critical)
{
	printf(" %s=%lld%s;", label, n, unit);
	if (warning != -1)
		printf("%lld", warning);
	putchar(';');
	if (critical != -1)
		printf("%lld", critical);
	fputs(";0", stdout);
}

static void
print_data(const struct run *r)
{
	const struct level *w = &r->options->warning, *e = &r->options->critical;
	const struct check *c = r->memory;

	fputs(" |", stdout);
	print_number("messages", (long long)c->waiting, "", w->count, e->count);
	print_number("age", c->oldest, "s", w->age, e->age);
	print_number("size", (long long)r->total->octets, "B", -1, -1);
	for (unsigned i = 0; i < LABELS; i++)
		print_number(label_name(i), (long long)c->messages[i], "", -1, -1);
	putchar('\n');
}

static int
check_end(struct run *r)
{
	const struct check *c = r->memory;
	enum verdict v = judge(r);
	char age[TEXT_AGE];

	say(v);
	if (v == UNKNOWN)
		printf("%s", r->total->why);
	else if (c->waiting == 0)
		fputs("nothing waits", stdout);
	else
		printf("%" PRIu64 " message%s, the oldest %s old", c->waiting,
		    c->waiting == 1 ? "" : "s", text_age(age, c->oldest));
	for (unsigned i = LABEL_HOLD; v != UNKNOWN && i < LABELS; i++)
		if (c->messages[i] > 0)
			printf(", %" PRIu64 " %s%s", c->messages[i], i == LABEL_HOLD ? "on " : "",
			    label_name(i));
	if (v != UNKNOWN && c->late > OVERDUE)
		fputs(", nobody delivers", stdout);
	print_data(r);
	return (int)v;
}

int
check_unknown(const char *why)
{
	char clean[512];

	text_clean(clean, sizeof(clean), why, strlen(why));
	say(UNKNOWN);
	puts(clean);
	return UNKNOWN;
}

const struct act act_check = {
    .memory = sizeof(struct check),
    .entry = check_entry,
    .left = check_left,
    .end = check_end,
    .own_status = true,
};
