/* SPDX-License-Identifier: ISC */
#include "signals.h"

#include <signal.h>
#include <stddef.h>

static volatile sig_atomic_t stop, reload, flush;

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

static void
on_flush(int sig)
{
	(void)sig;
	flush = 1;
}

static void
on_wake(int sig)
{
	(void)sig;
}

void
signals_catch(void)
{
	static const struct {
		int sig;
		void (*handler)(int);
	} signals[] = {{SIGTERM, on_stop}, {SIGINT, on_stop}, {SIGHUP, on_reload},
	    {SIGUSR1, on_flush}, {SIGCHLD, on_wake}, {SIGALRM, on_wake}};
	sigset_t mask;

	stop = reload = flush = 0;
	sigemptyset(&mask);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		struct sigaction sa = {.sa_handler = signals[i].handler};
		sigaction(signals[i].sig, &sa, NULL);
		sigaddset(&mask, signals[i].sig);
	}
	sigprocmask(SIG_BLOCK, &mask, NULL);
}

bool
signals_stop(void)
{
	return stop != 0;
}

/* Taken and cleared; the signals are blocked meanwhile. */
static bool
take(volatile sig_atomic_t *flag)
{
	bool was = *flag != 0;

	*flag = 0;
	return was;
}

bool
signals_reload(void)
{
	return take(&reload);
}

bool
signals_flush(void)
{
	return take(&flush);
}
