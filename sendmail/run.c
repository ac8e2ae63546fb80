/* SPDX-License-Identifier: ISC */
#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "attempt.h"
#include "due.h"
#include "link.h"
#include "sys/clock.h"
#include "sys/host.h"
#include "sys/log.h"
#include "waiters.h"

#define LINK_IDLE 5000    /* milliseconds until smtp is let go */
#define STUCK_PAUSE 5000  /* milliseconds until the disk is tried again */
#define GOODBYE 900       /* milliseconds that SIGTERM gives to what is on the wire */
#define SWEEP_EVERY 3600  /* seconds between looks at tmp/ */
#define SLEEP_MAX 300     /* seconds; the wall clock may be set meanwhile */
#define HAND_ON_TRIES 200 /* times 10 ms: a flusher that starts or leaves is not listening yet */

struct flusher {
	const struct run_facts *facts;
	struct settings own; /* loaded here */
	char hostname[HOST_LEN], domain[HOST_LEN];
	int lock, sock;
	struct due due;
	struct work work;
	struct link link;
	struct waiters waiters;
	int64_t idle_since;  /* milliseconds: since when the link has nothing to do */
	int64_t swept;       /* seconds since 1970 */
	int64_t stuck_until; /* milliseconds: when the disk is tried again */
};

static volatile sig_atomic_t stop, reload;

static void
on_stop(int sig)
{
	(void)sig;
	stop = 1;
}

static void
on_reload(int sig)
{
	(void)sig;
	reload = 1;
}

/* Nothing to do but interrupt the sleep: the children are reaped in the loop. */
static void
on_child(int sig)
{
	(void)sig;
}

static int64_t
now_seconds(void)
{
	return (int64_t)time(NULL);
}

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
	host_name(f->hostname, s->mail_hostname);
	host_domain(f->domain, s->mail_domain, f->hostname);
	f->work.settings = s;
	f->work.hostname = f->hostname;
	f->work.domain = f->domain;
	f->work.policy = (struct retry_policy){
	    .first = s->queue_first_retry,
	    .last = s->queue_last_retry,
	    .lifetime = s->queue_lifetime,
	    .bounce_lifetime = s->queue_bounce_lifetime,
	};
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

/* Hand over jobs as long as there are some and the channel takes them. */
static void
send_jobs(struct flusher *f)
{
	union handoff_message m;
	int fd;

	while (work_job(&f->work, &m, &fd)) {
		if (f->link.fd == -1) {
			if (open_link(f) == -1)
				return;
			work_unsent(&f->work, &m); /* the settings may say another way now */
			continue;
		}
		if (handoff_send(f->link.fd, &m, fd) == 0)
			continue;
		if (errno == EAGAIN || errno == ENOBUFS)
			work_unsent(&f->work, &m);
		else
			fail_jobs(f, STAGE_CONNECT, "the delivery process smtp is gone");
		return;
	}
}

static void
begin_messages(struct flusher *f)
{
	enum spool_state state;
	struct scan_entry entry;

	while (!stop && work_room(&f->work) && due_next(&f->due, now_seconds(), &state, &entry))
		if (!work_has(&f->work, entry.name))
			work_begin(&f->work, state, entry.name, f->due.runs_done + 1);
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
		int good = m.type == HANDOFF_RESULT ? work_result(&f->work, &m.result)
			   : m.type == HANDOFF_DONE ? work_done(&f->work, &m.done)
						    : -1;
		if (good == -1)
			break;
	}
	if (f->link.fd != -1 && !(r == -1 && errno == EAGAIN))
		fail_jobs(f, STAGE_CONNECT, "the delivery process smtp died");
}

static void
take_request(struct flusher *f, const struct request *r)
{
	if (r->poke.type == POKE_NEW) {
		due_new(&f->due);
		return;
	}
	outage_retry_all(&f->work.outages);
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

static void
take_pokes(struct flusher *f)
{
	struct request r;
	unsigned uid;

	while (poke_take(f->sock, &r.poke, &r.fd, &uid) == 1)
		take_request(f, &r);
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
	int64_t now = now_seconds();
	unsigned n;

	if (now >= f->swept && now < f->swept + SWEEP_EVERY)
		return;
	f->swept = now;
	if ((n = spool_sweep(f->facts->spool, now)) > 0)
		log_info("removed %u unfinished messages from %s/tmp", n, f->facts->spool->path);
}

/* Milliseconds that poll may sleep. */
static int
sleep_time(const struct flusher *f)
{
	int64_t when = due_when(&f->due), now = now_seconds(), ms;

	if (work_room(&f->work) && when <= now)
		return 0;
	ms = when == INT64_MAX || when - now > SLEEP_MAX ? SLEEP_MAX * 1000 : (when - now) * 1000;
	if (work_stuck(&f->work) && ms > STUCK_PAUSE)
		ms = STUCK_PAUSE;
	if (f->link.fd != -1 && f->work.njobs == 0) {
		int64_t left = f->idle_since + LINK_IDLE - clock_monotonic();
		ms = left < 0 ? 0 : left < ms ? left : ms;
	}
	return ms < 0 ? STUCK_PAUSE : (int)ms;
}

static void
wait_for_something(struct flusher *f, int ms)
{
	struct pollfd p[2] = {
	    {.fd = f->sock, .events = POLLIN},
	    {.fd = f->link.fd, .events = POLLIN},
	};
	struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
	sigset_t none;

	sigemptyset(&none);
	if (ppoll(p, 2, &t, &none) == -1)
		return;
	if (p[1].revents != 0)
		take_results(f);
	if (p[0].revents != 0)
		take_pokes(f);
}

static void
release_idle_link(struct flusher *f)
{
	if (f->link.fd == -1 || f->work.njobs > 0)
		f->idle_since = clock_monotonic();
	else if (reload || clock_monotonic() - f->idle_since >= LINK_IDLE)
		link_close(&f->link);
	reload = 0;
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

/* One turn of the loop. */
static void
turn(struct flusher *f)
{
	sweep(f);
	try_stuck(f);
	begin_messages(f);
	send_jobs(f);
	waiters_runs(&f->waiters, &f->due, &f->work);
	release_idle_link(f);
	wait_for_something(f, waiters_blocked(&f->waiters) ? 10 : sleep_time(f));
	reap();
}

static bool
nothing_left(const struct flusher *f)
{
	return f->work.nattempts == 0 && due_when(&f->due) == INT64_MAX &&
	       waiters_none(&f->waiters);
}

/*
 * SIGTERM: nothing new is begun; what is on the wire gets a moment, so that it need not be sent
 * twice.
 */
static void
say_goodbye(struct flusher *f)
{
	int64_t end = clock_monotonic() + GOODBYE, left;

	if (f->link.fd != -1)
		shutdown(f->link.fd, SHUT_WR);
	while (f->link.fd != -1 && f->work.njobs > 0 && (left = end - clock_monotonic()) > 0)
		wait_for_something(f, (int)left);
}

static int
listen_here(struct flusher *f)
{
	f->sock = poke_listen(f->facts->spool->fd, POKE_SOCKET);
	if (f->sock == -1)
		log_warn(
		    "cannot listen on %s/%s: %s; posts are found when the queue is next looked at",
		    f->facts->spool->path, POKE_SOCKET, strerror(errno));
	return f->sock;
}

static void
stop_listening(struct flusher *f)
{
	unlinkat(f->facts->spool->fd, POKE_SOCKET, 0);
	if (f->sock == -1)
		return;
	take_pokes(f);
	close(f->sock);
	f->sock = -1;
}

static void
catch_signals(void)
{
	static const struct {
		int sig;
		void (*handler)(int);
	} signals[] = {
	    {SIGTERM, on_stop}, {SIGINT, on_stop}, {SIGHUP, on_reload}, {SIGCHLD, on_child}};
	sigset_t mask;

	sigemptyset(&mask);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		struct sigaction sa = {.sa_handler = signals[i].handler};
		sigaction(signals[i].sig, &sa, NULL);
		sigaddset(&mask, signals[i].sig);
	}
	sigprocmask(SIG_BLOCK, &mask, NULL);
}

/*
 * Holding the lock: work until nothing is left. Then the socket's name goes first: whoever finds
 * none starts a flusher, and what was committed before that is seen by the look after the lock is
 * given up (run_spool()).
 */
static void
serve(struct flusher *f, const struct request *request)
{
	listen_here(f);
	if (request != NULL)
		take_request(f, request);
	do {
		while (!stop && (f->facts->resident || !nothing_left(f)))
			turn(f);
		stop_listening(f);
		if (!stop && !nothing_left(f))
			listen_here(f);
	} while (!stop && !nothing_left(f));
	if (stop)
		say_goodbye(f);
	link_close(&f->link);
}

/*
 * Whether mail was committed since the last walk of new/. Damaged files stay there and are no mail.
 */
static bool
mail_came(struct spool *sp)
{
	struct scan_entry e;
	struct scan s;
	bool any = false;

	if (scan_open(&s, sp, SPOOL_NEW) == -1)
		return false;
	while (!any && scan_next(&s, &e) == 1) {
		struct claim c;
		any = claim_open(&c, sp, SPOOL_NEW, e.name, CLAIM_LOOK) == CLAIM_OK;
		claim_close(&c);
	}
	scan_close(&s);
	return any;
}

/* Another flusher has the lock: it gets the request, as soon as it listens. -1: it is gone. */
static int
hand_on(struct spool *sp, const struct request *request)
{
	if (request == NULL)
		return 0;
	return poke_send(sp->fd, POKE_SOCKET, &request->poke, request->fd);
}

static int
serve_with_lock(const struct run_facts *facts, const struct request *request, int lock)
{
	struct flusher f = {.facts = facts,
	    .lock = lock,
	    .sock = -1,
	    .link = {.fd = -1, .supervisor = facts->supervisor}};

	f.work.spool = facts->spool;
	f.work.due = &f.due;
	f.work.told = told;
	f.work.settled = settled;
	f.work.arg = &f;
	due_init(&f.due, facts->spool);
	if (settings_default(&f.own) == -1 || load(&f) == -1)
		return EX_OSERR;
	serve(&f, request);
	due_free(&f.due);
	work_free(&f.work);
	waiters_free(&f.waiters);
	settings_free(&f.own);
	return EX_OK;
}

int
run_spool(const struct run_facts *facts, const struct request *request)
{
	int tries = 0, lock, status;

	catch_signals();
	for (;;) {
		if ((lock = spool_lock(facts->spool)) == -1) {
			if (errno != EWOULDBLOCK) {
				log_warn("%s", facts->spool->error);
				return EX_TEMPFAIL;
			}
			if (hand_on(facts->spool, request) == 0 || tries++ >= HAND_ON_TRIES || stop)
				return EX_OK;
			poll(NULL, 0, 10);
			continue;
		}
		status = serve_with_lock(facts, request, lock);
		close(lock);
		request = NULL;
		if (stop || status != EX_OK || !mail_came(facts->spool))
			return status;
	}
}
