/* SPDX-License-Identifier: ISC */
#include "flusher.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "mail/rewrite.h"
#include "sys/clock.h"
#include "sys/host.h"
#include "sys/log.h"

#define BEGIN_MAX 256    /* messages looked at before results are taken */
#define LINK_IDLE 5000   /* milliseconds until smtp is let go */
#define STUCK_PAUSE 5000 /* milliseconds until the disk is tried again */
#define SWEEP_EVERY 3600 /* seconds between looks at tmp/ */
#define SLEEP_MAX 300    /* seconds; the wall clock may be set meanwhile */

static void
told(void *arg, const struct envelope *e, const struct recipient *r, const struct outcome *o)
{
	struct flusher *f = arg;

	waiters_tell(&f->waiters, e->id, r->address, o);
}

static void
settled(void *arg, struct queue_id id)
{
	struct flusher *f = arg;

	waiters_settled(&f->waiters, id);
}

static void
use(struct flusher *f, const struct settings *s)
{
	char domain[HOST_LEN];

	host_name(f->hostname, s->mail_hostname);
	host_domain(domain, s->mail_domain, f->hostname);
	/* A relay that accepts one sender only accepts no other From of ours either. */
	if (address_qualify(f->mailer, "MAILER-DAEMON", domain) == -1)
		snprintf(f->mailer, sizeof(f->mailer), "MAILER-DAEMON@localhost");
	rewrite_apply(s->rewrite_header_from, f->mailer);
	work_use(&f->work, s);
	f->work.hostname = f->hostname;
	f->work.mailer = f->mailer;
	f->due.horizon = (int64_t)s->queue_last_retry * 2 + 60;
}

/* The settings anew; names and the schedule follow from them. */
static int
load(struct flusher *f)
{
	struct settings s;

	if (f->facts->settings != NULL) {
		use(f, f->facts->settings);
		return 0;
	}
	if (settings_load(&s, SETTINGS_OWN) == -1)
		return -1;
	settings_free(&f->own);
	f->own = s;
	use(f, &f->own);
	return 0;
}

/* The jobs that are open cannot be done: the settings are wrong, or smtp died. */
static void
fail_jobs(struct flusher *f, enum stage stage, const char *why)
{
	struct outcome o = status_trouble(
	    stage, SCOPE_DESTINATION, STATUS(4, 3, stage == STAGE_CONFIG ? 5 : 0), "%s", why);

	link_close(&f->link);
	work_fail(&f->work, &o);
}

/* Start smtp, with the settings as they are now. */
static int
open_link(struct flusher *f)
{
	struct buf why = BUF_INIT(1024);
	int r = 0;

	if (load(f) == -1 || link_open(&f->link, f->work.settings, &why) == -1) {
		if (why.len == 0)
			buf_adds(&why, "out of memory");
		log_warn("nothing can be delivered: %s", buf_str(&why));
		fail_jobs(f, STAGE_CONFIG, buf_str(&why));
		r = -1;
	}
	f->work.wire = f->link.pid;
	buf_free(&why);
	return r;
}

/* Hand over jobs as long as there are some. Whether the channel took them. */
static bool
send_jobs(struct flusher *f)
{
	union handoff_message m;
	int fd;

	f->full = false;
	while (work_job(&f->work, &m, &fd)) {
		if (f->link.fd == -1) {
			if (open_link(f) == -1)
				return true;
			work_unsent(&f->work, &m); /* the settings may say another way now */
			continue;
		}
		if (handoff_send(f->link.fd, &m, fd) == 0)
			continue;
		f->full = errno == EAGAIN || errno == ENOBUFS;
		if (f->full)
			work_unsent(&f->work, &m);
		else
			fail_jobs(f, STAGE_CONNECT, "the delivery process smtp is gone");
		return !f->full;
	}
	return true;
}

/* The next message that may have room: one that waited for that, or one that is due. */
static bool
begin_one(struct flusher *f)
{
	enum spool_state state;
	struct scan_entry entry;

	if (work_resume(&f->work))
		return true;
	if (!due_next(&f->due, clock_seconds(), &state, &entry))
		return false;
	if (!work_has(&f->work, entry.name))
		work_begin(&f->work, state, entry.name, f->due.runs_done + 1);
	return true;
}

/*
 * Each has its jobs handed over before the next is begun, so that what a destination has room for is
 * known.
 */
static void
begin_messages(struct flusher *f)
{
	bool more = send_jobs(f);

	for (int i = 0; more && i < BEGIN_MAX && work_room(&f->work); i++)
		more = begin_one(f) && send_jobs(f);
	due_ready(&f->due, clock_seconds());
}

static int
take_message(struct flusher *f, const union handoff_message *m)
{
	switch (m->type) {
	case HANDOFF_RESULT:
		return work_result(&f->work, &m->result);
	case HANDOFF_DONE:
		return work_done(&f->work, &m->done);
	case HANDOFF_PASSED:
		work_passed(&f->work, &m->passed);
		return 0;
	default:
		return -1;
	}
}

/* Everything that smtp has to say. */
static void
take_results(struct flusher *f)
{
	union handoff_message m;
	int fd, r = 1;

	while (f->link.fd != -1 && (r = handoff_receive(f->link.fd, &m, &fd)) == 1) {
		if (fd != -1)
			close(fd);
		if (take_message(f, &m) == -1)
			break;
	}
	if (f->link.fd != -1 && !(r == -1 && errno == EAGAIN))
		fail_jobs(f, STAGE_CONNECT, "the delivery process smtp died");
}

void
flusher_request(struct flusher *f, const struct request *r)
{
	if (r->poke.type == POKE_NEW) {
		due_new(&f->due);
		return;
	}
	outage_retry_all(&f->work.outages, clock_seconds());
	/* Somebody wants it now, often because he has mended the settings: they are read anew. */
	if (f->work.njobs == 0) {
		link_close(&f->link);
		load(f);
	}
	if (r->poke.type == POKE_ALL) {
		waiters_add(&f->waiters, r->fd, due_run(&f->due), NULL);
		return;
	}
	waiters_add(&f->waiters, r->fd, 0, &r->poke.id);
	if (work_has(&f->work, r->poke.id.s))
		return;
	if (!work_room(&f->work)) {
		due_run(&f->due);
		return;
	}
	work_begin(&f->work, SPOOL_NEW, r->poke.id.s, f->due.runs_done + 1);
	if (!work_has(&f->work, r->poke.id.s))
		work_begin(&f->work, SPOOL_CUR, r->poke.id.s, f->due.runs_done + 1);
	if (!work_has(&f->work, r->poke.id.s))
		waiters_settled(&f->waiters, r->poke.id);
}

void
flusher_take_pokes(struct flusher *f)
{
	struct request r;
	unsigned uid;

	while (poke_take(f->sock, &r.poke, &r.fd, &uid) == 1)
		flusher_request(f, &r);
}

static void
reap(void)
{
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

static void
sweep(struct flusher *f)
{
	int64_t now = clock_seconds();
	unsigned n;

	if (now >= f->swept && now < f->swept + SWEEP_EVERY)
		return;
	f->swept = now;
	if ((n = spool_sweep(f->facts->spool, now)) > 0)
		log_info("removed %u unfinished messages from %s/tmp", n, f->facts->spool->path);
}

static bool
nothing_left(const struct flusher *f)
{
	return work_none(&f->work) && due_when(&f->due) == INT64_MAX && waiters_none(&f->waiters);
}

static void
note_emptiness(struct flusher *f)
{
	if (!nothing_left(f))
		f->empty_since = 0;
	else if (f->empty_since == 0)
		f->empty_since = clock_monotonic();
}

/* Milliseconds until `since` is `span` ago, but no more than `ms`. */
static int64_t
until(int64_t since, int64_t span, int64_t ms)
{
	int64_t left = since + span - clock_monotonic();

	return left < 0 ? 0 : left < ms ? left : ms;
}

/* Milliseconds that poll may sleep. */
static int
sleep_time(const struct flusher *f)
{
	int64_t when = due_when(&f->due), now = clock_seconds(), wait = work_wait(&f->work), ms;

	if (work_room(&f->work) && !f->full && (when <= now || wait == 0))
		return 0;
	if (when <= now) /* no room: results or a rate will make some */
		ms = STUCK_PAUSE;
	else
		ms = when - now > SLEEP_MAX ? SLEEP_MAX * 1000 : (when - now) * 1000;
	if (wait > 0 && wait < ms)
		ms = wait;
	if (work_stuck(&f->work) && ms > STUCK_PAUSE)
		ms = STUCK_PAUSE;
	if (f->link.fd != -1 && f->work.njobs == 0)
		ms = until(f->idle_since, LINK_IDLE, ms);
	if (f->empty_since != 0 && !f->facts->resident)
		ms = until(f->empty_since, FLUSHER_LINGER, ms);
	return (int)ms;
}

static void
wait_for_something(struct flusher *f, int ms)
{
	struct pollfd p[2] = {
	    {.fd = f->sock, .events = POLLIN},
	    {.fd = f->link.fd, .events = (short)(f->full ? POLLIN | POLLOUT : POLLIN)},
	};
	struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
	sigset_t none;

	sigemptyset(&none);
	if (ppoll(p, 2, &t, &none) == -1)
		return;
	if ((p[1].revents & ~POLLOUT) != 0)
		take_results(f);
	if (p[0].revents != 0)
		flusher_take_pokes(f);
}

static void
release_idle_link(struct flusher *f)
{
	if (f->link.fd == -1 || f->work.njobs > 0)
		f->idle_since = clock_monotonic();
	else if (f->reload || f->work.renew || clock_monotonic() - f->idle_since >= LINK_IDLE)
		link_close(&f->link);
	if (f->link.fd != -1)
		return;
	if (f->reload)
		load(f);
	f->reload = f->work.renew = false;
}

/* What the disk did not take is tried again, but not at every turn. */
static void
try_stuck(struct flusher *f)
{
	int64_t now = clock_monotonic();

	if (!work_stuck(&f->work))
		f->stuck_until = now + STUCK_PAUSE;
	else if (now >= f->stuck_until) {
		f->stuck_until = now + STUCK_PAUSE;
		work_again(&f->work);
	}
}

void
flusher_turn(struct flusher *f)
{
	sweep(f);
	try_stuck(f);
	begin_messages(f);
	waiters_runs(&f->waiters, &f->due, &f->work);
	release_idle_link(f);
	note_emptiness(f);
	wait_for_something(f, waiters_blocked(&f->waiters) ? 10 : sleep_time(f));
	reap();
}

void
flusher_reload(struct flusher *f)
{
	f->reload = true;
}

bool
flusher_idle(const struct flusher *f)
{
	return nothing_left(f) && f->empty_since != 0 &&
	       clock_monotonic() - f->empty_since >= FLUSHER_LINGER;
}

void
flusher_goodbye(struct flusher *f)
{
	int64_t end = clock_monotonic() + FLUSHER_GOODBYE, left;

	if (f->link.fd != -1)
		shutdown(f->link.fd, SHUT_WR);
	while (f->link.fd != -1 && f->work.njobs > 0 && (left = end - clock_monotonic()) > 0)
		wait_for_something(f, (int)left);
}

int
flusher_init(struct flusher *f, const struct run_facts *facts)
{
	memset(f, 0, sizeof(*f));
	f->facts = facts;
	f->sock = -1;
	f->link = (struct link){.fd = -1, .supervisor = facts->supervisor};
	f->work.spool = facts->spool;
	f->work.due = &f->due;
	f->work.told = told;
	f->work.settled = settled;
	f->work.arg = f;
	work_init(&f->work);
	due_init(&f->due, facts->spool);
	return settings_default(&f->own) == 0 ? load(f) : -1;
}

void
flusher_free(struct flusher *f)
{
	link_close(&f->link);
	due_free(&f->due);
	work_free(&f->work);
	waiters_free(&f->waiters);
	settings_free(&f->own);
}
