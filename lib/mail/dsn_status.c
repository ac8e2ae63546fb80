/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "mail/address.h"
#include "mail/dsn_impl.h"
#include "mail/submission.h"
#include "mail/utf8.h"

#define FIELD_MAX 900 /* octets of a field's text, cut there: its line is below 998 */
#define COUNT(array) (sizeof(array) / sizeof(array)[0])

const char *
dsn_action(enum dsn_kind kind, const struct recipient *r)
{
	if (kind == DSN_DELAY || kind == DSN_DELAY_ASKED)
		return "delayed";
	return r->status.class == 5 ? "failed" : r->delivered ? "delivered" : "relayed";
}

/* Cut off what stands behind the last " (in reply to ". */
static void
cut_stage(char *reply)
{
	static const char tail[] = " (in reply to ";
	char *end = NULL, *s = reply;

	for (; (s = strstr(s, tail)) != NULL; s++)
		end = s;
	if (end != NULL)
		*end = '\0';
}

/* Where the reply begins, and what stands before it: the first of the two. */
static char *
find_said(char *text, size_t *len)
{
	static const char *const middles[] = {" said: ", " refused to talk to me: "};
	char *first = NULL;

	for (size_t i = 0; i < COUNT(middles); i++) {
		char *at = strstr(text, middles[i]);
		if (at != NULL && (first == NULL || at < first)) {
			first = at;
			*len = strlen(middles[i]);
		}
	}
	return first;
}

/* "host NAME[ADDR] said: 550 … (in reply to …)": who said what. Our own findings stay as they are. */
static void
split_said(struct dsn_said *said)
{
	static const char begin[] = "host ";
	const char *host = said->text + sizeof(begin) - 1;
	char *middle;
	size_t n, len;

	if (strncmp(said->text, begin, sizeof(begin) - 1) != 0 ||
	    (middle = find_said(said->text, &len)) == NULL)
		return;
	n = strcspn(host, "[ ");
	if (n == 0 || n >= sizeof(said->host))
		return;
	memcpy(said->host, host, n);
	said->host[n] = '\0';
	memmove(said->text, middle + len, strlen(middle + len) + 1);
	cut_stage(said->text);
}

void
dsn_said(struct dsn_said *said, const struct recipient *r)
{
	size_t skip = 0;

	*said = (struct dsn_said){.status = r->status};
	if (r->text != NULL)
		text_clean(said->text, sizeof(said->text), r->text, r->textlen);
	said->expired = strncmp(said->text, DSN_EXPIRED, sizeof(DSN_EXPIRED) - 1) == 0;
	if (said->expired) {
		skip = sizeof(DSN_EXPIRED) - 1;
		skip += status_parse(&said->status, said->text + skip);
		skip += strspn(said->text + skip, " ");
		memmove(said->text, said->text + skip, strlen(said->text + skip) + 1);
	}
	split_said(said);
}

/* Clean; in ASCII unless an address in part 2 is not. */
static void
clean_field(char dst[FIELD_MAX], const char *text, bool global)
{
	text_clean(dst, FIELD_MAX, text, strlen(text));
	for (; !global && *dst != '\0'; dst++)
		if ((unsigned char)*dst >= 0x80)
			*dst = '?';
}

/* A field, broken at spaces where it is longer than DSN_LINE; its text unfolds to what it was. */
static void
add_field(struct buf *out, const char *name, const char *text, bool global)
{
	size_t column = strlen(name) + 2, word;
	char value[FIELD_MAX];

	clean_field(value, text, global);
	buf_addf(out, "%s: ", name);
	for (const char *s = value; *s != '\0'; s += word) {
		size_t space = strspn(s, " ");

		word = space + strcspn(s + space, " ");
		if (column + word > DSN_LINE && s[space] != '\0' && space > 0 && s != value) {
			buf_adds(out, "\r\n");
			column = 0;
		}
		buf_add(out, s, word);
		column += word;
	}
	buf_adds(out, "\r\n");
}

static unsigned
hex(char c)
{
	return (unsigned)(c <= '9' ? c - '0' : c - 'A' + 10);
}

/* ORCPT is xtext on the wire (RFC 3461 4): "+2B" is "+". */
void
dsn_xtext(struct buf *out, const char *s)
{
	for (; *s != '\0'; s++) {
		char c = *s;
		if (c == '+' && strspn(s + 1, "0123456789ABCDEF") >= 2) {
			c = (char)(hex(s[1]) << 4 | hex(s[2]));
			s += 2;
		}
		buf_addc(out, c >= 0x20 && c < 0x7f ? c : '?');
	}
}

/* The code point of a character of n octets, which is well-formed. */
static unsigned
code_point(const char *s, size_t n)
{
	unsigned point = (unsigned char)s[0];

	if (n > 1)
		point &= 0x7fU >> n;
	for (size_t i = 1; i < n; i++)
		point = point << 6 | ((unsigned char)s[i] & 0x3fU);
	return point;
}

/* Both encodings leave what stands for itself in the other: nothing needs to be encoded twice. */
void
dsn_orcpt(struct buf *out, const char *address)
{
	bool utf8 = address_utf8(address);
	size_t left = strlen(address), n;

	buf_adds(out, utf8 ? "utf-8;" : "rfc822;");
	for (; left > 0; address += n, left -= n) {
		char c = *address;
		if ((n = utf8_len(address, left)) == 0)
			n = 1;
		if (c > ' ' && c < 0x7f && c != '+' && c != '=' && !(utf8 && c == '\\'))
			buf_addc(out, c);
		else
			buf_addf(out, utf8 ? "\\x{%X}" : "+%02X", code_point(address, n));
	}
}

static void
add_character(struct buf *out, unsigned long point)
{
	static const struct {
		unsigned long below;
		unsigned char lead;
		int more;
	} forms[] = {{0x80, 0, 0}, {0x800, 0xc0, 1}, {0x10000, 0xe0, 2}, {0x110000, 0xf0, 3}};
	size_t i = 0;

	if (point >= 0x110000)
		point = '?';
	while (point >= forms[i].below)
		i++;
	buf_addc(out, (char)(forms[i].lead | point >> 6 * forms[i].more));
	for (int more = forms[i].more - 1; more >= 0; more--)
		buf_addc(out, (char)(0x80 | (point >> 6 * more & 0x3f)));
}

/* RFC 6533 3: "\x{F6}" is "ö"; it may be there as it is, too. */
static void
add_unitext(struct buf *out, const char *s)
{
	while (*s != '\0') {
		size_t digits =
		    strncmp(s, "\\x{", 3) == 0 ? strspn(s + 3, "0123456789ABCDEFabcdef") : 0;
		if (digits > 0 && digits <= 6 && s[3 + digits] == '}') {
			add_character(out, strtoul(s + 3, NULL, 16));
			s += digits + 4;
		} else {
			buf_addc(out, *s++);
		}
	}
}

void
dsn_original_recipient(struct buf *out, const char *orcpt)
{
	struct buf raw = BUF_INIT(OUTCOME_TEXT);
	const char *address = strchr(orcpt, ';');
	char clean[OUTCOME_TEXT];

	if (address == NULL)
		return;
	if (strncasecmp(orcpt, "utf-8;", 6) == 0)
		add_unitext(&raw, address + 1);
	else
		dsn_xtext(&raw, address + 1);
	text_clean(clean, sizeof(clean), buf_str(&raw), raw.len);
	buf_adds(out, clean);
	buf_free(&raw);
}

/* "rfc822; a@b": the type as it was given, in the form that RFC 3464 shows. */
static void
add_original(struct buf *out, const char *orcpt, bool global)
{
	struct buf value = BUF_INIT(2 * OUTCOME_TEXT);

	buf_add(&value, orcpt, strcspn(orcpt, ";"));
	buf_adds(&value, "; ");
	dsn_original_recipient(&value, orcpt);
	add_field(out, "Original-Recipient", buf_str(&value), global);
	buf_free(&value);
}

static void
add_typed(struct buf *out, const char *name, const char *type, const char *value, bool global)
{
	struct buf text = BUF_INIT(2 * OUTCOME_TEXT);

	buf_addf(&text, "%s; %s", type, value);
	add_field(out, name, buf_str(&text), global);
	buf_free(&text);
}

static void
add_date(struct buf *out, const char *name, int64_t when, const struct dsn_facts *facts)
{
	buf_addf(out, "%s: ", name);
	submission_date(out, when > 0 ? (uint64_t)when * 1000000 : 0, facts->utc_offset);
	buf_adds(out, "\r\n");
}

/* Who said what: a reply is the server's, anything else is ours. */
static void
add_diagnostic(struct buf *out, const struct recipient *r, bool global)
{
	struct dsn_said said;

	dsn_said(&said, r);
	if (said.host[0] != '\0')
		add_typed(out, "Remote-MTA", "dns", said.host, global);
	if (said.text[0] == '\0')
		return;
	add_typed(out, "Diagnostic-Code",
	    said.host[0] != '\0' || r->status.class == 2 ? "smtp" : "X-Pillarbox", said.text,
	    global);
}

/* What RFC 3464 demands of each recipient; `full`: also what it allows. */
static void
add_recipient(struct buf *out, const struct recipient *r, const struct dsn_facts *facts,
    bool global, bool full)
{
	char status[STATUS_LEN];
	bool delay = facts->kind == DSN_DELAY || facts->kind == DSN_DELAY_ASKED;

	buf_adds(out, "\r\n");
	if (r->orcpt != NULL && strchr(r->orcpt, ';') != NULL)
		add_original(out, r->orcpt, global);
	add_typed(out, "Final-Recipient", address_utf8(r->address) ? "utf-8" : "rfc822", r->address,
	    global);
	buf_addf(out, "Action: %s\r\nStatus: %s\r\n", dsn_action(facts->kind, r),
	    status_print(status, r->status));
	if (full) {
		add_diagnostic(out, r, global);
		add_date(out, "Last-Attempt-Date", r->when, facts);
		if (delay)
			add_date(out, "Will-Retry-Until", facts->retry_until, facts);
	}
}

void
dsn_status(struct buf *out, const struct envelope *e, const struct dsn_facts *facts)
{
	bool global = dsn_global(e, facts->kind);
	size_t n = 0;

	buf_adds(out, global ? "Content-Type: message/global-delivery-status\r\n"
			       "Content-Transfer-Encoding: 8bit\r\n\r\n"
			     : "Content-Type: message/delivery-status\r\n\r\n");
	buf_addf(out, "Reporting-MTA: dns; %s\r\n", facts->hostname);
	if (e->envid != NULL) {
		struct buf id = BUF_INIT(FIELD_MAX);
		dsn_xtext(&id, e->envid);
		add_field(out, "Original-Envelope-Id", buf_str(&id), false);
		buf_free(&id);
	}
	buf_addf(out, "X-Pillarbox-Queue-ID: %s\r\n", e->id.s);
	add_date(out, "Arrival-Date", (int64_t)(e->arrived / 1000000), facts);
	for (size_t i = 0; i < e->nrcpt; i++)
		if (dsn_wanted(facts->kind, &e->rcpt[i]))
			add_recipient(out, &e->rcpt[i], facts, global, n++ < DSN_FULL);
}
