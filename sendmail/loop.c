/* SPDX-License-Identifier: ISC */
#include "loop.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sysexits.h>
#include <unistd.h>

#include "confine_wire.h"
#include "loop_impl.h"
#include "sys/clock.h"

#define JOBS_MAX 16384  /* open ones of all channels, where there are descriptors for them */
#define LOOK_EVERY 1000 /* milliseconds between looks at the resolver's files */
#define DESCRIPTORS 384 /* for sessions, channels and look-ups */

enum { /* of struct loop.fds; then channels, then sessions */
	FD_SIGNAL,
	FD_RESOLVER,
	FD_OTHERS,
};

/* A descriptor comes with each job: as many as the system allows. */
static unsigned
jobs_max(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) == -1)
		return HANDOFF_JOBS;
	if (r.rlim_cur < JOBS_MAX + DESCRIPTORS) {
		r.rlim_cur =
		    r.rlim_max < JOBS_MAX + DESCRIPTORS ? r.rlim_max : JOBS_MAX + DESCRIPTORS;
		setrlimit(RLIMIT_NOFILE, &r);
		getrlimit(RLIMIT_NOFILE, &r);
	}
	if (r.rlim_cur >= JOBS_MAX + DESCRIPTORS)
		return JOBS_MAX;
	return r.rlim_cur < 2 * DESCRIPTORS ? HANDOFF_JOBS : (unsigned)r.rlim_cur - DESCRIPTORS;
}

static int
start(struct loop *l, int channel)
{
	sigset_t term;

	memset(l, 0, sizeof(*l));
	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &term, NULL) == -1 ||
	    (l->signals = signalfd(-1, &term, SFD_CLOEXEC | SFD_NONBLOCK)) == -1 ||
	    wire_init(&l->wire) == -1 || loop_add_channel(l, channel) == -1)
		return -1;
	l->wire.jobs_max = jobs_max();
	l->control = l->wire.channels;
	l->wire.news = &l->control->outbox;
	return 0;
}

/* The next smtp can do the look-ups that this one no longer can. */
static void
look_at_files(struct loop *l)
{
	if (l->wire.ending || !l->wire.ready || l->wire.now < l->looked + LOOK_EVERY)
		return;
	l->looked = l->wire.now;
	if (confine_wire_stale(&l->wire))
		loop_wind_up(l);
}

static void
read_signal(struct loop *l)
{
	struct signalfd_siginfo info;

	if (read(l->signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
		loop_wind_up(l);
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

/* Room for so many descriptors. 0, or -1. */
static int
reserve(struct loop *l, size_t n)
{
	struct pollfd *fds;
	struct slot **slots;

	if (n <= l->cap)
		return 0;
	n *= 2;
	if ((fds = reallocarray(l->fds, n, sizeof(*fds))) == NULL)
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
		if (reserve(l, l->first + l->nslots + d->nslots) == -1)
			return -1;
		for (struct slot *s = d->slots; s != NULL; s = s->next) {
			l->slots[l->nslots] = s;
			l->fds[l->first + l->nslots++] = (struct pollfd){
			    .fd = session_fd(s->session), .events = session_wants(s->session)};
		}
	}
	return 0;
}

static int
list_channels(struct loop *l)
{
	unsigned share = channel_share(&l->wire, l->nchannels);
	int n = FD_OTHERS;

	if (reserve(l, FD_OTHERS + l->nchannels) == -1)
		return -1;
	for (struct channel *c = l->wire.channels; c != NULL; c = c->next) {
		short in = channel_wants(c, share) ? POLLIN : 0;
		short out = outbox_empty(&c->outbox) ? 0 : POLLOUT;

		c->polled = n;
		l->fds[n++] = (struct pollfd){.fd = c->fd, .events = (short)(in | out)};
	}
	l->first = (size_t)n;
	return 0;
}

static void
list_others(struct loop *l)
{
	l->fds[FD_SIGNAL] = (struct pollfd){.fd = l->signals, .events = POLLIN};
	l->fds[FD_RESOLVER] = (struct pollfd){
	    .fd = l->wire.ready ? resolver_fd(l->wire.resolver) : -1, .events = POLLIN};
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
		short revents = l->fds[l->first + i].revents;

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

	if (list_channels(l) == -1 || list_sessions(l) == -1)
		return -1;
	list_others(l);
	fds = l->fds;
	if (poll(l->fds, l->first + l->nslots, patience(l)) == -1)
		return errno == EINTR ? 0 : -1;
	l->wire.now = clock_monotonic();
	turn_sessions(l);
	if (fds[FD_RESOLVER].revents != 0)
		read_answers(l);
	if (fds[FD_SIGNAL].revents != 0)
		read_signal(l);
	look_at_files(l);
	loop_turn_channels(l);
	turn_destinations(l);
	loop_flush_channels(l);
	loop_drop_channels(l);
	return 0;
}

static void
finish(struct loop *l)
{
	while (l->destinations != NULL) {
		struct destination *d = l->destinations;

		l->destinations = d->next;
		destination_free(d);
	}
	while (l->wire.channels != NULL) {
		struct channel *c = l->wire.channels;

		l->wire.channels = c->next;
		channel_free(c);
	}
	wire_free(&l->wire);
	free(l->fds);
	free(l->slots);
}

/* Where nobody hears of anything any more, what is under way is broken off. */
static bool
over(const struct loop *l)
{
	bool done = true, gone = true;

	for (const struct channel *c = l->wire.channels; c != NULL; c = c->next) {
		done = done && channel_done(c);
		gone = gone && c->gone;
	}
	return l->over || (gone && l->wire.jobs > 0) || (done && l->destinations == NULL);
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
