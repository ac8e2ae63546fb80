/* SPDX-License-Identifier: ISC */
/*
 * recode: whatever a message is, no line is longer than 998 octets afterwards and no octet 8-bit but
 * where that is said; the cuts make no difference; what fits is not touched; and the body of a
 * message that is no multipart says what it said. (t/unit/recode_model.c has multiparts.)
 */
#include "mail/recode.h"

#include "decode.h"
#include "mail/lines.h"

static bool
recode(struct recode *r, unsigned purpose, const struct buf *in, unsigned seed, struct buf *out)
{
	struct fuzz_pieces p = fuzz_pieces(in->data, in->len, seed);
	bool needed;

	recode_init(r, purpose & 3);
	r->break_dkim = (purpose & 4) != 0;
	while (fuzz_piece(&p))
		recode_plan(r, p.piece, p.len);
	needed = recode_planned(r);
	recode_start(r);
	p = fuzz_pieces(in->data, in->len, seed);
	while (fuzz_piece(&p)) {
		size_t before = out->len;

		recode_run(r, p.piece, p.len, out);
		CHECK(out->len - before <= 16 * p.len + 8192);
	}
	recode_end(r, out);
	CHECK(out->error == 0);
	return needed;
}

/* The value of a field of the header that ends at `head`, its first; false: there is none. */
static bool
field(const struct buf *b, size_t head, const char *name, struct buf *value)
{
	bool found = false;

	for (size_t at = 0; at < head;) {
		const char *line = b->data + at, *lf = memchr(line, '\n', head - at);
		size_t n = (size_t)(lf - line) + 1, len, behind;

		behind = header_parse_name(line, n, &len);
		if (found && (*line == ' ' || *line == '\t'))
			buf_add(value, line, n);
		else if (found)
			break;
		else if (behind > 0 && len == strlen(name) && strncasecmp(line, name, len) == 0) {
			found = true;
			buf_add(value, line + behind, n - behind);
		}
		at += n;
	}
	return found;
}

/* What the body says, when its header ends with the first empty line and its type is text/…. */
static bool
meaning(const struct buf *b, struct buf *out)
{
	const char *end = b->len > 0 ? memmem(b->data, b->len, "\r\n\r\n", 4) : NULL;
	struct buf value = BUF_INIT(FUZZ_MAX);
	struct content_type ct = {0};
	enum content_encoding coded = CONTENT_7BIT;
	size_t head;
	bool good;

	if (end == NULL)
		return false;
	head = (size_t)(end - b->data) + 2;
	if (field(b, head, "Content-Type", &value))
		content_type_parse(&ct, buf_str(&value), value.len);
	good = strcmp(ct.type, "multipart") != 0 && strcmp(ct.type, "message") != 0;
	buf_clear(&value);
	if (field(b, head, "Content-Transfer-Encoding", &value))
		coded = content_encoding_parse(buf_str(&value), value.len);
	buf_free(&value);
	end += 4;
	if (coded == CONTENT_QP)
		decode_quoted(end, b->len - head - 2, out);
	else if (coded == CONTENT_BASE64)
		decode_base64(end, b->len - head - 2, out);
	else
		buf_add(out, end, b->len - head - 2);
	return good && coded != CONTENT_UNKNOWN;
}

/*
 * Every line of a header is one that belongs there: no mbox line, no body without an empty line, and
 * no name that is longer than a line may be, which is text.
 */
static bool
regular(const struct buf *b)
{
	for (size_t at = 0; at < b->len;) {
		const char *line = b->data + at, *lf = memchr(line, '\n', b->len - at);
		size_t n = (size_t)(lf - line) + 1, name, behind;

		if (n == 2)
			return at > 0;
		behind = header_parse_name(line, n - 2, &name);
		if (behind > MIME_LINE ||
		    (behind == 0 && (at == 0 || (*line != ' ' && *line != '\t'))))
			return false;
		at += n;
	}
	return false;
}

static unsigned
fields_of(const struct buf *b, const char *name)
{
	unsigned n = 0;

	for (const char *at = buf_str(b); (at = strcasestr(at, name)) != NULL; at++)
		n++;
	return n;
}

static void
check_meaning(const struct recode *r, const struct buf *in, const struct buf *out)
{
	struct buf was = BUF_INIT(FUZZ_MAX), is = BUF_INIT(FUZZ_MAX);

	/* of two fields that contradict each other anything may be made */
	if (regular(in) && !r->facts.folded && !r->facts.header_cut &&
	    fields_of(in, "Content-Transfer-Encoding") <= 1 && fields_of(in, "Content-Type") <= 1 &&
	    meaning(in, &was) && memchr(buf_str(&was), '=', was.len) == NULL)
		CHECK(meaning(out, &is) && fuzz_same(&was, &is));
	buf_free(&was);
	buf_free(&is);
}

static bool
eightbit(const struct buf *b)
{
	for (size_t i = 0; i < b->len; i++)
		if ((unsigned char)b->data[i] > 0x7f)
			return true;
	return false;
}

/* Lines as a spool file has them, some of them long: each "~" of the input stands for 200 octets. */
static void
settle(const struct fuzz *f, struct buf *wire)
{
	struct buf b = BUF_INIT(FUZZ_MAX);
	struct lines l;

	for (size_t i = 0; i < f->len; i++)
		if (f->data[i] != '~')
			buf_addc(&b, f->data[i]);
		else
			for (size_t n = 0; n < 200; n++)
				buf_addc(&b, n % 7 == 0 && i % 3 == 0 ? ' ' : 'x');
	lines_init(&l, false);
	lines_push(&l, buf_str(&b), b.len, wire);
	lines_end(&l, wire);
	buf_free(&b);
}

/*
 * The file may be another one when it is read again: its owner can write to it. What goes out is then
 * something else, but wire form.
 */
static void
check_changed(unsigned purpose, const struct buf *in, unsigned seed)
{
	static struct recode r;
	const char *cut = in->len > 0 ? memchr(in->data, '\x0c', in->len) : NULL;
	struct buf out = BUF_INIT(FUZZ_MAX);

	if (cut == NULL)
		return;
	recode_init(&r, purpose & 3);
	recode_plan(&r, in->data, in->len);
	recode_planned(&r);
	recode_start(&r);
	for (struct fuzz_pieces p =
		 fuzz_pieces(cut + 1, (size_t)(in->data + in->len - cut) - 1, seed);
	     fuzz_piece(&p);)
		recode_run(&r, p.piece, p.len, &out);
	recode_end(&r, &out);
	CHECK(out.error == 0 && fuzz_is_wire(out.data, out.len));
	buf_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct recode r, r2;
	struct fuzz f = fuzz_start(data, size);
	unsigned seed = fuzz_choose(&f, 64), purpose = fuzz_choose(&f, 8);
	struct buf in = BUF_INIT(FUZZ_MAX), out = BUF_INIT(FUZZ_MAX), again = BUF_INIT(FUZZ_MAX);
	bool needed;

	settle(&f, &in);
	needed = recode(&r, purpose, &in, seed, &out);
	CHECK(recode(&r2, purpose, &in, seed == 0, &again) == needed);
	CHECK(fuzz_same(&out, &again) && memcmp(&r.facts, &r2.facts, sizeof(r.facts)) == 0);
	CHECK(needed || fuzz_same(&in, &out));
	CHECK(fuzz_is_wire(out.data, out.len));
	CHECK((purpose & RECODE_LONG) == 0 || fuzz_longest(out.data, out.len) <= MIME_LINE);
	CHECK((purpose & RECODE_7BIT) == 0 || r.facts.eightbit_left || r.facts.eightbit_header ||
	      !eightbit(&out));
	check_meaning(&r, &in, &out);
	check_changed(purpose, &in, seed);
	buf_free(&in);
	buf_free(&out);
	buf_free(&again);
	return 0;
}
