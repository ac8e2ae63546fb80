/* SPDX-License-Identifier: ISC */
#include "bounce.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "mail/submission.h"
#include "spool/draft.h"
#include "sys/clock.h"

#define WHOLE_MAX 50000          /* octets: a larger message comes back as its header only */
#define HEADER_MAX (1024 * 1024) /* octets of a header that comes back */
#define CHUNK (32 * 1024)

/* Octets of the message's header with its empty line; all of it when there is no empty line. */
static uint64_t
header_size(const struct claim *c)
{
	char chunk[CHUNK];
	uint64_t at = 0;
	ssize_t n;

	/* Chunks overlap by three octets, so that an end across two is seen. */
	while (at < HEADER_MAX && (n = claim_read(c, chunk, sizeof(chunk), at)) > 3) {
		const char *end = memmem(chunk, (size_t)n, "\r\n\r\n", 4);
		if (end != NULL)
			return at + (uint64_t)(end - chunk) + 4;
		at += (uint64_t)n - 3;
	}
	return c->envelope.size < HEADER_MAX ? c->envelope.size : HEADER_MAX;
}

static int
copy(struct draft *d, const struct claim *c, uint64_t size)
{
	char chunk[CHUNK];

	for (uint64_t at = 0; at < size;) {
		size_t want = size - at < sizeof(chunk) ? (size_t)(size - at) : sizeof(chunk);
		ssize_t n = claim_read(c, chunk, want, at);
		if (n <= 0) {
			errno = n == 0 ? EIO : errno;
			return spool_fail(c->spool, "read", c->id.s);
		}
		if (draft_write(d, chunk, (size_t)n) == -1)
			return -1;
		at += (uint64_t)n;
	}
	return 0;
}

/* Whether the report was committed before a crash: it is queued under its ID already. */
static bool
posted(const struct claim *c, struct queue_id id)
{
	static const enum spool_state states[] = {SPOOL_NEW, SPOOL_CUR, SPOOL_HOLD, SPOOL_FAILED};
	bool found = false;

	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]) && !found; i++) {
		struct claim other;
		found = claim_open(&other, c->spool, states[i], id.s, CLAIM_LOOK) == CLAIM_OK &&
			other.envelope.from[0] == '\0' &&
			strcmp(other.envelope.rcpt[0].address, c->envelope.from) == 0;
		claim_close(&other);
	}
	return found;
}

static int
write_report(struct draft *d, const struct claim *c, const struct dsn_facts *facts)
{
	struct buf text = BUF_INIT(ENVELOPE_HEAD_MAX);
	int r = -1;

	dsn_head(&text, &c->envelope, facts);
	if (text.error == 0 && draft_write(d, text.data, text.len) == 0 &&
	    copy(d, c, facts->whole ? c->envelope.size : header_size(c)) == 0) {
		buf_clear(&text);
		dsn_tail(&text, facts);
		r = draft_write(d, buf_str(&text), text.len);
	}
	if (text.error != 0) {
		errno = text.error;
		spool_fail(c->spool, "write the report of", c->id.s);
	}
	buf_free(&text);
	return r;
}

static int
write_draft(struct draft *d, const struct claim *c, const struct dsn_facts *facts)
{
	struct envelope e = {
	    .id = facts->id,
	    .arrived = facts->now,
	    .uid = (unsigned)geteuid(),
	    .body = dsn_eightbit(&c->envelope, facts->kind) ? BODY_8BITMIME : BODY_7BIT,
	    .dots = c->envelope.dots,
	};
	int r = -1;

	if ((e.from = strdup("")) == NULL || envelope_add(&e, c->envelope.from) == -1)
		spool_fail(c->spool, "write the report of", c->id.s);
	else if (draft_head(d, &e) == 0 && write_report(d, c, facts) == 0 &&
		 draft_commit(d, &e) == 0)
		r = 0;
	envelope_free(&e);
	return r;
}

int
bounce_post(struct claim *c, enum dsn_kind kind, const char *hostname, const char *mailer,
    struct queue_id *id)
{
	const struct envelope *e = &c->envelope;
	struct dsn_facts facts = {
	    .kind = kind,
	    .id = dsn_id(e, kind),
	    .hostname = hostname,
	    .mailer = mailer,
	    /* Of a message that wants REQUIRETLS no more than must be goes back without it; of
	     * one that went well nothing but the header (RFC 3461 4.3). */
	    .whole = kind == DSN_FAILURE && !e->requiretls &&
		     (e->ret == RET_FULL || (e->ret == RET_NONE && e->size <= WHOLE_MAX)),
	};
	struct draft d;

	*id = facts.id;
	if (posted(c, *id))
		return 0;
	facts.now = clock_wall();
	facts.utc_offset = clock_utc_offset(facts.now);
	/* What a flusher that was killed half way left in tmp/ under this name. */
	if (spool_dir(c->spool, SPOOL_TMP) != -1)
		unlinkat(spool_dir(c->spool, SPOOL_TMP), id->s, 0);
	if (draft_open_as(&d, c->spool, *id) == 0 && write_draft(&d, c, &facts) == 0)
		return 0;
	draft_abandon(&d);
	return -1;
}
