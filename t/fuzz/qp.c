/* SPDX-License-Identifier: ISC */
/*
 * qp: what is encoded decodes to what it was, in lines of 76 columns that no relay will touch, the
 * same however it is cut; and what was encoded badly still says the same when it is broken anew.
 */
#include "mail/qp.h"

#include "decode.h"

/* Text as lines: the same with CRLF for LF, and a last one ended; NULs and CRs are no text. */
static void
settle(const char *data, size_t len, struct buf *out)
{
	for (size_t i = 0; i < len; i++)
		if (data[i] == '\n')
			buf_adds(out, "\r\n");
		else if (data[i] != '\r' && data[i] != '\0')
			buf_addc(out, data[i]);
	if (out->len > 0 && out->data[out->len - 1] != '\n')
		buf_adds(out, "\r\n");
}

/* again: qp_again() with this; -1: qp_text(). */
static void
encode(const struct buf *in, int again, unsigned seed, struct buf *out)
{
	struct qp q = {0};

	CHECK(in->error == 0);
	for (size_t at = 0; at < in->len;) {
		const char *lf = memchr(in->data + at, '\n', in->len - at);
		size_t n = (size_t)(lf - in->data) - 1 - at;
		struct fuzz_pieces p = fuzz_pieces(in->data + at, n, seed);

		while (fuzz_piece(&p))
			if (again < 0)
				qp_text(&q, p.piece, p.len, out);
			else
				qp_again(&q, p.piece, p.len, again > 0, out);
		qp_end(&q, out);
		at += n + 2;
	}
}

static void
check_form(const struct buf *out, bool seven)
{
	CHECK(out->error == 0 && fuzz_is_wire(out->data, out->len));
	CHECK(fuzz_longest(out->data, out->len) <= 76);
	for (size_t i = 0; i < out->len && seven; i++)
		CHECK((unsigned char)out->data[i] < 0x80);
}

/* Nothing that a relay or a mailbox takes for something else. */
static void
check_safe(const struct buf *out)
{
	for (size_t at = 0; at < out->len;) {
		const char *line = out->data + at;
		size_t n = (size_t)((const char *)memchr(line, '\n', out->len - at) - line) - 1;

		CHECK(n == 0 || (line[0] != '.' && line[n - 1] != ' ' && line[n - 1] != '\t'));
		CHECK(n < 5 || memcmp(line, "From ", 5) != 0);
		at += n + 2;
	}
}

static void
check_text(const struct buf *in, unsigned seed)
{
	struct buf out = BUF_INIT(FUZZ_MAX), other = BUF_INIT(FUZZ_MAX);

	encode(in, -1, seed, &out);
	check_form(&out, true);
	check_safe(&out);
	encode(in, -1, seed == 0, &other);
	CHECK(fuzz_same(&out, &other));
	buf_clear(&other);
	decode_quoted(out.data, out.len, &other);
	CHECK(fuzz_same(&other, in));
	buf_free(&out);
	buf_free(&other);
}

/* Blanks at the end of an encoded line are nobody's; a soft break may make some of them content. */
static void
trim(struct buf *b)
{
	size_t n = 0;

	for (size_t i = 0; i < b->len; i++) {
		if (b->data[i] == '\r')
			while (n > 0 && (b->data[n - 1] == ' ' || b->data[n - 1] == '\t'))
				n--;
		b->data[n++] = b->data[i];
	}
	b->len = n;
}

/* Whether a stray "=" stands in a line before so much white space that not all of it stays. */
static bool
is_padded(const struct buf *in)
{
	for (size_t i = 0, n; i < in->len; i++) {
		for (n = 0; in->data[i] == '=' &&
			    (in->data[i + 1 + n] == ' ' || in->data[i + 1 + n] == '\t');)
			n++;
		if (n > QP_PADDING && in->data[i + 1 + n] != '\r')
			return true;
	}
	return false;
}

static void
check_again(const struct buf *in, bool seven, unsigned seed)
{
	struct buf out = BUF_INIT(FUZZ_MAX), other = BUF_INIT(FUZZ_MAX), want = BUF_INIT(FUZZ_MAX);

	encode(in, seven, seed, &out);
	check_form(&out, seven);
	encode(in, seven, seed == 0, &other);
	CHECK(fuzz_same(&out, &other));
	buf_clear(&other);
	decode_quoted(in->data, in->len, &want);
	decode_quoted(out.data, out.len, &other);
	trim(&want);
	trim(&other);
	CHECK(fuzz_same(&other, &want) || is_padded(in));
	buf_free(&out);
	buf_free(&other);
	buf_free(&want);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz f = fuzz_start(data, size);
	unsigned seed = fuzz_choose(&f, 32);
	bool seven = fuzz_choose(&f, 2) != 0;
	struct buf in = BUF_INIT(FUZZ_MAX);

	settle(f.data, f.len, &in);
	check_text(&in, seed);
	check_again(&in, seven, seed);
	buf_free(&in);
	return 0;
}
