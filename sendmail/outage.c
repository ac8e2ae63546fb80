/* SPDX-License-Identifier: ISC */
#include "outage.h"

#include <stdlib.h>
#include <string.h>

#define BUCKETS_FIRST 16

struct outage {
	struct outage *next;
	int64_t until; /* not to be tried before; 0: now */
	unsigned failures;
	struct status status;
	enum stage stage;
	char *destination;
	char *text;
};

/* FNV-1a: destinations are names that we looked up, an attacker gains little by collisions. */
static size_t
hash(const char *s)
{
	uint32_t h = 2166136261U;

	for (; *s != '\0'; s++)
		h = (h ^ (unsigned char)*s) * 16777619U;
	return h;
}

static struct outage **
place(const struct outages *t, const char *destination)
{
	struct outage **o = &t->bucket[hash(destination) % t->buckets];

	while (*o != NULL && strcmp((*o)->destination, destination) != 0)
		o = &(*o)->next;
	return o;
}

bool
outage_find(const struct outages *t, const char *destination, int64_t now, struct outcome *o,
    int64_t *until)
{
	const struct outage *out = t->buckets > 0 ? *place(t, destination) : NULL;

	if (out == NULL || out->until <= now)
		return false;
	*o = status_trouble(out->stage, SCOPE_DESTINATION, out->status, "%s", out->text);
	*until = out->until;
	return true;
}

/* Twice as many buckets. Where memory lacks, longer chains do. */
static void
grow(struct outages *t)
{
	struct outages bigger = {.buckets = t->buckets > 0 ? t->buckets * 2 : BUCKETS_FIRST};

	if (t->count < t->buckets ||
	    (bigger.bucket = calloc(bigger.buckets, sizeof(void *))) == NULL)
		return;
	for (size_t i = 0; i < t->buckets; i++)
		for (struct outage *o = t->bucket[i], *next; o != NULL; o = next) {
			struct outage **to = place(&bigger, o->destination);
			next = o->next;
			o->next = *to;
			*to = o;
		}
	bigger.count = t->count;
	free(t->bucket);
	*t = bigger;
}

static struct outage *
add(struct outages *t, const char *destination)
{
	struct outage *o, **to;

	grow(t);
	if (t->buckets == 0 || (o = calloc(1, sizeof(*o))) == NULL)
		return NULL;
	if ((o->destination = strdup(destination)) == NULL) {
		free(o);
		return NULL;
	}
	to = place(t, destination);
	o->next = *to;
	*to = o;
	t->count++;
	return o;
}

void
outage_note(struct outages *t, const char *destination, const struct outcome *outcome,
    const struct retry_policy *policy, int64_t now, uint32_t seed)
{
	struct outage *o = t->buckets > 0 ? *place(t, destination) : NULL;
	char *text;

	/* Several sessions that fail together are one failure. */
	if (o != NULL && o->until > now)
		return;
	if (o == NULL && (o = add(t, destination)) == NULL)
		return;
	if ((text = strdup(outcome->text)) == NULL)
		return;
	free(o->text);
	o->text = text;
	o->status = outcome->status;
	o->stage = outcome->stage;
	o->until = retry_next(policy, ++o->failures, now, seed);
}

bool
outage_over(struct outages *t, const char *destination)
{
	struct outage **at = t->buckets > 0 ? place(t, destination) : NULL, *o;

	if (at == NULL || (o = *at) == NULL)
		return false;
	*at = o->next;
	t->count--;
	free(o->destination);
	free(o->text);
	free(o);
	return true;
}

void
outage_retry_all(struct outages *t)
{
	for (size_t i = 0; i < t->buckets; i++)
		for (struct outage *o = t->bucket[i]; o != NULL; o = o->next)
			o->until = 0;
}

void
outage_free(struct outages *t)
{
	for (size_t i = 0; i < t->buckets; i++)
		while (t->bucket[i] != NULL)
			outage_over(t, t->bucket[i]->destination);
	free(t->bucket);
	*t = (struct outages){0};
}
