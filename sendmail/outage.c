/* SPDX-License-Identifier: ISC */
#include "outage.h"

#include <stdlib.h>
#include <string.h>

#include "mail/hash.h"

#define BUCKETS_FIRST 16
#define SWEEP_EVERY 60 /* seconds */

struct outage {
	struct outage *next;
	int64_t until; /* not to be tried before */
	unsigned failures;
	struct status status;
	enum stage stage;
	char names[]; /* the destination, and behind its NUL the text */
};

_Static_assert(sizeof(struct outage) + OUTAGE_TEXT + 1 <= OUTAGE_SIZE, "an entry is small");

static const char *
text_of(const struct outage *o)
{
	return o->names + strlen(o->names) + 1;
}

/* Where it is, or would be; there are buckets. */
static struct outage **
place(const struct outages *t, const char *destination)
{
	struct outage **o = &t->bucket[hash_text(destination) % t->buckets];

	while (*o != NULL && strcmp((*o)->names, destination) != 0)
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
	*o = status_trouble(out->stage, SCOPE_DESTINATION, out->status, "%s", text_of(out));
	*until = out->until;
	return true;
}

static void
forget(struct outages *t, struct outage **at)
{
	struct outage *o = *at;

	*at = o->next;
	t->count--;
	free(o);
}

/* Mail for a destination tries it at `until`. When that is long past, there is none. */
static void
forget_stale(struct outages *t, const struct retry_policy *policy, int64_t now)
{
	int64_t before = now - OUTAGE_STALE - 2 * retry_longest(policy);

	if (now >= t->swept && now < t->swept + SWEEP_EVERY)
		return;
	t->swept = now;
	for (size_t i = 0; i < t->buckets; i++)
		for (struct outage **at = &t->bucket[i]; *at != NULL;)
			if ((*at)->until < before)
				forget(t, at);
			else
				at = &(*at)->next;
}

/* Twice as many buckets. Where memory lacks, longer chains do. */
static void
grow(struct outages *t)
{
	struct outages bigger = {
	    .buckets = t->buckets > 0 ? t->buckets * 2 : BUCKETS_FIRST, .swept = t->swept};

	if ((bigger.bucket = calloc(bigger.buckets, sizeof(void *))) == NULL)
		return;
	for (size_t i = 0; i < t->buckets; i++)
		for (struct outage *o = t->bucket[i], *next; o != NULL; o = next) {
			struct outage **to = place(&bigger, o->names);
			next = o->next;
			o->next = *to;
			*to = o;
		}
	bigger.count = t->count;
	free(t->bucket);
	*t = bigger;
}

static struct outage *
make(const char *destination, const char *text)
{
	char kept[OUTAGE_TEXT];
	size_t n = strlen(destination) + 1, len;
	struct outage *o;

	text_clean(kept, sizeof(kept), text, strlen(text));
	len = strlen(kept) + 1;
	if ((o = calloc(1, sizeof(*o) + n + len)) == NULL)
		return NULL;
	memcpy(o->names, destination, n);
	memcpy(o->names + n, kept, len);
	return o;
}

/* Put it in the old one's place, or add it. */
static void
insert(struct outages *t, struct outage *o, struct outage **old)
{
	if (old != NULL && *old != NULL) {
		o->next = (*old)->next;
		free(*old);
		*old = o;
		return;
	}
	if (t->count >= t->buckets)
		grow(t);
	if (t->buckets == 0 || t->count >= OUTAGES_MAX) {
		free(o);
		return;
	}
	old = place(t, o->names);
	o->next = *old;
	*old = o;
	t->count++;
}

bool
outage_note(struct outages *t, const char *destination, const struct outcome *outcome,
    const struct retry_policy *policy, int64_t now, uint32_t seed)
{
	struct outage **old, *o;
	unsigned failures;
	bool news;

	if (t->count >= t->buckets || t->count >= OUTAGES_MAX)
		forget_stale(t, policy, now);
	old = t->buckets > 0 ? place(t, destination) : NULL;
	/* Several sessions that fail together are one failure. */
	if (old != NULL && *old != NULL && (*old)->until > now)
		return false;
	failures = old != NULL && *old != NULL ? (*old)->failures : 0;
	news = failures == 0 || (*old)->stage != outcome->stage;
	if ((o = make(destination, outcome->text)) == NULL)
		return news;
	o->status = outcome->status;
	o->stage = outcome->stage;
	o->failures = failures + 1;
	o->until = retry_next(policy, o->failures, now, seed);
	insert(t, o, old);
	return news;
}

bool
outage_over(struct outages *t, const char *destination)
{
	struct outage **at = t->buckets > 0 ? place(t, destination) : NULL;

	if (at == NULL || *at == NULL)
		return false;
	forget(t, at);
	return true;
}

void
outage_retry_all(struct outages *t, int64_t now)
{
	for (size_t i = 0; i < t->buckets; i++)
		for (struct outage *o = t->bucket[i]; o != NULL; o = o->next)
			if (o->until > now)
				o->until = now;
}

void
outage_free(struct outages *t)
{
	for (size_t i = 0; i < t->buckets; i++)
		while (t->bucket[i] != NULL)
			forget(t, &t->bucket[i]);
	free(t->bucket);
	*t = (struct outages){0};
}

/* Of an entry as it is saved; behind it its names, each with its NUL. */
struct saved {
	int64_t until;
	uint32_t failures, stage;
	struct status status;
	uint32_t len; /* of the names */
};

static size_t
names_len(const struct outage *o)
{
	return strlen(o->names) + 1 + strlen(text_of(o)) + 1;
}

size_t
outage_save(const struct outages *t, char *dst, size_t size)
{
	size_t used = 0;

	for (size_t i = 0; i < t->buckets; i++)
		for (const struct outage *o = t->bucket[i]; o != NULL; o = o->next) {
			const struct saved s = {.until = o->until,
			    .failures = o->failures,
			    .stage = o->stage,
			    .status = o->status,
			    .len = (uint32_t)names_len(o)};

			if (sizeof(s) + s.len > size - used)
				return used;
			memcpy(dst + used, &s, sizeof(s));
			memcpy(dst + used + sizeof(s), o->names, s.len);
			used += sizeof(s) + s.len;
		}
	return used;
}

/* Two texts that end in a NUL, and nothing else. */
static bool
two_names(const char *names, size_t len)
{
	const char *end = memchr(names, '\0', len);

	return end != NULL && (size_t)(end + 1 - names) < len &&
	       memchr(end + 1, '\0', len - (size_t)(end + 1 - names)) == names + len - 1;
}

static void
load_one(struct outages *t, const struct saved *s, const char *names)
{
	struct outage *o = make(names, names + strlen(names) + 1);

	if (o == NULL)
		return;
	o->until = s->until;
	o->failures = s->failures;
	o->stage = (enum stage)s->stage;
	o->status = s->status;
	insert(t, o, t->buckets > 0 ? place(t, names) : NULL);
}

void
outage_load(struct outages *t, const char *src, size_t size)
{
	struct saved s;

	while (size >= sizeof(s)) {
		memcpy(&s, src, sizeof(s));
		src += sizeof(s);
		size -= sizeof(s);
		if (s.len > size || !two_names(src, s.len) || s.stage > STAGE_QUIT ||
		    s.status.class != 4)
			return;
		load_one(t, &s, src);
		src += s.len;
		size -= s.len;
	}
}
