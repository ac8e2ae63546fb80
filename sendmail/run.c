/* SPDX-License-Identifier: ISC */
#include "run.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "flusher.h"
#include "signals.h"
#include "sys/log.h"

#define HAND_ON_TRIES 200 /* at most 10 ms each: a flusher that starts or leaves does not listen */
#define LEAVE_WAIT 50     /* milliseconds until a flusher that was asked to leave is asked again */

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
	flusher_take_pokes(f);
	close(f->sock);
	f->sock = -1;
}

/* What signals, and the time of a service, ask for. */
static void
take_wishes(struct flusher *f)
{
	struct request all = {.poke.type = POKE_ALL, .fd = -1};
	bool flush = signals_flush();

	if (signals_reload()) {
		service_reloading();
		flusher_reload(f);
		if (f->facts->service != NULL)
			service_ready(f->facts->service);
	}
	if (service_turn(f->facts->service) || flush)
		flusher_request(f, &all);
}

/* Whether to leave, whatever waits. */
static bool
stopping(const struct flusher *f)
{
	return signals_stop() || flusher_dismissed(f);
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
		flusher_request(f, request);
	if (f->facts->service != NULL)
		service_ready(f->facts->service);
	do {
		while (!stopping(f) && (f->facts->service != NULL || !flusher_idle(f))) {
			take_wishes(f);
			flusher_turn(f);
		}
		stop_listening(f);
		if (!stopping(f) && !flusher_idle(f))
			listen_here(f);
	} while (!stopping(f) && !flusher_idle(f));
	if (!stopping(f))
		return;
	if (f->facts->service != NULL)
		service_stopping();
	flusher_goodbye(f);
}

/* Whether there is mail in it. Damaged files stay there and are none. */
static bool
has_mail(struct spool *sp, enum spool_state state)
{
	struct scan_entry e;
	struct scan s;
	bool any = false;

	if (scan_open(&s, sp, state) == -1)
		return false;
	while (!any && scan_next(&s, &e) == 1) {
		struct claim c;
		any = claim_open(&c, sp, state, e.name, CLAIM_LOOK) == CLAIM_OK;
		claim_close(&c);
	}
	scan_close(&s);
	return any;
}

/*
 * Another flusher has the lock: it gets the request, or the news, if it listens. -1: it does not (yet,
 * or any more), and we may be the next one.
 */
static int
hand_on(struct spool *sp, const struct request *request)
{
	static const struct poke news = {.type = POKE_LOOK};

	if (request != NULL)
		return poke_send(sp->fd, POKE_SOCKET, &request->poke, request->fd);
	return poke_send(sp->fd, POKE_SOCKET, &news, -1) == 0 || errno == EAGAIN ? 0 : -1;
}

static int
serve_with_lock(const struct run_facts *facts, const struct request *request)
{
	/* Most of it is room for what is under way, and takes no memory before that. */
	struct flusher *f = calloc(1, sizeof(*f));

	if (f == NULL || flusher_init(f, facts) == -1) {
		free(f);
		return EX_OSERR;
	}
	serve(f, request);
	if (facts->supervisor != -1)
		flusher_last_word(f);
	flusher_free(f);
	free(f);
	return EX_OK;
}

/* Signals end it. */
static void
sleep_ms(int ms)
{
	struct timespec t = {.tv_nsec = (long)ms * 1000000};
	sigset_t none;

	sigemptyset(&none);
	ppoll(NULL, 0, &t, &none);
}

/*
 * The lock of the spool. -1 with a status: it cannot be had, or another flusher has it and has the
 * request. A service is not content with that: the other one leaves.
 */
static int
take_lock(const struct run_facts *facts, const struct request *request, int *status)
{
	static const struct poke leave = {.type = POKE_LEAVE};

	for (int tries = 0;; tries++) {
		int lock = spool_lock(facts->spool);
		if (lock != -1)
			return lock;
		*status = EX_OK;
		if (errno != EWOULDBLOCK) {
			log_warn("%s", facts->spool->error);
			*status = EX_TEMPFAIL;
			return -1;
		}
		if (signals_stop())
			return -1;
		if (facts->service != NULL) {
			poke_send(facts->spool->fd, POKE_SOCKET, &leave, -1);
			sleep_ms(LEAVE_WAIT);
		} else if (hand_on(facts->spool, request) == 0 || tries >= HAND_ON_TRIES)
			return -1;
		else
			sleep_ms(tries < 20 ? 1 : 10);
	}
}

int
run_spool(const struct run_facts *facts, const struct request *request)
{
	int lock, status;

	signals_catch();
	for (;;) {
		if ((lock = take_lock(facts, request, &status)) == -1)
			return status;
		status = serve_with_lock(facts, request);
		close(lock);
		request = NULL;
		/* The supervisor hears of what came meanwhile. */
		if (facts->supervisor != -1 || signals_stop() || status != EX_OK)
			return status;
		/* What came since these were last walked, from one that found us in the way. */
		if (!has_mail(facts->spool, SPOOL_NEW) && !has_mail(facts->spool, SPOOL_CUR))
			return status;
	}
}
