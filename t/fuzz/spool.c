/* SPDX-License-Identifier: ISC */
/*
 * spool: a spool file as its owner made it: head, message, journal. A head that is taken prints to one
 * that says the same; a part of it is never taken for the whole; a torn last line of the journal
 * changes nothing; and what is appended counts, whatever stands before it.
 */
#include "fuzz.h"
#include "mail/address.h"
#include "mail/journal.h"

#define WHEN 1790000000

static void
check_head(const struct envelope *e)
{
	CHECK(e->nrcpt > 0 && e->nrcpt <= ENVELOPE_RCPT_MAX);
	CHECK(queue_id_valid(e->id.s) && e->size <= ENVELOPE_SIZE_MAX);
	CHECK(e->from[0] == '\0' || address_valid(e->from));
	for (size_t i = 0; i < e->nrcpt; i++)
		CHECK(address_valid(e->rcpt[i].address));
}

static void
check_print(const struct envelope *e)
{
	struct buf head = BUF_INIT(FUZZ_MAX), again = BUF_INIT(FUZZ_MAX);
	struct envelope e2, sealed = *e;
	const char *why;
	size_t at, len;

	envelope_print(&head, e);
	CHECK(envelope_parse(&e2, head.data, head.len, &why) == (long)head.len);
	check_head(&e2);
	envelope_print(&again, &e2);
	CHECK(fuzz_same(&head, &again));
	envelope_free(&e2);
	sealed.size = ENVELOPE_SIZE_MAX - e->size;
	sealed.dots = !e->dots;
	sealed.body = BODY_SMTPUTF8;
	envelope_seal(head.data, &sealed, &at, &len);
	CHECK(at + len < head.len);
	CHECK(envelope_parse(&e2, head.data, head.len, &why) == (long)head.len);
	CHECK(e2.size == sealed.size && e2.dots == sealed.dots && e2.body == sealed.body);
	envelope_free(&e2);
	buf_free(&head);
	buf_free(&again);
}

/* What a journal makes of the recipients, as text. */
static void
fold(const struct envelope *head, const char *data, size_t len, struct buf *out)
{
	struct envelope e = *head;
	char status[STATUS_LEN];

	e.rcpt = calloc(e.nrcpt, sizeof(e.rcpt[0]));
	CHECK(e.rcpt != NULL);
	journal_fold(&e, data, len);
	for (size_t i = 0; i < e.nrcpt; i++) {
		const struct recipient *r = &e.rcpt[i];

		CHECK(r->textlen == 0 || (r->text >= data && r->text + r->textlen <= data + len));
		buf_addf(out, "%s %d %d %d %u %lld ", status_print(status, r->status), r->reported,
		    r->warned, r->copied, r->attempts, (long long)r->when);
		buf_add(out, r->textlen > 0 ? r->text : "", r->textlen);
		buf_addc(out, '\n');
	}
	buf_addf(out, "%lld %lld\n", (long long)e.age.used, (long long)e.age.at);
	free(e.rcpt);
}

static void
check_lines(const char *data, size_t len)
{
	struct journal_line line;
	size_t at = 0, before = 0;

	while (journal_next(&line, data, len, &at)) {
		CHECK(at > before && at <= len);
		CHECK(line.status >= data && line.status + line.statuslen <= data + len);
		CHECK(line.text >= data && line.text + line.textlen <= data + len);
		before = at;
	}
}

/*
 * The next writer closes a torn line off by a LF, and if its status was all there it counts from then
 * on: it happened.
 */
static void
check_append(const struct envelope *head, const char *data, size_t len)
{
	struct outcome o = {.status = STATUS(4, 4, 1), .text = "a\nb \xff\x1b[1m"};
	struct buf b = BUF_INIT(FUZZ_MAX), folded = BUF_INIT(FUZZ_MAX);
	struct envelope e = *head;

	buf_add(&b, data, len);
	buf_addc(&b, '\n');
	journal_add(&b, WHEN, 0, &o);
	e.rcpt = calloc(e.nrcpt, sizeof(e.rcpt[0]));
	CHECK(e.rcpt != NULL && b.error == 0);
	journal_fold(&e, b.data, len + 1);
	if (e.rcpt[0].status.class != 2 && e.rcpt[0].status.class != 5) {
		journal_fold(&e, b.data + len + 1, b.len - len - 1);
		CHECK(e.rcpt[0].status.class == 4 && e.rcpt[0].status.detail == 1);
		CHECK(e.rcpt[0].when == WHEN && e.rcpt[0].attempts > 0);
		CHECK(fuzz_is_clean(e.rcpt[0].text, e.rcpt[0].textlen));
		fold(head, b.data, b.len, &folded);
		CHECK(folded.error == 0 && strstr(folded.data, "4.4.1 ") == folded.data);
	}
	free(e.rcpt);
	buf_free(&folded);
	buf_free(&b);
}

static void
check_journal(const struct envelope *head, const char *data, size_t len)
{
	struct buf all = BUF_INIT(FUZZ_MAX), whole = BUF_INIT(FUZZ_MAX);
	const char *lf = len > 0 ? memrchr(data, '\n', len) : NULL;

	check_lines(data, len);
	fold(head, data, len, &all);
	fold(head, data, lf != NULL ? (size_t)(lf - data) + 1 : 0, &whole);
	CHECK(fuzz_same(&all, &whole));
	check_append(head, data, len);
	buf_free(&all);
	buf_free(&whole);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_pieces p = fuzz_pieces((const char *)data, size, 0);
	struct envelope e, part;
	const char *why = NULL;
	long n;

	if (!fuzz_piece(&p))
		return 0;
	n = envelope_parse(&e, p.piece, p.len, &why);
	CHECK(n >= 0 || why != NULL);
	if (n > 0) {
		CHECK((size_t)n <= p.len);
		CHECK(envelope_parse(&part, p.piece, (size_t)n - 1, &why) == 0);
		envelope_free(&part);
		check_head(&e);
		check_print(&e);
		if (e.size <= p.len - (size_t)n)
			check_journal(&e, p.piece + n + e.size, p.len - (size_t)n - e.size);
	}
	envelope_free(&e);
	free(p.piece);
	return 0;
}
