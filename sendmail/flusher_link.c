/* SPDX-License-Identifier: ISC */
/*
 * The flusher's dealings with smtp: jobs go there, results come back, and what happens when it dies.
 */
#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "flusher.h"
#include "starter.h"
#include "sys/clock.h"
#include "sys/log.h"

#define DEATHS_MAX 3    /* of smtp in a row, until mail is deferred for it */
#define PAUSE_MAX 60000 /* milliseconds after a death of smtp until it is started again, at most */

/* The jobs that are open cannot be done: the settings are wrong, or smtp died. */
static void
fail_jobs(struct flusher *f, enum stage stage, const char *why)
{
	struct outcome o = status_trouble(
	    stage, SCOPE_DESTINATION, STATUS(4, 3, stage == STAGE_CONFIG ? 5 : 0), "%s", why);

	link_close(&f->link);
	work_fail(&f->work, &o);
}

/* 0; -1 with `why`; or milliseconds until it is to be asked for again. */
static int64_t
start_link(struct flusher *f, struct buf *why)
{
	bool alone = work_suspects(&f->work);
	int64_t r;

	f->link = (struct link){.fd = -1};
	if (f->parent.fd != -1)
		r = parent_channel(&f->parent, &f->link, alone, f->anew, why);
	else if (f->facts->starter != -1)
		r = starter_link(f->facts->starter, &f->link, why);
	else
		r = link_open(&f->link, f->work.settings, why);
	f->alone = alone;
	if (r == 0 && (f->parent.fd == -1 || alone)) /* else it is the supervisor's to watch */
		link_watch(&f->link, f->work.settings->queue_watchdog);
	return r;
}

/* smtp, with the settings as they are now. 0, or -1: there is none now. */
static int
open_link(struct flusher *f)
{
	struct buf why = BUF_INIT(1024);
	int64_t r, now = clock_monotonic();

	f->full = true;
	if (now < f->link_after)
		return -1;
	r = flusher_load(f) == 0 ? start_link(f, &why) : -1;
	if (r == -1) {
		if (why.len == 0)
			buf_adds(&why, "out of memory");
		log_warn("nothing can be delivered: %s", buf_str(&why));
		fail_jobs(f, STAGE_CONFIG, buf_str(&why));
	}
	f->link_after = now + (r > 0 ? r : 0);
	f->full = r > 0;
	f->anew = f->anew && r != 0;
	f->work.wire = f->link.pid;
	buf_free(&why);
	return r == 0 ? 0 : -1;
}

/*
 * smtp is gone, and not because we let it go. Mail need not wait for that as if its destinations
 * were out, unless it goes on like this.
 */
static void
mourn(struct flusher *f, const char *how)
{
	int64_t pause = 500LL << (f->deaths < 8 ? f->deaths : 8);

	link_close(&f->link);
	if (f->leaving)
		return;
	log_warn("the delivery process smtp %s", how);
	f->link_after = clock_monotonic() + (pause < PAUSE_MAX ? pause : PAUSE_MAX);
	if (++f->deaths > DEATHS_MAX && !work_suspects(&f->work))
		fail_jobs(f, STAGE_CONNECT, "the delivery process smtp dies again and again");
	else
		work_crashed(&f->work);
	f->full = true; /* what it had goes to the next one, when the pause is over */
}

/* Hand over jobs as long as there are some. Whether the channel took them. */
bool
flusher_send_jobs(struct flusher *f)
{
	union handoff_message m;
	int fd;

	f->full = false;
	while (work_job(&f->work, &m, &fd)) {
		if (f->link.fd == -1) {
			if (open_link(f) == -1 && !f->full)
				return true;
			work_unsent(&f->work, &m); /* the settings may say another way now */
			if (f->full)
				return false;
			continue;
		}
		if (handoff_send(f->link.fd, &m, fd) == 0)
			continue;
		f->full = errno == EAGAIN || errno == ENOBUFS;
		if (f->full)
			work_unsent(&f->work, &m);
		else
			mourn(f, "is gone");
		return !f->full;
	}
	return true;
}

static int
take_message(struct flusher *f, const union handoff_message *m)
{
	switch (m->type) {
	case HANDOFF_BEGUN:
		return work_begun(&f->work, &m->done);
	case HANDOFF_PING:
		link_answered(&f->link);
		return 0;
	case HANDOFF_RESULT:
		f->deaths = 0;
		return work_result(&f->work, &m->result);
	case HANDOFF_DONE:
		return work_done(&f->work, &m->done);
	case HANDOFF_PASSED:
		work_passed(&f->work, &m->passed);
		return 0;
	case HANDOFF_SAID:
		waiters_said(&f->waiters, m->said.text);
		return 0;
	default:
		return -1;
	}
}

/* Everything that smtp has to say. */
void
flusher_take_results(struct flusher *f)
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
		mourn(f, "died");
}

/* It answers no more. The supervisor does this to its own. */
static void
end_stuck(struct flusher *f)
{
	if (f->facts->starter != -1)
		starter_kill(f->facts->starter);
	else if (f->parent.fd == -1)
		kill(f->link.pid, SIGKILL);
	mourn(f, "does not answer");
}

void
flusher_release_link(struct flusher *f)
{
	bool other = f->reload || f->work.renew || f->alone != work_suspects(&f->work);

	if (link_watched(&f->link) == -1)
		end_stuck(f);
	if (f->link.fd == -1 || f->work.njobs > 0)
		f->idle_since = clock_monotonic();
	else if (other || clock_monotonic() - f->idle_since >= FLUSHER_LINK_IDLE)
		link_close(&f->link);
	if (f->link.fd != -1)
		return;
	if (f->reload)
		flusher_load(f);
	f->anew = f->anew || f->reload || f->work.renew;
	f->reload = f->work.renew = false;
}
