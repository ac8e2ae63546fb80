/* SPDX-License-Identifier: ISC */
#include "trigger.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "complain.h"
#include "progress.h"
#include "remote.h"
#include "selection.h"
#include "sys/clock.h"
#include "sys/wake.h"

#define TICK 500    /* milliseconds: the time left is shown anew */
#define SHOWN 2048  /* octets of a line that are shown */
#define ASK_TRIES 3 /* flushers that may go away before they answered */

/* Where we are run by the system flusher none is started: it looks here when we end. */
static struct wake
wake_for(const struct spool *sp, const struct settings *s)
{
	return (struct wake){.dir = sp->fd,
	    .socket = s->queue_socket,
	    .queue_dev = sp->queue_dev,
	    .queue_ino = sp->queue_ino,
	    .start = !remote_received()};
}

void
trigger_background(struct spool *sp, const struct settings *s)
{
	struct wake w = wake_for(sp, s);

	wake_news(&w, POKE_NEW);
}

int
trigger_foreground(struct spool *sp, const struct settings *s, struct queue_id id, bool tell)
{
	struct poke p = {.type = POKE_ONE, .id = id};
	struct answer a = {.status = EX_OK};
	struct wake w = wake_for(sp, s);
	int fd = wake_ask(&w, &p);

	if (fd != -1) /* else the next flusher takes it */
		wake_listen(fd, &a, clock_monotonic() + (int64_t)s->queue_wait * 1000);
	if (fd != -1)
		close(fd);
	if (tell && (!a.done || a.why[0] != '\0'))
		warn_user("%s: not delivered yet, it waits in %s: %s", id.s, sp->path,
		    a.why[0] != '\0' ? a.why : "no outcome in time");
	return a.status;
}

/* What a person sees of a queue run. */
struct view {
	struct progress progress;
	bool verbose; /* each line, and the dialogue, on stdout */
};

static void
show(void *arg, const char *line)
{
	struct view *v = arg;

	if (v->verbose && line != NULL) { /* from an owner's flusher, and we may be root's */
		char clean[SHOWN];
		text_clean(clean, sizeof(clean), line, strlen(line));
		progress_clear(&v->progress);
		puts(clean);
		fflush(stdout);
	}
	progress_line(&v->progress, line);
}

/* Ask, and ask again where the flusher that took it goes away before its answer. */
static int
ask_until_done(struct spool *sp, const struct settings *s, const struct poke *p, struct view *view)
{
	struct answer a = {.status = EX_OK, .line = show, .arg = view, .tick = TICK};
	struct wake w = wake_for(sp, s);

	for (int i = 0; i < ASK_TRIES && !a.done; i++) {
		int fd = wake_ask(&w, p);
		if (fd == -1)
			break;
		wake_listen(fd, &a, -1);
		close(fd);
	}
	return a.done ? EX_OK
		      : complain(
			    EX_TEMPFAIL, "the flusher ended before the queue was run; see the log");
}

struct chosen {
	struct spool *spool;
	const struct settings *settings;
	struct view view;
};

static int
run_one(void *arg, const struct claim *claim)
{
	struct chosen *c = arg;
	struct poke p = {.type = POKE_ONE, .id = claim->id, .watch = c->view.verbose};

	return ask_until_done(c->spool, c->settings, &p, &c->view);
}

int
trigger_run(struct spool *sp, const struct settings *s, const struct options *o)
{
	struct poke p = {.type = POKE_ALL, .watch = o->verbose};
	struct chosen c = {.spool = sp, .settings = s, .view.verbose = o->verbose};
	int r;

	progress_begin(&c.view.progress, sp, o);
	r = o->select == SELECT_ALL ? ask_until_done(sp, s, &p, &c.view)
				    : selection_each(sp, o, run_one, &c);
	progress_end(&c.view.progress);
	return r == -1 ? complain(EX_TEMPFAIL, "%s", sp->error) : r;
}
