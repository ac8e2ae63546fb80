/* SPDX-License-Identifier: ISC */
/*
 * lines: whatever comes, wire form goes out, the same however it is cut; what is wire form already
 * stays; and a server that takes the dots off again has the same octets.
 */
#include "mail/lines.h"

#include "fuzz.h"

static size_t
settle(struct lines *l, const char *data, size_t len, unsigned seed, bool dot_ends, struct buf *out)
{
	struct fuzz_pieces p = fuzz_pieces(data, len, seed);
	size_t used = 0;

	lines_init(l, dot_ends);
	while (fuzz_piece(&p))
		if (!l->done)
			used += lines_push(l, p.piece, p.len, out);
	lines_end(l, out);
	CHECK(out->error == 0 && l->done);
	return used;
}

/* lines.h in other words. */
static void
model(const char *data, size_t len, struct buf *out)
{
	struct buf text = BUF_INIT(FUZZ_MAX);
	size_t crs = 0;

	for (size_t i = 0; i < len; i++)
		if (data[i] != '\0')
			buf_addc(&text, data[i]);
	for (size_t i = 0; i <= text.len; i++) {
		char c = i < text.len ? text.data[i] : '\n';

		if (i == text.len && crs == 0 && (i == 0 || text.data[i - 1] == '\n'))
			break;
		crs += c == '\r';
		if (c == '\r')
			continue;
		for (; crs > (c == '\n' ? LINES_CRS : 0U); crs--)
			buf_addc(out, ' ');
		crs = 0;
		if (c == '\n')
			buf_addc(out, '\r');
		buf_addc(out, c);
	}
	buf_free(&text);
}

static void
check_facts(const struct lines *l, const struct buf *out)
{
	bool dots = false, eightbit = false;

	for (size_t i = 0; i < out->len; i++) {
		dots = dots || (out->data[i] == '.' && (i == 0 || out->data[i - 1] == '\n'));
		eightbit = eightbit || (unsigned char)out->data[i] > 0x7f;
	}
	CHECK(dots == l->facts.dots && eightbit == l->facts.eightbit);
	CHECK(l->facts.longest == fuzz_longest(out->data, out->len));
}

/* RFC 5321 4.5.2, the receiving end. */
static void
unstuff(const struct buf *in, struct buf *out)
{
	for (size_t i = 0; i < in->len; i++)
		if (in->data[i] != '.' || (i > 0 && in->data[i - 1] != '\n') ||
		    in->data[i + 1] == '\r')
			buf_addc(out, in->data[i]);
		else
			CHECK(in->data[i + 1] == '.' && (buf_addc(out, in->data[++i]), true));
}

static void
check_dots(const struct buf *text, unsigned seed)
{
	struct buf stuffed = BUF_INIT(FUZZ_MAX), plain = BUF_INIT(FUZZ_MAX);
	struct fuzz_pieces p = fuzz_pieces(text->data, text->len, seed);
	bool bol = true;

	while (fuzz_piece(&p))
		lines_stuff(&bol, p.piece, p.len, &stuffed);
	CHECK(bol);
	CHECK(stuffed.len < 3 || memmem(stuffed.data, stuffed.len, "\r\n.\r\n", 5) == NULL);
	unstuff(&stuffed, &plain);
	CHECK(fuzz_same(&plain, text));
	buf_free(&stuffed);
	buf_free(&plain);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz f = fuzz_start(data, size);
	unsigned seed = fuzz_choose(&f, 64);
	bool dot_ends = fuzz_choose(&f, 2) != 0;
	struct buf out = BUF_INIT(FUZZ_MAX), again = BUF_INIT(FUZZ_MAX);
	struct lines l, l2;
	size_t used = settle(&l, f.data, f.len, seed, dot_ends, &out);

	CHECK(dot_ends || used == f.len);
	CHECK(fuzz_is_wire(out.data, out.len));
	check_facts(&l, &out);
	CHECK(settle(&l2, f.data, f.len, seed == 0, dot_ends, &again) == used);
	CHECK(fuzz_same(&out, &again) && memcmp(&l.facts, &l2.facts, sizeof(l.facts)) == 0);
	buf_clear(&again);
	model(f.data, f.len, &again);
	CHECK(dot_ends || fuzz_same(&out, &again));
	buf_clear(&again);
	settle(&l, out.data, out.len, seed, false, &again);
	CHECK(fuzz_same(&out, &again));
	check_dots(&out, seed);
	buf_free(&out);
	buf_free(&again);
	return 0;
}
