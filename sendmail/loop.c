/* SPDX-License-Identifier: ISC */
#include "loop.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sysexits.h>
#include <unistd.h>

#include "destination.h"
#include "probe.h"
#include "sys/clock.h"

#define JOBS_MAX (2U * HANDOFF_JOBS) /* open ones, before no more are taken */
#define MESSAGES_MAX 256             /* taken from the channel in one turn */

enum { /* of struct loop.fds */
	FD_CHANNEL,
	FD_SIGNAL,
	FD_RESOLVER,
	FD_SESSIONS,
};

struct loop {
	struct wire wire;
	struct destination *destinations;
	int channel, signals;
	bool eof, hangup; /* flush will say no more; … is gone */
	int status;
	struct pollfd *fds;
	struct slot **slots; /* whose fds[FD_SESSIONS + i] is */
	size_t nslots, cap;
};

static int
start(struct loop *l, int channel)
{
	sigset_t term;

	memset(l, 0, sizeof(*l));
	l->channel = channel;
	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &term, NULL) == -1 ||
	    (l->signals = signalfd(-1, &term, SFD_CLOEXEC | SFD_NONBLOCK)) == -1 ||
	    fcntl(channel, F_SETFL, O_NONBLOCK) == -1 || fcntl(channel, F_SETFD, FD_CLOEXEC) == -1)
		return -1;
	return wire_init(&l->wire, channel);
}

/* Begin nothing more. Sessions that have nothing under way say QUIT. */
static void
wind_up(struct loop *l)
{
	l->eof = l->wire.ending = true;
	for (struct destination *d = l->destinations; d != NULL; d = d->next)
		destination_quit(d);
}

/* flush is gone, and poll(2) would say so without end. */
static void
hang_up(struct loop *l)
{
	l->hangup = true;
	if (!l->eof)
		wind_up(l);
}

/* It ends without further ado: flush tries again what it has no result of. */
static void
give_up(struct loop *l, int status)
{
	l->hangup = true;
	l->status = status;
}

static void
take_job(struct loop *l, const struct handoff_job *m, int fd)
{
	struct job *j = job_new(&l->wire, m, fd);
	struct destination *d = NULL;

	if (j != NULL)
		d = destination_find(&l->destinations, &l->wire, m->destination);
	if (d != NULL)
		destination_add(d, j);
	else {
		if (j != NULL)
			job_drop(j);
		give_up(l, EX_OSERR);
	}
}

static void
take_message(struct loop *l, const union handoff_message *m, int fd)
{
	bool ready = l->wire.ready;

	if (m->type == HANDOFF_JOB && ready) {
		take_job(l, &m->job, fd);
		return;
	}
	if (fd != -1)
		close(fd);
	if (m->type == HANDOFF_PROBE && ready)
		probe_run(&l->wire, l->channel, &m->probe);
	else if (m->type == HANDOFF_SETTING && !ready)
		wire_set(&l->wire, &m->setting);
	else if (m->type == HANDOFF_READY && !ready)
		wire_complete(&l->wire);
	else
		give_up(l, EX_PROTOCOL);
}

static void
read_channel(struct loop *l)
{
	static union handoff_message m;
	int r = 1;

	for (int i = 0; i < MESSAGES_MAX && !l->eof && !l->hangup && l->wire.jobs < JOBS_MAX; i++) {
		int fd = -1;

		if ((r = handoff_receive(l->channel, &m, &fd)) != 1)
			break;
		take_message(l, &m, fd);
		if (m.type == HANDOFF_SETTING) /* may hold the password */
			explicit_bzero(&m, sizeof(m));
	}
	if (r == 0) {
		wind_up(l);
	} else if (r == -1 && errno != EAGAIN && errno != EINTR)
		give_up(l, EX_PROTOCOL);
}

static void
read_signal(struct loop *l)
{
	struct signalfd_siginfo info;

	if (read(l->signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
		wind_up(l);
}

static void
read_answers(struct loop *l)
{
	struct lookup *a;

	while ((a = resolver_take(l->wire.resolver)) != NULL) {
		struct destination *d = a->owner;

		path_answer(&d->path, a, d);
		free(a);
	}
}

/* Room for the sessions of all destinations. 0, or -1. */
static int
reserve(struct loop *l, size_t n)
{
	struct pollfd *fds;
	struct slot **slots;

	if (n <= l->cap)
		return 0;
	n *= 2;
	if ((fds = reallocarray(l->fds, n + FD_SESSIONS, sizeof(*fds))) == NULL)
		return -1;
	l->fds = fds;
	if ((slots = reallocarray(l->slots, n, sizeof(*slots))) == NULL)
		return -1;
	l->slots = slots;
	l->cap = n;
	return 0;
}

static int
list_sessions(struct loop *l)
{
	l->nslots = 0;
	for (struct destination *d = l->destinations; d != NULL; d = d->next) {
		if (reserve(l, l->nslots + d->nslots + 1) == -1)
			return -1;
		for (struct slot *s = d->slots; s != NULL; s = s->next) {
			l->slots[l->nslots] = s;
			l->fds[FD_SESSIONS + l->nslots++] = (struct pollfd){
			    .fd = session_fd(s->session), .events = session_wants(s->session)};
		}
	}
	return reserve(l, 1);
}

static void
list_others(struct loop *l)
{
	short in = l->eof || l->wire.jobs >= JOBS_MAX ? 0 : POLLIN;
	short out = outbox_empty(&l->wire.outbox) ? 0 : POLLOUT;

	l->fds[FD_CHANNEL] =
	    (struct pollfd){.fd = l->hangup ? -1 : l->channel, .events = (short)(in | out)};
	l->fds[FD_SIGNAL] = (struct pollfd){.fd = l->signals, .events = POLLIN};
	l->fds[FD_RESOLVER] =
	    (struct pollfd){.fd = resolver_fd(l->wire.resolver), .events = POLLIN};
}

/* Milliseconds until something is due; -1: nothing is. */
static int
patience(const struct loop *l)
{
	int64_t when = INT64_MAX, now = clock_monotonic();

	for (size_t i = 0; i < l->nslots; i++)
		if (session_deadline(l->slots[i]->session) < when)
			when = session_deadline(l->slots[i]->session);
	for (struct destination *d = l->destinations; d != NULL; d = d->next)
		if (destination_deadline(d) < when)
			when = destination_deadline(d);
	if (when == INT64_MAX)
		return -1;
	if (when <= now)
		return 0;
	return when - now > 3600000 ? 3600000 : (int)(when - now);
}

static void
turn_sessions(struct loop *l)
{
	for (size_t i = 0; i < l->nslots; i++) {
		struct slot *s = l->slots[i];
		short revents = l->fds[FD_SESSIONS + i].revents;

		if (revents != 0 || l->wire.now >= session_deadline(s->session))
			slot_turn(s, revents);
	}
}

static void
turn_destinations(struct loop *l)
{
	struct destination **p = &l->destinations;

	while (*p != NULL) {
		struct destination *d = *p;

		destination_run(d);
		if (!destination_done(d)) {
			p = &d->next;
			continue;
		}
		*p = d->next;
		destination_free(d);
	}
}

static int
turn(struct loop *l)
{
	const struct pollfd *fds;

	if (list_sessions(l) == -1)
		return -1;
	list_others(l);
	fds = l->fds;
	if (poll(l->fds, FD_SESSIONS + l->nslots, patience(l)) == -1)
		return errno == EINTR ? 0 : -1;
	l->wire.now = clock_monotonic();
	turn_sessions(l);
	if (fds[FD_RESOLVER].revents != 0)
		read_answers(l);
	if (fds[FD_SIGNAL].revents != 0)
		read_signal(l);
	if (fds[FD_CHANNEL].revents & POLLIN)
		read_channel(l);
	else if (fds[FD_CHANNEL].revents & (POLLHUP | POLLERR | POLLNVAL))
		hang_up(l);
	turn_destinations(l);
	outbox_flush(&l->wire.outbox);
	return l->wire.outbox.broken ? -1 : 0;
}

static void
finish(struct loop *l)
{
	while (l->destinations != NULL) {
		struct destination *d = l->destinations;

		l->destinations = d->next;
		destination_free(d);
	}
	wire_free(&l->wire);
	free(l->fds);
	free(l->slots);
}

/*
 * When flush is gone altogether, nobody can write down what becomes of a message: one in the middle
 * of its transfer is better broken off, to be sent again as a whole, than accepted unrecorded.
 */
static bool
over(const struct loop *l)
{
	if (l->hangup && (l->status != 0 || l->wire.jobs > 0))
		return true;
	return l->eof && l->destinations == NULL && outbox_empty(&l->wire.outbox);
}

int
loop_run(int channel)
{
	struct loop l;

	if (start(&l, channel) == -1)
		return EX_OSERR;
	while (!over(&l))
		if (turn(&l) == -1) {
			l.status = EX_OSERR;
			break;
		}
	finish(&l);
	return l.status;
}
