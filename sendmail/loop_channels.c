/* SPDX-License-Identifier: ISC */
/*
 * What comes by the channels, and how they end.
 */
#include <errno.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "loop_impl.h"
#include "probe.h"

#define MESSAGES_MAX 256 /* taken from a channel in one turn */

int
loop_add_channel(struct loop *l, int fd)
{
	struct channel *c = channel_new(&l->wire, fd), **at = &l->wire.channels;

	if (c == NULL)
		return -1;
	while (*at != NULL)
		at = &(*at)->next;
	*at = c;
	l->nchannels++;
	return 0;
}

/* Begin nothing more. Sessions that have nothing under way say QUIT. */
void
loop_wind_up(struct loop *l)
{
	if (l->wire.ending)
		return;
	l->wire.ending = true;
	for (struct channel *c = l->wire.channels; c != NULL; c = c->next)
		c->eof = true;
	for (struct destination *d = l->destinations; d != NULL; d = d->next)
		destination_quit(d);
}

/* It ends without further ado: flush tries again what it has no result of. */
static void
give_up(struct loop *l, int status)
{
	l->over = true;
	l->status = status;
}

/* flush will say no more by it; `gone`: nor hear any more. */
static void
leave_channel(struct loop *l, struct channel *c, bool gone)
{
	c->eof = true;
	if (gone)
		channel_gone(c);
	for (struct destination *d = l->destinations; d != NULL; d = d->next)
		destination_leave(d, c, gone);
}

static void
take_job(struct loop *l, struct channel *c, const struct handoff_job *m, int fd)
{
	struct job *j = job_new(c, m, fd);
	struct destination *d = NULL;

	if (j != NULL)
		d = destination_find(&l->destinations, &l->wire, m->destination);
	if (d != NULL)
		destination_add(d, j);
	else {
		if (j != NULL)
			job_drop(j);
		leave_channel(l, c, true);
	}
}

/* From the control, by which nothing but what is said here may come. */
static void
take_control(struct loop *l, const union handoff_message *m)
{
	bool ready = l->wire.ready;

	if (m->type == HANDOFF_PING)
		outbox_put(&l->control->outbox, m);
	else if (m->type == HANDOFF_PROBE && ready)
		probe_run(&l->wire, l->control->fd, &m->probe);
	else if (m->type == HANDOFF_SETTINGS && !ready)
		wire_set(&l->wire, &m->settings);
	else if (m->type == HANDOFF_READY && !ready) {
		if (wire_complete(&l->wire) == -1)
			give_up(l, EX_OSERR);
	} else
		give_up(l, EX_PROTOCOL);
}

static void
take_message(struct loop *l, struct channel *c, const union handoff_message *m, int fd)
{
	if (m->type == HANDOFF_JOB && l->wire.ready) {
		take_job(l, c, &m->job, fd);
		return;
	}
	if (m->type == HANDOFF_CHANNEL && c == l->control) {
		l->given++;
		if (loop_add_channel(l, fd) == -1)
			give_up(l, EX_OSERR);
		return;
	}
	if (fd != -1)
		close(fd);
	if (c == l->control)
		take_control(l, m);
	else
		leave_channel(l, c, true);
}

static void
read_channel(struct loop *l, struct channel *c, unsigned share)
{
	static union handoff_message m;
	int r = 1;

	for (int i = 0; i < MESSAGES_MAX && channel_wants(c, share) && !l->over; i++) {
		int fd = -1;

		if ((r = handoff_receive(c->fd, &m, &fd)) != 1)
			break;
		take_message(l, c, &m, fd);
		if (m.type == HANDOFF_SETTINGS) /* may hold the password */
			explicit_bzero(&m, sizeof(m));
	}
	if (r == 0)
		leave_channel(l, c, false);
	else if (r == -1 && errno != EAGAIN && errno != EINTR) {
		if (c == l->control && errno == EBADMSG)
			give_up(l, EX_PROTOCOL);
		leave_channel(l, c, true);
	}
}

/* All but the control that are over; with none left, who gives them is told how many there were. */
void
loop_drop_channels(struct loop *l)
{
	union handoff_message idle = {.idle = {.type = HANDOFF_IDLE, .channels = l->given}};

	for (struct channel **at = &l->control->next; *at != NULL;) {
		struct channel *c = *at;

		if (!channel_done(c)) {
			at = &c->next;
			continue;
		}
		*at = c->next;
		l->nchannels--;
		channel_free(c);
	}
	if (l->nchannels > 1 || l->told_idle == l->given)
		return;
	l->told_idle = l->given;
	outbox_put(&l->control->outbox, &idle);
}

/* poll(2) says of one that is gone so without end. */
void
loop_turn_channels(struct loop *l)
{
	unsigned share = channel_share(&l->wire, l->nchannels);
	bool more = false;

	for (struct channel *c = l->wire.channels; c != NULL; c = c->next) {
		short revents = c->polled != -1 ? l->fds[c->polled].revents : 0;

		if (revents & POLLIN)
			read_channel(l, c, share);
		else if (revents & (POLLHUP | POLLERR | POLLNVAL))
			leave_channel(l, c, true);
		more = more || !c->eof;
	}
	if (!more)
		loop_wind_up(l);
}

void
loop_flush_channels(struct loop *l)
{
	for (struct channel *c = l->wire.channels; c != NULL; c = c->next) {
		outbox_flush(&c->outbox);
		if (c->outbox.broken && !c->gone)
			leave_channel(l, c, true);
	}
}
