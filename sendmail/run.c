/* SPDX-License-Identifier: ISC */
#include "run.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "flusher.h"
#include "sys/log.h"

#define HAND_ON_TRIES 200 /* times 10 ms: a flusher that starts or leaves is not listening yet */

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
		flusher_request(f, request);
	do {
		while (!stop && (f->facts->resident || !flusher_idle(f))) {
			if (reload) {
				reload = 0;
				flusher_reload(f);
			}
			flusher_turn(f);
		}
		stop_listening(f);
		if (!stop && !flusher_idle(f))
			listen_here(f);
	} while (!stop && !flusher_idle(f));
	if (stop)
		flusher_goodbye(f);
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
serve_with_lock(const struct run_facts *facts, const struct request *request)
{
	struct flusher f;

	if (flusher_init(&f, facts) == -1)
		return EX_OSERR;
	serve(&f, request);
	flusher_free(&f);
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
		status = serve_with_lock(facts, request);
		close(lock);
		request = NULL;
		if (stop || status != EX_OK || !mail_came(facts->spool))
			return status;
	}
}
