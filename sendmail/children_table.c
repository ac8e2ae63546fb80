/* SPDX-License-Identifier: ISC */
/*
 * Who the owners are that have mail, and whose turn it is next.
 */
#include <bsd/string.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "children_impl.h"

void
children_init(struct children *cs)
{
	cs->queued = &cs->queue;
}

void
children_forget_request(struct child *c)
{
	if (c->request.fd != -1)
		close(c->request.fd);
	c->request = (struct request){.fd = -1};
}

struct child *
children_find(struct children *cs, const char *name, uid_t owner)
{
	struct child **bucket = &cs->bucket[owner % CHILDREN_BUCKETS], *c;
	unsigned same = 0;

	for (c = *bucket; c != NULL; c = c->chain) {
		if (c->owner == owner && strcmp(c->name, name) == 0)
			return c;
		same += c->owner == owner;
	}
	if (same >= CHILDREN_DIRECTORIES || strlen(name) >= sizeof(c->name) ||
	    (c = calloc(1, sizeof(*c))) == NULL)
		return NULL;
	strlcpy(c->name, name, sizeof(c->name));
	c->owner = owner;
	c->link = c->request.fd = -1;
	c->due = INT64_MAX;
	cs->known++;
	c->chain = *bucket;
	*bucket = c;
	if ((c->next = cs->first) != NULL)
		c->next->at = &c->next;
	c->at = &cs->first;
	return cs->first = c;
}

void
children_forget(struct children *cs, struct child *c)
{
	struct child **at = &cs->bucket[c->owner % CHILDREN_BUCKETS];

	while (*at != c)
		at = &(*at)->chain;
	*at = c->chain;
	if ((*c->at = c->next) != NULL)
		c->next->at = c->at;
	cs->known--;
	children_forget_request(c);
	free(c->memory);
	free(c);
}

void
children_free(struct children *cs)
{
	struct child *next;

	for (struct child *c = cs->first; c != NULL; c = next) {
		next = c->next;
		children_forget(cs, c);
	}
}

void
children_enqueue(struct children *cs, struct child *c)
{
	if (c->queued)
		return;
	c->queued = true;
	c->next_queued = NULL;
	*cs->queued = c;
	cs->queued = &c->next_queued;
}

struct child *
children_dequeue(struct children *cs)
{
	struct child *c = cs->queue;

	if ((cs->queue = c->next_queued) == NULL)
		cs->queued = &cs->queue;
	c->queued = false;
	return c;
}
