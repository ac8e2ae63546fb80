/* SPDX-License-Identifier: ISC */
#include "deliver.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "show.h"
#include "steer.h"
#include "sys/log.h"

#define ASK_TRIES 3 /* flushers that may go away before they answered */

struct watched {
	struct run *run;
	unsigned results; /* lines of recipients; others are the dialogue */
};

static void
show_line(void *arg, const char *line)
{
	struct watched *w = arg;

	w->results += wake_status(line).class != 0;
	show_clean(line, strlen(line));
	putchar('\n');
	total_flush(w->run->total);
}

static void
note(struct run *r, int status)
{
	if (r->total->status == EX_OK)
		r->total->status = status;
}

static void
watch(struct run *r, const struct entry *e)
{
	struct poke p = {.type = POKE_ONE, .id = e->claim.id, .watch = r->options->verbose};
	struct wake w = steer_wake(r, e->claim.spool);
	struct watched seen = {.run = r};
	struct answer a = {.status = EX_OK, .line = show_line, .arg = &seen};
	int fd;

	for (int i = 0; i < ASK_TRIES && !a.done && (fd = wake_ask(&w, &p)) != -1; i++) {
		wake_listen(fd, &a, -1);
		close(fd);
	}
	if (!a.done)
		total_trouble(r->total, EX_TEMPFAIL,
		    "%s: the flusher ended before it was delivered; see the log", p.id.s);
	else if (seen.results == 0)
		total_trouble(r->total, EX_TEMPFAIL, "%s: it was not tried; see the log", p.id.s);
	else if (a.status != EX_OK)
		note(r, a.status);
	else if (a.why[0] != '\0')
		note(r, EX_TEMPFAIL);
}

/* Whether it may be delivered. */
static bool
release(struct run *r, const struct entry *e)
{
	struct claim c;
	bool ready = false;

	if (e->claim.state == SPOOL_NEW || e->claim.state == SPOOL_CUR)
		return true;
	if (steer_claim(r, &c, e, "delivered") == CLAIM_OK) {
		ready = steer_release(&c, steer_actor(r), r->now) == 0;
		if (ready)
			log_info("%s: released by uid %u", c.id.s, steer_actor(r));
		else
			total_trouble(r->total, total_sysexit(errno), "%s", c.spool->error);
	}
	claim_close(&c);
	return ready;
}

static void
deliver_entry(struct run *r, struct entry *e)
{
	struct steer *s = r->memory;

	if (e->label == LABEL_DAMAGED) {
		total_trouble(r->total, EX_DATAERR, "%s: damaged: %s; not delivered", e->claim.id.s,
		    e->claim.why);
		return;
	}
	if (r->options->dry_run) {
		printf("%s: would be delivered\n", e->claim.id.s);
		return;
	}
	if (!release(r, e))
		return;
	s->done++;
	log_info("%s: to be delivered now, by uid %u", e->claim.id.s, steer_actor(r));
	watch(r, e);
}

static int
end(struct run *r)
{
	r->total->stuck = false;
	return EX_OK;
}

const struct act act_deliver = {.memory = sizeof(struct steer), .entry = deliver_entry, .end = end};
