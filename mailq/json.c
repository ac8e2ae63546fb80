/* SPDX-License-Identifier: ISC */
#include "json.h"

#include <stdio.h>
#include <string.h>

#include "mail/json.h"

#define OBJECT_MAX (16 * 1024) /* octets of a recipient's object, or of the rest of an entry */

static void
key(struct buf *b, const char *name)
{
	if (b->len > 0 && b->data[b->len - 1] != '{')
		buf_adds(b, ", ");
	buf_addf(b, "\"%s\": ", name);
}

static void
add_text(struct buf *b, const char *name, const char *text, size_t len)
{
	char clean[OUTCOME_TEXT];

	key(b, name);
	text_clean(clean, sizeof(clean), text, len);
	json_string(b, clean);
}

static void
add_number(struct buf *b, const char *name, long long n)
{
	key(b, name);
	buf_addf(b, "%lld", n);
}

static void
add_status(struct buf *b, const struct recipient *r)
{
	char status[STATUS_LEN];

	status_print(status, r->status);
	add_text(b, "last_status", status, strlen(status));
}

static void
add_recipient(struct buf *b, const struct recipient *r)
{
	buf_addc(b, '{');
	add_text(b, "address", r->address, strlen(r->address));
	if (r->text != NULL && r->textlen > 0)
		add_text(b, "delay_reason", r->text, r->textlen);
	add_number(b, "attempts", r->attempts);
	if (r->status.class != 0) {
		add_number(b, "last_attempt", r->when);
		add_status(b, r);
	}
	buf_addc(b, '}');
}

/* Put out one by one, so that fifty thousand recipients need no more memory than one. */
static void
add_recipients(const struct run *run, struct buf *b, const struct entry *e)
{
	const struct envelope *v = &e->claim.envelope;
	bool first = true;

	key(b, "recipients");
	buf_addc(b, '[');
	total_put(run->total, b);
	for (const struct recipient *r = v->rcpt; r < v->rcpt + v->nrcpt; r++) {
		if (!entry_concerns(e, r))
			continue;
		add_recipient(b, r);
		if (!first)
			fputs(", ", stdout);
		total_put(run->total, b);
		first = false;
	}
	buf_addc(b, ']');
}

/* What Postfix does not have. */
static void
add_own(struct buf *b, const struct entry *e)
{
	const struct recipient *last = entry_last(e);
	int64_t next;

	add_number(b, "owner", (long long)e->claim.spool->owner);
	add_number(b, "attempts", entry_attempts(e));
	if (entry_next(e, &next))
		add_number(b, "next_attempt", next);
	else
		buf_adds(b, ", \"next_attempt\": null");
	if (last != NULL)
		add_status(b, last);
	else
		buf_adds(b, ", \"last_status\": null");
	if (e->label == LABEL_DAMAGED)
		add_text(b, "damaged", e->claim.why, strlen(e->claim.why));
}

static void
json_entry(struct run *r, struct entry *e)
{
	struct buf b = BUF_INIT(OBJECT_MAX);
	char sender[ADDRESS_MAX + 1];

	buf_addc(&b, '{');
	add_text(&b, "queue_name", label_name(e->label), strlen(label_name(e->label)));
	add_text(&b, "queue_id", e->claim.id.s, QUEUE_ID_LEN);
	add_number(&b, "arrival_time", (long long)(e->arrived / 1000000));
	add_number(&b, "message_size", (long long)e->octets);
	key(&b, "forced_expire");
	buf_adds(&b, "false");
	entry_sender(sender, e);
	add_text(&b, "sender", sender, strlen(sender));
	add_recipients(r, &b, e);
	add_own(&b, e);
	buf_adds(&b, "}\n");
	total_put(r->total, &b);
	buf_free(&b);
}

static int
json_end(struct run *r)
{
	return total_listed(r->total);
}

const struct act act_json = {.entry = json_entry, .end = json_end};
