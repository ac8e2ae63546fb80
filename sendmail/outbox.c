/* SPDX-License-Identifier: ISC */
#include "outbox.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct parcel {
	struct parcel *next;
	char message[]; /* as long as it is sent, its alignment that of a pointer */
};

void
outbox_init(struct outbox *o, int channel)
{
	*o = (struct outbox){.channel = channel};
	o->last = &o->first;
}

/* 1: sent; 0: no room; or broken. */
static int
send_one(struct outbox *o, const union handoff_message *m)
{
	int r;

	do
		r = handoff_send(o->channel, m, -1);
	while (r == -1 && errno == EINTR);
	if (r == 0)
		return 1;
	if (errno != EAGAIN && errno != ENOBUFS)
		o->broken = true;
	return 0;
}

void
outbox_put(struct outbox *o, const union handoff_message *m)
{
	struct parcel *p;
	size_t len;

	if (o->broken || (o->first == NULL && send_one(o, m) == 1))
		return;
	len = handoff_len(m);
	p = malloc(sizeof(*p) + len);
	if (p == NULL) {
		o->broken = true;
		return;
	}
	p->next = NULL;
	memcpy(p->message, m, len);
	o->count++;
	*o->last = p;
	o->last = &p->next;
}

static void
drop_first(struct outbox *o)
{
	struct parcel *p = o->first;

	o->first = p->next;
	if (o->first == NULL)
		o->last = &o->first;
	o->count--;
	free(p);
}

void
outbox_flush(struct outbox *o)
{
	while (o->first != NULL && !o->broken &&
	       send_one(o, (const union handoff_message *)o->first->message) == 1)
		drop_first(o);
}

bool
outbox_empty(const struct outbox *o)
{
	return o->first == NULL;
}

void
outbox_free(struct outbox *o)
{
	while (o->first != NULL)
		drop_first(o);
}
