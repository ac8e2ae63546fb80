/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mail/submission_impl.h"

/* A recipient to be sorted, so that those who are there twice come together. */
struct item {
	const char *address;
	size_t order;
};

static int
compare_items(const void *a, const void *b)
{
	const struct item *x = a, *y = b;
	int order = address_compare(x->address, y->address);

	return order != 0 ? order : (x->order > y->order) - (x->order < y->order);
}

/*
 * Add the items from `first` on to the envelope, in their order, but those that are equal to an
 * earlier one. Sorting rather than hashing: nobody can choose addresses that make it slow.
 */
static int
add_unique(struct envelope *e, struct item *items, size_t n, size_t first)
{
	const char **wanted = calloc(n + 1, sizeof(*wanted));
	int rc = 0;

	if (wanted == NULL)
		return -1;
	qsort(items, n, sizeof(*items), compare_items);
	for (size_t i = 0; i < n; i++)
		if (i == 0 || !address_equal(items[i - 1].address, items[i].address))
			wanted[items[i].order] = items[i].address;
	for (size_t i = first; i < n && rc == 0; i++)
		if (wanted[i] != NULL)
			rc = envelope_add(e, wanted[i]);
	free(wanted);
	return rc;
}

int
submission_recipients(struct envelope *e, const struct buf *list)
{
	size_t there = e->nrcpt, n = there;
	struct item *items;
	int rc;

	if (list->error != 0) {
		errno = list->error;
		return -1;
	}
	for (size_t at = 0; at < list->len; at += strlen(list->data + at) + 1)
		n++;
	items = calloc(n + 1, sizeof(*items));
	if (items == NULL)
		return -1;
	for (size_t i = 0; i < there; i++)
		items[i] = (struct item){e->rcpt[i].address, i};
	for (size_t at = 0, i = there; i < n; at += strlen(list->data + at) + 1, i++)
		items[i] = (struct item){list->data + at, i};
	rc = add_unique(e, items, n, there);
	free(items);
	return rc;
}

/* One that is no path is as good as none. */
void
submission_return_path(struct submission *s, const struct header_field *f)
{
	const char *value = f->text.data + f->value;
	size_t len = f->text.len - f->value;
	struct address_parser p;
	struct address a;

	if (s->returned)
		return;
	for (; len > 0 && (*value == ' ' || *value == '\t'); len--)
		value++;
	address_start(&p, value, len);
	s->return_path[0] = '\0';
	s->returned = (len >= 2 && memcmp(value, "<>", 2) == 0) ||
		      (address_next(&p, &a) == ADDRESS_ONE &&
			  address_qualify(s->return_path, a.mailbox, s->facts->domain) == 0);
}
