/* SPDX-License-Identifier: ISC */
/*
 * alias_impl: what the files of alias share: alias.c has the file and its lines, alias_value.c what
 * stands behind the colon, alias_expand.c applies it, alias_result.c keeps what comes of it.
 */
#ifndef MAIL_ALIAS_IMPL_H
#define MAIL_ALIAS_IMPL_H

#include "mail/alias.h"

#define ALIAS_PATH_MAX 4096    /* octets of the path of an include file */
#define ALIAS_MISTAKE_MAX 8192 /* octets of a mistake's line */
#define ALIAS_NONE ((size_t)-1)

enum alias_kind {
	ALIAS_ADDRESS, /* complete or bare */
	ALIAS_FINAL,   /* the same, not looked up */
	ALIAS_INCLUDE, /* text is the path */
	ALIAS_DROP,
	ALIAS_BAD, /* text says why */
};

struct alias_value {
	enum alias_kind kind;
	size_t text;
	size_t line;
};

/* A name with its values, or an include file with its. */
struct alias_entry {
	size_t name, file, line;
	size_t first, count; /* value[first .. first + count) */
	size_t owner;        /* its own number, or the name's that an include file was read for */
	unsigned flags;      /* of alias_expand.c */
};

static inline bool
alias_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static inline char
alias_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Room for one more behind array[n], which doubles. NULL, and *error: out of memory. */
void *alias_room(int *error, void *array, size_t n, size_t size);

/* A string for the pool, and one from it, valid until the next goes in. */
size_t alias_keep(struct aliases *a, const char *s, size_t len);
const char *alias_string(const struct aliases *a, size_t offset);

/* The entry of a name in lower case, or ALIAS_NONE. */
size_t alias_find(const struct aliases *a, const char *name);

/* Add an include file, `path` of the pool, as an entry; its number, or ALIAS_NONE (a->error). */
size_t alias_add_include(
    struct aliases *a, size_t owner, size_t path, const char *text, size_t len);

/* Count a mistake and tell it. name: or NULL. */
void alias_mistake(struct aliases *a, struct buf *errors, size_t file, size_t line,
    const char *name, const char *what);

/* What is wrong, and the start of the text that it is wrong with. */
void alias_quote(struct buf *out, const char *what, const char *s, size_t len);

/* The first of the octets `stops` in s[at .. len) that is not in quotes, or len. */
size_t alias_seek(const char *s, size_t len, size_t at, const char *stops);

/* Add the values in s[0 .. len), which begins in line `line`; and one that is none. */
void alias_values(struct aliases *a, const char *s, size_t len, size_t line);
void alias_bad(struct aliases *a, size_t line, const char *what, const char *s, size_t len);

/* Add a copy: 0, or an errno. */
int alias_result_add(struct alias_results *all, const char *address, size_t origin);

/* Keep the first of those that are equal. 0, or an errno: E2BIG when too many are left. */
int alias_result_unique(struct alias_results *all);

#endif
