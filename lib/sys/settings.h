/* SPDX-License-Identifier: ISC */
/*
 * settings: the rows of lib/sys/settings.def and what a value of each type is. For config.c, which
 * says where the values come from; everybody else wants sys/config.h.
 */
#ifndef SYS_SETTINGS_H
#define SYS_SETTINGS_H

#include <stddef.h>

#include "sys/config.h"

struct setting {
	const char *section, *key;
	int type;
	size_t offset; /* in struct settings */
	const char *fallback;
};

extern const struct setting settings_table[SETTINGS_COUNT];

/* NULL with *why "unknown section" or "unknown key". */
const struct setting *settings_find(const char *section, const char *key, const char **why);

/* Check a value and keep it. 0, or -1 with *why a constant string; out of memory: errno ENOMEM. */
int settings_store(struct settings *s, const struct setting *row, const char *value,
    struct settings_source source, const char **why);

#endif
