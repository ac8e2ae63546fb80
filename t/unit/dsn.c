/* SPDX-License-Identifier: ISC */
#include "mail/dsn.h"

#include <stdlib.h>

#include "mail/journal.h"
#include "tap.h"

static const char head[] =
    "pillarbox 1\nid 0QK3ZP7V2M9X\narrived 1764000000.123456\nuid 1000\nsize 000000001234\n"
    "body 7BIT    \ndots 1\nenvid QQ+2B1\nfrom <sender@example.org>\n"
    "rcpt <good@example.net>\nrcpt <bad@example.net> ORCPT=rfc822;Bad+2Bx@example.net\n"
    "rcpt <told@example.net>\nrcpt <old@example.net>\n"
    "rcpt <never@example.net> NOTIFY=NEVER\nrcpt <fine@example.net> NOTIFY=SUCCESS\n"
    "rcpt <gr\303\274n@example.net> NOTIFY=SUCCESS,FAILURE\nrcpt <sad@example.net> NOTIFY=SUCCESS\n"
    "rcpt <theirs@example.net> NOTIFY=SUCCESS\n\n";

static const char journal[] =
    "@1764000060 0 2.0.0 250 ok\n"
    "@1764000060 1 5.1.1 host mx.example.net[192.0.2.1] said: 550 5.1.1 no such "
    "user: \303\274ber (in reply to RCPT TO command)\n"
    "@1764000060 2 5.1.1 gone\n@1764000061 2 told 0QK3ZP7V2M9Y\n"
    "@1764000060 3 5.4.7 delivery time expired; last: connect to mx.example.net[192.0.2.1]:25: "
    "Connection timed out, and so on for so long that the line has to be wrapped somewhere\n"
    "@1764000060 4 5.1.1 gone\n@1764000060 5 2.0.0 250 2.0.0 Ok: queued\n"
    "@1764000060 6 2.1.5 250 2.1.5 Saved\n@1764000060 7 5.1.1 gone\n"
    "@1764000060 8 2.0.0 250 ok\n@1764000060 8 told the next server sends reports\n";

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

static void
test_success(struct envelope *e, struct dsn_facts facts)
{
	struct buf out = BUF_INIT(1 << 20);

	facts.kind = DSN_SUCCESS;
	facts.whole = false;
	e->body = BODY_7BIT;
	e->rcpt[6].delivered = true;
	dsn_head(&out, e, &facts);
	ok(has(&out, "Subject: Successful mail delivery report\r\n"), "a report of success");
	ok(has(&out, "<fine@example.net>: relayed\r\n    250 2.0.0 Ok: queued\r\n"),
	    "a person can read it");
	ok(has(&out, "Final-Recipient: rfc822; fine@example.net\r\nAction: relayed\r\n"
		     "Status: 2.0.0\r\nDiagnostic-Code: smtp; 250 2.0.0 Ok: queued\r\n"
		     "Last-Attempt-Date: Mon, 24 Nov 2025 16:01:00 +0000\r\n"),
	    "the fields of a recipient that was passed on");
	ok(has(&out, "Final-Recipient: utf-8;gr\\x{FC}n@example.net\r\nAction: delivered\r\n"),
	    "… and of one that was delivered");
	ok(has(&out, "Content-Transfer-Encoding: 8bit\r\nContent-Type: multipart/report;"),
	    "whose address is 8-bit text");
	ok(has(&out, "charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nThis is"),
	    "and UTF-8");
	ok(dsn_eightbit(e, DSN_SUCCESS) && !dsn_eightbit(e, DSN_FAILURE), "which is known");
	ok(!has(&out, "good@") && !has(&out, "theirs@") && !has(&out, "bad@"), "no others");
	buf_free(&out);
}

static void
test_id(struct envelope *e)
{
	struct queue_id first = dsn_id(e, DSN_FAILURE), second;

	ok(queue_id_valid(first.s) && strcmp(first.s, dsn_id(e, DSN_FAILURE).s) == 0,
	    "the ID of a report follows from its message");
	e->rcpt[0].status.class = 5;
	ok(strcmp(first.s, dsn_id(e, DSN_FAILURE).s) != 0, "and from how many it is about");
	first = dsn_id(e, DSN_FAILURE);
	for (size_t i = 0; i < e->nrcpt; i++)
		e->rcpt[i].reported = e->rcpt[i].reported || dsn_open(DSN_FAILURE, &e->rcpt[i]);
	second = dsn_id(e, DSN_SUCCESS);
	ok(strcmp(first.s, second.s) != 0, "the next report has another");
}

static void
orcpts(void)
{
	static const struct {
		const char *address, *expected;
	} rows[] = {
	    {"root@d.example", "rfc822;root@d.example"},
	    {"a+b=c@d", "rfc822;a+2Bb+3Dc@d"},
	    {"\"a\\\\b\"@d", "rfc822;\"a\\\\b\"@d"},
	    {"j\xc3\xb6rg@d", "utf-8;j\\x{F6}rg@d"},
	    {"\xf0\x9f\x93\xae+=\\@d", "utf-8;\\x{1F4EE}\\x{2B}\\x{3D}\\x{5C}@d"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf out = BUF_INIT(1024);
		dsn_orcpt(&out, rows[i].address);
		is(buf_str(&out), rows[i].expected, rows[i].expected);
		buf_free(&out);
	}
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
	ok(!has(&out, "never@example.net") && !has(&out, "sad@example.net"),
	    "nor who was not to be told of");
	ok(!has(&out, "8bit"), "nothing of it is 8-bit");
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

	test_success(&e, facts);
	test_id(&e);
	orcpts();
	envelope_free(&e);
	buf_free(&out);
	return done();
}
