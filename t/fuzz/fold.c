/* SPDX-License-Identifier: ISC */
/*
 * fold: a line that is too long becomes lines that are not, the same however it comes, and unfolding
 * gives it back. "~" in an input stands for 200 octets without white space.
 */
#include "mail/fold.h"

#include "fuzz.h"

static void
fold(struct fold *f, bool header, const struct buf *in, unsigned seed, struct buf *out)
{
	struct fuzz_pieces p = fuzz_pieces(in->data, in->len, seed);

	fold_start(f, header);
	while (fuzz_piece(&p))
		fold_push(f, p.piece, p.len, out);
	fold_end(f, out);
	CHECK(out->error == 0 && fuzz_is_wire(out->data, out->len));
}

/* RFC 5322 2.2.3: CRLF before white space goes. In a body none of the text is lost either. */
static void
unfold(const struct buf *in, struct buf *out)
{
	for (size_t i = 0; i + 2 < in->len; i++)
		if (in->data[i] != '\r' && in->data[i] != '\n')
			buf_addc(out, in->data[i]);
}

/* Of white space, which may be cut short, one octet. */
static void
squeeze(struct buf *b)
{
	size_t n = 0;

	for (size_t i = 0; i < b->len; i++)
		if (n == 0 || (b->data[i] != ' ' && b->data[i] != '\t') ||
		    (b->data[n - 1] != ' ' && b->data[n - 1] != '\t'))
			b->data[n++] = b->data[i];
	b->len = n;
}

static size_t
longest_blank(const struct buf *b)
{
	size_t most = 0, n = 0;

	for (size_t i = 0; i < b->len; i++) {
		n = b->data[i] == ' ' || b->data[i] == '\t' ? n + 1 : 0;
		most = n > most ? n : most;
	}
	return most;
}

/* No line is white space alone, which would end a header for some. */
static void
check_blank_lines(const struct buf *out)
{
	for (size_t at = 0; at < out->len;) {
		const char *line = out->data + at;
		size_t n = (size_t)((const char *)memchr(line, '\n', out->len - at) - line) + 1;

		CHECK(at == 0 || strspn(line, " \t\r\n") < n);
		at += n;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz f = fuzz_start(data, size);
	unsigned seed = fuzz_choose(&f, 64);
	bool header = fuzz_choose(&f, 2) != 0;
	struct buf in = BUF_INIT(FUZZ_MAX), out = BUF_INIT(FUZZ_MAX), other = BUF_INIT(FUZZ_MAX);
	struct fold fold1, fold2;

	for (size_t i = 0; i < f.len; i++)
		if (f.data[i] == '~')
			for (unsigned n = 0; n < 200; n++)
				buf_addc(&in, 'x');
		else if (f.data[i] != '\0' && f.data[i] != '\r' && f.data[i] != '\n')
			buf_addc(&in, f.data[i]);
	fold(&fold1, header, &in, seed, &out);
	fold(&fold2, header, &in, seed == 0, &other);
	CHECK(fuzz_same(&out, &other) && fold1.cut == fold2.cut);
	CHECK(fuzz_longest(out.data, out.len) <= FOLD_LINE);
	buf_clear(&other);
	unfold(&out, &other);
	if (longest_blank(&in) < (header ? 2 : FOLD_LINE / 2) && !fold1.cut)
		CHECK(fuzz_same(&in, &other));
	if (header && in.len > 0 && strspn(in.data, " \t") < in.len && in.data[0] != ' ' &&
	    in.data[0] != '\t' && longest_blank(&in) < FOLD_LINE / 2)
		check_blank_lines(&out);
	if (!fold1.cut) {
		squeeze(&in);
		squeeze(&other);
		CHECK(fuzz_same(&in, &other));
	}
	buf_free(&in);
	buf_free(&out);
	buf_free(&other);
	return 0;
}
