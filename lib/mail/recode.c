/* SPDX-License-Identifier: ISC */
#include "mail/recode.h"

#include <string.h>

#include "mail/recode_impl.h"

void
recode_init(struct recode *r, unsigned purpose)
{
	*r = (struct recode){.purpose = purpose};
	mime_init(&r->mime);
}

static void
header_over(struct recode *r)
{
	if (r->mime.dkim) {
		r->facts.dkim = true;
		mime_top(&r->mime)->fixed |= !r->break_dkim;
	}
	if (r->out == NULL)
		recode_plan_header_over(r);
	else
		recode_run_header_over(r);
}

static void
part_over(struct recode *r, bool ended)
{
	if (r->out == NULL)
		recode_plan_part_over(r);
	else
		recode_run_part_over(r, ended);
}

static void
piece(struct recode *r, const struct recode_piece *p)
{
	if (!p->first && r->kind == MIME_FIELD)
		mime_more(&r->mime, p->data, p->len);
	while (p->first) {
		r->kind = mime_push(&r->mime, p->data, p->len, p->last);
		if (r->kind == MIME_HEADER_OVER)
			header_over(r);
		else if (r->kind == MIME_PART_OVER)
			part_over(r, false);
		else
			break;
	}
	if (r->out == NULL)
		recode_plan_piece(r, p);
	else
		recode_run_piece(r, p);
	r->going = !p->last;
}

/* Octets of a line, its last ones or not. Whole lines are not copied. */
static void
octets(struct recode *r, const char *data, size_t len, bool last)
{
	size_t room = sizeof(r->line) - r->n, n = len < room ? len : room;

	if (r->going) {
		piece(r, &(struct recode_piece){data, len, false, last});
		return;
	}
	if (r->n == 0 && last && len <= room) {
		piece(r, &(struct recode_piece){data, len, true, true});
		return;
	}
	memcpy(r->line + r->n, data, n);
	r->n += n;
	if (n == len && !last)
		return;
	piece(r, &(struct recode_piece){r->line, r->n, true, n == len});
	r->n = 0;
	if (n < len)
		piece(r, &(struct recode_piece){data + n, len - n, false, last});
}

static void
push(struct recode *r, const char *data, size_t len)
{
	const char *end = data + len;

	while (data < end) {
		const char *lf = memchr(data, '\n', (size_t)(end - data));
		const char *stop = lf != NULL ? lf : end;
		bool cr;

		if (r->cr && stop > data)
			octets(r, "\r", 1, false);
		cr = stop > data ? stop[-1] == '\r' : r->cr;
		r->cr = cr && lf == NULL;
		octets(r, data, (size_t)(stop - data) - (cr && stop > data), lf != NULL);
		data = lf != NULL ? lf + 1 : end;
	}
}

/* The end of input, which may have come inside a line and inside of parts. */
static void
finish(struct recode *r)
{
	if (r->going || r->n > 0 || r->cr)
		octets(r, "", 0, true);
	r->cr = false;
	for (;;) {
		enum mime_event e = mime_finish(&r->mime);

		if (e == MIME_DONE)
			return;
		if (e == MIME_HEADER_OVER)
			header_over(r);
		else
			part_over(r, true);
	}
}

void
recode_plan(struct recode *r, const char *data, size_t len)
{
	r->out = NULL;
	push(r, data, len);
}

bool
recode_planned(struct recode *r)
{
	r->out = NULL;
	finish(r);
	return r->needed;
}

void
recode_start(struct recode *r)
{
	mime_init(&r->mime);
	r->labelled = r->seam = r->bare = r->folding = false;
}

void
recode_run(struct recode *r, const char *data, size_t len, struct buf *out)
{
	if (!r->needed) {
		buf_add(out, data, len);
		return;
	}
	r->out = out;
	push(r, data, len);
}

void
recode_end(struct recode *r, struct buf *out)
{
	r->out = out;
	if (r->needed)
		finish(r);
}
