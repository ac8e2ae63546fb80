/* SPDX-License-Identifier: ISC */
#include "shared.h"

#include <bsd/string.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/clock.h"
#include "sys/log.h"
#include "sys/pass.h"

static const struct shared_smtp none = {.control.fd = -1, .idle = INT64_MAX, .leave_by = INT64_MAX};

void
shared_init(struct shared *s)
{
	*s = (struct shared){.wished = INT64_MIN / 2};
	for (size_t i = 0; i < SHARED_MOST; i++)
		s->smtp[i] = none;
}

void
shared_close(struct shared *s)
{
	for (size_t i = 0; i < SHARED_MOST; i++) {
		link_close(&s->smtp[i].control);
		s->smtp[i] = none;
	}
}

/* It has nothing to do, and says QUIT. */
static void
let_go(struct shared_smtp *o)
{
	link_close(&o->control);
	o->leave_by = o->control.patience > 0 ? clock_monotonic() + o->control.patience : INT64_MAX;
	o->idle = INT64_MAX;
}

/* Where one more can be put aside; SHARED_MOST: there are too many. */
static size_t
free_place(const struct shared *s)
{
	size_t i = 1;

	while (i < SHARED_MOST && s->smtp[i].control.pid != 0)
		i++;
	return i;
}

/* Where there are too many, the oldest, which is the last, goes unwatched. */
void
shared_replace(struct shared *s)
{
	size_t i = free_place(s);

	if (s->smtp[0].control.pid == 0)
		return;
	if (s->smtp[0].control.fd != -1 && s->smtp[0].idle != INT64_MAX)
		let_go(&s->smtp[0]);
	if (i == SHARED_MOST)
		i--;
	link_close(&s->smtp[i].control);
	s->smtp[0].linger = 0;
	memmove(&s->smtp[1], &s->smtp[0], i * sizeof(s->smtp[0]));
	s->smtp[0] = none;
}

/* One with the settings as they are now. 0, or -1 with `why`. */
static int
start(struct shared *s, struct shared_smtp *o, struct buf *why)
{
	struct settings settings;
	int r;

	*o = none;
	o->changed = settings_changed();
	if (settings_load(&settings, 0) == -1) {
		buf_addf(why, "cannot read the settings: %s", strerror(errno));
		return -1;
	}
	r = link_open(&o->control, &settings, why);
	link_watch(&o->control, settings.queue_watchdog);
	o->linger = (int64_t)settings.queue_smtp_linger * 1000;
	settings_free(&settings);
	if (++s->number == 0)
		s->number = 1;
	return r;
}

static int
start_shared(struct shared *s, struct buf *why)
{
	int64_t now = clock_monotonic();

	shared_replace(s);
	if (start(s, &s->smtp[0], why) == -1) {
		s->smtp[0] = none;
		return -1;
	}
	s->started = now;
	return 0;
}

/* A channel, whose other end is smtp's now. -1: it could not be had. */
static int
give_channel(struct shared *s)
{
	const union handoff_message m = {.type = HANDOFF_CHANNEL};
	int fd[2], r;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd) == -1)
		return -1;
	r = handoff_send(s->smtp[0].control.fd, &m, fd[1]);
	close(fd[1]);
	if (r == -1) {
		close(fd[0]);
		return -1;
	}
	s->smtp[0].given++;
	s->smtp[0].idle = INT64_MAX;
	return fd[0];
}

/* The one that runs has settings of before. */
static bool
outdated(const struct shared *s)
{
	const struct timespec *then = &s->smtp[0].changed, now = settings_changed();

	return now.tv_sec != then->tv_sec || now.tv_nsec != then->tv_nsec;
}

static bool
wants_another(struct shared *s, const struct ask *a, int64_t now)
{
	bool wished = a->anew != 0 && (a->other == 0 || a->other == s->number);
	bool renew = s->smtp[0].renew && now >= s->renew_after;

	if ((!wished && !outdated(s) && !renew) || now < s->wished + SHARED_FRESH ||
	    free_place(s) == SHARED_MOST)
		return false;
	s->wished = now;
	if (renew)
		s->renew_after = now + HANDOFF_DOWN;
	return true;
}

/* A channel to the shared one. */
static int
share(struct shared *s, const struct ask *a, struct tell *t, struct buf *why)
{
	int64_t now = clock_monotonic();
	int fd;

	if (s->smtp[0].control.fd == -1 && now < s->not_before) {
		t->wait = s->not_before - now;
		return -1;
	}
	if ((s->smtp[0].control.fd == -1 || wants_another(s, a, now)) && start_shared(s, why) == -1)
		return -1;
	if ((fd = give_channel(s)) == -1) {
		t->wait = SHARED_PAUSE;
		return -1;
	}
	t->pid = s->smtp[0].control.pid;
	return fd;
}

/* One of the child's own: whatever it dies of, it is the child's. */
static int
start_alone(struct shared *s, struct tell *t, struct buf *why)
{
	struct shared_smtp alone;

	if (start(s, &alone, why) == -1)
		return -1;
	t->pid = alone.control.pid;
	return alone.control.fd;
}

pid_t
shared_serve(struct shared *s, int child, const struct ask *a)
{
	struct buf why = BUF_INIT(sizeof(((struct tell *)0)->why));
	struct tell t = {.type = TELL_ANSWER};
	int fd = a->alone ? start_alone(s, &t, &why) : share(s, a, &t, &why);

	if (fd != -1)
		t.number = s->number;
	strlcpy(t.why, buf_str(&why), sizeof(t.why));
	pass_send(child, NULL, &t, sizeof(t), fd);
	if (fd != -1)
		close(fd);
	buf_free(&why);
	return a->alone ? t.pid : 0;
}

void
shared_list(const struct shared *s, struct pollfd *p)
{
	for (size_t i = 0; i < SHARED_MOST; i++)
		p[i] = (struct pollfd){.fd = s->smtp[i].control.fd, .events = POLLIN};
}

/* It says by itself that a relay was passed by; that concerns no child more than another. */
static void
take_message(struct shared_smtp *o, const union handoff_message *m)
{
	if (m->type == HANDOFF_PING)
		link_answered(&o->control);
	else if (m->type == HANDOFF_IDLE && m->idle.channels == o->given)
		o->idle = clock_monotonic() + o->linger;
	else if (m->type == HANDOFF_PASSED && link_passed(&m->passed))
		o->renew = true;
}

static void
take(struct shared_smtp *o)
{
	union handoff_message m;
	int fd, r;

	while ((r = handoff_receive(o->control.fd, &m, &fd)) == 1) {
		take_message(o, &m);
		if (fd != -1)
			close(fd);
	}
	if (r != -1 || errno != EAGAIN)
		let_go(o); /* what it died of, shared_ended() says */
}

void
shared_take(struct shared *s)
{
	for (size_t i = 0; i < SHARED_MOST; i++)
		if (s->smtp[i].control.fd != -1)
			take(&s->smtp[i]);
}

/* does_not: answer, or leave. */
static void
end_stuck(const struct shared_smtp *o, const char *does_not)
{
	log_warn("smtp does not %s, and is killed", does_not);
	kill(o->control.pid, SIGKILL);
}

static int64_t
turn(struct shared_smtp *o)
{
	int64_t now = clock_monotonic(), watched = link_watched(&o->control);

	if (watched == -1) {
		end_stuck(o, "answer");
		link_answered(&o->control);
		watched = now;
	} else if (o->control.fd != -1 && now >= o->idle)
		let_go(o);
	else if (o->control.pid != 0 && now >= o->leave_by) {
		end_stuck(o, "leave");
		o->leave_by = INT64_MAX;
	}
	if (o->idle < watched)
		watched = o->idle;
	return watched < o->leave_by ? watched : o->leave_by;
}

int64_t
shared_turn(struct shared *s)
{
	int64_t next = INT64_MAX;

	for (size_t i = 0; i < SHARED_MOST; i++) {
		int64_t t = turn(&s->smtp[i]);

		next = t < next ? t : next;
	}
	return next;
}

static void
on_death(struct shared *s, bool old, int status)
{
	const char *how = WIFEXITED(status) ? "status" : "signal";
	int n = WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status);
	int64_t now = clock_monotonic(), pause = 2 * s->pause;

	if (old) {
		log_warn("an smtp that was replaced ended with %s %d", how, n);
		return;
	}
	if (pause == 0 || now - s->started > SHARED_PAUSE_MAX)
		pause = SHARED_PAUSE;
	s->pause = pause < SHARED_PAUSE_MAX ? pause : SHARED_PAUSE_MAX;
	s->not_before = now + s->pause;
	log_warn("smtp ended with %s %d; it is started again in %lld seconds at the earliest", how,
	    n, (long long)s->pause / 1000);
}

void
shared_ended(struct shared *s, pid_t pid, int status)
{
	for (size_t i = 0; i < SHARED_MOST; i++)
		if (pid == s->smtp[i].control.pid) {
			link_close(&s->smtp[i].control);
			s->smtp[i] = none;
			if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
				on_death(s, i > 0, status);
		}
}
