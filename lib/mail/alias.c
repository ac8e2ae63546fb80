/* SPDX-License-Identifier: ISC */
#include "mail/alias_impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mail/address.h"
#include "mail/status.h"

#define POOL_MAX (256U * 1024 * 1024) /* octets of strings: bounded by the files, not by this */

/* Text that is read by lines; `line` is the number of the one that was read last. */
struct source {
	const char *s;
	size_t len, at, line;
};

const char *
alias_string(const struct aliases *a, size_t offset)
{
	return buf_str(&a->pool) + offset;
}

size_t
alias_keep(struct aliases *a, const char *s, size_t len)
{
	size_t offset = a->pool.len;

	buf_add(&a->pool, s, len);
	buf_addc(&a->pool, '\0');
	if (a->pool.error != 0)
		a->error = ENOMEM;
	return a->error == 0 ? offset : 0;
}

void
alias_mistake(struct aliases *a, struct buf *errors, size_t file, size_t line, const char *name,
    const char *what)
{
	struct buf raw = BUF_INIT((size_t)2 * ALIAS_MISTAKE_MAX);
	char clean[ALIAS_MISTAKE_MAX];

	a->mistakes++;
	if (errors == NULL)
		return;
	buf_addf(&raw, "%s:%zu: ", alias_string(a, file), line);
	if (name != NULL)
		buf_addf(&raw, "%s: ", name);
	buf_adds(&raw, what);
	text_clean(clean, sizeof(clean), buf_str(&raw), raw.len);
	if (clean[0] != '\0')
		buf_addf(errors, "%s\n", clean);
	buf_free(&raw);
}

void *
alias_room(int *error, void *array, size_t n, size_t size)
{
	if ((n & (n - 1)) != 0) /* neither 0 nor a power of two: not full */
		return array;
	array = reallocarray(array, n == 0 ? 1 : n * 2, size);
	if (array == NULL)
		*error = ENOMEM;
	return array;
}

/* The next line, without its end, into *s and *len; one that is a comment or blank as empty. */
static bool
next_line(struct source *src, const char **s, size_t *len)
{
	const char *end;
	size_t i = 0;

	if (src->at >= src->len)
		return false;
	*s = src->s + src->at;
	end = memchr(*s, '\n', src->len - src->at);
	*len = end != NULL ? (size_t)(end - *s) : src->len - src->at;
	src->at += *len + 1;
	src->line++;
	while (i < *len && alias_space((*s)[i]))
		i++;
	if (i == *len || (*s)[i] == '#')
		*len = 0;
	return true;
}

/*
 * A line with all that continues it into `whole`; *first is its number. Its LFs stay, also those of
 * comments, so that lines can be counted in it.
 */
static bool
next_logical(struct source *src, struct buf *whole, size_t *first)
{
	const char *s;
	size_t len;

	buf_clear(whole);
	do {
		if (!next_line(src, &s, &len))
			return false;
	} while (len == 0);
	*first = src->line;
	buf_add(whole, s, len);
	for (struct source ahead = *src; next_line(&ahead, &s, &len); *src = ahead) {
		if (len > 0 && *s != ' ' && *s != '\t')
			break;
		buf_addc(whole, '\n');
		buf_add(whole, s, len);
	}
	return true;
}

/* The bare name in s[0 .. len) in lower case; false when there is none, or more. */
static bool
parse_name(char name[ADDRESS_MAX + 1], const char *s, size_t len)
{
	struct address_parser p;
	struct address address, more;

	address_start(&p, s, len);
	if (address_next(&p, &address) != ADDRESS_ONE || address_next(&p, &more) != ADDRESS_END ||
	    address_local(address.mailbox) != strlen(address.mailbox))
		return false;
	for (size_t i = 0; i <= strlen(address.mailbox); i++)
		name[i] = alias_lower(address.mailbox[i]);
	if (strcmp(name, "default") == 0)
		memcpy(name, "*", sizeof("*"));
	return true;
}

static struct alias_entry *
add_entry(struct aliases *a, size_t name, size_t file, size_t line)
{
	struct alias_entry *e = alias_room(&a->error, a->entry, a->nentries, sizeof(*e));

	if (e == NULL)
		return NULL;
	a->entry = e;
	e += a->nentries++;
	*e = (struct alias_entry){
	    .name = name,
	    .file = file,
	    .line = line,
	    .first = a->nvalues,
	};
	return e;
}

/* All values that came since `e` was added are its own. */
static void
close_entry(struct aliases *a, struct alias_entry *e)
{
	if (a->nvalues == e->first)
		alias_bad(a, e->line, "no address", "", 0);
	e->count = a->nvalues - e->first;
}

/* Why a line is no entry, or NULL; `colon` is where its name ends. */
static const char *
bad_entry(const struct buf *whole, size_t colon, char name[ADDRESS_MAX + 1])
{
	const char *s = buf_str(whole);

	if (alias_space(s[0]))
		return "begins with white space, but continues nothing: ";
	if (colon == whole->len)
		return "no colon: ";
	return parse_name(name, s, colon) ? NULL : "no bare name before the colon: ";
}

static void
parse_entry(struct aliases *a, const struct buf *whole, size_t line, struct buf *errors)
{
	const char *s = buf_str(whole), *why;
	size_t colon = alias_seek(s, whole->len, 0, ":");
	struct buf what = BUF_INIT(ALIAS_MISTAKE_MAX);
	char name[ADDRESS_MAX + 1];
	struct alias_entry *e;

	if ((why = bad_entry(whole, colon, name)) != NULL) {
		alias_quote(&what, why, s, whole->len);
		alias_mistake(a, errors, 0, line, NULL, buf_str(&what));
		buf_free(&what);
		return;
	}
	if ((e = add_entry(a, alias_keep(a, name, strlen(name)), 0, line)) == NULL)
		return;
	for (size_t i = 0; i < colon; i++)
		line += s[i] == '\n';
	alias_values(a, s + colon + 1, whole->len - colon - 1, line);
	close_entry(a, e);
}

/* An entry that is being sorted by its name, and by its line where that is the same. */
struct item {
	const char *name;
	struct alias_entry entry;
};

static int
compare_items(const void *x, const void *y)
{
	const struct item *a = x, *b = y;
	int order = strcmp(a->name, b->name);

	return order != 0 ? order
			  : (a->entry.line > b->entry.line) - (a->entry.line < b->entry.line);
}

static void
tell_twice(struct aliases *a, const struct item *again, const struct alias_entry *before,
    struct buf *errors)
{
	struct buf what = BUF_INIT(ALIAS_MISTAKE_MAX);

	buf_addf(&what, "is on line %zu already; this one does not count", before->line);
	alias_mistake(a, errors, 0, again->entry.line, again->name, buf_str(&what));
	buf_free(&what);
}

/* Sort the entries and take out what comes again. */
static void
finish(struct aliases *a, struct buf *errors)
{
	struct item *items = calloc(a->nentries + 1, sizeof(*items));
	size_t n = 0;

	if (items == NULL) {
		a->error = ENOMEM;
		return;
	}
	for (size_t i = 0; i < a->nentries; i++)
		items[i] = (struct item){alias_string(a, a->entry[i].name), a->entry[i]};
	qsort(items, a->nentries, sizeof(*items), compare_items);
	for (size_t i = 0; i < a->nentries; i++) {
		if (n > 0 && strcmp(alias_string(a, a->entry[n - 1].name), items[i].name) == 0) {
			tell_twice(a, &items[i], &a->entry[n - 1], errors);
			continue;
		}
		a->entry[n] = items[i].entry;
		a->entry[n].owner = n;
		n++;
	}
	a->nentries = a->nnames = n; /* with room for more than alias_room() counts on */
	free(items);
}

int
alias_parse(struct aliases *a, const char *text, size_t len, const char *file, struct buf *errors)
{
	static const char bom[] = "\xef\xbb\xbf";
	struct source src = {.s = text, .len = len};
	struct buf whole = BUF_INIT(len);
	size_t line;

	*a = (struct aliases){.pool = BUF_INIT(POOL_MAX)};
	alias_keep(a, file, strlen(file));
	if (len >= strlen(bom) && memcmp(text, bom, strlen(bom)) == 0)
		src.at = strlen(bom);
	while (a->error == 0 && next_logical(&src, &whole, &line)) {
		if (whole.error != 0)
			a->error = ENOMEM;
		else
			parse_entry(a, &whole, line, errors);
	}
	buf_free(&whole);
	if (a->error == 0)
		finish(a, errors);
	errno = a->error;
	return a->error == 0 ? 0 : -1;
}

size_t
alias_find(const struct aliases *a, const char *name)
{
	size_t low = 0, high = a->nnames;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(name, alias_string(a, a->entry[middle].name));
		if (order == 0)
			return middle;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return ALIAS_NONE;
}

size_t
alias_add_include(struct aliases *a, size_t owner, size_t path, const char *text, size_t len)
{
	struct source src = {.s = text, .len = len};
	size_t number = a->nentries;
	struct alias_entry *e = add_entry(a, path, path, 1);
	const char *s;

	if (e == NULL)
		return ALIAS_NONE;
	e->owner = owner;
	while (next_line(&src, &s, &len))
		alias_values(a, s, len, src.line);
	close_entry(a, e);
	return a->error == 0 ? number : ALIAS_NONE;
}

void
alias_free(struct aliases *a)
{
	buf_free(&a->pool);
	free(a->entry);
	free(a->value);
	memset(a, 0, sizeof(*a));
}
