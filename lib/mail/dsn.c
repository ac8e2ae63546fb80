/* SPDX-License-Identifier: ISC */
#include "mail/dsn.h"

#include <string.h>

#include "mail/address.h"
#include "mail/dsn_impl.h"
#include "mail/header.h"
#include "mail/submission.h"
#include "mail/utf8.h"
#include "mail/words.h"

/*
 * first: where the IDs of its reports begin, behind that of the message. Those of failure and
 * success share a row, for a recipient is in one of them only.
 */
static const struct {
	const char *subject, *submitted;
	uint32_t first;
} kinds[] = {
    [DSN_FAILURE] = {"Undelivered mail returned to sender", "auto-replied", 0},
    [DSN_SUCCESS] = {"Successful mail delivery report", "auto-replied", 0},
    [DSN_DELAY] = {"Delayed mail (still being retried)", "auto-replied", ENVELOPE_RCPT_MAX + 1},
    [DSN_DELAY_ASKED] = {"Delayed mail (still being retried)", "auto-replied",
	ENVELOPE_RCPT_MAX + 1},
    [DSN_COPY] = {"Postmaster copy: undeliverable report", "auto-generated",
	2 * ENVELOPE_RCPT_MAX + 2},
};

bool
dsn_open(enum dsn_kind kind, const struct recipient *r)
{
	switch (kind) {
	case DSN_FAILURE:
		return r->status.class == 5 && !r->reported;
	case DSN_SUCCESS:
		return r->status.class == 2 && !r->reported && (r->notify & NOTIFY_SUCCESS) != 0;
	case DSN_DELAY:
	case DSN_DELAY_ASKED:
		return r->status.class == 4 && !r->warned;
	case DSN_COPY:
		break;
	}
	return r->status.class == 5 && !r->copied;
}

bool
dsn_wanted(enum dsn_kind kind, const struct recipient *r)
{
	unsigned asked = kind == DSN_FAILURE ? NOTIFY_FAILURE : NOTIFY_DELAY;

	if (!dsn_open(kind, r))
		return false;
	if (kind == DSN_SUCCESS || kind == DSN_COPY)
		return true;
	return (r->notify == 0 && kind != DSN_DELAY_ASKED) || (r->notify & asked) != 0;
}

static bool
eightbit(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)s[i] >= 0x80)
			return true;
	return false;
}

static bool
well_formed(const char *s, size_t len)
{
	size_t n;

	for (; len > 0; s += n, len -= n)
		if ((n = utf8_len(s, len)) == 0)
			return false;
	return true;
}

bool
dsn_global(const struct envelope *e, enum dsn_kind kind)
{
	static const char utf8[] = "utf-8;";

	for (size_t i = 0; i < e->nrcpt; i++) {
		const struct recipient *r = &e->rcpt[i];
		if (dsn_wanted(kind, r) &&
		    (address_utf8(r->address) ||
			(r->orcpt != NULL && strncasecmp(r->orcpt, utf8, sizeof(utf8) - 1) == 0)))
			return true;
	}
	return false;
}

/* Whether a part of ours has 8-bit octets. */
static bool
own_eightbit(const struct envelope *e, const struct dsn_facts *facts)
{
	if (dsn_global(e, facts->kind) ||
	    eightbit(facts->original.subject, strlen(facts->original.subject)))
		return true;
	for (size_t i = 0; i < e->nrcpt; i++)
		if (dsn_wanted(facts->kind, &e->rcpt[i]) &&
		    eightbit(e->rcpt[i].text, e->rcpt[i].textlen))
			return true;
	return false;
}

/* Whether part 3 has. */
static bool
original_eightbit(const struct envelope *e, const struct dsn_facts *facts)
{
	return facts->whole ? e->body != BODY_7BIT : facts->original.eightbit;
}

enum body
dsn_body(const struct envelope *e, const struct dsn_facts *facts)
{
	if (address_utf8(facts->to) || address_utf8(facts->mailer))
		return BODY_SMTPUTF8;
	return own_eightbit(e, facts) || original_eightbit(e, facts) ? BODY_8BITMIME : BODY_7BIT;
}

/* 70 characters at most (RFC 2046 5.1.1); the time makes it one that no original can have. */
static void
add_boundary(struct buf *out, const struct dsn_facts *facts)
{
	buf_addf(out, "%s.%llx/pillarbox", facts->id.s, (unsigned long long)facts->now);
}

static void
add_delimiter(struct buf *out, const struct dsn_facts *facts, const char *end)
{
	buf_adds(out, "--");
	add_boundary(out, facts);
	buf_addf(out, "%s\r\n", end);
}

static void
add_header(struct buf *out, const struct envelope *e, const struct dsn_facts *facts)
{
	buf_adds(out, "Date: ");
	submission_date(out, facts->now, facts->utc_offset);
	buf_addf(out, "\r\nFrom: Mail Delivery System <%s>\r\n", facts->mailer);
	buf_addf(out, "To: <%s>\r\n", facts->to);
	buf_addf(out, "Subject: %s\r\n", kinds[facts->kind].subject);
	buf_addf(out, "Message-ID: <%s.dsn@%s>\r\n", facts->id.s, facts->hostname);
	if (facts->original.message_id[0] != '\0')
		buf_addf(out, "References: %s\r\n", facts->original.message_id);
	buf_addf(out, "Auto-Submitted: %s\r\n", kinds[facts->kind].submitted);
	buf_adds(out, "MIME-Version: 1.0\r\n");
	if (dsn_body(e, facts) != BODY_7BIT)
		buf_adds(out, "Content-Transfer-Encoding: 8bit\r\n");
	buf_adds(out, "Content-Type: multipart/report; report-type=delivery-status;\r\n"
		      "\tboundary=\"");
	add_boundary(out, facts);
	buf_adds(out, "\"\r\n\r\n");
}

/*
 * RFC 6533 4: 8-bit octets in the header of a message make it a message/global, which may be encoded
 * as a message/rfc822 may not (RFC 2045 6.4). A header alone is text, and called global only where an
 * address in it is what needs that.
 */
static const char *
original_type(const struct envelope *e, const struct dsn_facts *facts)
{
	bool global = facts->original.eightbit && facts->original.utf8;

	if (facts->whole)
		return global ? "message/global" : "message/rfc822";
	return global && e->body == BODY_SMTPUTF8 ? "message/global-headers"
						  : "text/rfc822-headers";
}

void
dsn_head(struct buf *out, const struct envelope *e, const struct dsn_facts *facts)
{
	add_header(out, e, facts);
	buf_adds(out, "This is a report in MIME format (RFC 3464).\r\n\r\n");
	add_delimiter(out, facts, "");
	buf_adds(out, own_eightbit(e, facts)
			  ? "Content-Type: text/plain; charset=utf-8\r\n"
			    "Content-Transfer-Encoding: 8bit\r\n\r\n"
			  : "Content-Type: text/plain; charset=us-ascii\r\n\r\n");
	dsn_human(out, e, facts);
	add_delimiter(out, facts, "");
	dsn_status(out, e, facts);
	buf_adds(out, "\r\n");
	add_delimiter(out, facts, "");
	buf_addf(out, "Content-Type: %s\r\n", original_type(e, facts));
	if (original_eightbit(e, facts))
		buf_adds(out, "Content-Transfer-Encoding: 8bit\r\n");
	buf_adds(out, "\r\n");
}

void
dsn_tail(struct buf *out, const struct dsn_facts *facts)
{
	buf_adds(out, "\r\n");
	add_delimiter(out, facts, "--");
}

/*
 * Of failure and success: the recipients told of once this report is posted, for each report has
 * more than those before it. Otherwise: those told of before it.
 */
struct queue_id
dsn_id(const struct envelope *e, enum dsn_kind kind)
{
	uint32_t told = kinds[kind].first;

	for (size_t i = 0; i < e->nrcpt; i++) {
		const struct recipient *r = &e->rcpt[i];
		if (kind == DSN_FAILURE || kind == DSN_SUCCESS)
			told += r->reported || dsn_open(kind, r);
		else
			told += kind == DSN_COPY ? r->copied : r->warned;
	}
	return queue_id_add(e->id, told);
}

/* A Message-ID that may stand in a field as it is: nothing but printable ASCII in brackets. */
static bool
plain_id(const char *s)
{
	size_t len = strlen(s);

	for (size_t i = 0; i < len; i++)
		if (s[i] <= ' ' || s[i] >= 0x7f)
			return false;
	return len > 2 && s[0] == '<' && s[len - 1] == '>';
}

/* The first one of its name; encoded words as a person reads them. */
static void
take_value(char *dst, size_t size, const struct header_field *f)
{
	const char *s = buf_str(&f->text) + f->value;
	struct buf text = BUF_INIT(HEADER_FIELD_MAX);

	if (*dst != '\0')
		return;
	words_decode(&text, s + strspn(s, " \t"));
	text_clean(dst, size, buf_str(&text), text.len);
	buf_free(&text);
}

static void
take_field(struct dsn_original *o, const struct header_field *f)
{
	if (f->name == HEADER_SUBJECT)
		take_value(o->subject, sizeof(o->subject), f);
	if (f->name == HEADER_MESSAGE_ID)
		take_value(o->message_id, sizeof(o->message_id), f);
}

/* Lines go in, fields come out; a line that completes the field before is to be pushed again. */
void
dsn_read_original(struct dsn_original *o, const char *header, size_t len)
{
	enum header_event event = HEADER_MORE;
	const char *line = header, *end = header + len, *next;
	struct header h;

	*o = (struct dsn_original){
	    .eightbit = eightbit(header, len),
	    .utf8 = well_formed(header, len),
	};
	header_init(&h);
	for (; line < end && (event == HEADER_MORE || event == HEADER_FIELD); line = next) {
		const char *cr = memmem(line, (size_t)(end - line), "\r\n", 2);
		size_t n = (size_t)((cr != NULL ? cr : end) - line);
		next = cr != NULL ? cr + 2 : end;
		while ((event = header_push(&h, line, n)) == HEADER_FIELD)
			take_field(o, &h.field);
	}
	if (event == HEADER_MORE && header_finish(&h) == HEADER_FIELD)
		take_field(o, &h.field);
	header_free(&h);
	if (!plain_id(o->message_id))
		o->message_id[0] = '\0';
}
