/* SPDX-License-Identifier: ISC */
#include "selection.h"

#include <string.h>

#include "spool/scan.h"

static bool
in_recipients(const struct envelope *e, const char *part)
{
	for (size_t i = 0; i < e->nrcpt; i++)
		if (e->rcpt[i].status.class != 2 && e->rcpt[i].status.class != 5 &&
		    strcasestr(e->rcpt[i].address, part) != NULL)
			return true;
	return false;
}

static bool
in_sender(const struct envelope *e, const char *part)
{
	return e->from[0] == '\0' ? strcmp(part, "<>") == 0 : strcasestr(e->from, part) != NULL;
}

static bool
selected(const struct claim *c, const struct options *o)
{
	switch (o->select) {
	case SELECT_ID:
		return strcasestr(c->id.s, o->selected) != NULL;
	case SELECT_RECIPIENT:
		return in_recipients(&c->envelope, o->selected);
	case SELECT_SENDER:
		return in_sender(&c->envelope, o->selected);
	case SELECT_ALL:
		break;
	}
	return true;
}

static int
visit(struct spool *sp, enum spool_state state, const char *name, const struct options *o,
    int (*each)(void *arg, const struct claim *c), void *arg)
{
	struct claim c;
	int r = 0;

	if (claim_open(&c, sp, state, name, CLAIM_LOOK) == CLAIM_OK &&
	    selected(&c, o) != o->select_others)
		r = each(arg, &c);
	claim_close(&c);
	return r;
}

int
selection_each(struct spool *sp, const struct options *o,
    int (*each)(void *arg, const struct claim *c), void *arg)
{
	/* cur/ first: what is deferred meanwhile goes from new/ to cur/, and is not tried twice. */
	static const enum spool_state states[] = {SPOOL_CUR, SPOOL_NEW};
	struct scan_entry entry;
	struct scan s;
	int r = 0;

	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]) && r == 0; i++) {
		if (scan_open(&s, sp, states[i]) == -1)
			return -1;
		while (r == 0 && scan_next(&s, &entry) == 1)
			r = visit(sp, states[i], entry.name, o, each, arg);
		scan_close(&s);
	}
	return r;
}
