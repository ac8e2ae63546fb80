/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <sysexits.h>
#include <unistd.h>

#include "intake_impl.h"
#include "spool/usage.h"

static const char full[] = "452 4.3.1", large[] = "552 5.3.4";

static int
too_many(struct intake *i, const struct usage *u)
{
	i->reply = full;
	return intake_fail(i, EX_TEMPFAIL,
	    "uid %u has %" PRIu64 " messages in %s, and queue.owner_messages allows %u; the "
	    "message was not queued",
	    (unsigned)geteuid(), u->messages, i->draft.spool->path,
	    i->settings->queue_owner_messages);
}

static int
no_room(struct intake *i)
{
	i->reply = full;
	return intake_fail(i, EX_TEMPFAIL,
	    "uid %u has %" PRIu64 " octets in %s, and with this message more than "
	    "queue.owner_octets allows (%" PRIu64 "); the message was not queued",
	    (unsigned)geteuid(), i->room.used, i->draft.spool->path,
	    i->settings->queue_owner_octets);
}

static int
limit_owner(struct intake *i)
{
	const struct settings *s = i->settings;
	struct usage u;

	if (usage_count(&u, i->draft.spool, s->queue_owner_messages, s->queue_owner_octets) == -1)
		return intake_fail_spool(i);
	if (s->queue_owner_messages != 0 && u.messages >= s->queue_owner_messages)
		return too_many(i, &u);
	if (s->queue_owner_octets == 0)
		return EX_OK;
	i->room.used = u.octets;
	if (u.octets >= s->queue_owner_octets)
		return no_room(i);
	if (s->queue_owner_octets - u.octets < i->room.octets) {
		i->room.octets = s->queue_owner_octets - u.octets;
		i->room.of_owner = true;
	}
	return EX_OK;
}

int
intake_limit(struct intake *i)
{
	const struct settings *s = i->settings;

	i->room.octets = s->queue_message_size != 0 ? s->queue_message_size : UINT64_MAX;
	return s->queue_owner_messages != 0 || s->queue_owner_octets != 0 ? limit_owner(i) : EX_OK;
}

int
intake_check_room(struct intake *i)
{
	if (draft_size(&i->draft) <= i->room.octets)
		return EX_OK;
	if (i->room.of_owner)
		return no_room(i);
	i->reply = large;
	return intake_fail(i, EX_DATAERR,
	    "the message is larger than queue.message_size allows (%" PRIu64
	    " octets); it was not queued",
	    i->room.octets);
}
