/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mail/rewrite.h"
#include "sys/settings.h"

#define KEY_MAX 64
#define RELAY "relay."

/* Edits between two names: inserted, left out and changed octets (Levenshtein). */
static size_t
distance(const char *a, const char *b)
{
	size_t row[KEY_MAX + 1], la = strlen(a), lb = strlen(b);

	if (la > KEY_MAX || lb > KEY_MAX)
		return KEY_MAX;
	for (size_t j = 0; j <= lb; j++)
		row[j] = j;
	for (size_t i = 1; i <= la; i++) {
		size_t diagonal = row[0]++;
		for (size_t j = 1; j <= lb; j++) {
			size_t best = diagonal + (a[i - 1] != b[j - 1]);
			diagonal = row[j];
			if (best > row[j] + 1)
				best = row[j] + 1;
			row[j] = best > row[j - 1] + 1 ? row[j - 1] + 1 : best;
		}
	}
	return row[lb];
}

static bool
of_relay(const char *section)
{
	return strncmp(section, RELAY, strlen(RELAY)) == 0;
}

const char *
settings_nearest(const char *section, const char *key)
{
	bool relay = of_relay(section);
	const struct setting *row = relay ? settings_relay_table : settings_table;
	const struct setting *end =
	    row + (relay ? (size_t)SETTINGS_RELAY_COUNT : (size_t)SETTINGS_COUNT);
	const char *best = NULL;
	size_t limit = 3;

	for (; row < end; row++) {
		size_t n = limit;

		if (relay || strcmp(row->section, section) == 0)
			n = distance(row->key, key);
		if (n > 0 && n < limit) {
			limit = n;
			best = row->key;
		}
	}
	return best;
}

static void
place(struct setting_place *p, struct settings *s, size_t number)
{
	const struct setting *row = &settings_table[number];

	*p = (struct setting_place){
	    .section = row->section,
	    .row = row,
	    .field = (char *)s + row->offset,
	    .source = &s->source[number],
	};
}

static void
place_in_relay(struct setting_place *p, struct settings_relay *r, size_t number)
{
	const struct setting *row = &settings_relay_table[number];

	*p = (struct setting_place){
	    .section = r->section,
	    .row = row,
	    .field = (char *)r + row->offset,
	    .source = &r->source[number],
	    .first = &r->first,
	};
}

bool
settings_at(struct settings *s, size_t i, struct setting_place *p)
{
	size_t relay;

	if (i < SETTINGS_COUNT) {
		place(p, s, i);
		return true;
	}
	i -= SETTINGS_COUNT;
	relay = i / SETTINGS_RELAY_COUNT;
	if (relay >= s->nrelays)
		return false;
	place_in_relay(p, &s->relay[relay], i % SETTINGS_RELAY_COUNT);
	return true;
}

/* NULL, or what is wrong with "relay.NAME". */
static const char *
section_trouble(const char *section)
{
	const char *name = section + strlen(RELAY);

	if (*name == '\0' || name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_")] != '\0')
		return "a relay's name has lower-case letters, digits, - and _";
	if (strlen(section) >= SETTINGS_SECTION)
		return "a relay's name has 33 characters at most";
	return NULL;
}

static void *
refuse_memory(struct settings *s, const char **why)
{
	*why = "out of memory";
	s->errors.error = ENOMEM;
	return NULL;
}

/* NULL with *why. */
static struct settings_relay *
find_relay(struct settings *s, const char *section, const char **why)
{
	struct settings_relay *r;
	struct setting_place p;

	for (size_t i = 0; i < s->nrelays; i++)
		if (strcmp(s->relay[i].section, section) == 0)
			return &s->relay[i];
	if ((*why = section_trouble(section)) != NULL)
		return NULL;
	*why = "more than 32 relays";
	if (s->nrelays == SETTINGS_RELAYS)
		return NULL;
	if (s->relay == NULL && (s->relay = calloc(SETTINGS_RELAYS, sizeof(*r))) == NULL)
		return refuse_memory(s, why);
	r = &s->relay[s->nrelays++];
	memcpy(r->section, section, strlen(section) + 1);
	for (size_t k = 0; k < SETTINGS_RELAY_COUNT; k++) {
		place_in_relay(&p, r, k);
		if (settings_store(&p, p.row->fallback, settings_by_default, why) == -1) {
			settings_drop_relay(s);
			return refuse_memory(s, why);
		}
	}
	return r;
}

static bool
find_in_relay(struct settings *s, const char *section, const char *key, struct setting_place *p,
    const char **why)
{
	struct settings_relay *r;
	size_t k = 0;

	*why = "unknown key";
	while (k < SETTINGS_RELAY_COUNT && strcmp(settings_relay_table[k].key, key) != 0)
		k++;
	if (k == SETTINGS_RELAY_COUNT || (r = find_relay(s, section, why)) == NULL)
		return false;
	place_in_relay(p, r, k);
	return true;
}

bool
settings_find(struct settings *s, const char *section, const char *key, struct setting_place *p,
    const char **why)
{
	if (of_relay(section))
		return find_in_relay(s, section, key, p, why);
	*why = "unknown section";
	for (size_t i = 0; i < SETTINGS_COUNT; i++) {
		if (strcmp(settings_table[i].section, section) != 0)
			continue;
		if (strcmp(settings_table[i].key, key) == 0) {
			place(p, s, i);
			return true;
		}
		*why = "unknown key";
	}
	return false;
}

const char *
settings_relay_key(char *name)
{
	size_t len = strlen(name);

	for (size_t k = 0; k < SETTINGS_RELAY_COUNT; k++) {
		const char *key = settings_relay_table[k].key;
		size_t n = strlen(key);

		if (len <= n + 1 || name[len - n - 1] != '_' || strcmp(name + len - n, key) != 0)
			continue;
		name[len - n - 1] = '\0';
		return key;
	}
	return NULL;
}

static bool
same_with_hyphens(const char *with, const char *without)
{
	while (
	    *with != '\0' && (*with == '-' ? '_' : *with) == (*without == '-' ? '_' : *without)) {
		with++;
		without++;
	}
	return *with == *without;
}

const char *
settings_relay_section(const struct settings *s, const char *section)
{
	const char *found = section;

	for (size_t i = 0; i < s->nrelays; i++) {
		if (strcmp(s->relay[i].section, section) == 0)
			return section;
		if (same_with_hyphens(s->relay[i].section, section))
			found = s->relay[i].section;
	}
	return found;
}

const struct settings_relay *
settings_relay_of(const struct settings *s, const char *sender)
{
	for (size_t i = 0; i < s->nrelays; i++)
		if (rewrite_matches(s->relay[i].from, sender))
			return &s->relay[i];
	return NULL;
}

bool
settings_by_relay(const struct settings *s, const char *sender, char dst[HOST_LEN])
{
	const struct settings_relay *r = settings_relay_of(s, sender);

	if ((r != NULL ? r->url : s->relay_url)[0] == '\0')
		return false;
	dst[0] = '\0';
	if (r != NULL)
		snprintf(dst, HOST_LEN, ":%s", settings_relay_name(r));
	return true;
}

bool
settings_is_relay(const char *destination)
{
	return destination[0] == '\0' || destination[0] == ':';
}

const char *
settings_relay_name(const struct settings_relay *r)
{
	return r->section + strlen(RELAY);
}

int
settings_take(struct settings *s, const char *text, const char *source, const char **why)
{
	char section[SETTINGS_SECTION];
	const char *dot = strrchr(text, '.');

	*why = "not a name";
	if (dot == NULL || (size_t)(dot - text) >= sizeof(section))
		return -1;
	snprintf(section, sizeof(section), "%.*s", (int)(dot - text), text);
	return settings_set(s, section, dot + 1, text + strlen(text) + 1, source, why);
}
