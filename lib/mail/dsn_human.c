/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "mail/address.h"
#include "mail/dsn_impl.h"
#include "mail/submission.h"
#include "mail/utf8.h"

#define WIDTH 72 /* columns */

static const char *const introductions[] = {
    [DSN_FAILURE] = "Your message could not be delivered to the recipients below, and no\r\n"
		    "further attempt will be made.\r\n",
    [DSN_SUCCESS] = "You asked to be told: your message was accepted for the recipients\r\n"
		    "below. \"Relayed\" means by a server that sends no such reports itself;\r\n"
		    "if all goes well from there on, you will hear no more.\r\n",
    [DSN_DELAY] = "Your message has not yet been delivered to the recipients below. You\r\n"
		  "need not do anything, least of all send it again.\r\n",
    [DSN_DELAY_ASKED] = "You asked to be told: your message has not yet been delivered to the\r\n"
			"recipients below. You need not do anything, least of all send it\r\n"
			"again.\r\n",
    [DSN_COPY] = "A report about mail (or other mail without a sender) could not be\r\n"
		 "delivered to the recipients below, and nobody else can be told. You get\r\n"
		 "this copy as the postmaster.\r\n",
};

/*
 * Octets of s that fit into `width` columns: up to a space, or else as many as fit; at least one
 * character. A character counts as a column.
 */
static size_t
line_length(const char *s, size_t width)
{
	size_t len = strlen(s), at = 0, space = 0, columns = 0;

	while (at < len && columns < width) {
		size_t n = utf8_len(s + at, len - at);
		if (s[at] == ' ')
			space = at;
		at += n > 0 ? n : 1;
		columns++;
	}
	return at < len && s[at] != ' ' && space > 0 ? space : at;
}

/* Lines that are no longer than WIDTH, each behind `indent` spaces. */
static void
add_wrapped(struct buf *out, int indent, const char *s)
{
	while (*(s += strspn(s, " ")) != '\0') {
		size_t n = line_length(s, WIDTH - (size_t)indent);
		buf_addf(out, "%*s", indent, "");
		buf_add(out, s, n);
		buf_adds(out, "\r\n");
		s += n;
	}
}

static void
add_date(struct buf *out, const char *name, int64_t when, const struct dsn_facts *facts)
{
	buf_addf(out, "    %-10s", name);
	submission_date(out, when > 0 ? (uint64_t)when * 1000000 : 0, facts->utc_offset);
	buf_adds(out, "\r\n");
}

/* What was sent. */
static void
add_message(struct buf *out, const struct envelope *e, const struct dsn_facts *facts)
{
	buf_adds(out, "\r\n");
	add_date(out, "Sent:", (int64_t)(e->arrived / 1000000), facts);
	if (facts->original.subject[0] != '\0') {
		struct buf line = BUF_INIT(sizeof(facts->original.subject) + 16);
		buf_addf(&line, "Subject:  %s", facts->original.subject);
		add_wrapped(out, 4, buf_str(&line));
		buf_free(&line);
	}
	buf_addf(out, "    Queue ID: %s\r\n", e->id.s);
	if (facts->kind == DSN_DELAY || facts->kind == DSN_DELAY_ASKED)
		add_date(out, "Tried to:", facts->retry_until, facts);
	buf_adds(out, "\r\n");
}

/* How long it was tried: "5 days". */
static void
add_span(struct buf *out, int64_t seconds)
{
	static const struct {
		int64_t length;
		const char *name;
	} units[] = {{86400, "days"}, {3600, "hours"}, {60, "minutes"}, {1, "seconds"}};
	size_t i = 0;

	while (i + 1 < sizeof(units) / sizeof(units[0]) && seconds < 2 * units[i].length)
		i++;
	buf_addf(out, "%lld %s", (long long)(seconds / units[i].length), units[i].name);
}

static void
add_meaning(struct buf *out, const struct envelope *e, const struct recipient *r,
    const struct dsn_said *said, const struct dsn_facts *facts)
{
	struct dsn_meaning meaning = dsn_explain(said);
	struct buf text = BUF_INIT(OUTCOME_TEXT * 2);

	if (said->expired) {
		int64_t span = r->when - (int64_t)(e->arrived / 1000000);
		buf_adds(&text, "It was tried for ");
		add_span(&text, span > 0 ? span : 0);
		buf_adds(&text, " and is given up. What stood in the way: ");
	}
	buf_adds(&text, meaning.what);
	if (facts->kind == DSN_FAILURE)
		buf_addf(&text, " %s", meaning.advice);
	add_wrapped(out, 4, buf_str(&text));
	buf_free(&text);
}

/* Under what the sender wrote, if an alias made another address of it. */
static void
add_name(struct buf *out, const struct recipient *r, enum dsn_kind kind)
{
	struct buf original = BUF_INIT(OUTCOME_TEXT);

	buf_addf(out, "<%s>: %s\r\n", r->address, dsn_action(kind, r));
	if (r->orcpt != NULL)
		dsn_original_recipient(&original, r->orcpt);
	if (original.error == 0 && original.len > 0 &&
	    !address_equal(buf_str(&original), r->address))
		buf_addf(out, "    (sent to %s)\r\n", buf_str(&original));
	buf_free(&original);
}

static void
add_recipient(struct buf *out, const struct envelope *e, const struct recipient *r,
    const struct dsn_facts *facts)
{
	struct dsn_said said;

	dsn_said(&said, r);
	add_name(out, r, facts->kind);
	if (facts->kind != DSN_SUCCESS)
		add_meaning(out, e, r, &said, facts);
	if (said.host[0] != '\0')
		buf_addf(out, "    The server %s said:\r\n", said.host);
	else if (said.text[0] != '\0' && facts->kind != DSN_SUCCESS)
		buf_adds(out, "    In detail:\r\n");
	add_wrapped(out, 6, said.text);
	buf_adds(out, "\r\n");
}

void
dsn_human(struct buf *out, const struct envelope *e, const struct dsn_facts *facts)
{
	size_t n = 0;

	buf_addf(out, "This is the mail system at host %s.\r\n\r\n", facts->hostname);
	buf_adds(out, introductions[facts->kind]);
	add_message(out, e, facts);
	for (size_t i = 0; i < e->nrcpt; i++)
		if (dsn_wanted(facts->kind, &e->rcpt[i]) && ++n <= DSN_PEOPLE)
			add_recipient(out, e, &e->rcpt[i], facts);
	if (n > DSN_PEOPLE)
		buf_addf(out, "And %zu more: their addresses are in the next part.\r\n\r\n",
		    n - DSN_PEOPLE);
	buf_addf(out, "%s of %s follows.\r\n\r\n", facts->whole ? "A copy" : "The header",
	    facts->kind == DSN_COPY ? "it" : "your message");
}
