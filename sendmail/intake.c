/* SPDX-License-Identifier: ISC */
#include "intake.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "mail/address.h"
#include "mail/header.h"
#include "mail/journal.h"
#include "mail/lines.h"
#include "mail/submission.h"
#include "spool/draft.h"
#include "sys/clock.h"
#include "sys/log.h"

#define HEADER_MAX (8U * 1024 * 1024) /* octets of a header, in memory until its end */
#define PIECE (64U * 1024)            /* octets settled at a time */

struct intake {
	struct names names;
	struct draft draft;
	struct envelope envelope;
	struct lines lines;
	struct header header;
	struct submission submission;
	struct submission_facts facts;
	bool in_body;
	struct buf
	    wire; /* settled lines of the header that are not scanned yet; of the body, all */
	struct buf head; /* the header as it goes out, until its end is seen */
	struct buf bad;  /* recipients that are none, NUL-terminated one behind the other */
	char error[1024];
};

__attribute__((format(printf, 3, 4))) static int
fail(struct intake *i, int status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(i->error, sizeof(i->error), fmt, ap);
	va_end(ap);
	return status;
}

static int
fail_spool(struct intake *i)
{
	return fail(i, EX_TEMPFAIL, "%s; the message was not queued", i->draft.spool->error);
}

static int
fail_memory(struct intake *i)
{
	return fail(i, EX_OSERR, "out of memory; the message was not queued");
}

struct intake *
intake_new(const struct options *o, const struct settings *s, struct spool *sp, const char *with)
{
	struct intake *i = calloc(1, sizeof(*i));

	if (i == NULL)
		return NULL;
	i->draft = (struct draft){.spool = sp, .fd = -1};
	i->wire = (struct buf)BUF_INIT(HEADER_FIELD_MAX + 4 * PIECE);
	i->head = (struct buf)BUF_INIT(HEADER_MAX);
	i->bad = (struct buf)BUF_INIT(ENVELOPE_HEAD_MAX);
	host_name(i->names.hostname, s->mail_hostname);
	host_domain(i->names.domain, s->mail_domain, i->names.hostname);
	host_user(&i->names.user, getuid());
	i->facts = (struct submission_facts){
	    .domain = i->names.domain,
	    .hostname = i->names.hostname,
	    .login = i->names.user.login,
	    .full_name = o->name != NULL ? o->name : i->names.user.full_name,
	    .uid = getuid(),
	    .now = clock_wall(),
	    .from_header = with == NULL && o->from_header,
	    .with = with,
	};
	i->facts.utc_offset = clock_utc_offset(i->facts.now);
	lines_init(&i->lines, with == NULL && !o->dots);
	header_init(&i->header);
	submission_init(&i->submission, &i->facts);
	return i;
}

const struct names *
intake_names(const struct intake *i)
{
	return &i->names;
}

const char *
intake_error(const struct intake *i)
{
	return i->error;
}

bool
intake_done(const struct intake *i)
{
	return i->lines.done;
}

int
intake_begin(struct intake *i, struct envelope *e)
{
	i->envelope = *e;
	memset(e, 0, sizeof(*e));
	if (draft_open(&i->draft, i->draft.spool, i->facts.now) == -1)
		return fail_spool(i);
	i->envelope.arrived = i->facts.now;
	i->envelope.uid = i->facts.uid;
	i->facts.id = i->envelope.id = i->draft.id;
	submission_start(&i->submission, &i->head);
	return EX_OK;
}

int
intake_bad_recipient(struct intake *i, const char *text)
{
	buf_add(&i->bad, text, strlen(text) + 1);
	return i->bad.error == 0 ? EX_OK : fail_memory(i);
}

/* Something that may stand in the envelope for a text that may not; it is never sent to. */
static void
stand_in(char dst[ADDRESS_MAX + 1], const char *text, const char *domain)
{
	char local[65];
	size_t n = 0;

	for (; *text != '\0' && n + 1 < sizeof(local); text++)
		local[n++] =
		    (char)(address_atext(*text) && (unsigned char)*text < 0x80 ? *text : '?');
	local[n] = '\0';
	if (n == 0 || address_qualify(dst, local, domain) == -1)
		snprintf(dst, ADDRESS_MAX + 1, "?@localhost");
}

/* Each bad recipient: in the envelope, with a journal line that it has failed. */
static int
add_bad(struct intake *i)
{
	struct buf lines = BUF_INIT(ENVELOPE_HEAD_MAX);
	int r = EX_OK;

	for (const char *p = i->bad.data; r == EX_OK && p < i->bad.data + i->bad.len;
	     p += strlen(p) + 1) {
		struct outcome o = status_trouble(STAGE_CONFIG, SCOPE_RECIPIENT, STATUS(4, 1, 3),
		    "this is not an address: %s", p);
		char address[ADDRESS_MAX + 1];
		o.status.class = 5;
		stand_in(address, p, i->names.domain);
		journal_add(&lines, (int64_t)(i->facts.now / 1000000), i->envelope.nrcpt, &o);
		if (envelope_add(&i->envelope, address) == -1)
			r = fail_memory(i);
	}
	if (r == EX_OK && (lines.error != 0 || draft_journal(&i->draft, &lines) == -1))
		r = fail_memory(i);
	buf_free(&lines);
	return r;
}

/* Who gets it, now that the header is known. */
static int
settle_recipients(struct intake *i)
{
	const struct buf *bad = &i->submission.bad_list;

	buf_add(&i->bad, bad->data, bad->len);
	if (i->bad.error != 0)
		return fail_memory(i);
	if (i->envelope.nrcpt == 0 && i->bad.len > 0)
		return fail(
		    i, EX_DATAERR, "this is not an address: %s; nothing was queued", i->bad.data);
	if (i->envelope.nrcpt == 0)
		return fail(i, EX_USAGE,
		    "no recipients in the header (To, Cc, Bcc) nor on the command line");
	return i->bad.len > 0 ? add_bad(i) : EX_OK;
}

/* The header is over: recipients are known, the head can be written. */
static int
finish_header(struct intake *i)
{
	int r;

	if (submission_end(&i->submission, &i->envelope, &i->head) == -1)
		return errno == E2BIG || errno == EMSGSIZE
			   ? fail(i, EX_DATAERR,
				 "the header has more than %u recipients or %u octets",
				 ENVELOPE_RCPT_MAX, HEADER_MAX)
			   : fail_memory(i);
	if (i->submission.received > SUBMISSION_HOPS)
		return fail(
		    i, EX_UNAVAILABLE, "mail loop: more than %d Received fields", SUBMISSION_HOPS);
	if ((r = settle_recipients(i)) != EX_OK)
		return r;
	i->in_body = true;
	if (draft_head(&i->draft, &i->envelope) == -1 ||
	    draft_write(&i->draft, i->head.data, i->head.len) == -1)
		return fail_spool(i);
	buf_free(&i->head);
	return EX_OK;
}

static int
field_done(struct intake *i)
{
	submission_field(&i->submission, &i->header.field, &i->head);
	return i->head.error == 0
		   ? EX_OK
		   : fail(i, EX_DATAERR, "the header is larger than %u octets", HEADER_MAX);
}

/* One line of the header. *used is false when it turned out to be body. */
static int
header_line(struct intake *i, const char *line, size_t len, bool *used)
{
	*used = true;
	for (;;) {
		int r;
		switch (header_push(&i->header, line, len)) {
		case HEADER_MORE:
			return EX_OK;
		case HEADER_FIELD:
			if ((r = field_done(i)) != EX_OK)
				return r;
			continue;
		case HEADER_END:
			return finish_header(i);
		case HEADER_BODY:
			*used = false;
			return finish_header(i);
		case HEADER_HUGE:
			return fail(i, EX_DATAERR, "a header field is larger than %u octets",
			    HEADER_FIELD_MAX);
		}
	}
}

/* Take what lines_push() settled: header lines one by one, then body as it is. */
static int
take_wire(struct intake *i)
{
	size_t at = 0;
	const char *end;
	int r = EX_OK;

	while (!i->in_body && r == EX_OK && at < i->wire.len &&
	       (end = memchr(i->wire.data + at, '\n', i->wire.len - at)) != NULL) {
		size_t next = (size_t)(end - i->wire.data) + 1;
		bool used;
		r = header_line(i, i->wire.data + at, next - at - 2, &used); /* without CRLF */
		if (used)
			at = next;
	}
	if (r == EX_OK && i->in_body && at < i->wire.len) {
		if (draft_write(&i->draft, i->wire.data + at, i->wire.len - at) == -1)
			r = fail_spool(i);
		at = i->wire.len;
	}
	buf_drop(&i->wire, at);
	return r;
}

int
intake_push(struct intake *i, const char *data, size_t len)
{
	int r = EX_OK;

	while (len > 0 && r == EX_OK && !i->lines.done) {
		size_t n = len < PIECE ? len : PIECE;
		lines_push(&i->lines, data, n, &i->wire);
		if (i->wire.error != 0)
			return fail(i, EX_DATAERR, "a header field is larger than %u octets",
			    HEADER_FIELD_MAX);
		r = take_wire(i);
		data += n;
		len -= n;
	}
	return r;
}

/* End of input: an unfinished line, an unfinished header. */
static int
finish_input(struct intake *i)
{
	int r;

	lines_end(&i->lines, &i->wire);
	if ((r = take_wire(i)) != EX_OK || i->in_body)
		return r;
	if (header_finish(&i->header) == HEADER_FIELD && (r = field_done(i)) != EX_OK)
		return r;
	return finish_header(i);
}

/*
 * SMTPUTF8 for an address that needs it. 8-bit text in a header travels as 8BITMIME, as it always
 * did: to ask for SMTPUTF8 would have relays refuse what they have taken for decades.
 */
static enum body
body_needed(const struct intake *i)
{
	const struct envelope *e = &i->envelope;

	if (e->body == BODY_SMTPUTF8 || address_utf8(e->from))
		return BODY_SMTPUTF8;
	for (size_t n = 0; n < e->nrcpt; n++)
		if (address_utf8(e->rcpt[n].address))
			return BODY_SMTPUTF8;
	return i->lines.facts.eightbit || i->submission.eightbit_header ? BODY_8BITMIME : BODY_7BIT;
}

int
intake_commit(struct intake *i, struct queue_id *id)
{
	struct envelope *e = &i->envelope;
	int r;

	if ((r = finish_input(i)) != EX_OK)
		return r;
	e->body = body_needed(i);
	e->dots = i->lines.facts.dots;
	if (draft_commit(&i->draft, e) == -1)
		return fail_spool(i);
	log_info("%s: uid=%u from=<%s>", e->id.s, e->uid, e->from);
	log_info("%s: message-id=%s", e->id.s, buf_str(&i->submission.message_id));
	if (i->lines.facts.nuls)
		log_warn("%s: NUL octets were taken out", e->id.s);
	*id = e->id;
	return EX_OK;
}

void
intake_free(struct intake *i)
{
	if (i == NULL)
		return;
	draft_abandon(&i->draft);
	submission_free(&i->submission);
	header_free(&i->header);
	envelope_free(&i->envelope);
	buf_free(&i->wire);
	buf_free(&i->head);
	buf_free(&i->bad);
	free(i);
}
