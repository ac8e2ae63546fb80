/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "mail/recode.h"
#include "tap.h"

enum { FOLDED = 1, REPLACED = 2, LEFT = 4, HEADER = 8, DKIM = 16, CUT = 32 };
enum { LONG = RECODE_LONG, SEVEN = RECODE_7BIT, BREAK_DKIM = 4 };

#define S "[75x]=\n" /* as much as goes before a soft break */
#define S12 S S S S S S S S S S S S
#define QP1000 S12 S "[25x]"
#define A12 "[76A]\n[76A]\n[76A]\n[76A]\n[76A]\n[76A]\n[76A]\n[76A]\n[76A]\n[76A]\n[76A]\n[76A]\n"
#define PLAIN(charset)                                                  \
	"MIME-Version: 1.0\nContent-Type: text/plain; charset=" charset \
	"\nContent-Transfer-Encoding: quoted-printable\n"
#define QP "Content-Transfer-Encoding: quoted-printable\n"
#define BASE64 "Content-Transfer-Encoding: base64\n"
#define SEVENBIT "Content-Transfer-Encoding: 7bit\n"
#define EIGHT "Content-Transfer-Encoding: 8bit\n"
#define BINARY "Content-Transfer-Encoding: binary\n"
#define MULTI(s, b) "Content-Type: multipart/" s "; boundary=" b "\n"
#define UE "\xc3\xbc"
#define U10 UE UE UE UE UE UE UE UE UE UE
#define U90 U10 U10 U10 U10 U10 U10 U10 U10 U10
#define U497 U90 U90 U90 U90 U90 U10 U10 U10 U10 UE UE UE UE UE UE UE

/* LF stands for CRLF, [3x] for xxx. No output: it stays as it is. */
static const struct {
	const char *name;
	unsigned purpose, facts;
	const char *input, *output;
} rows[] = {
    {"nothing", LONG | SEVEN, 0, "", NULL},
    {"a header alone", LONG | SEVEN, 0, "A: b\n", NULL},
    {"998 octets", LONG, 0, "A: b\n\n[998x]\n", NULL},
    {"999 octets", LONG, 0, "A: b\n\n[998x]x\n", "A: b\n" PLAIN("us-ascii") "\n" S S12 "[24x]\n"},
    {"1000 octets, and 8 bit", LONG, 0, "A: b\n\n" UE "\n[1000x]\n",
	"A: b\n" PLAIN("utf-8") "\n=C3=BC\n" QP1000 "\n"},
    {"1000 octets are no trouble for 7bit", SEVEN, 0, "A: b\n\n[1000x]\n", NULL},
    {"8 bit is no trouble for length", LONG, 0, "A: b\n\n" UE "\n", NULL},
    {"utf-8", SEVEN, 0, "A: b\n\nabcdef " UE "\n\n", "A: b\n" PLAIN("utf-8") "\nabcdef =C3=BC\n\n"},
    {"not utf-8", SEVEN, 0, "A: b\n\nabcd\xfc\n", "A: b\n" PLAIN("unknown-8bit") "\nabcd=FC\n"},
    {"not utf-8, at the end of a line", SEVEN, 0, "A: b\n\nabcd\xc3\n\xbcxyz\n",
	"A: b\n" PLAIN("unknown-8bit") "\nabcd=C3\n=BCxyz\n"},
    {"the dangers of a line's ends", SEVEN, 0,
	"A: b\n\n.\n..\nFrom \nFrom x\nFromage\nF\nFr\n-\nx \nx \t\n \n=\n\x01\nabc " UE "\n",
	"A: b\n" PLAIN("utf-8") "\n=2E\n=2E.\n=46rom=20\n=46rom x\nFromage\nF\nFr\n-\nx=20\nx "
				"=09\n=20\n=3D\n=01\nabc =C3=BC\n"},
    {"the same behind a soft break", LONG, 0, "A: b\n\n[75x].[72x]-x[998x]\n[75x]From [1000x]\n",
	"A: b\n" PLAIN("us-ascii") "\n" S "=2E[72x]=\n=2Dx[71x]=\n" S12 "[27x]\n" S
				   "=46rom [68x]=\n" S12 "[32x]\n"},
    {"mostly 8 bit", SEVEN, 0, "A: b\n\n" UE UE "\n" UE "\n",
	"A: b\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n" BASE64
	"\nw7zDvA0Kw7wNCg==\n"},
    {"a third", SEVEN, 0, "A: b\n\nabc" UE "\nx\n", "A: b\n" PLAIN("utf-8") "\nabc=C3=BC\nx\n"},
    {"more than a third", SEVEN, 0, "A: b\n\nabc" UE "\n",
	"A: b\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n" BASE64
	"\nYWJjw7wNCg==\n"},
    {"fields that are there", SEVEN, 0,
	"MIME-Version: 1.0\ncontent-type: text/html;\n charset=x\n" EIGHT "A: b\n\nabcd" UE "\n",
	"MIME-Version: 1.0\ncontent-type: text/html;\n charset=x\n" QP "A: b\n\nabcd=C3=BC\n"},
    {"an encoding folded and repeated", SEVEN, 0,
	"Content-Type: text/plain\nContent-Transfer-Encoding:\n 8bit (x\n )\nA: b\n" SEVENBIT
	"\nabcd" UE "\n",
	"Content-Type: text/plain\n" QP "A: b\nMIME-Version: 1.0\n\nabcd=C3=BC\n"},
    {"no header", SEVEN, 0, "\nabcd" UE "\n", PLAIN("utf-8") "\nabcd=C3=BC\n"},
    {"no empty line", SEVEN, 0, "A: b\nabcd" UE ": x\n",
	"A: b\n" PLAIN("utf-8") "\nabcd=C3=BC: x\n"},
    {"no empty line, all fields", SEVEN, 0,
	"MIME-Version: 1\nContent-Type: text/plain\n" EIGHT "abcd" UE ": x\n",
	"MIME-Version: 1\nContent-Type: text/plain\n" QP "\nabcd=C3=BC: x\n"},
    {"parts", SEVEN, 0,
	MULTI("mixed", "\"a b\"") EIGHT
	"\npre\n--a b\n\nabcd" UE
	"\n--a b \t\nContent-Type: text/plain\n\nhello\n--a bc\n--a b--\nepi\n--a b\n",
	MULTI("mixed", "\"a b\"") SEVENBIT
	"\npre\n--a b\nContent-Type: text/plain; charset=utf-8\n" QP
	"\nabcd=C3=BC\n--a b \t\nContent-Type: "
	"text/plain\n\nhello\n--a bc\n--a b--\nepi\n--a b\n"},
    {"base64 leaves a delimiter its line end", SEVEN, 0,
	MULTI("mixed", "a") "\n--a\n" BINARY "Content-Type: x/y\n\n" UE UE "\n--a\n" BINARY
			    "Content-Type: x/y\n\n" UE UE "\n\n--a--\n",
	MULTI("mixed", "a") "\n--a\n" BASE64 "Content-Type: x/y\n\nw7zDvA==\n--a\n" BASE64
			    "Content-Type: x/y\n\nw7zDvA0K\n--a--\n"},
    {"labels of all levels", SEVEN, 0,
	MULTI("mixed", "a") EIGHT "\n--a\nContent-Type: message/rfc822\n" EIGHT
				  "\nSubject: x\n" MULTI("alternative", "b") BINARY
	"\n--b\n"
	"Content-Transfer-Encoding: 8BIT\n"
	"\nascii\n--b\n" EIGHT "Content-Type: text/html\n\nabcd" UE "\n--b--\n--a--\n",
	MULTI("mixed", "a") SEVENBIT "\n--a\nContent-Type: message/rfc822\n" SEVENBIT
				     "\nSubject: x\n" MULTI("alternative", "b") SEVENBIT
	"\n--b\n" SEVENBIT "\nascii\n--b\n" QP
	"Content-Type: text/html\n\nabcd=C3=BC\n--b--\n--a--\n"},
    {"8bit that is only said stays where all is well", SEVEN, 0, EIGHT "\nascii\n", NULL},
    {"a part's 8-bit header keeps the label", SEVEN, HEADER,
	MULTI("mixed", "a") EIGHT "\n--a\nContent-Type: x/y; name=" UE "\n\nabcd" UE "\n--a--\n",
	MULTI("mixed", "a") EIGHT "\n--a\nContent-Type: x/y; name=" UE "\n" QP
				  "\nabcd=C3=BC\n--a--\n"},
    {"… but no other's", SEVEN, HEADER,
	MULTI("mixed", "a") "\n--a\n" MULTI("mixed", "b") EIGHT
	"\n--b\nX: " UE "\n\nx\n--a\n" MULTI("mixed", "c") EIGHT "\n--c\n\nabcd" UE "\n--a--\n",
	MULTI("mixed", "a") "\n--a\n" MULTI("mixed", "b") EIGHT
	"\n--b\nX: " UE "\n\nx\n--a\n" MULTI("mixed", "c") SEVENBIT
	"\n--c\nContent-Type: text/plain; charset=utf-8\n" QP "\nabcd=C3=BC\n--a--\n"},
    {"a header that a delimiter ends", SEVEN, 0,
	MULTI("mixed", "a") EIGHT "\n--a\n" EIGHT "--a\n\nabcd" UE "\n--a--\n",
	MULTI("mixed", "a") SEVENBIT "\n--a\n" SEVENBIT
				     "--a\nContent-Type: text/plain; charset=utf-8\n" QP
				     "\nabcd=C3=BC\n--a--\n"},
    {"behind the last delimiter are no parts", SEVEN, REPLACED,
	MULTI("mixed", "a") "\n--a\n\nx\n--a--\n--a\n\nabcd" UE "\n",
	MULTI("mixed", "a") "\n--a\n\nx\n--a--\n--a\n\nabcd??\n"},
    {"a message inside, and no empty line", SEVEN, 0, "Content-Type: message/rfc822\nabcd" UE "\n",
	"Content-Type: message/rfc822\n\n" PLAIN("utf-8") "\nabcd=C3=BC\n"},
    {"a message in a digest", SEVEN, 0,
	MULTI("digest", "a") "\n--a\n\nSubject: x\n\nabcd" UE "\n--a--\n",
	MULTI("digest", "a") "\n--a\n\nSubject: x\n" PLAIN("utf-8") "\nabcd=C3=BC\n--a--\n"},
    {"signed, 7bit", SEVEN, LEFT,
	MULTI("signed", "a") EIGHT "\n--a\n\nabcd" UE "\n--a\n\nsig\n--a--\n", NULL},
    {"signed, length", LONG, FOLDED, MULTI("signed", "a") "\n--a\n\n[100x] [997x]\n--a--\n",
	MULTI("signed", "a") "\n--a\n\n[100x]\n [997x]\n--a--\n"},
    {"signed quoted-printable", LONG, FOLDED,
	MULTI("signed", "a") "\n--a\n" QP "\n[1000x]\n--a--\n",
	MULTI("signed", "a") "\n--a\n" QP "\n" QP1000 "\n--a--\n"},
    {"signed quoted-printable with 8 bit", SEVEN | LONG, FOLDED | LEFT,
	MULTI("signed", "a") "\n--a\n" QP "\n" UE "\n[1000x]\n--a--\n",
	MULTI("signed", "a") "\n--a\n" QP "\n" UE "\n" QP1000 "\n--a--\n"},
    {"DKIM, 7bit", SEVEN, DKIM | LEFT, "dkim-signature: x\n\nabcd" UE "\n", NULL},
    {"DKIM, length", LONG, DKIM | FOLDED, "DKIM-Signature: x\n\n[1000x]\n",
	"DKIM-Signature: x\n\n[998x]\nxx\n"},
    {"DKIM that may break", LONG | BREAK_DKIM, DKIM, "DKIM-Signature: x\n\n[1000x]\n",
	"DKIM-Signature: x\n" PLAIN("us-ascii") "\n" QP1000 "\n"},
    {"DKIM of a message inside", SEVEN, 0,
	"Content-Type: message/rfc822\n\nDKIM-Signature: x\n\nabcd" UE "\n",
	"Content-Type: message/rfc822\n\nDKIM-Signature: x\n" PLAIN("utf-8") "\nabcd=C3=BC\n"},
    {"message/partial", SEVEN | LONG, LEFT | FOLDED,
	"Content-Type: message/partial\n\n" UE " [997x]\n",
	"Content-Type: message/partial\n\n" UE "\n [997x]\n"},
    {"message/global", SEVEN, 0, "Content-Type: message/global\n\nabcd: " UE "\n",
	"Content-Type: message/global\nMIME-Version: 1.0\n" QP "\nabcd: =C3=BC\n"},
    {"message/rfc822 in base64", LONG, 0, "Content-Type: message/rfc822\n" BASE64 "\n[1000A]\n",
	"Content-Type: message/rfc822\n" BASE64 "\n" A12 "[76A]\n[12A]\n"},
    {"an encoding nobody knows", SEVEN, LEFT,
	"Content-Transfer-Encoding: x-uuencode\n"
	"\nabcd" UE "\n",
	NULL},
    {"base64 in a long line", LONG, 0,
	"Content-Transfer-Encoding: Base64\n"
	"\n[50A]\n\n[26A]-[1000A]==\n",
	"Content-Transfer-Encoding: Base64\n"
	"\n[76A]\n" A12 "[76A]\n[12A]==\n"},
    {"quoted-printable in a long line", LONG, 0, QP "\n[75x][10x]\n[75x]-[70x]=3D[998x]=\nx\n",
	QP "\n[75x][10x]\n" S "=2D[70x]=\n=3D[72x]=\n" S12 "[26x]=\nx\n"},
    {"quoted-printable with 8 bit", SEVEN, 0, QP "\na=3D" UE "\nb \n", QP "\na=3D=C3=BC\nb \n"},
    {"before and behind parts", SEVEN | LONG, REPLACED | FOLDED,
	MULTI("mixed", "a") EIGHT "\n" UE "\n--a\n\nx\n--a--\n[1000x]\n",
	MULTI("mixed", "a") SEVENBIT "\n??\n--a\n\nx\n--a--\n[998x]\nxx\n"},
    {"a boundary that never comes", SEVEN, 0, MULTI("mixed", "a") "\nabcd" UE "\n--b\n",
	MULTI("mixed", "a") "MIME-Version: 1.0\n" QP "\nabcd=C3=BC\n--b\n"},
    {"no boundary", SEVEN, 0, "Content-Type: multipart/mixed\n\nabcd" UE "\n",
	"Content-Type: multipart/mixed\nMIME-Version: 1.0\n" QP "\nabcd=C3=BC\n"},
    {"an outer delimiter ends all", SEVEN, 0,
	MULTI("mixed", "a") "\n--a\n" MULTI("mixed", "b") "\n--b\n\nx\n--a\n\nabcd" UE
							  "\n--b\n--a--\n",
	MULTI("mixed", "a") "\n--a\n" MULTI("mixed", "b") "\n--b\n\nx\n--a\nContent-Type: "
							  "text/plain; charset=utf-8\n" QP
							  "\nabcd=C3=BC\n--"
							  "b\n--a--\n"},
    {"comments, and a boundary with quotes", SEVEN, 0,
	"Content-Type: (a (b\\)) c) MULTIPART (d) / mixed; x=\"; boundary=z\";\n\t(e) Boundary (f) "
	"= \"q\\\"r\" (g)\n\n--q\"r\n\nabcd" UE "\n--q\"r--\n",
	"Content-Type: (a (b\\)) c) MULTIPART (d) / mixed; x=\"; boundary=z\";\n\t(e) Boundary (f) "
	"= \"q\\\"r\" (g)\n\n--q\"r\nContent-Type: text/plain; charset=utf-8\n" QP
	"\nabcd=C3=BC\n--q\"r--\n"},
    {"a bare boundary with tspecials", SEVEN, 0,
	MULTI("mixed", "=_a/b?") "\n--=_a/b?\n\nabcd" UE "\n",
	MULTI("mixed", "=_a/b?") "\n--=_a/b?\nContent-Type: text/plain; charset=utf-8\n" QP
				 "\nabcd=C3=BC\n"},
    {"the first of two types", SEVEN, 0,
	"Content-Type: multipart/x\n" MULTI("mixed", "a") "\n--a\n\nabcd" UE "\n",
	"Content-Type: multipart/x\n" MULTI("mixed", "a") "MIME-Version: 1.0\n" QP
							  "\n--a\n\nabcd=C3=BC\n"},
    {"a boundary that ends with blanks", SEVEN, 0, MULTI("mixed", "\"a \"") "\n--a\n\nabcd" UE "\n",
	MULTI("mixed", "\"a \"") "\n--a\nContent-Type: text/plain; charset=utf-8\n" QP
				 "\nabcd=C3=BC\n"},
    {"parameters that are none, before the boundary", SEVEN, 0,
	"Content-Type: multipart/mixed x \"; boundary=y\" (; boundary=y); z; a\n b; =c;\n"
	" boundary=\"a\n b\"\n\n--a b\n\nabcd" UE "\n--a b--\n",
	"Content-Type: multipart/mixed x \"; boundary=y\" (; boundary=y); z; a\n b; =c;\n"
	" boundary=\"a\n b\"\n\n--a b\nContent-Type: text/plain; charset=utf-8\n" QP
	"\nabcd=C3=BC\n--a b--\n"},
    {"a type without a subtype", SEVEN, 0, "Content-Type: mixed\n\nabcd" UE "\n",
	"Content-Type: mixed\nMIME-Version: 1.0\n" QP "\nabcd=C3=BC\n"},
    {"parts in an encoding nobody knows", SEVEN, 0,
	MULTI("mixed", "a") "Content-Transfer-Encoding: x\n\n--a\n\nabcd" UE "\n",
	MULTI("mixed", "a") "Content-Transfer-Encoding: x\n\n--a\nContent-Type: text/plain; "
			    "charset=utf-8\n" QP "\nabcd=C3=BC\n"},
    {"a message in an encoding nobody knows", SEVEN, LEFT,
	"Content-Type: message/rfc822\nContent-Transfer-Encoding: x\n\nabcd: " UE "\n", NULL},
    {"a long header line", LONG, 0,
	"Subject: hello world\nTo: a [60x], b [75x] [900x] \td\n\te [60x]\n\nx\n",
	"Subject: hello world\nTo: a [60x], b\n [75x] [900x] \td\n\te [60x]\n\nx\n"},
    {"a long header line without blanks", LONG, CUT, "A:[998x]\n\nx\n", "A:[996x]\n xx\n\nx\n"},
    {"blanks at the end of a header line", LONG, 0, "A:b[900x][99 ]\n\nx\n",
	"A:b[900x][95 ]\n\nx\n"},
    {"blanks that begin a line", LONG, 0, "A: b\n[1200 ]c\n\nx\n", "A: b\n[997 ]c\n\nx\n"},
    {"the blank of an obsolete field", LONG, CUT, "A :[1000x]\n\nx\n", "A :[995x]\n [5x]\n\nx\n"},
    {"blanks that fill a line", LONG, 0, "A:b[1500 ]c\n\nx\n", "A:b[995 ]\n c\n\nx\n"},
    {"a cut that spares characters", LONG, CUT | HEADER, "A:x" U497 UE UE "\n\nx\n",
	"A:x" U497 "\n " UE UE "\n\nx\n"},
    {"8 bit in a header", SEVEN, HEADER, "Subject: " UE "\n\nx\n", NULL},
};

/* What a row means. */
static void
expand(const char *s, struct buf *out)
{
	for (; *s != '\0'; s++) {
		if (*s == '\n')
			buf_addc(out, '\r');
		if (*s != '[') {
			buf_addc(out, *s);
			continue;
		}
		char *end;
		unsigned long n = strtoul(s + 1, &end, 10);

		while (n-- > 0)
			buf_addc(out, *end);
		s = end + 1;
	}
}

static unsigned
facts(const struct recode *r)
{
	return (r->facts.folded ? FOLDED : 0U) | (r->facts.replaced ? REPLACED : 0U) |
	       (r->facts.eightbit_left ? LEFT : 0U) | (r->facts.eightbit_header ? HEADER : 0U) |
	       (r->facts.dkim ? DKIM : 0U) | (r->facts.header_cut ? CUT : 0U);
}

/* Both passes, in chunks; whether there was something to do. */
static bool
recode(struct recode *r, unsigned purpose, const struct buf *in, size_t chunk, struct buf *out)
{
	bool needed;

	recode_init(r, purpose & (LONG | SEVEN));
	r->break_dkim = (purpose & BREAK_DKIM) != 0;
	for (size_t at = 0; at < in->len; at += chunk)
		recode_plan(r, in->data + at, in->len - at < chunk ? in->len - at : chunk);
	needed = recode_planned(r);
	recode_start(r);
	for (size_t at = 0; at < in->len; at += chunk)
		recode_run(r, in->data + at, in->len - at < chunk ? in->len - at : chunk, out);
	recode_end(r, out);
	return needed;
}

static bool
same(const struct buf *a, const struct buf *b)
{
	return a->len == b->len && memcmp(buf_str(a), buf_str(b), a->len) == 0;
}

static bool
row_in_chunks(size_t i, const struct buf *in, const struct buf *expected, size_t chunk)
{
	static struct recode r;
	struct buf out = BUF_INIT(1 << 20);
	bool needed = recode(&r, rows[i].purpose, in, chunk, &out);
	bool good = same(&out, expected) && facts(&r) == rows[i].facts &&
		    needed == (rows[i].output != NULL);

	if (!good) {
		printf("# chunks of %zu: facts %u, needed %d\n", chunk, facts(&r), needed);
		tap_quote("got   ", buf_str(&out), out.len);
		tap_quote("wanted", buf_str(expected), expected->len);
	}
	buf_clear(&out);
	if (recode(&r, rows[i].purpose, expected, chunk, &out) || !same(&out, expected)) {
		printf("# chunks of %zu: a second time something is to be done\n", chunk);
		good = false;
	}
	buf_free(&out);
	return good;
}

static void
table(void)
{
	static const size_t chunks[] = {1, 2, 3, 7, 64, 997, 998, 999, 1000, 1001, 100000};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf in = BUF_INIT(1 << 20), expected = BUF_INIT(1 << 20);
		bool good = true;

		expand(rows[i].input, &in);
		expand(rows[i].output != NULL ? rows[i].output : rows[i].input, &expected);
		for (size_t c = 0; c < sizeof(chunks) / sizeof(chunks[0]) && good; c++)
			good = row_in_chunks(i, &in, &expected, chunks[c]);
		ok(good, "%s", rows[i].name);
		buf_free(&in);
		buf_free(&expected);
	}
}

/* Multiparts in multiparts: those within MIME_DEPTH are looked into, deeper ones are not. */
static void
depth(unsigned levels, bool left)
{
	static struct recode r;
	struct buf in = BUF_INIT(1 << 20), out = BUF_INIT(1 << 20);
	bool needed;

	for (unsigned i = 0; i < levels; i++)
		buf_addf(&in, "Content-Type: multipart/mixed; boundary=b%u\r\n\r\n--b%u\r\n", i, i);
	buf_adds(&in, "\r\nabcd\xc3\xbc\r\n");
	needed = recode(&r, SEVEN, &in, 999, &out);
	ok(needed != left && r.facts.eightbit_left == left, "%u multiparts: %s", levels,
	    left ? "too deep, and stay" : "encoded");
	buf_free(&in);
	buf_free(&out);
}

static void
parts(unsigned n, bool left)
{
	static struct recode r;
	struct buf in = BUF_INIT(1 << 20), out = BUF_INIT(1 << 20);

	buf_adds(&in, "Content-Type: multipart/mixed; boundary=b\r\n\r\n");
	for (unsigned i = 1; i < n; i++)
		buf_adds(&in, "--b\r\n\r\nabcd\xc3\xbc\r\n");
	recode(&r, SEVEN, &in, 999, &out);
	ok(r.facts.eightbit_left == left && (memchr(out.data, 0xc3, out.len) != NULL) == left,
	    "%u parts: %s", n, left ? "those beyond the limit stay" : "encoded");
	buf_free(&in);
	buf_free(&out);
}

/* A buffer that is full is an error and no more. */
static void
full(void)
{
	static struct recode r;
	struct buf in = BUF_INIT(1 << 20), out = BUF_INIT(100);

	expand("A: b\n\n" UE "[5000x]\n", &in);
	recode(&r, LONG | SEVEN, &in, 100, &out);
	ok(out.error != 0 && out.len <= 100, "no room for the output");
	buf_free(&in);
	buf_free(&out);
}

static void
unfinished(void)
{
	static struct recode r;
	struct buf in = BUF_INIT(1000), out = BUF_INIT(1000);

	buf_adds(&in, "A: b\r\n\r\nabcd\xc3\xbc");
	recode(&r, SEVEN, &in, 100, &out);
	ok(out.len > 12 && memcmp(out.data + out.len - 12, "abcd=C3=BC\r\n", 12) == 0,
	    "a last line without an end gets one");
	buf_clear(&out);
	recode(&r, LONG, &in, 100, &out);
	ok(same(&in, &out), "… not where nothing was to be done");
	buf_free(&in);
	buf_free(&out);
}

/*
 * A spool file is its owner's, who may write into it between the passes: a plan that does not fit
 * its text makes an odd message, but no crash (ASan sees it).
 */
static void
another_text(void)
{
	static struct recode r;
	struct buf in = BUF_INIT(1 << 20), other = BUF_INIT(1 << 20), out = BUF_INIT(1 << 20);
	size_t n = sizeof(rows) / sizeof(rows[0]);

	for (size_t i = 0; i < n * n; i++) {
		buf_clear(&in);
		buf_clear(&other);
		buf_clear(&out);
		expand(rows[i / n].input, &in);
		expand(rows[i % n].input, &other);
		recode_init(&r, LONG | SEVEN);
		recode_plan(&r, in.data, in.len);
		if (!recode_planned(&r))
			continue;
		recode_start(&r);
		recode_run(&r, other.data, other.len, &out);
		recode_end(&r, &out);
	}
	ok(out.error == 0, "another text in pass 2 is survived");
	buf_free(&in);
	buf_free(&other);
	buf_free(&out);
}

int
main(void)
{
	table();
	depth(MIME_DEPTH, false);
	depth(MIME_DEPTH + 1, true);
	depth(200, true);
	parts(MIME_PARTS, false);
	parts(MIME_PARTS + 1, true);
	full();
	unfinished();
	another_text();
	return done();
}
