/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "destination.h"
#include "talk.h"

static struct job_report
report(const struct slot *s, const struct job *j)
{
	return (struct job_report){
	    .relay = session_name(s->session),
	    .tls = session_tls(s->session),
	    .connected = j->first ? s->connected : 0,
	    .dsn = session_dsn(s->session),
	    .lmtp = session_lmtp(s->session),
	};
}

/* It had its share of messages, or there are more sessions than the server bears. */
static bool
enough(const struct slot *s)
{
	const struct destination *d = s->destination;

	return s->begun >= d->path.route->messages || destination_working(d) > d->limit;
}

/* For session_config.next: the next message that can be read. */
static struct session_mail *
next_mail(void *owner)
{
	struct slot *s = owner;
	struct destination *d = s->destination;
	struct outcome o;
	struct job *j;

	if (enough(s)) {
		s->leaving = true;
		session_quit(s->session);
		return NULL;
	}
	while ((j = job_queue_take(&d->waiting)) != NULL) {
		if (j->round > d->wire->round)
			d->wire->round = j->round;
		if (job_open(j, &o) == 0) {
			j->slot = s;
			s->inflight++;
			j->first = s->begun++ == 0;
			talk_taken(s, j);
			return &j->mail;
		}
		struct job_report none = {.relay = "none", .tls = ""};
		job_settle(j, &o, &none);
	}
	return NULL;
}

struct slot *
slot_new(struct destination *d)
{
	const struct wire *w = d->wire;
	struct slot *s = calloc(1, sizeof(*s));
	struct session_config config = path_session(&d->path);

	config.next = next_mail;
	config.owner = config.said_arg = s;
	config.said = talk;
	if (s == NULL || (s->session = session_new(&config, w->now)) == NULL) {
		free(s);
		return NULL;
	}
	s->destination = d;
	s->opened = w->now;
	job_queue_init(&s->held);
	return s;
}

/* What is still under way in it nobody hears of. */
void
slot_free(struct slot *s)
{
	session_free(s->session);
	for (struct channel *c = s->destination->wire->channels; c != NULL; c = c->next)
		for (struct job *j = c->jobs, *next; j != NULL && s->inflight > 0; j = next) {
			next = j->behind;
			if (j->slot == s) {
				s->inflight--;
				job_drop(j);
			}
		}
	free(s);
}

/*
 * Whether this is a message that went into a used session and got no answer of its own, as far as
 * can be told before the session's end is known. That may happen to it again and again where a
 * server takes few messages a session, but not where it takes none. That such a message may have
 * arrived is in no more doubt when it is tried at once than when it is tried later.
 */
static bool
no_chance(const struct slot *s, const struct job *j, const struct outcome *o)
{
	return !j->first && (!j->again || s->took) && o->stage == STAGE_MAIL &&
	       o->status.class == 4;
}

static void
on_success(struct slot *s)
{
	struct destination *d = s->destination;

	s->worked++;
	s->took = true;
	d->strikes = 0;
	if (d->wire->now >= d->hold && d->limit < d->path.route->connections)
		d->limit++;
}

static void
on_recipient(struct slot *s, const struct smtp_event *ev)
{
	struct job *j = ev->transaction->owner;
	struct job_report r = report(s, j);

	if (j->channel->gone)
		return;
	if (no_chance(s, j, &ev->outcome)) {
		j->held = true;
		j->held_outcome = ev->outcome;
		return;
	}
	if (ev->later) {
		j->later = true;
		j->held_outcome = ev->outcome;
		return;
	}
	if (ev->outcome.status.class == 2)
		on_success(s);
	else if (status_throttled(&ev->outcome))
		destination_back_off(s->destination);
	job_result(j, ev->rcpt, &ev->outcome, &r);
}

static void
on_done(struct slot *s, const struct smtp_event *ev)
{
	struct job *j = ev->transaction->owner;

	j->slot = NULL;
	s->inflight--;
	if (j->channel->gone) {
		s->unheard--;
		job_drop(j);
		return;
	}
	if (j->held || j->later) {
		job_queue_add(&s->held, j);
		return;
	}
	job_end(j);
}

/*
 * The session's fate is known now, and so is that of the messages held back; and what has more
 * recipients than the server took at once goes on.
 */
static void
release_held(struct slot *s)
{
	struct job_queue again;
	struct job *j;

	job_queue_init(&again);
	while ((j = job_queue_take(&s->held)) != NULL) {
		struct job_report r = report(s, j);

		if ((j->held && !s->closed) || j->channel->eof || s->destination->wire->ending) {
			job_settle(j, &j->held_outcome, &r);
			continue;
		}
		j->again = j->again || j->held;
		job_reopen(j);
		job_queue_add(&again, j);
	}
	job_queue_return(&s->destination->waiting, &again);
}

static void
drain(struct slot *s)
{
	struct wire *w = s->destination->wire;
	struct smtp_event ev;
	unsigned done = 0;

	while (session_event(s->session, &ev)) {
		switch (ev.type) {
		case SMTP_EVENT_READY:
			s->ready = true;
			s->connected = (uint32_t)(w->now - s->opened);
			break;
		case SMTP_EVENT_RCPT:
			on_recipient(s, &ev);
			break;
		case SMTP_EVENT_DONE:
			on_done(s, &ev);
			done++;
			break;
		case SMTP_EVENT_CLOSED:
			s->closed = true;
			s->outcome = ev.outcome;
			talk_failed(s);
			break;
		case SMTP_EVENT_STARTTLS:
			break;
		}
	}
	if (!s->closed)
		s->worked += done;
	release_held(s);
}

/* With nothing in it that anybody would hear of. */
static void
break_off(struct slot *s)
{
	if (s->closed || s->unheard == 0 || s->unheard < s->inflight)
		return;
	s->closed = true;
	s->outcome = (struct outcome){.status = STATUS(2, 0, 0)};
}

void
slot_leave(struct slot *s, const struct channel *c)
{
	for (const struct job *j = c->jobs; j != NULL; j = j->behind)
		s->unheard += j->slot == s;
	break_off(s);
}

void
slot_turn(struct slot *s, short revents)
{
	int64_t now = s->destination->wire->now;

	if (s->closed)
		return;
	session_read(s->session, revents, now);
	drain(s);
	session_write(s->session, now);
	drain(s);
	break_off(s);
}
