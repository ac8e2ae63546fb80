/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdlib.h>

#include "mail/lines.h"
#include "tap.h"

#define S(literal) (literal), sizeof(literal) - 1

enum { DOTS = 1, EIGHTBIT = 2, NULS = 4, CRS = 8 };

static const struct {
	const char *name;
	bool dot_ends;
	const char *input;
	size_t len;
	const char *expected;
	size_t expected_len;
	unsigned facts;
	unsigned longest, used;
} rows[] = {
    {"nothing", false, S(""), S(""), 0, 0, 0},
    {"LF", false, S("a\nbc\n"), S("a\r\nbc\r\n"), 0, 2, 5},
    {"CRLF", false, S("a\r\nbc\r\n"), S("a\r\nbc\r\n"), 0, 2, 7},
    {"mixed", false, S("a\r\nbc\n\n\r\n"), S("a\r\nbc\r\n\r\n\r\n"), 0, 2, 9},
    {"unfinished", false, S("a\nbc"), S("a\r\nbc\r\n"), 0, 2, 4},
    {"unfinished with CR", false, S("a\nbc\r"), S("a\r\nbc\r\n"), 0, 2, 5},
    {"only a CR", false, S("\r"), S("\r\n"), 0, 0, 1},
    {"CR CR LF", false, S("a\r\r\nb\n"), S("a\r\nb\r\n"), 0, 1, 6},
    {"three CRs", false, S("a\r\r\r\nb\n"), S("a\r\nb\r\n"), 0, 1, 7},
    {"five CRs", false, S("a\r\r\r\r\r\nb\n"), S("a  \r\nb\r\n"), CRS, 3, 9},
    {"a stray CR", false, S("a\rb\n"), S("a b\r\n"), CRS, 3, 4},
    {"stray CRs first", false, S("\r\ra\n"), S("  a\r\n"), CRS, 3, 4},
    {"LF CR", false, S("a\n\rb\n"), S("a\r\n b\r\n"), CRS, 2, 5},
    {"stray CR and CRLF", false, S("a\rb\r\nc\r\n"), S("a b\r\nc\r\n"), CRS, 3, 8},
    {"CR dot CR", false, S("a\r.\r\nb\n"), S("a .\r\nb\r\n"), CRS, 3, 7},
    {"smuggled LF . CRLF", false, S("a\n.\r\nb\n"), S("a\r\n.\r\nb\r\n"), DOTS, 1, 7},
    {"smuggled CR . CR", false, S("a\r.\rb\n"), S("a . b\r\n"), CRS, 5, 6},
    {"NULs", false, S("a\0b\0\n\0"), S("ab\r\n"), NULS, 2, 6},
    {"NUL between CR and LF", false, S("a\r\0\nb\n"), S("a\r\nb\r\n"), NULS, 1, 6},
    {"only NULs", false, S("\0\0"), S(""), NULS, 0, 2},
    {"NUL before a dot", false, S("\0.a\n"), S(".a\r\n"), NULS | DOTS, 2, 4},
    {"8 bit", false, S("a\xc3\xa4\n"), S("a\xc3\xa4\r\n"), EIGHTBIT, 3, 4},
    {"0xff", false, S("\xff\n"), S("\xff\r\n"), EIGHTBIT, 1, 2},
    {"a dot", false, S("a\n.\nb\n"), S("a\r\n.\r\nb\r\n"), DOTS, 1, 6},
    {"a dot at the end", false, S("a\n."), S("a\r\n.\r\n"), DOTS, 1, 3},
    {"dots inside", false, S("a.\n b.c\n"), S("a.\r\n b.c\r\n"), 0, 4, 8},
    {"dot ends, LF", true, S("a\n.\nb\n"), S("a\r\n"), 0, 1, 4},
    {"dot ends, CRLF", true, S("a\r\n.\r\nb\r\n"), S("a\r\n"), 0, 1, 6},
    {"dot ends, CR CR LF", true, S("a\n.\r\r\nb"), S("a\r\n"), 0, 1, 6},
    {"dot ends, at the end", true, S("a\n."), S("a\r\n"), 0, 1, 3},
    {"dot ends, CR at the end", true, S("a\n.\r"), S("a\r\n"), 0, 1, 4},
    {"dot ends, first line", true, S(".\nb\n"), S(""), 0, 0, 2},
    {"dot ends, 8 bit behind it", true, S("a\n.\n\xff\0"), S("a\r\n"), 0, 1, 4},
    {"two dots", true, S("..\nb\n"), S("..\r\nb\r\n"), DOTS, 2, 5},
    {"dot and more", true, S(".a\nb\n"), S(".a\r\nb\r\n"), DOTS, 2, 5},
    {"dot and space", true, S(". \nb\n"), S(". \r\nb\r\n"), DOTS, 2, 5},
    {"dot and stray CR", true, S(".\rb\n"), S(". b\r\n"), DOTS | CRS, 3, 4},
    {"dot and many CRs", true, S(".\r\r\r\r\nb\n"), S(". \r\nb\r\n"), DOTS | CRS, 2, 8},
    {"space dot", true, S(" .\nb\n"), S(" .\r\nb\r\n"), 0, 2, 5},
    {"CR dot", true, S("\r.\nb\n"), S(" .\r\nb\r\n"), CRS, 2, 5},
    {"dot NUL", true, S(".\0\nb\n"), S(""), NULS, 0, 3},
};

static unsigned
facts(const struct lines *l)
{
	return (l->facts.dots ? DOTS : 0U) | (l->facts.eightbit ? EIGHTBIT : 0U) |
	       (l->facts.nuls ? NULS : 0U) | (l->facts.crs ? CRS : 0U);
}

/* A push whose input is a heap copy of its own, so that ASan sees what is read beyond it. */
static size_t
push(struct lines *l, const char *data, size_t len, struct buf *out)
{
	char *copy = malloc(len + (len == 0));
	size_t before = out->len, n;

	if (copy == NULL)
		return 0;
	memcpy(copy, data, len);
	n = lines_push(l, copy, len, out);
	free(copy);
	if (out->len - before > 2 * len + 4 || (n < len && !l->done))
		ok(false, "what lines_push() promises");
	return n;
}

/* The input in three pieces; whether all comes out as in one. */
static bool
split(size_t row, size_t a, size_t b)
{
	const char *input = rows[row].input;
	struct buf out = BUF_INIT(1 << 20);
	struct lines l;
	size_t used;
	bool good;

	lines_init(&l, rows[row].dot_ends);
	used = push(&l, input, a, &out);
	used += push(&l, input + a, b - a, &out);
	used += push(&l, input + b, rows[row].len - b, &out);
	lines_end(&l, &out);
	lines_end(&l, &out);
	good = l.done && used == rows[row].used && facts(&l) == rows[row].facts &&
	       l.facts.longest == rows[row].longest && out.len == rows[row].expected_len &&
	       memcmp(buf_str(&out), rows[row].expected, out.len) == 0;
	if (!good) {
		printf("# pieces %zu, %zu: used %zu, facts %u, longest %u\n", a, b, used, facts(&l),
		    (unsigned)l.facts.longest);
		tap_quote("got   ", buf_str(&out), out.len);
	}
	buf_free(&out);
	return good;
}

static void
table(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		bool good = true;

		for (size_t a = 0; a <= rows[i].len; a++)
			for (size_t b = a; b <= rows[i].len; b++)
				good = split(i, a, b) && good;
		ok(good, "%s, split in all ways", rows[i].name);
	}
}

/* The wire form by the book: an octet at a time, without any state but the text itself. */
static void
model(const char *in, size_t len, struct buf *out)
{
	size_t crs = 0;

	for (size_t i = 0; i < len; i++) {
		if (in[i] == '\0')
			continue;
		if (in[i] == '\r') {
			crs++;
			continue;
		}
		while (crs > (in[i] == '\n' ? LINES_CRS : 0)) {
			buf_addc(out, ' ');
			crs--;
		}
		crs = 0;
		if (in[i] == '\n')
			buf_addc(out, '\r');
		buf_addc(out, in[i]);
	}
	for (; crs > LINES_CRS; crs--)
		buf_addc(out, ' ');
	if (crs > 0 || (out->len > 0 && out->data[out->len - 1] != '\n'))
		buf_adds(out, "\r\n");
}

static void
random_text(void)
{
	static const char alphabet[] = "\n\n\r\r..ab\xe4 ";
	struct buf want = BUF_INIT(1 << 20), got = BUF_INIT(1 << 20);
	char in[300];
	size_t wrong = 0;

	srand(1);
	for (int round = 0; round < 20000; round++) {
		size_t len = (size_t)rand() % sizeof(in), at = 0;
		struct lines l;

		for (size_t i = 0; i < len; i++)
			in[i] = alphabet[(size_t)rand() % sizeof(alphabet)];
		buf_clear(&want);
		buf_clear(&got);
		model(in, len, &want);
		lines_init(&l, false);
		while (at < len) {
			size_t n = 1 + (size_t)rand() % (len - at);

			at += push(&l, in + at, n, &got);
		}
		lines_end(&l, &got);
		wrong += want.len != got.len || memcmp(buf_str(&want), buf_str(&got), got.len) != 0;
	}
	is_int((long long)wrong, 0, "random text in random pieces agrees with the model");
	buf_free(&want);
	buf_free(&got);
}

/* More line ends than there was room made for: all of a large push. */
static void
line_ends(void)
{
	enum { N = 70000 };
	static char ends[N];
	struct buf out = BUF_INIT(4 * N);
	struct lines l;
	bool good = true;

	memset(ends, '\n', N);
	lines_init(&l, false);
	push(&l, "a", 1, &out);
	is_int((long long)push(&l, ends, N, &out), N, "a push of line ends alone is taken");
	is_int((long long)out.len, 1 + 2 * N, "each comes out as CRLF");
	for (size_t i = 1; i + 1 < out.len; i += 2)
		good = good && out.data[i] == '\r' && out.data[i + 1] == '\n';
	ok(good, "and as nothing else");
	buf_free(&out);
}

static void
errors(void)
{
	struct buf small = BUF_INIT(10);
	struct lines l;

	lines_init(&l, false);
	is_int((long long)lines_push(&l, "0123456789", 10, &small), 10, "no room: all is taken");
	is_int(small.error, EMSGSIZE, "and the buffer has the error");
	buf_free(&small);
	lines_init(&l, true);
	lines_push(&l, ".\n", 2, &small);
	ok(l.done, "the dot has come");
	is_int((long long)lines_push(&l, "x", 1, &small), 0, "nothing is taken afterwards");
	is_int((long long)small.len, 0, "or put out");
	buf_free(&small);
}

static const struct {
	const char *name, *input, *expected;
} stuffed[] = {
    {"nothing to stuff", "a\r\nb.\r\n", "a\r\nb.\r\n"},
    {"the first line", ".\r\n", "..\r\n"},
    {"a line", "a\r\n.\r\n.b\r\n", "a\r\n..\r\n..b\r\n"},
    {"dots already doubled", "..\r\n...\r\n", "...\r\n....\r\n"},
    {"dots only", ".\n.\n.", "..\n..\n.."},
    {"nothing", "", ""},
};

static void
stuffing(void)
{
	for (size_t i = 0; i < sizeof(stuffed) / sizeof(*stuffed); i++) {
		const char *in = stuffed[i].input;
		size_t len = strlen(in);
		bool good = true;

		for (size_t a = 0; a <= len; a++) {
			struct buf out = BUF_INIT(1024);
			bool bol = true;

			lines_stuff(&bol, in, a, &out);
			lines_stuff(&bol, in + a, len - a, &out);
			good = good && strcmp(buf_str(&out), stuffed[i].expected) == 0 &&
			       bol == (len == 0 || in[len - 1] == '\n');
			buf_free(&out);
		}
		ok(good, "stuff: %s, split in all ways", stuffed[i].name);
	}
}

int
main(void)
{
	table();
	random_text();
	line_ends();
	errors();
	stuffing();
	return done();
}
