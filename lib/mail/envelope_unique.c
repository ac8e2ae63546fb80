/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "mail/address.h"
#include "mail/envelope.h"

/* By address, then in the order of coming: rcpt is an array, and they are pointers into it. */
static int
compare(const void *a, const void *b)
{
	const struct recipient *const *x = a, *const *y = b;
	int order = address_compare((*x)->address, (*y)->address);

	return order != 0 ? order : (*x > *y) - (*x < *y);
}

/* Sorting rather than hashing: nobody can choose addresses that make it slow. */
void
envelope_unique(struct envelope *e)
{
	struct recipient **sorted = calloc(e->nrcpt + 1, sizeof(struct recipient *));
	const struct recipient *kept = NULL;
	size_t n = 0;

	if (sorted == NULL)
		return;
	for (size_t i = 0; i < e->nrcpt; i++)
		sorted[i] = &e->rcpt[i];
	qsort(sorted, e->nrcpt, sizeof(struct recipient *), compare);
	for (size_t i = 0; i < e->nrcpt; i++) {
		if (kept == NULL || !address_equal(kept->address, sorted[i]->address)) {
			kept = sorted[i];
			continue;
		}
		free(sorted[i]->address);
		free(sorted[i]->orcpt);
		sorted[i]->address = NULL;
	}
	for (size_t i = 0; i < e->nrcpt; i++)
		if (e->rcpt[i].address != NULL)
			e->rcpt[n++] = e->rcpt[i];
	e->nrcpt = n;
	free(sorted);
}
