/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mail/address.h"
#include "mail/alias_impl.h"
#include "mail/envelope.h"

#define RAW_MAX (4 * (size_t)ENVELOPE_RCPT_MAX) /* before those that come again go */

int
alias_result_add(struct alias_results *all, const char *address, size_t origin)
{
	struct alias_result *r;
	int error = 0;
	char *copy;

	if (all->n >= RAW_MAX)
		return E2BIG;
	if ((r = alias_room(&error, all->result, all->n, sizeof(*r))) == NULL)
		return error;
	all->result = r;
	if ((copy = strdup(address)) == NULL)
		return ENOMEM;
	all->result[all->n++] = (struct alias_result){.address = copy, .origin = origin};
	return 0;
}

/* In the order of their addresses; those that are equal stay in their own. */
static int
compare(const void *x, const void *y)
{
	const struct alias_result *const *a = x, *const *b = y;
	int order = address_compare((*a)->address, (*b)->address);

	return order != 0 ? order : (*a > *b) - (*a < *b);
}

/* Free the addresses of those that come again. Sorting: nobody can choose what makes it slow. */
static void
drop_again(struct alias_results *all, struct alias_result **sorted)
{
	struct alias_result *kept = NULL;

	for (size_t i = 0; i < all->n; i++)
		sorted[i] = &all->result[i];
	qsort(sorted, all->n, sizeof(*sorted), compare);
	for (size_t i = 0; i < all->n; i++) {
		if (kept == NULL || !address_equal(kept->address, sorted[i]->address)) {
			kept = sorted[i];
			continue;
		}
		free(sorted[i]->address);
		sorted[i]->address = NULL;
	}
}

int
alias_result_unique(struct alias_results *all)
{
	struct alias_result **sorted = calloc(all->n + 1, sizeof(struct alias_result *));
	size_t n = 0;

	if (sorted == NULL)
		return ENOMEM;
	drop_again(all, sorted);
	free(sorted);
	for (size_t i = 0; i < all->n; i++)
		if (all->result[i].address != NULL)
			all->result[n++] = all->result[i];
	all->n = n;
	return n > ENVELOPE_RCPT_MAX ? E2BIG : 0;
}

void
alias_results_free(struct alias_results *results)
{
	for (size_t i = 0; i < results->n; i++)
		free(results->result[i].address);
	free(results->result);
	*results = (struct alias_results){0};
}
