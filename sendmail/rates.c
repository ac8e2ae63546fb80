/* SPDX-License-Identifier: ISC */
#include "rates.h"

#include <stdlib.h>
#include <string.h>

#include "mail/hash.h"
#include "mail/rate.h"

struct rates_entry {
	struct rates_entry *next;
	struct rate rate;
	struct rate_window sent;
	char name[];
};

const char *
rates_text(const struct settings *s, const char *destination)
{
	for (size_t i = 0; destination[0] == ':' && i < s->nrelays; i++)
		if (strcmp(settings_relay_name(&s->relay[i]), destination + 1) == 0 &&
		    s->relay[i].rate[0] != '\0')
			return s->relay[i].rate;
	return s->smtp_rate;
}

static struct rates_entry **
place(struct rates *r, const char *name)
{
	struct rates_entry **at = &r->bucket[hash_text(name) % RATES_BUCKETS];

	while (*at != NULL && strcmp((*at)->name, name) != 0)
		at = &(*at)->next;
	return at;
}

/* Those of which nothing is counted any more. */
static void
sweep(struct rates *r, int64_t now)
{
	for (size_t i = 0; i < RATES_BUCKETS; i++)
		for (struct rates_entry **at = &r->bucket[i]; *at != NULL;) {
			struct rates_entry *e = *at;

			if (!rate_idle(&e->rate, &e->sent, now)) {
				at = &e->next;
				continue;
			}
			*at = e->next;
			r->count--;
			free(e);
		}
}

static struct rates_entry *
add(struct rates *r, const char *name, int64_t now)
{
	size_t n = strlen(name) + 1;
	struct rates_entry *e, **at;

	if (r->count >= RATES_MAX)
		sweep(r, now);
	if (r->count >= RATES_MAX || (e = calloc(1, sizeof(*e) + n)) == NULL)
		return NULL;
	memcpy(e->name, name, n);
	at = place(r, name);
	*at = e;
	r->count++;
	return e;
}

int64_t
rates_take(struct rates *r, const char *destination, int64_t now)
{
	struct rates_entry *e = *place(r, destination);
	const char *why;
	struct rate rate;
	int64_t wait;

	if (rate_parse(&rate, rates_text(r->settings, destination), &why) == -1 ||
	    rate.messages == 0)
		return 0;
	if (e == NULL && (e = add(r, destination, now)) == NULL)
		return RATES_FULL;
	if (e->rate.messages != rate.messages || e->rate.interval != rate.interval) {
		e->rate = rate; /* it was set anew, and begins anew */
		e->sent = (struct rate_window){0};
	}
	if ((wait = rate_wait(&e->rate, &e->sent, now)) == 0)
		rate_take(&e->rate, &e->sent, now);
	return wait;
}

void
rates_return(struct rates *r, const char *destination)
{
	struct rates_entry *e = *place(r, destination);

	if (e != NULL)
		rate_return(&e->sent);
}
