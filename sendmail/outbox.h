/* SPDX-License-Identifier: ISC */
/*
 * outbox: what smtp has to tell flush and the channel has no room for yet. Nothing here blocks, and
 * nothing is lost in silence: when a message cannot be kept or sent the outbox is broken, and smtp
 * must end, so that flush tries again what it heard nothing of.
 */
#ifndef OUTBOX_H
#define OUTBOX_H

#include <stdbool.h>

#include "sys/handoff.h"

struct parcel;

struct outbox {
	int channel;
	bool broken;
	size_t count; /* messages kept */
	struct parcel *first, **last;
};

void outbox_init(struct outbox *o, int channel);

/* Send, or keep until outbox_flush(). */
void outbox_put(struct outbox *o, const union handoff_message *m);

/* Send what the channel takes. */
void outbox_flush(struct outbox *o);

bool outbox_empty(const struct outbox *o);
void outbox_free(struct outbox *o);

#endif
