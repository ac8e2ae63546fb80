/* SPDX-License-Identifier: ISC */
#include "steer.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "mail/journal.h"
#include "sys/clock.h"
#include "sys/log.h"

#define PAUSE 10 /* milliseconds between looks at a message that is being delivered */

/* What the four are, but for what they do. */
struct deed {
	const char *done;  /* "deleted" */
	const char *title; /* of the sum: "Deleted" */
	/* Whether it is for a message in this state; named: somebody chose this very one, or its state. */
	bool (*fits)(enum spool_state state, bool named);
	int (*act)(struct claim *c, unsigned actor, int64_t now);
};

unsigned
steer_actor(const struct run *r)
{
	return r->root ? 0 : (unsigned)getuid();
}

static enum claim_result
open_anywhere(struct claim *c, const struct entry *e)
{
	struct spool *sp = e->claim.spool;
	enum claim_result r = claim_open(c, sp, e->claim.state, e->claim.id.s, CLAIM_STEER);

	for (size_t i = 0; r == CLAIM_GONE && i < ENTRY_STATES; i++) {
		claim_close(c);
		r = claim_open(c, sp, entry_states[i], e->claim.id.s, CLAIM_STEER);
	}
	return r;
}

enum claim_result
steer_claim(struct run *r, struct claim *c, const struct entry *e, const char *what)
{
	struct steer *s = r->memory;
	enum claim_result result;

	while ((result = open_anywhere(c, e)) == CLAIM_BUSY && s->waited < STEER_PATIENCE) {
		claim_close(c);
		poll(NULL, 0, PAUSE);
		s->waited += PAUSE;
	}
	if (result == CLAIM_BUSY)
		total_trouble(
		    r->total, EX_TEMPFAIL, "%s: being delivered now; not %s", e->claim.id.s, what);
	else if (result == CLAIM_ERROR)
		total_trouble(r->total, total_sysexit(errno), "%s", e->claim.spool->error);
	else if (result == CLAIM_GONE && r->options->selection.nids > 0)
		total_trouble(r->total, EX_NOHOST, "%s: it has just left the queue", e->claim.id.s);
	return result;
}

void
steer_sync(struct run *r, struct spool *sp)
{
	for (int i = 0; i < SPOOL_STATES; i++)
		if (sp->state[i] != -1 && fsync(sp->state[i]) == -1)
			total_trouble(r->total, EX_IOERR, "cannot sync %s/%s: %s", sp->path,
			    spool_state_name((enum spool_state)i), strerror(errno));
}

/* Whether the failure of a recipient is to be undone: not where the sender knows of it. */
static bool
kept_failure(const struct envelope *e, const struct recipient *r)
{
	return r->status.class == 5 && (!r->reported || e->from[0] == '\0');
}

/* Its time in the queue begins anew, or one that is too old would get a single attempt. */
static int
undo_failures(struct claim *c, unsigned actor, int64_t now)
{
	struct buf lines = BUF_INIT(CLAIM_JOURNAL_MAX);
	struct retry_age age = {.used = 0, .at = now};
	char who[32];
	int r;

	snprintf(who, sizeof(who), "by uid %u", actor);
	journal_add_age(&lines, &age);
	for (size_t i = 0; i < c->envelope.nrcpt; i++)
		if (kept_failure(&c->envelope, &c->envelope.rcpt[i]))
			journal_add_word(&lines, now, i, JOURNAL_RELEASED, who);
	if ((errno = lines.error) != 0)
		r = spool_fail(c->spool, "append to", c->id.s);
	else
		r = claim_append(c, &lines, true);
	buf_free(&lines);
	return r;
}

int
steer_release(struct claim *c, unsigned actor, int64_t now)
{
	if (c->state == SPOOL_NEW)
		return 0;
	if (c->state == SPOOL_FAILED && undo_failures(c, actor, now) == -1)
		return -1;
	return claim_defer(c, now);
}

static bool
fits_any(enum spool_state state, bool named)
{
	(void)state;
	(void)named;
	return true;
}

static bool
fits_waiting(enum spool_state state, bool named)
{
	(void)named;
	return state == SPOOL_NEW || state == SPOOL_CUR;
}

static bool
fits_kept(enum spool_state state, bool named)
{
	return state == SPOOL_HOLD || (state == SPOOL_FAILED && named);
}

static bool
fits_retry(enum spool_state state, bool named)
{
	return named || fits_waiting(state, named);
}

static int
delete_message(struct claim *c, unsigned actor, int64_t now)
{
	(void)actor;
	(void)now;
	return claim_remove(c);
}

static int
hold_message(struct claim *c, unsigned actor, int64_t now)
{
	(void)actor;
	(void)now;
	return claim_move(c, SPOOL_HOLD);
}

static const struct deed delete_deed = {"deleted", "Deleted", fits_any, delete_message};
static const struct deed hold_deed = {"put on hold", "Placed on hold", fits_waiting, hold_message};
static const struct deed release_deed = {"released", "Released", fits_kept, steer_release};
static const struct deed retry_deed = {
    "to be retried now", "To be retried", fits_retry, steer_release};

static bool
fits(const struct run *r, const struct deed *d, enum spool_state state)
{
	const struct selection *s = &r->options->selection;

	return d->fits(state, s->nids > 0 || s->states != 0);
}

static void
note(struct run *r, const struct claim *c, const struct deed *d)
{
	struct steer *s = r->memory;

	s->done++;
	log_info("%s: %s by uid %u", c->id.s, d->done, steer_actor(r));
	if (r->options->verbose)
		printf("%s: %s\n", c->id.s, d->done);
}

/* Damaged files are left alone, but for one that is named and to be deleted: there is no lock. */
static void
steer_damaged(struct run *r, const struct deed *d, struct claim *c)
{
	bool named = r->options->selection.nids > 0 || r->options->selection.states != 0;

	if (d->act != delete_message || !named)
		total_trouble(
		    r->total, EX_DATAERR, "%s: damaged: %s; not %s", c->id.s, c->why, d->done);
	else if (claim_remove(c) == -1)
		total_trouble(r->total, total_sysexit(errno), "%s", c->spool->error);
	else
		note(r, c, d);
}

static void
steer(struct run *r, const struct entry *e, const struct deed *d)
{
	struct steer *s = r->memory;
	struct claim c;

	if (e->label != LABEL_DAMAGED && !fits(r, d, e->claim.state))
		return;
	if (r->options->dry_run) {
		s->done++;
		printf("%s: would be %s\n", e->claim.id.s, d->done);
		return;
	}
	switch (steer_claim(r, &c, e, d->done)) {
	case CLAIM_OK:
		if (!fits(r, d, c.state))
			break; /* it got there meanwhile */
		if (d->act(&c, steer_actor(r), r->now) == -1)
			total_trouble(r->total, total_sysexit(errno), "%s", c.spool->error);
		else
			note(r, &c, d);
		break;
	case CLAIM_DAMAGED:
		steer_damaged(r, d, &c);
		break;
	default:
		break;
	}
	claim_close(&c);
}

static void
delete_entry(struct run *r, struct entry *e)
{
	steer(r, e, &delete_deed);
}

static void
hold_entry(struct run *r, struct entry *e)
{
	steer(r, e, &hold_deed);
}

static void
release_entry(struct run *r, struct entry *e)
{
	steer(r, e, &release_deed);
}

static void
retry_entry(struct run *r, struct entry *e)
{
	steer(r, e, &retry_deed);
}

struct wake
steer_wake(const struct run *r, const struct spool *sp)
{
	return (struct wake){.dir = sp->fd,
	    .socket = r->settings->queue_socket,
	    .queue_dev = sp->queue_dev,
	    .queue_ino = sp->queue_ino,
	    .start = true};
}

static void
left(struct run *r, struct spool *sp)
{
	if (!r->options->dry_run)
		steer_sync(r, sp);
}

static void
left_released(struct run *r, struct spool *sp)
{
	const struct steer *s = r->memory;
	struct wake w = steer_wake(r, sp);

	left(r, sp);
	if (s->done > 0 && !r->options->dry_run)
		wake_news(&w, POKE_LOOK);
}

static int
end(const struct run *r, const struct deed *d)
{
	const struct steer *s = r->memory;

	r->total->stuck = false;
	total_flush(r->total);
	fprintf(stderr, "mailq: %s: %llu message%s%s\n", d->title, (unsigned long long)s->done,
	    s->done == 1 ? "" : "s", r->options->dry_run ? " (dry run: nothing was done)" : "");
	return EX_OK;
}

static int
end_delete(struct run *r)
{
	return end(r, &delete_deed);
}

static int
end_hold(struct run *r)
{
	return end(r, &hold_deed);
}

static int
end_release(struct run *r)
{
	return end(r, &release_deed);
}

static int
end_retry(struct run *r)
{
	return end(r, &retry_deed);
}

static void
count_entry(struct run *r, struct entry *e)
{
	(void)r;
	(void)e;
}

#define MEMORY sizeof(struct steer)

const struct act act_delete = {
    .memory = MEMORY, .entry = delete_entry, .left = left, .end = end_delete};
const struct act act_hold = {.memory = MEMORY, .entry = hold_entry, .left = left, .end = end_hold};
const struct act act_release = {
    .memory = MEMORY, .entry = release_entry, .left = left_released, .end = end_release};
const struct act act_retry = {
    .memory = MEMORY, .entry = retry_entry, .left = left_released, .end = end_retry};
const struct act act_count = {.entry = count_entry};
