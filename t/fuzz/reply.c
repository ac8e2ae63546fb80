/* SPDX-License-Identifier: ISC */
/*
 * reply: whatever lines a server says, the text that is kept is one clean line, and the verdict is
 * one that its code allows.
 */
#include "mail/reply.h"

#include "fuzz.h"
#include "mail/route.h"

static void
check_outcome(const struct outcome *o, const struct reply *r)
{
	int digit = r->code / 100;

	CHECK(o->status.class == 2 || o->status.class == 4 || o->status.class == 5);
	CHECK(o->status.subject <= 999 && o->status.detail <= 999);
	CHECK(fuzz_is_clean(o->text, strlen(o->text)));
	CHECK((o->status.class == 2) == (digit == 2));
	CHECK(o->status.class != 5 || digit == 5);
	CHECK(o->stage >= STAGE_MAIL || o->status.class != 5);
	CHECK(r->code != 421 || o->scope == SCOPE_DESTINATION);
}

static void
judge(const struct reply *r)
{
	for (enum stage stage = STAGE_GREETING; stage <= STAGE_QUIT; stage++) {
		struct outcome o;

		if (stage == STAGE_TLS || stage == STAGE_BODY || r->code / 100 == 3)
			continue;
		o = status_judge(stage, r, "mx.example[192.0.2.1]:25");
		check_outcome(&o, r);
		status_throttled(&o);
		o = status_final(o);
		CHECK(o.status.class != 4);
	}
}

static void
check_reply(const struct reply *r)
{
	CHECK(r->code >= 200 && r->code <= 599);
	CHECK(r->lines >= 1 && r->lines <= REPLY_LINES);
	CHECK(r->len == strlen(r->text) && r->len < REPLY_TEXT);
	CHECK(fuzz_is_clean(r->text, r->len));
	CHECK(atoi(r->text) == r->code);
	CHECK(r->status.class == 0 || (r->status.class >= 2 && r->status.class <= 5));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz f = fuzz_start(data, size);
	struct reply r;

	reply_init(&r);
	while (f.len > 0) {
		const char *lf = memchr(f.data, '\n', f.len);
		size_t n = lf != NULL ? (size_t)(lf - f.data) : f.len, textlen;
		struct fuzz_pieces p = fuzz_pieces(f.data, n, 0);
		enum reply_event ev;

		if (!fuzz_piece(&p))
			p.len = 0;
		reply_line_text(p.piece, p.len, &textlen);
		CHECK(textlen <= p.len);
		ev = reply_push(&r, p.piece, p.len);
		free(p.piece);
		if (ev == REPLY_BAD)
			break;
		check_reply(&r);
		if (ev == REPLY_DONE) {
			judge(&r);
			reply_init(&r);
		}
		f.data += n + (lf != NULL);
		f.len -= n + (lf != NULL);
	}
	return 0;
}
