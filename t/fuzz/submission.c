/* SPDX-License-Identifier: ISC */
/*
 * submission: a message as a program hands it in, through the settling of line ends, the header's
 * scanner and the fix-up, as sendmail/intake.c does it. Wire form comes out, with each field that a
 * message must have once, without Bcc, and what is fixed up once is not fixed up again.
 */
#include "mail/submission.h"

#include "fuzz.h"
#include "mail/lines.h"

#define NOW UINT64_C(1790000000123456)

static const char *const names[] = {NULL, "Alice \xc3\x84. Doe", "a\r\nBcc: b\x1b", "\"q\" (c)"};
static const char *const logins[] = {"alice", "a b", "x\r\ny"};
static const char *const rewrites[] = {NULL, "*=box@example.org", "*@x.example=*@example.org"};

/* What is had of a message: its header fixed up, its body as it is. */
struct taken {
	struct submission s;
	struct envelope e;
	struct buf out;
	size_t head; /* octets of the header, its empty line included */
};

static void
finish(struct taken *t)
{
	submission_free(&t->s);
	envelope_free(&t->e);
	buf_free(&t->out);
}

/* Wire form. */
static void
take(struct taken *t, const struct submission_facts *facts, const struct buf *wire)
{
	enum header_event ev = HEADER_MORE;
	struct header h;
	size_t at = 0;

	*t = (struct taken){.out = BUF_INIT(FUZZ_MAX)};
	submission_init(&t->s, facts);
	t->e.from = facts->with != NULL ? strdup("s@x.example") : NULL;
	header_init(&h);
	while (at < wire->len && ev != HEADER_END && ev != HEADER_BODY) {
		const char *line = wire->data + at;
		size_t n = (size_t)((const char *)memchr(line, '\n', wire->len - at) - line) - 1;

		while ((ev = header_push(&h, line, n)) == HEADER_FIELD)
			submission_field(&t->s, &h.field, &t->out);
		CHECK(ev != HEADER_HUGE);
		if (ev != HEADER_BODY)
			at += n + 2;
	}
	if (ev == HEADER_MORE && header_finish(&h) == HEADER_FIELD)
		submission_field(&t->s, &h.field, &t->out);
	header_free(&h);
	CHECK(submission_end(&t->s, &t->e, &t->out) == 0 && t->out.error == 0);
	t->head = t->out.len;
	buf_add(&t->out, wire->data != NULL ? wire->data + at : "", wire->len - at);
}

/* How many fields of each name a header has. */
static void
count(const struct buf *b, size_t head, unsigned counts[HEADER_TO + 1])
{
	for (size_t at = 0, n; at < head; at += n) {
		const char *line = b->data + at;
		size_t name, value;

		n = (size_t)((const char *)memchr(line, '\n', head - at) - line) + 1;
		if (n == 2 || *line == ' ' || *line == '\t')
			continue;
		value = header_parse_name(line, n - 2, &name);
		CHECK(value > 0);
		counts[header_lookup(line, name)]++;
	}
}

static void
check_header(const struct taken *t)
{
	unsigned n[HEADER_TO + 1] = {0};

	CHECK(t->head >= 2 && memcmp(t->out.data + t->head - 2, "\r\n", 2) == 0);
	count(&t->out, t->head, n);
	CHECK(n[HEADER_FROM] == 1 && n[HEADER_DATE] == 1 && n[HEADER_MESSAGE_ID] == 1);
	CHECK(n[HEADER_BCC] + n[HEADER_RESENT_BCC] == 0);
	CHECK(n[HEADER_RETURN_PATH] + n[HEADER_CONTENT_LENGTH] == 0);
	CHECK(n[HEADER_TO] + n[HEADER_CC] + n[HEADER_RESENT_TO] + n[HEADER_RESENT_CC] +
		  n[HEADER_APPARENTLY_TO] >
	      0);
	CHECK(n[HEADER_RECEIVED] == t->s.received);
}

static void
check_envelope(const struct taken *t)
{
	for (size_t i = 0; i < t->e.nrcpt; i++) {
		CHECK(address_valid(t->e.rcpt[i].address));
		for (size_t j = i + 1; j < t->e.nrcpt && j < i + 20; j++)
			CHECK(!address_equal(t->e.rcpt[i].address, t->e.rcpt[j].address));
	}
	CHECK(t->s.sender[0] == '\0' || address_valid(t->s.sender));
	for (size_t at = 0; at < t->s.bad_list.len; at += strlen(t->s.bad_list.data + at) + 1)
		CHECK(fuzz_is_clean(t->s.bad_list.data + at, strlen(t->s.bad_list.data + at)));
}

static void
check_received(const struct submission_facts *facts)
{
	struct buf out = BUF_INIT(FUZZ_MAX);
	struct submission s;

	submission_init(&s, facts);
	submission_start(&s, &out);
	CHECK(out.error == 0 && fuzz_is_wire(out.data, out.len));
	CHECK(fuzz_longest(out.data, out.len) <= 998 && strncmp(out.data, "Received: ", 10) == 0);
	submission_free(&s);
	buf_free(&out);
}

/* A second time, with the same facts. Rules may well change what they have made. */
static void
check_again(const struct taken *t, const struct submission_facts *facts)
{
	struct taken again;

	take(&again, facts, &t->out);
	CHECK(fuzz_same(&t->out, &again.out));
	finish(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz f = fuzz_start(data, size);
	unsigned way = fuzz_choose(&f, 256);
	struct submission_facts facts = {.domain = "x.example",
	    .local = "x.example",
	    .hostname = "h.x.example",
	    .login = logins[(way >> 6) % 3],
	    .full_name = names[(way & 1) + (way >> 6) % 2 * 2],
	    .uid = 1000,
	    .now = NOW,
	    .utc_offset = 7200,
	    .from_header = (way & 2) != 0,
	    .header_from = rewrites[(way >> 2) % 3],
	    .keep = (enum keep)((way >> 4) % 3),
	    .id = {"6BFZDM9F0005"}};
	struct buf wire = BUF_INIT(FUZZ_MAX);
	struct lines l;
	struct taken t;

	facts.reply_to = facts.header_from;
	facts.with = (way & 128) != 0 ? "ESMTP" : NULL;
	facts.peer = facts.with != NULL ? "host\r\n(x" : "";
	lines_init(&l, (way & 64) != 0);
	lines_push(&l, f.data, f.len, &wire);
	lines_end(&l, &wire);
	take(&t, &facts, &wire);
	CHECK(fuzz_is_wire(t.out.data, t.out.len));
	check_header(&t);
	check_envelope(&t);
	check_received(&facts);
	if (facts.header_from == NULL)
		check_again(&t, &facts);
	finish(&t);
	buf_free(&wire);
	return 0;
}
