/* SPDX-License-Identifier: ISC */
#include "flusher.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "mail/rewrite.h"
#include "signals.h"
#include "starter.h"
#include "sys/clock.h"
#include "sys/host.h"
#include "sys/log.h"

#define BEGIN_MAX 256    /* messages looked at before results are taken */
#define STUCK_PAUSE 5000 /* milliseconds until the disk is tried again */
#define SWEEP_EVERY 3600 /* seconds between looks at tmp/ */
#define SLEEP_MAX 300    /* seconds, where nothing says when the wall clock is set */

static void
told(void *arg, const struct envelope *e, const struct recipient *r, const struct outcome *o)
{
	struct flusher *f = arg;

	waiters_tell(&f->waiters, e->id, r->address, o);
}

static bool
watched(void *arg, struct queue_id id)
{
	const struct flusher *f = arg;

	return waiters_watch(&f->waiters, id);
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
	f->due.horizon = retry_longest(&f->work.policy) + LANES_OVERFLOW_MAX;
}

/* The settings anew; names and the schedule follow from them. */
int
flusher_load(struct flusher *f)
{
	struct settings s;
	int log = -1;

	if (f->facts->settings != NULL) {
		use(f, f->facts->settings);
		return 0;
	}
	if ((f->facts->starter != -1 ? starter_settings(f->facts->starter, &s, &log)
				     : settings_load(&s, SETTINGS_OWN)) == -1)
		return -1;
	settings_free(&f->own);
	f->own = s;
	log_open("flush", s.log_to, s.log_format, s.mail_hostname, f->facts->service != NULL);
	log_use(log);
	use(f, &f->own);
	return 0;
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
		work_begin(&f->work, state, entry.name, work_run(&f->work, &entry));
	return true;
}

/*
 * Each has its jobs handed over before the next is begun, so that what a destination has room for is
 * known.
 */
static void
begin_messages(struct flusher *f)
{
	bool more = flusher_send_jobs(f);

	for (int i = 0; more && i < BEGIN_MAX && work_room(&f->work); i++)
		more = begin_one(f) && flusher_send_jobs(f);
	work_recall(&f->work);
	due_ready(&f->due, clock_seconds());
}

void
flusher_request(struct flusher *f, const struct request *r)
{
	if (r->poke.type == POKE_LEAVE) {
		if (f->facts->service == NULL)
			raise(SIGTERM); /* blocked: taken when we sleep next */
		return;
	}
	if (r->poke.type == POKE_NEW) {
		due_new(&f->due);
		return;
	}
	f->anew = true;
	outage_retry_all(&f->work.outages, clock_uptime());
	/* Somebody wants it now, often because he has mended the settings: they are read anew. */
	if (f->work.njobs == 0) {
		link_close(&f->link);
		flusher_load(f);
	}
	if (r->poke.type == POKE_LOOK) {
		due_new(&f->due);
		due_at(&f->due, 0);
		return;
	}
	if (r->poke.type == POKE_ALL) {
		waiters_add(&f->waiters, r, due_run(&f->due));
		return;
	}
	waiters_add(&f->waiters, r, 0);
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

/*
 * A child of the supervisor's need not be there for what is due later, only for what is known to
 * nobody else. Seconds since 1970 until when nothing is to be done; 0: something is.
 */
static int64_t
nothing_until(const struct flusher *f)
{
	int64_t wait = work_wait(&f->work), now = clock_seconds(), when = due_when(&f->due);

	if (f->work.nattempts > 0 || !waiters_none(&f->waiters))
		return 0;
	if (wait != INT64_MAX && (!work_room(&f->work) || now + wait / 1000 < when))
		return now + wait / 1000;
	return when;
}

static bool
nothing_left(const struct flusher *f)
{
	if (f->parent.fd != -1 && work_forgettable(&f->work))
		return nothing_until(f) > clock_seconds() + FLUSHER_AHEAD;
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

static void
tell_status(const struct flusher *f)
{
	if (f->facts->service == NULL)
		return;
	if (f->work.nattempts > 0)
		service_status(f->facts->service, "Messages under way: %u", f->work.nattempts);
	else
		service_status(f->facts->service, "%s",
		    due_when(&f->due) == INT64_MAX ? "No mail" : "Mail waits to be tried again");
}

/* Milliseconds. */
static int64_t
linger(const struct flusher *f)
{
	return f->facts->others ? 0 : (int64_t)f->work.settings->queue_linger * 1000;
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
sleep_time(struct flusher *f)
{
	int64_t when = due_when(&f->due), now = clock_seconds(), wait = work_wait(&f->work), ms;

	if (work_room(&f->work) && !f->full && (when <= now || wait == 0))
		return 0;
	if (when <= now) /* no room: results or a rate will make some */
		ms = STUCK_PAUSE;
	else if (alarm_set(&f->alarm, when))
		ms = SWEEP_EVERY * 1000;
	else
		ms = when - now > SLEEP_MAX ? SLEEP_MAX * 1000 : (when - now) * 1000;
	if (wait > 0 && wait < ms)
		ms = wait;
	if (work_stuck(&f->work) && ms > STUCK_PAUSE)
		ms = STUCK_PAUSE;
	if (f->link.fd != -1 && f->work.njobs == 0)
		ms = until(f->idle_since, FLUSHER_LINK_IDLE, ms);
	if (f->link.fd == -1 && f->full)
		ms = until(f->link_after, 0, ms);
	if (f->link.fd != -1)
		ms = until(link_watched(&f->link), 0, ms);
	if (f->empty_since != 0 && f->facts->service == NULL)
		ms = until(f->empty_since, linger(f), ms);
	ms = removals_wait(&f->work.removals, clock_monotonic(), ms);
	return (int)tally_wait(&f->work.tally, clock_monotonic(), ms);
}

static void
wait_for_something(struct flusher *f, int ms)
{
	struct pollfd p[] = {
	    {.fd = f->sock, .events = POLLIN},
	    {.fd = f->link.fd, .events = (short)(f->full ? POLLIN | POLLOUT : POLLIN)},
	    {.fd = f->parent.gone ? -1 : f->parent.fd, .events = POLLIN},
	    {.fd = f->alarm.fd, .events = POLLIN},
	};
	struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
	sigset_t none;

	sigemptyset(&none);
	if (ppoll(p, sizeof(p) / sizeof(p[0]), &t, &none) == -1)
		return;
	if (p[3].revents != 0)
		alarm_take(&f->alarm);
	if ((p[1].revents & ~POLLOUT) != 0)
		flusher_take_results(f);
	if (p[0].revents != 0)
		flusher_take_pokes(f);
	if (p[2].revents != 0)
		parent_take(&f->parent);
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

static void
sync_removals(struct flusher *f)
{
	if (removals_sync(&f->work.removals, f->facts->spool) == -1)
		log_warn("%s; after a power cut some mail may come twice", f->facts->spool->error);
}

/* What was removed is synced when it is time, and before somebody hears that a run is over. */
static void
end_runs(struct flusher *f)
{
	bool over = waiters_run_over(&f->waiters, &f->due, &f->work);

	if (over || removals_wait(&f->work.removals, clock_monotonic(), 1) == 0)
		sync_removals(f);
	if (over || waiters_blocked(&f->waiters))
		waiters_runs(&f->waiters, &f->due, &f->work);
}

void
flusher_turn(struct flusher *f)
{
	sweep(f);
	try_stuck(f);
	begin_messages(f);
	end_runs(f);
	flusher_release_link(f);
	note_emptiness(f);
	tell_status(f);
	tally_write(&f->work.tally, f->facts->spool, clock_monotonic());
	wait_for_something(f, waiters_blocked(&f->waiters) ? 10 : sleep_time(f));
	reap();
}

/* The log's file may be another one by now. In a sandbox the starter is who can open it. */
static void
reopen_log(struct flusher *f)
{
	struct settings s;
	int log;

	log_close();
	if (f->facts->starter == -1 || starter_settings(f->facts->starter, &s, &log) == -1)
		return;
	log_use(log);
	settings_free(&s);
}

void
flusher_reload(struct flusher *f)
{
	f->reload = true;
	if (f->facts->settings == NULL) /* else it is open as root, and could not be opened by us */
		reopen_log(f);
	log_info("reading the settings again");
}

bool
flusher_idle(const struct flusher *f)
{
	return nothing_left(f) && f->empty_since != 0 &&
	       clock_monotonic() - f->empty_since >= linger(f);
}

bool
flusher_dismissed(const struct flusher *f)
{
	return f->parent.gone || (f->parent.yield && waiters_none(&f->waiters));
}

void
flusher_last_word(struct flusher *f)
{
	if (!f->parent.gone)
		parent_leave(&f->parent, nothing_until(f), &f->work.outages);
}

void
flusher_goodbye(struct flusher *f)
{
	int64_t end = clock_monotonic() + (signals_stop() ? FLUSHER_GOODBYE : FLUSHER_YIELD), left;

	f->leaving = true;
	if (f->link.fd != -1)
		shutdown(f->link.fd, SHUT_WR);
	while (f->link.fd != -1 && f->work.njobs > 0 && (left = end - clock_monotonic()) > 0) {
		wait_for_something(f, (int)left);
		if (signals_stop() && end > clock_monotonic() + FLUSHER_GOODBYE)
			end = clock_monotonic() + FLUSHER_GOODBYE;
	}
}

int
flusher_init(struct flusher *f, const struct run_facts *facts)
{
	f->facts = facts;
	f->sock = -1;
	f->link = (struct link){.fd = -1};
	f->parent = (struct parent){.fd = facts->supervisor};
	f->work.spool = facts->spool;
	f->work.due = &f->due;
	f->work.told = told;
	f->work.watched = watched;
	f->work.settled = settled;
	f->work.arg = f;
	alarm_open(&f->alarm);
	work_init(&f->work);
	if (f->parent.fd != -1) {
		f->work.lanes.take = parent_rate;
		f->work.lanes.give_back = parent_rate_back;
		f->work.lanes.counter = &f->parent;
	}
	outage_load(&f->work.outages, facts->memory, facts->nmemory);
	due_init(&f->due, facts->spool);
	tally_begin(&f->work.tally, facts->spool);
	return settings_default(&f->own) == 0 ? flusher_load(f) : -1;
}

void
flusher_free(struct flusher *f)
{
	sync_removals(f);
	tally_end(&f->work.tally, f->facts->spool);
	link_close(&f->link);
	alarm_close(&f->alarm);
	due_free(&f->due);
	work_free(&f->work);
	waiters_free(&f->waiters);
	settings_free(&f->own);
}
