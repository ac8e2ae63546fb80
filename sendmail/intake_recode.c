/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "intake_impl.h"
#include "mail/recode.h"
#include "sys/log.h"

#define PIECE (8 * 1024)                  /* octets read at a time */
#define PIECE_OUT (16 * PIECE + 8 * 1024) /* what may come of them at most */

/* Pass 1: whether something is to be done, and what. */
static int
plan(struct intake *i, struct recode *r)
{
	char piece[PIECE];
	ssize_t n;

	for (uint64_t at = 0; (n = draft_read(&i->draft, piece, sizeof(piece), at)) > 0;
	     at += (uint64_t)n)
		recode_plan(r, piece, (size_t)n);
	return n == 0 ? EX_OK : intake_fail_spool(i);
}

static int
put(struct intake *i, struct buf *out)
{
	if (out->error != 0)
		return intake_fail_memory(i);
	if (draft_write(&i->draft, out->data, out->len) == -1)
		return intake_fail_spool(i);
	buf_clear(out);
	return intake_check_room(i);
}

/* Pass 2: from the old draft into the new one. */
static int
rewrite(struct intake *i, struct draft *old, struct recode *r)
{
	struct buf out = BUF_INIT(PIECE_OUT);
	char piece[PIECE];
	int status = EX_OK;
	ssize_t n = 0;

	recode_start(r);
	if (draft_head(&i->draft, &i->envelope) == -1)
		status = intake_fail_spool(i);
	for (uint64_t at = 0;
	     status == EX_OK && (n = draft_read(old, piece, sizeof(piece), at)) > 0;
	     at += (uint64_t)n) {
		recode_run(r, piece, (size_t)n, &out);
		status = put(i, &out);
	}
	if (status == EX_OK && n == -1)
		status = intake_fail_spool(i);
	if (status == EX_OK) {
		recode_end(r, &out);
		status = put(i, &out);
	}
	buf_free(&out);
	return status;
}

static void
say(const struct intake *i, const struct recode *r)
{
	log_info("%s: lines longer than 998 octets were %s%s", i->envelope.id.s,
	    r->facts.folded || r->facts.header_cut ? "folded" : "encoded",
	    r->facts.dkim ? "; its DKIM-Signature is void" : "");
}

int
intake_recode(struct intake *i)
{
	struct recode *r = malloc(sizeof(*r));
	struct draft old;
	int status;

	if (r == NULL)
		return intake_fail_memory(i);
	recode_init(r, RECODE_LONG);
	r->break_dkim = true;
	if ((status = plan(i, r)) == EX_OK && recode_planned(r)) {
		if (draft_again(&i->draft, &old) == -1)
			status = intake_fail_spool(i);
		else
			status = rewrite(i, &old, r);
		draft_abandon(&old);
		if (status == EX_OK)
			say(i, r);
	}
	free(r);
	return status;
}
