/* SPDX-License-Identifier: ISC */
#include "bounce.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "mail/journal.h"
#include "mail/submission.h"
#include "spool/draft.h"
#include "sys/clock.h"

#define WHOLE_MAX 50000          /* octets: a larger message comes back as its header only */
#define HEADER_MAX (1024 * 1024) /* octets of a header that comes back */
#define CHUNK (32 * 1024)

/* What is being posted. */
struct report {
	struct claim *claim;
	const struct bounce *bounce;
	struct dsn_facts facts;
	struct buf header; /* of the original, with its empty line */
};

static const char *
receiver(const struct report *r, size_t i)
{
	return r->bounce->to != NULL ? r->bounce->to->rcpt[i].address : r->claim->envelope.from;
}

static size_t
receivers(const struct report *r)
{
	return r->bounce->to != NULL ? r->bounce->to->nrcpt : 1;
}

/* Octets of the header with its empty line; 0 while its end is not there. */
static size_t
header_end(const struct buf *b)
{
	const char *end = b->len > 0 ? memmem(b->data, b->len, "\r\n\r\n", 4) : NULL;

	return end != NULL ? (size_t)(end - b->data) + 4 : 0;
}

static int
read_failed(const struct claim *c, ssize_t n)
{
	errno = n == 0 ? EIO : errno;
	return spool_fail(c->spool, "read", c->id.s);
}

/* The header, at most HEADER_MAX octets of it; all of the message when there is no empty line. */
static int
read_header(struct report *r)
{
	const struct claim *c = r->claim;
	struct buf *b = &r->header;
	size_t max = c->envelope.size < HEADER_MAX ? (size_t)c->envelope.size : HEADER_MAX, end;

	while ((end = header_end(b)) == 0 && b->len < max) {
		size_t want = max - b->len < CHUNK ? max - b->len : CHUNK;
		char *at = buf_reserve(b, want);
		ssize_t n;
		if (at == NULL) {
			errno = b->error;
			return read_failed(c, -1);
		}
		if ((n = claim_read(c, at, want, b->len)) <= 0)
			return read_failed(c, n);
		b->len += (size_t)n;
	}
	if (end != 0)
		b->len = end;
	dsn_read_original(&r->facts.original, buf_str(b), b->len);
	return 0;
}

static int
copy_message(struct draft *d, const struct claim *c)
{
	char chunk[CHUNK];

	for (uint64_t at = 0; at < c->envelope.size;) {
		ssize_t n = claim_read(c, chunk, sizeof(chunk), at);
		if (n <= 0)
			return read_failed(c, n);
		if (draft_write(d, chunk, (size_t)n) == -1)
			return -1;
		at += (uint64_t)n;
	}
	return 0;
}

/* Whether the report is queued under its ID already. */
static bool
posted(const struct report *r)
{
	static const enum spool_state states[] = {SPOOL_NEW, SPOOL_CUR, SPOOL_HOLD, SPOOL_FAILED};
	bool found = false;

	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]) && !found; i++) {
		struct claim other;
		found = claim_open(&other, r->claim->spool, states[i], r->facts.id.s, CLAIM_LOOK) ==
			    CLAIM_OK &&
			other.envelope.from[0] == '\0' &&
			strcmp(other.envelope.rcpt[0].address, receiver(r, 0)) == 0;
		claim_close(&other);
	}
	return found;
}

static int
write_parts(struct draft *d, const struct report *r, struct buf *text)
{
	const struct claim *c = r->claim;

	dsn_head(text, &c->envelope, &r->facts);
	if (text->error == 0 && draft_write(d, text->data, text->len) == -1)
		return -1;
	if (text->error == 0 &&
	    (r->facts.whole ? copy_message(d, c) : draft_write(d, r->header.data, r->header.len)) ==
		-1)
		return -1;
	if (text->error == 0)
		buf_clear(text);
	dsn_tail(text, &r->facts);
	if (text->error == 0)
		return draft_write(d, text->data, text->len);
	errno = text->error;
	return spool_fail(c->spool, "write the report of", c->id.s);
}

static int
write_report(struct draft *d, const struct report *r)
{
	struct buf text = BUF_INIT(DSN_MAX);
	int result = write_parts(d, r, &text);

	buf_free(&text);
	return result;
}

/* A copy that fails makes no other. */
static int
mark_copy(struct draft *d, const struct report *r)
{
	struct buf lines = BUF_INIT(ENVELOPE_HEAD_MAX);
	int result;

	for (size_t i = 0; r->facts.kind == DSN_COPY && i < receivers(r); i++)
		journal_add_word(
		    &lines, (int64_t)(r->facts.now / 1000000), i, JOURNAL_COPIED, r->facts.id.s);
	result = draft_journal(d, &lines);
	buf_free(&lines);
	return result;
}

static int
fill_envelope(struct envelope *e, const struct report *r)
{
	if ((e->from = strdup("")) == NULL)
		return -1;
	for (size_t i = 0; i < receivers(r); i++)
		if (envelope_add(e, receiver(r, i)) == -1)
			return -1;
	return 0;
}

static int
write_draft(struct draft *d, const struct report *r)
{
	const struct claim *c = r->claim;
	struct envelope e = {
	    .id = r->facts.id,
	    .arrived = r->facts.now,
	    .uid = (unsigned)geteuid(),
	    .body = dsn_body(&c->envelope, &r->facts),
	    .dots = c->envelope.dots,
	};
	int result = -1;

	if (fill_envelope(&e, r) == -1)
		spool_fail(c->spool, "write the report of", c->id.s);
	else if (draft_head(d, &e) == 0 && mark_copy(d, r) == 0 && write_report(d, r) == 0 &&
		 draft_commit(d, &e) == 0)
		result = 0;
	envelope_free(&e);
	return result;
}

/* Under its own ID; over what a flusher that was killed half way left in tmp/ under this name. */
static int
post(struct report *r)
{
	struct spool *sp = r->claim->spool;
	struct draft d;

	r->facts.now = clock_wall();
	r->facts.utc_offset = clock_utc_offset(r->facts.now);
	if (read_header(r) == -1)
		return -1;
	if (spool_dir(sp, SPOOL_TMP) != -1)
		unlinkat(spool_dir(sp, SPOOL_TMP), r->facts.id.s, 0);
	if (draft_open_as(&d, sp, r->facts.id) == 0 && write_draft(&d, r) == 0)
		return 0;
	draft_abandon(&d);
	return -1;
}

static struct report
begin(struct claim *c, const struct bounce *b)
{
	const struct envelope *e = &c->envelope;
	struct report r = {
	    .claim = c,
	    .bounce = b,
	    .header = BUF_INIT(HEADER_MAX),
	    .facts.kind = b->kind,
	    .facts.id = dsn_id(e, b->kind),
	    .facts.hostname = b->hostname,
	    .facts.mailer = b->mailer,
	    .facts.retry_until = b->retry_until,
	    /* Of a message that wants REQUIRETLS no more than must be goes back without it; of
	     * one that did not fail nothing but the header (RFC 3461 4.3). */
	    .facts.whole = (b->kind == DSN_FAILURE || b->kind == DSN_COPY) && !e->requiretls &&
			   (e->ret == RET_FULL || (e->ret == RET_NONE && e->size <= WHOLE_MAX)),
	};

	r.facts.to = receiver(&r, 0);
	return r;
}

bool
bounce_posted(struct claim *c, const struct bounce *b)
{
	struct report r = begin(c, b);

	return posted(&r);
}

int
bounce_post(struct claim *c, const struct bounce *b, struct queue_id *id)
{
	struct report r = begin(c, b);
	int result = posted(&r) ? 0 : post(&r);

	*id = r.facts.id;
	buf_free(&r.header);
	return result;
}
