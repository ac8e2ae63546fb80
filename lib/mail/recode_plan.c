/* SPDX-License-Identifier: ISC */
#include "mail/recode_impl.h"
#include "mail/utf8.h"

bool
recode_eightbit(const char *data, size_t len)
{
	unsigned char seen = 0;

	for (size_t i = 0; i < len; i++)
		seen |= (unsigned char)data[i];
	return seen > 0x7f;
}

static size_t
count_escapes(const char *data, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)data[i];

		n += (c < ' ' && c != '\t') | (c > '~') | (c == '=');
	}
	return n;
}

/* One octet of a character that may be cut by the end of a piece. */
static void
check_octet(struct recode_text *t, char c)
{
	unsigned char lead = (unsigned char)(t->held == 0 ? c : t->character[0]);
	unsigned want = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;

	t->character[t->held++] = c;
	if (t->held < want)
		return;
	t->alien = t->alien || utf8_len(t->character, want) != want;
	t->held = 0;
}

static void
check_utf8(struct recode_text *t, const struct recode_piece *p)
{
	for (size_t i = 0; i < p->len && !t->alien; i++)
		check_octet(t, p->data[i]);
	if (p->last && t->held > 0)
		t->alien = true;
}

static void
measure(struct recode_text *t, const struct recode_piece *p)
{
	bool eightbit = recode_eightbit(p->data, p->len);

	t->line = t->line || (p->first && !p->last);
	t->eightbit = t->eightbit || eightbit;
	t->octets += p->len;
	t->escapes += count_escapes(p->data, p->len);
	if (eightbit || t->held > 0)
		check_utf8(t, p);
}

static void
field(struct recode *r, const struct recode_piece *p)
{
	if (recode_eightbit(p->data, p->len)) {
		r->facts.eightbit_header = true;
		r->wide[mime_depth(&r->mime) - 1].header = true;
	}
	if (p->first && !p->last && (r->purpose & RECODE_LONG))
		r->needed = true;
}

/* What stands around the parts of a multipart has ended. */
static void
outside_over(struct recode *r, const struct mime_entity *e, bool *wide)
{
	if (r->text.line && (r->purpose & RECODE_LONG))
		r->facts.folded = r->needed = true;
	if (r->text.eightbit && (r->purpose & RECODE_7BIT)) {
		if (e->fixed)
			r->facts.eightbit_left = *wide = true;
		else
			r->facts.replaced = r->needed = true;
	}
	r->text = (struct recode_text){0};
}

void
recode_plan_piece(struct recode *r, const struct recode_piece *p)
{
	struct mime *m = &r->mime;

	switch (r->kind) {
	case MIME_FIELD:
		field(r, p);
		break;
	case MIME_TEXT:
	case MIME_OUTSIDE:
		measure(&r->text, p);
		break;
	case MIME_DELIMITER: { /* of the next part, which is open already, or the last one */
		unsigned depth = mime_depth(m) - (mime_top(m)->closed ? 1 : 2);

		outside_over(r, &m->stack[depth], &r->wide[depth].body);
		break;
	}
	default:
		break;
	}
}

void
recode_plan_header_over(struct recode *r)
{
	r->text = (struct recode_text){0};
}

static unsigned
charset(const struct recode_text *t)
{
	return !t->eightbit ? RECODE_ASCII : t->alien ? RECODE_ALIEN : RECODE_UTF8;
}

/* How a part that does not fit is to be encoded. */
static unsigned
encode(const struct recode_text *t, enum content_encoding now)
{
	if (now == CONTENT_QP)
		return RECODE_QP_AGAIN;
	if (now == CONTENT_BASE64)
		return RECODE_BASE64_AGAIN;
	return charset(t) | (t->escapes > t->octets / 3 ? RECODE_BASE64 : RECODE_QP);
}

/* A label that says more than 7bit and need not. */
static unsigned
relabel(const struct recode *r, const struct mime_entity *e, bool *wide)
{
	if (!(r->purpose & RECODE_7BIT) || e->encoding != CONTENT_WIDE)
		return RECODE_KEEP;
	if (!*wide && !e->fixed)
		return RECODE_LABEL;
	*wide = true;
	return RECODE_KEEP;
}

static unsigned
leaf_over(struct recode *r, const struct mime_entity *e, bool *wide)
{
	const struct recode_text *t = &r->text;
	bool line = t->line && (r->purpose & RECODE_LONG);
	bool eightbit = t->eightbit && (r->purpose & RECODE_7BIT);

	if (!line && !eightbit) {
		*wide = t->line || t->eightbit;
		return relabel(r, e, wide);
	}
	if (!e->fixed && e->encoding != CONTENT_UNKNOWN) {
		r->needed = true;
		return encode(t, e->encoding);
	}
	if (line)
		r->facts.folded = r->needed = true;
	if (eightbit)
		r->facts.eightbit_left = true;
	*wide = t->eightbit || e->encoding == CONTENT_WIDE;
	return line && e->encoding == CONTENT_QP ? RECODE_QP_AGAIN : RECODE_KEEP;
}

void
recode_plan_part_over(struct recode *r)
{
	const struct mime_entity *e = mime_over(&r->mime);
	unsigned depth = mime_depth(&r->mime);
	bool header = r->wide[depth].header, body = r->wide[depth].body;
	unsigned plan;

	if (e->kind == MIME_LEAF || (e->kind == MIME_MULTIPART && !e->delimited)) {
		plan = leaf_over(r, e, &body);
	} else {
		outside_over(r, e, &body);
		plan = relabel(r, e, &body);
	}
	if (e->part < MIME_PARTS)
		r->plan[e->part] = (uint8_t)plan;
	if (depth > 0 && (header || body))
		r->wide[depth - 1].body = true;
	r->wide[depth].header = r->wide[depth].body = false;
	r->text = (struct recode_text){0};
}
