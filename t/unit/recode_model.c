/* SPDX-License-Identifier: ISC */
/*
 * Random messages through lib/mail/recode.c: whatever it does, the parts decode to what they were.
 * The decoders here know nothing of the encoders there.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "mail/recode.h"
#include "tap.h"

#define ROUNDS 1000
#define NOISE 2000
#define MAX ((size_t)1 << 24)

static uint64_t seed;

static unsigned
pick(unsigned n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned)(seed >> 33) % n;
}

static const char *const words[] = {"hello", "From ", "-", "--", ".", "=", "=41", "\xc3\xa9",
    "\xd0\xb6", "\xe6\x97\xa5", "\xe9", "<b>", "\t", " ", "  ", "F", "Fro", "a b", "\x01", "=\t",
    "\xf0\x9f\x93\xab"};

/* A body with its last line unfinished. */
static void
make_text(struct buf *out)
{
	for (unsigned lines = pick(6); lines > 0; lines--) {
		for (unsigned n = pick(pick(2) ? 5 : 200); n > 0; n--)
			buf_adds(out, words[pick(sizeof(words) / sizeof(words[0]))]);
		for (unsigned n = pick(8) == 0 ? 900 + pick(300) : 0; n > 0; n--)
			buf_addc(out, 'x');
		if (lines > 1)
			buf_adds(out, "\r\n");
	}
}

static void
make_binary(struct buf *out)
{
	for (unsigned n = pick(3000); n > 0; n--) {
		unsigned c = 1 + pick(255);

		buf_addc(out, c == '\r' || c == '\n' ? 'x' : (char)c);
	}
}

/* As other programs encode, badly: one line, all escaped, some raw. */
static void
make_quoted(struct buf *out)
{
	for (unsigned n = pick(500); n > 0; n--)
		if (pick(9) == 0)
			buf_adds(out, pick(3) ? "x" : pick(9) ? "=\r\n" : "\xe9");
		else
			buf_addf(out, "=%02X", pick(256));
}

static void
make_base64(struct buf *out)
{
	static const char set[] = "ABCZaz019+/";

	for (unsigned n = pick(500); n > 0; n--) {
		for (unsigned i = 0; i < 4; i++)
			buf_addc(out, set[pick(sizeof(set) - 1)]);
		if (pick(50) == 0)
			buf_adds(out, "\r\n");
	}
}

static void
make_leaf(struct buf *out)
{
	static const char *const types[] = {"", "Content-Type: text/plain; charset=utf-8\r\n",
	    "Content-Type:\r\n text/html\r\n", "content-type: application/pdf\r\n"};
	static const struct {
		const char *name;
		void (*make)(struct buf *);
	} encodings[] = {{"7bit", make_text}, {"8bit", make_text}, {"binary", make_binary},
	    {"quoted-printable", make_quoted}, {"base64", make_base64}};
	unsigned e = pick(5);

	buf_adds(out, types[pick(4)]);
	if (e > 2 || pick(2))
		buf_addf(out, "Content-Transfer-Encoding: %s\r\n", encodings[e].name);
	buf_adds(out, "\r\n");
	encodings[e].make(out);
}

/* Header (without what is of the message) and body, its last line unfinished. */
static void
make_part(struct buf *out, unsigned *parts, unsigned depth)
{
	static const char *const types[] = {"mixed", "alternative", "signed"};
	unsigned b = ++*parts, kind = depth < 5 ? pick(6) : 5;

	if (kind > 2) {
		make_leaf(out);
		return;
	}
	if (pick(2))
		buf_adds(out, "Content-Transfer-Encoding: 8bit\r\n");
	if (kind == 0) {
		buf_adds(out, "Content-Type: message/rfc822\r\n\r\nSubject: x\r\n");
		make_part(out, parts, depth + 1);
		return;
	}
	buf_addf(out, "Content-Type: multipart/%s; boundary=\"==b%u=\"\r\n\r\n", types[pick(3)], b);
	if (pick(4) == 0)
		make_text(out);
	for (unsigned n = 1 + pick(3); n > 0; n--) {
		buf_addf(out, "\r\n--==b%u=\r\n", b);
		make_part(out, parts, depth + 1);
	}
	buf_addf(out, "\r\n--==b%u=--\r\n", b);
}

static void
make_message(struct buf *out)
{
	unsigned parts = 0;

	buf_adds(out, "From: a@b.example\r\nSubject:");
	for (unsigned n = pick(4) ? 0 : 900 + pick(3000); n > 0; n--)
		buf_adds(out, pick(30) ? "x" : " ");
	buf_adds(out, "\r\n");
	make_part(out, &parts, 0);
	buf_adds(out, "\r\n");
}

/* What a body says once it is decoded. */
static void
decode_quoted(const char *s, size_t len, struct buf *out)
{
	const char *end = s + len, *next;

	for (; s < end; s = next) {
		const char *lf = memchr(s, '\n', (size_t)(end - s)), *stop;

		next = lf != NULL ? lf + 1 : end;
		for (stop = next; stop > s && strchr("\r\n\t ", stop[-1]) != NULL;)
			stop--;
		bool soft = stop > s && stop[-1] == '=';

		while (s < stop - soft) {
			char hex[3] = {0}, *bad = hex;
			unsigned long c = 0;

			if (*s == '=' && stop - s >= 3) {
				memcpy(hex, s + 1, 2);
				c = strtoul(hex, &bad, 16);
			}
			buf_addc(out, bad == hex + 2 ? (char)c : *s);
			s += bad == hex + 2 ? 3 : 1;
		}
		if (!soft && lf != NULL)
			buf_adds(out, "\r\n");
	}
}

static void
decode_base64(const char *s, size_t len, struct buf *out)
{
	static const char set[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	unsigned bits = 0, n = 0;

	for (size_t i = 0; i < len; i++) {
		const char *at = memchr(set, s[i], 64);

		if (at == NULL)
			continue;
		bits = (bits << 6 | (unsigned)(at - set)) & 0xffffff;
		n += 6;
		if (n >= 8) {
			n -= 8;
			buf_addc(out, (char)(bits >> n));
		}
	}
}

struct cursor {
	const char *at, *end;
};

static bool
next_line(struct cursor *c, const char **line, size_t *len)
{
	const char *lf;

	if (c->at == c->end)
		return false;
	lf = memchr(c->at, '\n', (size_t)(c->end - c->at));
	*line = c->at;
	*len = lf != NULL ? (size_t)(lf - c->at) : (size_t)(c->end - c->at);
	*len -= *len > 0 && c->at[*len - 1] == '\r';
	c->at = lf != NULL ? lf + 1 : c->end;
	return true;
}

static bool
begins(const char *line, size_t len, const char *with)
{
	return len >= strlen(with) && strncasecmp(line, with, strlen(with)) == 0;
}

/* A leaf with its header, and those of the messages around it. Of multiparts, nothing. */
static void
decode(const char *s, size_t size, struct buf *out)
{
	struct cursor c = {s, s + size};
	const char *line;
	size_t len;
	char encoding = 0;
	bool message;

	do {
		message = false;
		while (next_line(&c, &line, &len) && len > 0) {
			if (begins(line, len, "Content-Type: multipart"))
				return;
			message = message || begins(line, len, "Content-Type: message");
			if (begins(line, len, "Content-Transfer-Encoding: "))
				encoding = line[28]; /* quoted, base64, binary */
		}
	} while (message);
	if (encoding == 'u')
		decode_quoted(c.at, (size_t)(c.end - c.at), out);
	else if (encoding == 'a')
		decode_base64(c.at, (size_t)(c.end - c.at), out);
	else
		buf_add(out, c.at, (size_t)(c.end - c.at));
}

/* The next stretch up to a delimiter, and that. */
static bool
next_stretch(struct cursor *c, struct cursor *stretch, const char **delimiter, size_t *len)
{
	*stretch = (struct cursor){c->at, c->end};
	while (next_line(c, delimiter, len))
		if (begins(*delimiter, *len, "--==b")) {
			stretch->end = *delimiter;
			if (stretch->end - stretch->at >= 2)
				stretch->end -= 2;
			return true;
		}
	*len = 0;
	return stretch->at < stretch->end;
}

static void
squeeze(struct buf *b, bool line_ends)
{
	size_t n = 0;

	for (size_t i = 0; i < b->len; i++)
		if (!line_ends || (b->data[i] != '\r' && b->data[i] != '\n'))
			b->data[n++] = b->data[i];
	b->len = n;
}

static bool
same(const struct buf *a, const struct buf *b)
{
	return a->len == b->len && memcmp(buf_str(a), buf_str(b), a->len) == 0;
}

/* Whether two messages have the same parts; loosely: not looking at line ends. */
static bool
same_parts(const struct buf *a, const struct buf *b, bool loosely)
{
	struct cursor ca = {a->data, a->data + a->len}, cb = {b->data, b->data + b->len}, sa, sb;
	struct buf da = BUF_INIT(MAX), db = BUF_INIT(MAX);
	const char *la = NULL, *lb = NULL;
	size_t na = 0, nb = 0;
	bool good = true, outside = false;

	while (good && next_stretch(&ca, &sa, &la, &na)) {
		good = next_stretch(&cb, &sb, &lb, &nb) && na == nb && memcmp(la, lb, na) == 0;
		buf_clear(&da);
		buf_clear(&db);
		if (good && !outside) {
			decode(sa.at, (size_t)(sa.end - sa.at), &da);
			decode(sb.at, (size_t)(sb.end - sb.at), &db);
		}
		squeeze(&da, loosely);
		squeeze(&db, loosely);
		good = good && same(&da, &db);
		outside = na > 2 && la[na - 1] == '-';
	}
	if (!good)
		tap_quote("a part was", buf_str(&da), da.len);
	buf_free(&da);
	buf_free(&db);
	return good;
}

static size_t
survey(const struct buf *b, bool *eightbit)
{
	struct cursor c = {b->data, b->data + b->len};
	const char *line;
	size_t len, most = 0;

	for (*eightbit = false; next_line(&c, &line, &len); most = len > most ? len : most)
		for (size_t i = 0; i < len; i++)
			*eightbit = *eightbit || (unsigned char)line[i] > 0x7f;
	return most;
}

/* Both passes in random chunks that are heap copies of their own, for ASan. */
static void
push(struct recode *r, const struct buf *in, size_t most, struct buf *out)
{
	for (size_t at = 0, n; at < in->len; at += n) {
		char *copy;

		n = 1 + pick((unsigned)most);
		if (n > in->len - at)
			n = in->len - at;
		copy = malloc(n);
		if (copy == NULL)
			return;
		memcpy(copy, in->data + at, n);
		if (out != NULL) {
			size_t before = out->len;

			recode_run(r, copy, n, out);
			if (out->len - before > 16 * n + 8192)
				out->error = EMSGSIZE; /* more than recode.h says */
		} else {
			recode_plan(r, copy, n);
		}
		free(copy);
	}
}

static bool
recode(struct recode *r, unsigned purpose, const struct buf *in, size_t most, struct buf *out)
{
	bool needed;

	recode_init(r, purpose);
	push(r, in, most, NULL);
	needed = recode_planned(r);
	recode_start(r);
	push(r, in, most, out);
	recode_end(r, out);
	return needed;
}

/* Why this message does not come out as it should, or NULL. */
static const char *
trouble(const struct buf *in, unsigned purpose, bool legal)
{
	static struct recode r, r2;
	struct buf out = BUF_INIT(MAX), again = BUF_INIT(MAX);
	bool needed = recode(&r, purpose, in, 3000, &out);
	bool other = recode(&r2, purpose, in, pick(2) ? 3 : 1, &again);
	bool eightbit;
	size_t longest = survey(&out, &eightbit);
	const char *why = NULL;

	if (other != needed || !same(&out, &again) ||
	    memcmp(&r.facts, &r2.facts, sizeof(r.facts)) != 0)
		why = "chunks make a difference";
	else if (out.error != 0)
		why = "more output than there may be";
	else if (!needed && !same(in, &out))
		why = "changed without need";
	else if ((purpose & RECODE_LONG) && longest > MIME_LINE)
		why = "a line is too long";
	else if ((purpose & RECODE_7BIT) && eightbit && !r.facts.eightbit_left &&
		 !r.facts.eightbit_header)
		why = "there are 8-bit octets";
	else if (legal && !same_parts(in, &out, r.facts.folded))
		why = "the content has changed";
	buf_clear(&again);
	if (why == NULL && legal &&
	    (recode(&r2, purpose, &out, 5000, &again) || !same(&out, &again)))
		why = "a second time something is to be done";
	buf_free(&out);
	buf_free(&again);
	return why;
}

static void
rounds(const char *what, unsigned n, void (*make)(struct buf *), bool legal)
{
	const char *why = NULL;

	for (unsigned i = 1; i <= n && why == NULL; i++) {
		struct buf in = BUF_INIT(MAX);

		seed = i * UINT64_C(0x9e3779b97f4a7c15);
		make(&in);
		for (unsigned purpose = 1; purpose <= 3 && why == NULL; purpose++)
			why = trouble(&in, purpose, legal);
		if (why != NULL) {
			printf("# message %u: %s\n", i, why);
			tap_quote("message", buf_str(&in), in.len);
		}
		buf_free(&in);
	}
	ok(why == NULL, "%u %s", n, what);
}

static void
make_noise(struct buf *out)
{
	static const char *const scraps[] = {"\r\n", "\r\n", "\r\n\r\n", "\r", "\n",
	    "--==b1=", "\r\n--==b1=\r\n", "\r\n--==b2=--\r\n", " ", "\t", ":", "A:", "From ", "--",
	    "\"", "(", "\\", ")", ";", "=", "Content-Type: multipart/mixed; boundary=\"==b1=\"\r\n",
	    "Content-Type: multipart/signed;\r\n boundary=\"==b2=\"\r\n",
	    "Content-Type: message/rfc822\r\n\r\n", "Content-Transfer-Encoding: base64\r\n",
	    "Content-Transfer-Encoding: quoted-printable\r\n", "content-transfer-encoding:8bit\r\n",
	    "Content-Type: (((", "DKIM-Signature: \r\n", "MIME-Version: 1.0\r\n", "\xc3", "\xbc"};

	for (unsigned n = pick(40); n > 0; n--) {
		unsigned what = pick(20);

		if (what == 0)
			for (unsigned i = 900 + pick(2000); i > 0; i--)
				buf_addc(out, pick(100) ? 'x' : ' ');
		else if (what == 1)
			for (unsigned i = pick(2000), c = pick(256); i > 0; i--)
				buf_addc(out, (char)c);
		else
			buf_adds(out, scraps[pick(sizeof(scraps) / sizeof(scraps[0]))]);
	}
}

int
main(void)
{
	rounds("random messages decode to what they were", ROUNDS, make_message, true);
	rounds("rounds of noise", NOISE, make_noise, false);
	return done();
}
