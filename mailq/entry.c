/* SPDX-License-Identifier: ISC */
#include "entry.h"

#include <fcntl.h>
#include <string.h>

const enum spool_state entry_states[ENTRY_STATES] = {
    SPOOL_NEW, SPOOL_CUR, SPOOL_HOLD, SPOOL_FAILED};

const char *
label_name(enum label label)
{
	static const char *const names[LABELS] = {
	    [LABEL_INCOMING] = "incoming",
	    [LABEL_ACTIVE] = "active",
	    [LABEL_DEFERRED] = "deferred",
	    [LABEL_HOLD] = "hold",
	    [LABEL_FAILED] = "failed",
	    [LABEL_DAMAGED] = "damaged",
	};

	return names[label];
}

static enum label
label_of(const struct claim *c)
{
	if (c->state == SPOOL_HOLD)
		return LABEL_HOLD;
	if (c->state == SPOOL_FAILED)
		return LABEL_FAILED;
	if (c->active)
		return LABEL_ACTIVE;
	return c->state == SPOOL_CUR ? LABEL_DEFERRED : LABEL_INCOMING;
}

/* Asks for the file's size and time itself: a damaged one may be of a kind that is not opened. */
static enum claim_result
describe_damaged(struct entry *e)
{
	struct claim *c = &e->claim;
	int dir = spool_dir(c->spool, c->state);
	struct stat st;

	if (dir == -1 || fstatat(dir, c->id.s, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return CLAIM_GONE;
	e->label = LABEL_DAMAGED;
	e->octets = (uint64_t)st.st_size;
	e->arrived = st.st_mtime > 0 ? (uint64_t)st.st_mtime * 1000000 : 0;
	return CLAIM_OK;
}

enum claim_result
entry_open(struct entry *e, struct spool *sp, enum spool_state state, const char *id)
{
	struct claim *c = &e->claim;
	enum claim_result r = claim_open(c, sp, state, id, CLAIM_LOOK);

	/* It may have been moved since it was seen, from new/ to cur/ as a rule. */
	for (size_t i = 0; r == CLAIM_GONE && i < ENTRY_STATES; i++) {
		claim_close(c);
		r = claim_open(c, sp, entry_states[i], id, CLAIM_LOOK);
	}
	if (r == CLAIM_DAMAGED)
		return describe_damaged(e);
	if (r != CLAIM_OK)
		return r;
	e->label = label_of(c);
	e->octets = c->envelope.size;
	e->arrived = c->envelope.arrived;
	return CLAIM_OK;
}

bool
entry_concerns(const struct entry *e, const struct recipient *r)
{
	return r->status.class != 2 && (!r->reported || e->claim.state == SPOOL_FAILED);
}

void
entry_sender(char dst[ADDRESS_MAX + 1], const struct entry *e)
{
	const char *from = e->claim.envelope.from;

	if (e->label == LABEL_DAMAGED)
		from = "";
	else if (from[0] == '\0')
		from = "MAILER-DAEMON";
	text_clean(dst, ADDRESS_MAX + 1, from, strlen(from));
}

char
entry_mark(const struct entry *e)
{
	if (e->label == LABEL_HOLD || e->label == LABEL_FAILED)
		return '!';
	return e->label == LABEL_ACTIVE ? '*' : ' ';
}

bool
entry_next(const struct entry *e, int64_t *when)
{
	if (e->label == LABEL_HOLD || e->label == LABEL_FAILED || e->label == LABEL_DAMAGED)
		return false;
	*when =
	    e->claim.state == SPOOL_NEW ? (int64_t)(e->arrived / 1000000) : e->claim.st.st_mtime;
	return true;
}

const struct recipient *
entry_last(const struct entry *e)
{
	const struct envelope *v = &e->claim.envelope;
	const struct recipient *last = NULL;

	for (const struct recipient *r = v->rcpt; r < v->rcpt + v->nrcpt; r++)
		if (entry_concerns(e, r) && r->status.class != 0 &&
		    (last == NULL || r->when > last->when))
			last = r;
	return last;
}

unsigned
entry_attempts(const struct entry *e)
{
	const struct envelope *v = &e->claim.envelope;
	unsigned most = 0;

	for (const struct recipient *r = v->rcpt; r < v->rcpt + v->nrcpt; r++)
		if (entry_concerns(e, r) && r->attempts > most)
			most = r->attempts;
	return most;
}
