/* SPDX-License-Identifier: ISC */
#include "mail/dsn.h"

#include <string.h>

#include "mail/address.h"
#include "mail/submission.h"
#include "mail/utf8.h"

static const struct {
	const char *subject, *text;
} kinds[] = {
    [DSN_FAILURE] = {"Undelivered mail returned to sender",
	"Your message could not be delivered to the recipients below, and no\r\n"
	"further attempt will be made. Why is said under each of them.\r\n\r\n"},
    [DSN_SUCCESS] = {"Successful mail delivery report",
	"You asked to be told: your message was accepted for the recipients\r\n"
	"below. \"Relayed\" means by a server that sends no such reports itself;\r\n"
	"if all goes well from there on, you will hear no more.\r\n\r\n"},
};

bool
dsn_open(enum dsn_kind kind, const struct recipient *r)
{
	if (r->reported)
		return false;
	if (kind == DSN_FAILURE)
		return r->status.class == 5;
	return r->status.class == 2 && (r->notify & NOTIFY_SUCCESS) != 0;
}

bool
dsn_wanted(enum dsn_kind kind, const struct recipient *r)
{
	return dsn_open(kind, r) &&
	       (kind == DSN_SUCCESS || r->notify == 0 || (r->notify & NOTIFY_FAILURE) != 0);
}

bool
dsn_eightbit(const struct envelope *e, enum dsn_kind kind)
{
	for (size_t i = 0; i < e->nrcpt; i++)
		if (dsn_wanted(kind, &e->rcpt[i]) && address_utf8(e->rcpt[i].address))
			return true;
	return e->body != BODY_7BIT;
}

/* The report itself is 7-bit: what servers say in other octets is shown as '?'. */
static void
add_ascii(struct buf *out, const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		buf_addc(out, s[i] >= 0x20 && s[i] < 0x7f ? s[i] : '?');
}

static void
add_boundary(struct buf *out, const struct dsn_facts *facts, const char *end)
{
	buf_addf(out, "--%s.pillarbox/%s%s\r\n", facts->id.s, facts->hostname, end);
}

static void
add_header(struct buf *out, const struct envelope *e, const struct dsn_facts *facts)
{
	buf_adds(out, "Date: ");
	submission_date(out, facts->now, facts->utc_offset);
	buf_addf(out, "\r\nFrom: Mail Delivery System <%s>\r\n", facts->mailer);
	buf_addf(out, "To: <%s>\r\n", e->from);
	buf_addf(out, "Subject: %s\r\n", kinds[facts->kind].subject);
	buf_addf(out, "Message-ID: <%s.dsn@%s>\r\n", facts->id.s, facts->hostname);
	buf_adds(out, "Auto-Submitted: auto-replied\r\n");
	buf_adds(out, "MIME-Version: 1.0\r\n");
	if (dsn_eightbit(e, facts->kind))
		buf_adds(out, "Content-Transfer-Encoding: 8bit\r\n");
	buf_adds(out, "Content-Type: multipart/report; report-type=delivery-status;\r\n");
	buf_addf(out, "\tboundary=\"%s.pillarbox/%s\"\r\n\r\n", facts->id.s, facts->hostname);
}

/* What became of it: RFC 3464 2.3.3. */
static const char *
action(const struct recipient *r)
{
	return r->status.class == 5 ? "failed" : r->delivered ? "delivered" : "relayed";
}

/* Wrapped at spaces, so that a long reply is readable in any mail program. */
static void
add_wrapped(struct buf *out, const char *s, size_t len)
{
	while (len > 0) {
		size_t n = len;
		if (n > 70) {
			for (n = 70; n > 20 && s[n] != ' '; n--)
				;
			if (s[n] != ' ')
				n = 70;
		}
		buf_adds(out, "    ");
		add_ascii(out, s, n);
		buf_adds(out, "\r\n");
		while (n < len && s[n] == ' ')
			n++;
		s += n;
		len -= n;
	}
}

static void
add_human(struct buf *out, const struct envelope *e, const struct dsn_facts *facts)
{
	buf_adds(out, dsn_eightbit(e, facts->kind)
			  ? "Content-Type: text/plain; charset=utf-8\r\n"
			    "Content-Transfer-Encoding: 8bit\r\n\r\n"
			  : "Content-Type: text/plain; charset=us-ascii\r\n\r\n");
	buf_addf(out, "This is the mail system at host %s.\r\n\r\n", facts->hostname);
	buf_adds(out, kinds[facts->kind].text);
	for (size_t i = 0; i < e->nrcpt; i++) {
		const struct recipient *r = &e->rcpt[i];
		if (!dsn_wanted(facts->kind, r))
			continue;
		buf_addf(out, "<%s>: %s\r\n", r->address, action(r));
		add_wrapped(out, r->text, r->textlen);
		buf_adds(out, "\r\n");
	}
	buf_addf(
	    out, "%s of your message follows.\r\n\r\n", facts->whole ? "A copy" : "The header");
}

/* "host NAME[ADDR] said: 550 … (in reply to …)": who said what. False for our own findings. */
static bool
split_said(const struct recipient *r, const char **host, size_t *hostlen, const char **said,
    size_t *saidlen)
{
	static const char begin[] = "host ", middle[] = " said: ", end[] = " (in reply to ";
	const char *m, *tail, *stop = r->text + r->textlen;

	if (r->textlen < sizeof(begin) || memcmp(r->text, begin, sizeof(begin) - 1) != 0 ||
	    (m = memmem(r->text, r->textlen, middle, sizeof(middle) - 1)) == NULL)
		return false;
	*host = r->text + sizeof(begin) - 1;
	*hostlen = strcspn(*host, "[ ");
	*said = m + sizeof(middle) - 1;
	tail = memmem(*said, (size_t)(stop - *said), end, sizeof(end) - 1);
	*saidlen = (size_t)((tail != NULL ? tail : stop) - *said);
	return true;
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
		add_ascii(out, &c, 1);
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
add_final(struct buf *out, const char *address)
{
	buf_adds(out, "Final-Recipient: ");
	if (address_utf8(address)) {
		dsn_orcpt(out, address);
	} else {
		buf_adds(out, "rfc822; ");
		add_ascii(out, address, strlen(address));
	}
}

/* Who said what: a reply is the server's, anything else is ours. */
static void
add_diagnostic(struct buf *out, const struct recipient *r)
{
	const char *host, *said;
	size_t hostlen, saidlen;

	if (split_said(r, &host, &hostlen, &said, &saidlen)) {
		buf_adds(out, "Remote-MTA: dns; ");
		add_ascii(out, host, hostlen);
		buf_adds(out, "\r\nDiagnostic-Code: smtp; ");
		add_ascii(out, said, saidlen);
	} else {
		buf_addf(
		    out, "Diagnostic-Code: %s; ", r->status.class == 2 ? "smtp" : "X-Pillarbox");
		add_ascii(out, r->text, r->textlen);
	}
	buf_adds(out, "\r\n");
}

static void
add_recipient(struct buf *out, const struct recipient *r, const struct dsn_facts *facts)
{
	char status[STATUS_LEN];

	buf_adds(out, "\r\n");
	if (r->orcpt != NULL) {
		buf_adds(out, "Original-Recipient: ");
		dsn_xtext(out, r->orcpt);
		buf_adds(out, "\r\n");
	}
	add_final(out, r->address);
	buf_addf(
	    out, "\r\nAction: %s\r\nStatus: %s\r\n", action(r), status_print(status, r->status));
	add_diagnostic(out, r);
	buf_adds(out, "Last-Attempt-Date: ");
	submission_date(out, (uint64_t)r->when * 1000000, facts->utc_offset);
	buf_adds(out, "\r\n");
}

static void
add_status(struct buf *out, const struct envelope *e, const struct dsn_facts *facts)
{
	buf_adds(out, "Content-Type: message/delivery-status\r\n\r\n");
	buf_addf(out, "Reporting-MTA: dns; %s\r\n", facts->hostname);
	if (e->envid != NULL) {
		buf_adds(out, "Original-Envelope-Id: ");
		dsn_xtext(out, e->envid);
		buf_adds(out, "\r\n");
	}
	buf_addf(out, "X-Pillarbox-Queue-ID: %s\r\nArrival-Date: ", e->id.s);
	submission_date(out, e->arrived, facts->utc_offset);
	buf_adds(out, "\r\n");
	for (size_t i = 0; i < e->nrcpt; i++)
		if (dsn_wanted(facts->kind, &e->rcpt[i]))
			add_recipient(out, &e->rcpt[i], facts);
}

void
dsn_head(struct buf *out, const struct envelope *e, const struct dsn_facts *facts)
{
	add_header(out, e, facts);
	buf_adds(out, "This is a report in MIME format (RFC 3464).\r\n\r\n");
	add_boundary(out, facts, "");
	add_human(out, e, facts);
	add_boundary(out, facts, "");
	add_status(out, e, facts);
	buf_adds(out, "\r\n");
	add_boundary(out, facts, "");
	buf_addf(
	    out, "Content-Type: %s\r\n", facts->whole ? "message/rfc822" : "text/rfc822-headers");
	if (e->body != BODY_7BIT)
		buf_adds(out, "Content-Transfer-Encoding: 8bit\r\n");
	buf_adds(out, "\r\n");
}

void
dsn_tail(struct buf *out, const struct dsn_facts *facts)
{
	buf_adds(out, "\r\n");
	add_boundary(out, facts, "--");
}

/* The recipients told of once this report is posted: each report has more than those before it. */
struct queue_id
dsn_id(const struct envelope *e, enum dsn_kind kind)
{
	uint32_t told = 0;

	for (size_t i = 0; i < e->nrcpt; i++)
		told += e->rcpt[i].reported || dsn_open(kind, &e->rcpt[i]);
	return queue_id_add(e->id, told);
}
