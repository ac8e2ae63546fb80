/* SPDX-License-Identifier: ISC */
#include "mail/dsn.h"

#include <string.h>

#include "mail/submission.h"

/* The report itself is 7-bit: what servers say in other octets is shown as '?'. */
static void
add_ascii(struct buf *out, const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		buf_addc(out, s[i] >= 0x20 && s[i] < 0x7f ? s[i] : '?');
}

static bool
to_report(const struct recipient *r)
{
	return r->status.class == 5 && !r->reported;
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
	buf_adds(out, "Subject: Undelivered mail returned to sender\r\n");
	buf_addf(out, "Message-ID: <%s.dsn@%s>\r\n", facts->id.s, facts->hostname);
	buf_adds(out, "Auto-Submitted: auto-replied\r\n");
	buf_adds(out, "MIME-Version: 1.0\r\n");
	if (e->body != BODY_7BIT)
		buf_adds(out, "Content-Transfer-Encoding: 8bit\r\n");
	buf_adds(out, "Content-Type: multipart/report; report-type=delivery-status;\r\n");
	buf_addf(out, "\tboundary=\"%s.pillarbox/%s\"\r\n\r\n", facts->id.s, facts->hostname);
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
	buf_adds(out, "Content-Type: text/plain; charset=us-ascii\r\n\r\n");
	buf_addf(out, "This is the mail system at host %s.\r\n\r\n", facts->hostname);
	buf_adds(out, "Your message could not be delivered to the recipients below, and no\r\n"
		      "further attempt will be made. Why is said under each of them.\r\n\r\n");
	for (size_t i = 0; i < e->nrcpt; i++) {
		const struct recipient *r = &e->rcpt[i];
		if (!to_report(r))
			continue;
		buf_addf(out, "<%s>\r\n", r->address);
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

static void
add_recipient(struct buf *out, const struct recipient *r, const struct dsn_facts *facts)
{
	char status[STATUS_LEN];
	const char *host, *said;
	size_t hostlen, saidlen;

	buf_adds(out, "\r\n");
	if (r->orcpt != NULL) {
		buf_adds(out, "Original-Recipient: ");
		dsn_xtext(out, r->orcpt);
		buf_adds(out, "\r\n");
	}
	buf_adds(out, "Final-Recipient: rfc822; ");
	add_ascii(out, r->address, strlen(r->address));
	buf_addf(out, "\r\nAction: failed\r\nStatus: %s\r\n", status_print(status, r->status));
	if (split_said(r, &host, &hostlen, &said, &saidlen)) {
		buf_adds(out, "Remote-MTA: dns; ");
		add_ascii(out, host, hostlen);
		buf_adds(out, "\r\nDiagnostic-Code: smtp; ");
		add_ascii(out, said, saidlen);
	} else {
		buf_adds(out, "Diagnostic-Code: X-Pillarbox; ");
		add_ascii(out, r->text, r->textlen);
	}
	buf_adds(out, "\r\nLast-Attempt-Date: ");
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
		if (to_report(&e->rcpt[i]))
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

struct queue_id
dsn_id(struct queue_id id, unsigned nth)
{
	return queue_id_add(id, nth + 1);
}
