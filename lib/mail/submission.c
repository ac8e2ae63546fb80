/* SPDX-License-Identifier: ISC */
#include "mail/submission.h"

#include <errno.h>
#include <string.h>

#include "mail/status.h"
#include "mail/submission_impl.h"

#define MESSAGE_ID_MAX 250 /* octets of a Message-ID that are kept for the log */
#define LINE_LEN 78        /* octets of a line as RFC 5322 2.1.1 recommends */

/* What is special about a field. Where nothing is, it goes out as it came. */
enum {
	DROP = 1,    /* never goes out */
	ONCE = 2,    /* a second one does not go out */
	RCPT = 4,    /* its addresses are recipients with -t */
	RESENT = 8,  /* one of the Resent- fields */
	MAILBOX = 16 /* without a mailbox it is as good as missing */
};

/* Content-Length is that of another file: line ends have changed. */
static const unsigned char rules[] = {
    [HEADER_BCC] = DROP | RCPT,
    [HEADER_CC] = RCPT,
    [HEADER_CONTENT_LENGTH] = DROP,
    [HEADER_DATE] = ONCE,
    [HEADER_FROM] = ONCE | MAILBOX,
    [HEADER_MESSAGE_ID] = ONCE,
    [HEADER_RESENT_BCC] = RESENT | DROP | RCPT,
    [HEADER_RESENT_CC] = RESENT | RCPT,
    [HEADER_RESENT_DATE] = RESENT,
    [HEADER_RESENT_FROM] = RESENT | MAILBOX,
    [HEADER_RESENT_MESSAGE_ID] = RESENT,
    [HEADER_RESENT_SENDER] = RESENT | MAILBOX,
    [HEADER_RESENT_TO] = RESENT | RCPT,
    [HEADER_RETURN_PATH] = DROP,
    [HEADER_SENDER] = MAILBOX,
    [HEADER_TO] = RCPT,
};

static unsigned long
bit(enum header_name name)
{
	return 1UL << name;
}

static bool
has_seen(const struct submission *s, enum header_name name)
{
	return (s->seen & bit(name)) != 0;
}

static bool
has_seen_resent(const struct submission *s)
{
	for (enum header_name name = 0; name <= HEADER_TO; name++)
		if ((rules[name] & RESENT) != 0 && has_seen(s, name))
			return true;
	return false;
}

void
submission_init(struct submission *s, const struct submission_facts *facts)
{
	*s = (struct submission){
	    .facts = facts,
	    .to = BUF_INIT(ENVELOPE_HEAD_MAX),
	    .resent = BUF_INIT(ENVELOPE_HEAD_MAX),
	    .message_id = BUF_INIT(MESSAGE_ID_MAX),
	    .bad_list = BUF_INIT(ENVELOPE_HEAD_MAX),
	    .original = BUF_INIT(ENVELOPE_HEAD_MAX),
	};
}

void
submission_free(struct submission *s)
{
	buf_free(&s->to);
	buf_free(&s->resent);
	buf_free(&s->message_id);
	buf_free(&s->bad_list);
	buf_free(&s->original);
}

/* A host name for a place where nothing may be added to the syntax by it. */
static void
add_host(struct buf *out, const char *host)
{
	if (*host == '\0')
		host = "localhost";
	for (size_t i = 0; i < 255 && host[i] != '\0'; i++) {
		bool good = address_atext(host[i]) && (unsigned char)host[i] < 0x80;

		buf_addc(out, good || strchr(".:[]", host[i]) != NULL ? host[i] : '-');
	}
}

void
submission_start(struct submission *s, struct buf *out)
{
	const struct submission_facts *f = s->facts;

	buf_adds(out, "Received: ");
	if (f->peer != NULL && *f->peer != '\0') {
		buf_adds(out, "from ");
		add_host(out, f->peer);
		buf_addc(out, ' ');
	}
	buf_adds(out, "by ");
	add_host(out, f->hostname);
	buf_addf(out, " (Pillarbox, from userid %u)\r\n\t", f->uid);
	if (f->with != NULL && *f->with != '\0') {
		buf_adds(out, "with ");
		add_host(out, f->with);
		buf_addc(out, ' ');
	}
	buf_addf(out, "id %s; ", f->id.s);
	submission_date(out, f->now, 0);
	buf_adds(out, "\r\n");
}

static bool
lacks(const struct submission *s, enum header_name name, enum header_name resent)
{
	return !has_seen(s, name) || (has_seen_resent(s) && !has_seen(s, resent));
}

bool
submission_lacks_author(const struct submission *s)
{
	return lacks(s, HEADER_FROM, HEADER_RESENT_FROM);
}

bool
submission_lacks_date(const struct submission *s)
{
	return lacks(s, HEADER_DATE, HEADER_RESENT_DATE);
}

static void
note_eightbit(struct submission *s, const struct buf *out, size_t from)
{
	for (size_t i = from; i < out->len && !s->eightbit_header; i++)
		s->eightbit_header = (unsigned char)out->data[i] >= 0x80;
}

static void
start_value(struct address_parser *p, const struct header_field *f)
{
	address_start(p, f->text.data + f->value, f->text.len - f->value);
}

static bool
is_blank(const struct header_field *f)
{
	for (size_t i = f->value; i < f->text.len; i++)
		if (strchr(" \t\r\n", f->text.data[i]) == NULL)
			return false;
	return true;
}

/* A group that is empty and "<>" are no mailbox; what cannot be read may be one. */
static bool
lacks_mailbox(const struct header_field *f)
{
	struct address_parser p;
	struct address a;
	enum address_event ev;

	start_value(&p, f);
	while ((ev = address_next(&p, &a)) == ADDRESS_BAD)
		if (a.start < a.end)
			return false;
	return ev == ADDRESS_END;
}

/* RFC 5322 has no syntax for a field with these names and nothing in it. */
static bool
is_empty(const struct header_field *f)
{
	if ((rules[f->name] & MAILBOX) != 0)
		return lacks_mailbox(f);
	return ((rules[f->name] & (ONCE | RESENT)) != 0 || header_has_addresses(f->name)) &&
	       is_blank(f);
}

static void
note_bad(struct submission *s, const char *text, size_t len)
{
	char clean[ADDRESS_MAX + 1];

	if (len == 0)
		text_clean(clean, sizeof(clean), "<>", 2);
	else
		text_clean(clean, sizeof(clean), text, len);
	buf_add(&s->bad_list, clean, strlen(clean) + 1);
}

/* Each recipient of a field, NUL-terminated, into `list`. */
static void
collect(struct submission *s, const struct header_field *f, struct buf *list)
{
	struct address_parser p;
	struct address a;
	enum address_event ev;

	start_value(&p, f);
	while ((ev = address_next(&p, &a)) != ADDRESS_END) {
		char full[ADDRESS_MAX + 1];

		if (ev == ADDRESS_ONE && address_qualify(full, a.mailbox, s->facts->local) == 0)
			buf_add(list, full, strlen(full) + 1);
		else
			note_bad(s, p.text + a.start, a.end - a.start);
	}
}

/*
 * Each block of Resent- fields tells of one resending, the topmost of the last. A block is over
 * where one of its fields comes again, or at the trace fields of the one below.
 */
static void
follow_blocks(struct submission *s, enum header_name name)
{
	if (name == HEADER_RECEIVED)
		s->received++;
	if (name == HEADER_RECEIVED || name == HEADER_RETURN_PATH)
		s->resent_over = s->resent_over || has_seen_resent(s);
	else if ((rules[name] & RESENT) != 0)
		s->resent_over = s->resent_over || has_seen(s, name);
}

static void
take_recipients(struct submission *s, const struct header_field *f)
{
	bool resent = (rules[f->name] & RESENT) != 0;

	if (!s->facts->from_header || (rules[f->name] & RCPT) == 0)
		return;
	if (resent && !s->resent_recipients) {
		s->resent_recipients = true;
		buf_clear(&s->bad_list); /* those of To, Cc and Bcc do not count any more */
	}
	if (resent && !s->resent_over)
		collect(s, f, &s->resent);
	else if (!s->resent_recipients)
		collect(s, f, &s->to);
}

/* The first mailbox of From, or of Sender until a From is seen. */
static void
take_sender(struct submission *s, const struct header_field *f)
{
	struct address_parser p;
	struct address a;
	enum address_event ev;

	if (f->name != HEADER_FROM &&
	    (f->name != HEADER_SENDER || has_seen(s, HEADER_FROM) || s->sender[0] != '\0'))
		return;
	start_value(&p, f);
	while ((ev = address_next(&p, &a)) == ADDRESS_BAD)
		;
	if (ev == ADDRESS_END || address_qualify(s->sender, a.mailbox, s->facts->domain) != 0)
		s->sender[0] = '\0';
}

static void
take_message_id(struct submission *s, const char *value, size_t len)
{
	while (len > 0 && (*value == ' ' || *value == '\t' || *value == '\r' || *value == '\n')) {
		value++;
		len--;
	}
	buf_add(&s->message_id, value, len < MESSAGE_ID_MAX ? len : MESSAGE_ID_MAX);
}

void
submission_field(struct submission *s, const struct header_field *f, struct buf *out)
{
	unsigned rule = rules[f->name];
	size_t before = out->len;

	if ((rule & ONCE) != 0 && has_seen(s, f->name))
		return;
	follow_blocks(s, f->name);
	take_recipients(s, f);
	if (is_empty(f))
		return;
	take_sender(s, f);
	if (f->name == HEADER_RETURN_PATH)
		submission_return_path(s, f);
	if (f->name == HEADER_MESSAGE_ID)
		take_message_id(s, f->text.data + f->value, f->text.len - f->value);
	s->seen |= bit(f->name);
	if ((rule & DROP) != 0)
		return;
	if (header_has_addresses(f->name))
		submission_addresses(s, f, out);
	else
		buf_add(out, f->text.data, f->text.len);
	buf_adds(out, "\r\n");
	note_eightbit(s, out, before);
}

/* Who writes, for want of a From: the envelope's sender, the login name, at worst the uid. */
static void
find_author(const struct submission *s, const struct envelope *e, char address[ADDRESS_MAX + 1])
{
	const struct submission_facts *f = s->facts;
	struct buf name = BUF_INIT(32);

	if (e->from != NULL && address_valid(e->from)) {
		memcpy(address, e->from, strlen(e->from) + 1);
		return;
	}
	if (address_qualify(address, f->login, f->domain) == 0)
		return;
	buf_addf(&name, "uid%u", f->uid);
	if (address_qualify(address, buf_str(&name), f->domain) != 0)
		address_qualify(address, buf_str(&name), "localhost");
	buf_free(&name);
}

/* The author's name and an address. */
static void
add_mailbox(const struct submission *s, const char *address, struct buf *out)
{
	const char *name = s->facts->full_name, *lf;
	size_t before = out->len, column;

	submission_phrase(out, name != NULL ? name : "");
	if (out->len == before || out->error != 0) {
		buf_adds(out, address);
		return;
	}
	lf = memrchr(out->data, '\n', out->len);
	column = lf != NULL ? (size_t)(out->data + out->len - lf) : out->len;
	buf_addf(out, "%s <%s>", column + strlen(address) + 3 > LINE_LEN ? "\r\n" : "", address);
}

static void
add_resent_from(struct submission *s, const struct envelope *e, struct buf *out)
{
	char address[ADDRESS_MAX + 1];

	find_author(s, e, address);
	rewrite_apply(s->facts->header_from, address);
	add_mailbox(s, address, out);
}

static void
add_from(struct submission *s, const struct envelope *e, struct buf *out)
{
	char author[ADDRESS_MAX + 1], address[ADDRESS_MAX + 1];

	find_author(s, e, author);
	memcpy(address, author, strlen(author) + 1);
	rewrite_apply(s->facts->header_from, address);
	add_mailbox(s, address, out);
	if (s->facts->keep != KEEP_NONE && !address_equal(author, address))
		add_mailbox(s, author, &s->original);
}

static void
add_date(struct submission *s, const struct envelope *e, struct buf *out)
{
	(void)e;
	submission_date(out, s->facts->now, s->facts->utc_offset);
}

static void
add_message_id(struct submission *s, const struct envelope *e, struct buf *out)
{
	(void)e;
	buf_addf(out, "<%s.%05x@", s->facts->id.s, (unsigned)(s->facts->now & 0xfffff));
	add_host(out, s->facts->hostname);
	buf_addc(out, '>');
}

static const struct {
	enum header_name name;
	void (*add)(struct submission *s, const struct envelope *e, struct buf *out);
} required[] = {
    {HEADER_RESENT_FROM, add_resent_from},
    {HEADER_RESENT_DATE, add_date},
    {HEADER_RESENT_MESSAGE_ID, add_message_id},
    {HEADER_FROM, add_from},
    {HEADER_DATE, add_date},
    {HEADER_MESSAGE_ID, add_message_id},
};

static void
add_missing(struct submission *s, const struct envelope *e, struct buf *out)
{
	bool resent = has_seen_resent(s);
	size_t before;

	for (size_t i = 0; i < sizeof(required) / sizeof(*required); i++) {
		enum header_name name = required[i].name;

		if (has_seen(s, name) || ((rules[name] & RESENT) != 0 && !resent))
			continue;
		buf_addf(out, "%s: ", header_spelling(name));
		before = out->len;
		required[i].add(s, e, out);
		if (name == HEADER_MESSAGE_ID && out->error == 0)
			take_message_id(s, out->data + before, out->len - before);
		buf_adds(out, "\r\n");
	}
	submission_keep(s, has_seen(s, HEADER_REPLY_TO), out);
	if ((s->seen & (bit(HEADER_TO) | bit(HEADER_CC) | bit(HEADER_APPARENTLY_TO) |
			   bit(HEADER_RESENT_TO) | bit(HEADER_RESENT_CC))) == 0)
		buf_adds(out, "To: undisclosed-recipients:;\r\n");
}

int
submission_end(struct submission *s, struct envelope *e, struct buf *out)
{
	const struct buf *used[] = {out, &s->bad_list, &s->original};
	size_t before = out->len;

	add_missing(s, e, out);
	buf_adds(out, "\r\n");
	note_eightbit(s, out, before);
	for (size_t i = 0; i < sizeof(used) / sizeof(*used); i++)
		if (used[i]->error != 0) {
			errno = used[i]->error;
			return -1;
		}
	if (!s->facts->from_header)
		return 0;
	return submission_recipients(e, s->resent_recipients ? &s->resent : &s->to);
}
