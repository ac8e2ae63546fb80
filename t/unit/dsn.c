/* SPDX-License-Identifier: ISC */
#include "mail/dsn.h"

#include <stdlib.h>

#include "mail/journal.h"
#include "tap.h"

static const char head[] =
    "pillarbox 1\nid 0QK3ZP7V2M9X\narrived 1764000000.123456\nuid 1000\nsize 000000001234\n"
    "body 7BIT    \ndots 1\nenvid QQ+2B1\nfrom <sender@example.org>\n"
    "rcpt <good@example.net>\nrcpt <bad@example.net> ORCPT=rfc822;Bad+2Bx@example.net\n"
    "rcpt <told@example.net>\nrcpt <old@example.net>\n\n";

static const char journal[] =
    "@1764000060 0 2.0.0 250 ok\n"
    "@1764000060 1 5.1.1 host mx.example.net[192.0.2.1] said: 550 5.1.1 no such "
    "user: \303\274ber (in reply to RCPT TO command)\n"
    "@1764000060 2 5.1.1 gone\n@1764000061 2 told 0QK3ZP7V2M9Y\n"
    "@1764000060 3 5.4.7 delivery time expired; last: connect to mx.example.net[192.0.2.1]:25: "
    "Connection timed out, and so on for so long that the line has to be wrapped somewhere\n";

static bool
has(const struct buf *b, const char *what)
{
	return strstr(buf_str(b), what) != NULL;
}

static bool
legal_lines(const struct buf *b)
{
	size_t column = 0;

	for (size_t i = 0; i < b->len; i++) {
		unsigned char c = (unsigned char)b->data[i];
		if (c >= 0x7f || (c < 0x20 && c != '\r' && c != '\n' && c != '\t'))
			return false;
		if (c == '\n' && (i == 0 || b->data[i - 1] != '\r'))
			return false;
		column = c == '\n' ? 0 : column + 1;
		if (column > 998)
			return false;
	}
	return column == 0;
}

int
main(void)
{
	struct dsn_facts facts = {.hostname = "host.example.org",
	    .mailer = "MAILER-DAEMON@example.org",
	    .id = {"0QK3ZP7V2M9Y"},
	    .now = 1764000120000000};
	struct buf out = BUF_INIT(1 << 20);
	struct envelope e;
	const char *why;

	ok(envelope_parse(&e, head, sizeof(head) - 1, &why) > 0, "an envelope");
	journal_fold(&e, journal, sizeof(journal) - 1);
	dsn_head(&out, &e, &facts);
	ok(has(&out, "To: <sender@example.org>\r\n"), "to the sender");
	ok(has(&out, "From: Mail Delivery System <MAILER-DAEMON@example.org>\r\n"), "from us");
	ok(has(&out, "Auto-Submitted: auto-replied\r\n"), "auto-submitted");
	ok(has(&out, "multipart/report; report-type=delivery-status;"), "RFC 6522");
	ok(has(&out, "Reporting-MTA: dns; host.example.org\r\n"), "Reporting-MTA");
	ok(has(&out, "Original-Envelope-Id: QQ+1\r\n"), "ENVID decoded");
	ok(has(&out, "Original-Recipient: rfc822;Bad+x@example.net\r\n"), "ORCPT decoded");
	ok(has(&out, "Final-Recipient: rfc822; bad@example.net\r\nAction: failed\r\n"
		     "Status: 5.1.1\r\nRemote-MTA: dns; mx.example.net\r\n"
		     "Diagnostic-Code: smtp; 550 5.1.1 no such user: ??ber\r\n"),
	    "the fields of a recipient that a server refused");
	ok(has(&out, "Status: 5.4.7\r\nDiagnostic-Code: X-Pillarbox; delivery time expired"),
	    "the fields of one that we gave up");
	ok(!has(&out, "good@example.net") && !has(&out, "told@example.net"),
	    "neither who got it nor who was reported");
	ok(has(&out, "Content-Type: text/rfc822-headers\r\n\r\n"), "the header comes back");
	buf_adds(&out, "Subject: x\r\n");
	dsn_tail(&out, &facts);
	ok(legal_lines(&out), "ASCII, CRLF, no long line, ends with a line");
	ok(has(&out, "\r\n--0QK3ZP7V2M9Y.pillarbox/host.example.org--\r\n"), "closed");

	facts.whole = true;
	e.body = BODY_8BITMIME;
	buf_clear(&out);
	dsn_head(&out, &e, &facts);
	ok(has(&out, "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"),
	    "the whole comes back, with its body type");

	ok(strcmp(dsn_id(e.id, 0).s, dsn_id(e.id, 0).s) == 0 &&
		strcmp(dsn_id(e.id, 0).s, dsn_id(e.id, 1).s) != 0 &&
		queue_id_valid(dsn_id(e.id, 0).s),
	    "the ID of a bounce follows from its message");
	envelope_free(&e);
	buf_free(&out);
	return done();
}
