/* SPDX-License-Identifier: ISC */
/*
 * dsn: the report on a spool file that its owner made: head, message, journal. Whatever is in it, the
 * report is wire form without long lines, in the encoding that it says, one part 2 field a
 * recipient, and nothing of a foreign text becomes a line or a field of its own.
 */
#include "mail/dsn.h"

#include "fuzz.h"
#include "mail/header.h"
#include "mail/journal.h"

/* Lines that begin with a text, in any case of letters. */
static size_t
lines_with(const struct buf *b, const char *start)
{
	size_t n = 0, len = strlen(start);

	for (size_t at = 0; at < b->len;) {
		const char *line = b->data + at, *lf = memchr(line, '\n', b->len - at);

		n += b->len - at >= len && strncasecmp(line, start, len) == 0;
		at += (size_t)(lf - line) + 1;
	}
	return n;
}

static size_t
wanted(const struct envelope *e, enum dsn_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < e->nrcpt; i++) {
		bool open = dsn_open(kind, &e->rcpt[i]);

		CHECK(open || !dsn_wanted(kind, &e->rcpt[i]));
		n += dsn_wanted(kind, &e->rcpt[i]);
	}
	return n;
}

static void
check_body(const struct buf *out, enum body body)
{
	bool eightbit = false;

	for (size_t i = 0; i < out->len; i++)
		eightbit = eightbit || (unsigned char)out->data[i] > 0x7f;
	CHECK(!eightbit || body != BODY_7BIT);
	CHECK(fuzz_is_utf8(out->data, out->len));
}

static void
check_report(const struct envelope *e, const struct dsn_facts *facts)
{
	struct buf out = BUF_INIT(DSN_MAX);
	size_t head;

	dsn_head(&out, e, facts);
	head = out.len;
	buf_adds(&out, "Subject: x\r\n");
	dsn_tail(&out, facts);
	CHECK(out.error == 0 && head > 0);
	CHECK(fuzz_is_wire(out.data, out.len) && fuzz_longest(out.data, out.len) <= 998);
	check_body(&out, dsn_body(e, facts));
	CHECK(lines_with(&out, "Final-Recipient:") == wanted(e, facts->kind));
	CHECK(lines_with(&out, "Action:") == wanted(e, facts->kind));
	CHECK(lines_with(&out, "Reporting-MTA:") == 1 && lines_with(&out, "To:") == 1);
	CHECK(lines_with(&out, "Auto-Submitted:") == 1 && lines_with(&out, "Bcc:") == 0);
	CHECK(lines_with(&out, "--") == 4);
	buf_free(&out);
}

/* What is told of the original is clean. */
static void
read_original(struct dsn_original *o, const char *message, size_t len)
{
	dsn_read_original(o, message, len);
	CHECK(fuzz_is_clean(o->subject, strlen(o->subject)));
	CHECK(fuzz_is_clean(o->message_id, strlen(o->message_id)));
	CHECK(o->message_id[0] == '\0' ||
	      (o->message_id[0] == '<' && o->message_id[strlen(o->message_id) - 1] == '>'));
}

static void
check(struct envelope *e, const char *rest, size_t len, unsigned way)
{
	struct dsn_facts facts = {.kind = (enum dsn_kind)(way % 5),
	    .hostname = "h.x.example",
	    .mailer = "MAILER-DAEMON@x.example",
	    .to = e->from[0] != '\0' ? e->from : "postmaster@x.example",
	    .now = UINT64_C(1790000000123456),
	    .retry_until = 1790400000,
	    .utc_offset = 7200,
	    .whole = (way & 64) != 0};

	for (size_t i = 0; i < e->nrcpt; i++)
		e->rcpt[i].delivered = (way & 128) != 0;
	read_original(&facts.original, rest, (size_t)e->size);
	journal_fold(e, rest + e->size, len - (size_t)e->size);
	facts.id = dsn_id(e, facts.kind);
	CHECK(queue_id_valid(facts.id.s));
	if (wanted(e, facts.kind) > 0)
		check_report(e, &facts);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz f = fuzz_start(data, size);
	unsigned way = fuzz_choose(&f, 256);
	struct fuzz_pieces p = fuzz_pieces(f.data, f.len, 0);
	struct envelope e;
	const char *why;
	long n;

	if (!fuzz_piece(&p))
		return 0;
	n = envelope_parse(&e, p.piece, p.len, &why);
	if (n > 0 && e.size <= p.len - (size_t)n)
		check(&e, p.piece + n, p.len - (size_t)n, way);
	envelope_free(&e);
	free(p.piece);
	return 0;
}
