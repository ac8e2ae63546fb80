/* SPDX-License-Identifier: ISC */
#include "mail/recode_impl.h"

static const char *const labels[] = {
    [RECODE_QP] = "quoted-printable",
    [RECODE_BASE64] = "base64",
    [RECODE_LABEL] = "7bit",
};

static unsigned
action(const struct recode *r, const struct mime_entity *e)
{
	return r->plan[e->part] & RECODE_ACTION;
}

static bool
encodes(unsigned a)
{
	return a != RECODE_KEEP && a != RECODE_LABEL;
}

static void
copy(struct recode *r, const struct recode_piece *p)
{
	buf_add(r->out, p->data, p->len);
	if (p->last)
		buf_add(r->out, "\r\n", 2);
}

/* As it is, unless it is too long. */
static void
put(struct recode *r, const struct recode_piece *p, bool header)
{
	if (p->first) {
		r->folding = !p->last && (r->purpose & RECODE_LONG);
		fold_start(&r->fold, header);
	}
	if (!r->folding) {
		copy(r, p);
		return;
	}
	fold_push(&r->fold, p->data, p->len, r->out);
	if (!p->last)
		return;
	fold_end(&r->fold, r->out);
	r->facts.header_cut = r->facts.header_cut || r->fold.cut;
}

static void
add_label(struct recode *r, unsigned a)
{
	if (!r->labelled) {
		buf_adds(r->out, "Content-Transfer-Encoding: ");
		buf_adds(r->out, labels[a]);
		buf_add(r->out, "\r\n", 2);
	}
	r->labelled = true;
}

/* The old Content-Transfer-Encoding, however many there are, makes place for the new one. */
static void
put_field(struct recode *r, const struct recode_piece *p)
{
	unsigned a = action(r, mime_top(&r->mime));

	if (r->mime.field == HEADER_CONTENT_TRANSFER_ENCODING && labels[a] != NULL)
		add_label(r, a);
	else
		put(r, p, true);
}

static void
add_type(struct recode *r, unsigned charset)
{
	buf_adds(r->out, "Content-Type: text/plain; charset=");
	buf_adds(r->out, charset == RECODE_UTF8    ? "utf-8"
			 : charset == RECODE_ALIEN ? "unknown-8bit"
						   : "us-ascii");
	buf_add(r->out, "\r\n", 2);
}

void
recode_run_header_over(struct recode *r)
{
	struct mime_entity *e = mime_top(&r->mime);
	unsigned a = action(r, e);

	if (a == RECODE_QP || a == RECODE_BASE64) {
		if (r->bare) /* or the fields would be those of the part around it */
			buf_add(r->out, "\r\n", 2);
		if (e->message && !e->has_version)
			buf_adds(r->out, "MIME-Version: 1.0\r\n");
		if (!e->has_type)
			add_type(r, r->plan[e->part] & RECODE_CHARSET);
		add_label(r, a);
	}
	if (encodes(a) && e->kind == MIME_MULTIPART)
		mime_flatten(&r->mime); /* none of its delimiters comes */
	r->labelled = false;
	r->seam = encodes(a);
	r->bare = e->kind == MIME_MESSAGE;
}

void
recode_run_part_over(struct recode *r, bool ended)
{
	unsigned a = action(r, mime_over(&r->mime));

	if (a == RECODE_BASE64 || a == RECODE_BASE64_AGAIN)
		b64_end(&r->b64, ended, r->out);
}

/* Text between parts, which nobody reads. */
static void
put_outside(struct recode *r, const struct recode_piece *p)
{
	size_t from = r->out->len;

	put(r, p, false);
	if (!(r->purpose & RECODE_7BIT) || mime_top(&r->mime)->fixed)
		return;
	for (size_t i = from; i < r->out->len; i++)
		if ((unsigned char)r->out->data[i] > 0x7f)
			r->out->data[i] = '?';
}

/* Lines that are legal stay. */
static void
put_qp_again(struct recode *r, const struct recode_piece *p)
{
	bool seven = (r->purpose & RECODE_7BIT) && !mime_top(&r->mime)->fixed;

	if (p->first)
		r->folding = !p->last || (seven && recode_eightbit(p->data, p->len));
	if (!r->folding) {
		copy(r, p);
		return;
	}
	qp_again(&r->qp, p->data, p->len, seven, r->out);
	if (p->last)
		qp_end(&r->qp, r->out);
}

static void
put_text(struct recode *r, const struct recode_piece *p)
{
	switch (action(r, mime_top(&r->mime))) {
	case RECODE_QP:
		qp_text(&r->qp, p->data, p->len, r->out);
		if (p->last)
			qp_end(&r->qp, r->out);
		break;
	case RECODE_BASE64:
		b64_text(&r->b64, p->data, p->len, r->out);
		if (p->last)
			b64_line(&r->b64, r->out);
		break;
	case RECODE_QP_AGAIN:
		put_qp_again(r, p);
		break;
	case RECODE_BASE64_AGAIN:
		b64_again(&r->b64, p->data, p->len, r->out);
		break;
	default:
		put(r, p, false);
	}
}

/* What is encoded may look like a field, so it needs the empty line that a reader could miss. */
static void
put_seam(struct recode *r)
{
	if (r->seam && r->kind != MIME_BLANK)
		buf_add(r->out, "\r\n", 2);
	r->seam = r->bare = false;
}

void
recode_run_piece(struct recode *r, const struct recode_piece *p)
{
	put_seam(r);
	switch (r->kind) {
	case MIME_FIELD:
		put_field(r, p);
		break;
	case MIME_TEXT:
		put_text(r, p);
		break;
	case MIME_OUTSIDE:
		put_outside(r, p);
		break;
	default:
		copy(r, p);
	}
}
