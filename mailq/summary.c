/* SPDX-License-Identifier: ISC */
#include "summary.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mail/hash.h"
#include "mail/route.h"
#include "text.h"

#define SLOTS (2 * SUMMARY_GROUPS) /* a power of two: half of them stay empty */
#define OTHERS "(others)"

enum table { DESTINATIONS, SENDERS, REASONS, TABLES };

struct group {
	uint64_t count;
	int64_t oldest; /* age in seconds */
	char name[OUTCOME_TEXT];
};

struct summary {
	struct groups {
		unsigned used;
		struct group others;
		struct group slot[SLOTS];
	} table[TABLES];
};

/* By open addressing; a name that is new when the table is full goes to the others. */
static struct group *
find(struct groups *t, const char *name)
{
	for (uint32_t i = hash_text(name);; i++) {
		struct group *g = &t->slot[i % SLOTS];
		if (g->count > 0 && strcmp(g->name, name) == 0)
			return g;
		if (g->count > 0)
			continue;
		if (t->used == SUMMARY_GROUPS)
			return &t->others;
		t->used++;
		snprintf(g->name, sizeof(g->name), "%s", name);
		return g;
	}
}

static void
add(struct run *r, enum table table, const char *name, int64_t age)
{
	struct summary *s = r->memory;
	struct group *g = find(&s->table[table], name);

	g->count++;
	if (age > g->oldest)
		g->oldest = age;
}

static void
add_recipient(struct run *r, const struct recipient *rcpt, int64_t age)
{
	char domain[HOST_LEN], clean[OUTCOME_TEXT];

	if (route_domain(domain, rcpt->address) == -1)
		domain[0] = '\0';
	text_clean(clean, sizeof(clean), domain, strlen(domain));
	add(r, DESTINATIONS, clean, age);
	snprintf(clean, sizeof(clean), "(never tried)");
	if (rcpt->text != NULL)
		text_clean(clean, sizeof(clean), rcpt->text, rcpt->textlen);
	add(r, REASONS, clean, age);
}

static void
summary_entry(struct run *r, struct entry *e)
{
	const struct envelope *v = &e->claim.envelope;
	int64_t age = r->now - (int64_t)(e->arrived / 1000000);
	char sender[ADDRESS_MAX + 1];

	if (e->label == LABEL_DAMAGED) {
		add(r, SENDERS, "(damaged)", age);
		return;
	}
	entry_sender(sender, e);
	add(r, SENDERS, sender, age);
	for (const struct recipient *rcpt = v->rcpt; rcpt < v->rcpt + v->nrcpt; rcpt++)
		if (entry_concerns(e, rcpt))
			add_recipient(r, rcpt, age);
}

/* The most frequent first; those that are not there last. */
static int
by_count(const void *a, const void *b)
{
	const struct group *x = a, *y = b;

	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	return strcmp(x->name, y->name);
}

static void
print_group(const struct group *g, const char *name)
{
	char age[TEXT_AGE];

	printf("%10" PRIu64 "  %6s  %s\n", g->count, text_age(age, g->oldest), name);
}

static int
summary_end(struct run *r)
{
	static const char *const heads[TABLES] = {
	    [DESTINATIONS] = "Recipients  Oldest  Destination",
	    [SENDERS] = "  Messages  Oldest  Sender",
	    [REASONS] = "Recipients  Oldest  Reason",
	};
	struct summary *s = r->memory;
	char size[TEXT_SIZE];

	for (int i = 0; i < TABLES && r->total->requests > 0; i++) {
		struct groups *t = &s->table[i];
		qsort(t->slot, SLOTS, sizeof(t->slot[0]), by_count);
		puts(heads[i]);
		for (unsigned j = 0; j < t->used; j++)
			print_group(&t->slot[j], t->slot[j].name);
		if (t->others.count > 0)
			print_group(&t->others, OTHERS);
		putchar('\n');
	}
	printf("-- %" PRIu64 " message%s, %s octets\n", r->total->requests,
	    r->total->requests == 1 ? "" : "s", text_size(size, r->total->octets));
	return total_listed(r->total);
}

const struct act act_summary = {
    .memory = sizeof(struct summary), .entry = summary_entry, .end = summary_end};
