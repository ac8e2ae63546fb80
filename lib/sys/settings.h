/* SPDX-License-Identifier: ISC */
/*
 * settings: the rows of lib/sys/settings.def and relay.def, and what a value of each type is. For
 * config.c, which says where the values come from; everybody else wants sys/config.h.
 *
 *	settings.c        the tables; values, from text and to text
 *	settings_find.c   names, and the sections [relay.NAME]
 *	settings_urls.c   passwords in URLs
 */
#ifndef SYS_SETTINGS_H
#define SYS_SETTINGS_H

#include <stddef.h>

#include "sys/config.h"

struct setting {
	const char *section; /* NULL in settings_relay_table */
	const char *key;
	int type;
	size_t offset; /* in struct settings or struct settings_relay */
	const char *fallback;
};

extern const struct setting settings_table[SETTINGS_COUNT];
extern const struct setting settings_relay_table[SETTINGS_RELAY_COUNT];

extern const struct settings_source settings_by_default;

/* A setting in its place. */
struct setting_place {
	const char *section;
	const struct setting *row;
	void *field;
	struct settings_source *source;
	struct settings_source *first; /* of a relay's section; else NULL */
};

/* The i-th of all, those of relays last. False when there are no more. */
bool settings_at(struct settings *s, size_t i, struct setting_place *p);

/* A section [relay.NAME] comes to be. False with *why "unknown section", "unknown key" … */
bool settings_find(struct settings *s, const char *section, const char *key,
    struct setting_place *p, const char **why);

/*
 * The section [relay.NAME] of "NAME_key", as the environment has it, which is cut down to NAME; its
 * key is returned. NULL: it ends in none of their keys.
 */
const char *settings_relay_key(char *name);

/*
 * The section that "relay.NAME" of the environment means: one that is there and differs from it in
 * hyphens for underscores only, else itself.
 */
const char *settings_relay_section(const struct settings *s, const char *section);

/* Whether the value is never to be shown. */
bool settings_is_secret(const struct setting_place *p);

/* The key of a section that was probably meant, or NULL. */
const char *settings_nearest(const char *section, const char *key);

/* Forget the last relay. */
void settings_drop_relay(struct settings *s);

/* Check a value and keep it. 0, or -1 with *why a constant string; out of memory: errno ENOMEM. */
int settings_store(const struct setting_place *p, const char *value, struct settings_source source,
    const char **why);

/* Passwords in a list of URLs: starred out in place; printed as ***. */
void settings_hide_passwords(char *urls);
void settings_print_urls(struct buf *out, const char *urls);

#endif
