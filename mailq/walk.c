/* SPDX-License-Identifier: ISC */
#include "walk.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "spool/scan.h"
#include "sys/poke.h"

/* Small, since there are WALK_BATCH of them. */
struct seen {
	char name[QUEUE_ID_LEN + 1];
	unsigned char state;
};

/* A scan that goes on from state to state. */
struct walk {
	struct run *run;
	struct spool *spool;
	struct scan scan;
	size_t at; /* index into entry_states */
	bool open;
};

/* The state's scan is through: name what lies there and is no message. */
static void
walk_on(struct walk *w)
{
	if (w->open && w->scan.junk > 0)
		total_trouble(w->run->total, EX_OK,
		    "%s/%s: %u file(s) that are no messages, such as %s", w->spool->path,
		    spool_state_name(entry_states[w->at]), w->scan.junk, w->scan.example);
	if (w->open)
		scan_close(&w->scan);
	w->open = false;
	w->at++;
}

/* The next entry of any state. */
static bool
walk_next(struct walk *w, struct seen *s)
{
	char name[16];
	int r;

	for (; w->at < ENTRY_STATES; walk_on(w)) {
		if (!w->open)
			w->open = scan_open(&w->scan, w->spool, entry_states[w->at]) == 0;
		r = w->open ? scan_name(&w->scan, name) : -1;
		if (r == 1) {
			memcpy(s->name, name, sizeof(s->name));
			s->state = (unsigned char)entry_states[w->at];
			return true;
		}
		if (r == -1)
			total_trouble(w->run->total, total_sysexit(errno), "cannot list %s/%s: %s",
			    w->spool->path, spool_state_name(entry_states[w->at]), strerror(errno));
	}
	return false;
}

static void
take(struct run *r, struct entry *e)
{
	if (!select_entry(&r->options->selection, e, r->now))
		return;
	r->total->requests++;
	r->total->octets += e->octets;
	r->total->damaged += e->label == LABEL_DAMAGED;
	r->act->entry(r, e);
}

/* Whether it is there. */
static bool
visit(struct run *r, struct spool *sp, enum spool_state state, const char *id)
{
	struct entry e;
	enum claim_result result = entry_open(&e, sp, state, id);

	if (result == CLAIM_OK)
		take(r, &e);
	else if (result == CLAIM_ERROR)
		total_trouble(r->total, EX_TEMPFAIL, "%s", sp->error);
	claim_close(&e.claim);
	if (r->total->output == 0 && ferror(stdout))
		r->total->output = errno;
	return result != CLAIM_GONE;
}

static int
compare(const void *a, const void *b)
{
	return strcmp(((const struct seen *)a)->name, ((const struct seen *)b)->name);
}

/* A message that moved while the states were scanned was seen in both. */
static void
visit_batch(struct run *r, struct spool *sp, struct seen *batch, size_t n)
{
	qsort(batch, n, sizeof(*batch), compare);
	for (size_t i = 0; i < n && r->total->output == 0; i++)
		if (i == 0 || compare(&batch[i - 1], &batch[i]) != 0)
			visit(r, sp, (enum spool_state)batch[i].state, batch[i].name);
}

bool
walk_served(const struct run *r, struct spool *sp)
{
	const struct settings *s = r->settings;
	size_t len = strlen(s->queue_dir);

	if (spool_flusher_alive(sp))
		return true;
	return strncmp(sp->path, s->queue_dir, len) == 0 && sp->path[len] == '/' &&
	       poke_heard(-1, s->queue_socket);
}

static void
visit_all(struct run *r, struct spool *sp)
{
	struct walk w = {.run = r, .spool = sp};
	struct seen *batch = calloc(WALK_BATCH, sizeof(*batch));
	bool waits = false;
	size_t n;

	if (batch == NULL) {
		total_trouble(r->total, EX_TEMPFAIL, "%s", strerror(errno));
		return;
	}
	do {
		for (n = 0; n < WALK_BATCH && walk_next(&w, &batch[n]); n++)
			waits |= batch[n].state == SPOOL_NEW || batch[n].state == SPOOL_CUR;
		visit_batch(r, sp, batch, n);
	} while (n == WALK_BATCH && r->total->output == 0);
	while (w.at < ENTRY_STATES)
		walk_on(&w);
	if (waits && !walk_served(r, sp))
		r->total->stuck = true;
	free(batch);
}

static void
visit_ids(struct run *r, struct spool *sp)
{
	const struct selection *s = &r->options->selection;

	for (unsigned i = 0; i < s->nids && r->total->output == 0; i++)
		if (visit(r, sp, SPOOL_NEW, s->ids[i]))
			r->found[i] = true;
}

void
walk_missing(const struct run *r, const char *where)
{
	const struct selection *s = &r->options->selection;

	for (unsigned i = 0; i < s->nids && r->total->output == 0; i++)
		if (!r->found[i])
			total_trouble(
			    r->total, EX_NOHOST, "%s: no such message %s", s->ids[i], where);
}

void
walk_spool(struct run *r, struct spool *sp)
{
	if (r->act->spool != NULL)
		r->act->spool(r, sp);
	if (r->options->selection.nids > 0)
		visit_ids(r, sp);
	else
		visit_all(r, sp);
	if (r->act->left != NULL)
		r->act->left(r, sp);
}
