/* SPDX-License-Identifier: ISC */
#include "talk.h"

#include <stdio.h>

static const char *const marks[] = {
    [SMTP_CLIENT] = ">>>",
    [SMTP_SERVER] = "<<<",
    [SMTP_NOTE] = "===",
};

static void
tell(struct channel *c, const union handoff_message *m)
{
	if (!c->gone && c->outbox.count < CHANNEL_OUTBOX)
		outbox_put(&c->outbox, m);
}

static bool
waits(const struct destination *d, const struct channel *c)
{
	for (const struct job *j = d->waiting.first; j != NULL; j = j->next)
		if (j->watched && j->channel == c)
			return true;
	return false;
}

static void
tell_waiting(const struct destination *d, const union handoff_message *m)
{
	for (struct channel *c = d->wire->channels; c != NULL; c = c->next)
		if (c->nwatched > 0 && waits(d, c))
			tell(c, m);
}

void
talk(void *arg, const struct smtp_transaction *t, enum smtp_side side, const char *text)
{
	struct slot *s = arg;
	struct job *j = t != NULL ? t->owner : NULL;
	union handoff_message m = {.said = {.type = HANDOFF_SAID}};

	if (s->destination->wire->watched == 0)
		return;
	snprintf(m.said.text, sizeof(m.said.text), "[%u] %s %s", s->number, marks[side], text);
	if (j != NULL && j->watched)
		tell(j->channel, &m);
	else if (j == NULL && !s->ready)
		tell_waiting(s->destination, &m);
	else if (j == NULL && s->sole != NULL && s->sole->nwatched > 0)
		tell(s->sole, &m);
}

void
talk_opened(struct slot *s)
{
	char text[SESSION_NAME + 32];

	s->number = ++s->destination->wire->sessions;
	snprintf(text, sizeof(text), "connecting to %s", session_name(s->session));
	talk(s, NULL, SMTP_NOTE, text);
}

void
talk_taken(struct slot *s, struct job *j)
{
	char text[SESSION_NAME + QUEUE_ID_LEN + 32];

	if (s->begun == 1)
		s->sole = j->channel;
	else if (s->sole != j->channel)
		s->sole = NULL;
	snprintf(text, sizeof(text), "%s, to %s", j->envelope.id.s, session_name(s->session));
	talk(s, &j->mail.transaction, SMTP_NOTE, text);
}

void
talk_failed(struct slot *s)
{
	if (!s->ready && s->outcome.status.class != 2)
		talk(s, NULL, SMTP_NOTE, s->outcome.text);
}

void
talk_leave(struct slot *s, const struct channel *c)
{
	if (s->sole == c)
		s->sole = NULL;
}
