/* SPDX-License-Identifier: ISC */
#include "mail/dsn.h"

#include <stdlib.h>

#include "mail/dsn_impl.h"
#include "mail/journal.h"
#include "mail/utf8.h"
#include "tap.h"

static const char head[] =
    "pillarbox 1\nid 0QK3ZP7V2M9X\narrived 1764000000.123456\nuid 1000\nsize 000000001234\n"
    "body 7BIT    \ndots 1\nenvid QQ+2B1\nfrom <sender@example.org>\n"
    "rcpt <good@example.net>\nrcpt <bad@example.net> ORCPT=rfc822;Bad+2Bx@example.net\n"
    "rcpt <told@example.net>\nrcpt <old@example.net>\n"
    "rcpt <never@example.net> NOTIFY=NEVER\nrcpt <fine@example.net> NOTIFY=SUCCESS\n"
    "rcpt <gr\303\274n@example.net> NOTIFY=SUCCESS,FAILURE ORCPT=utf-8;\\x{FC}ber\\x{2B}x@d\nrcpt "
    "<sad@example.net> NOTIFY=SUCCESS\n"
    "rcpt <theirs@example.net> NOTIFY=SUCCESS\n\n";

static const char journal[] =
    "@1764000060 0 2.0.0 250 ok\n"
    "@1764000060 1 5.1.1 host mx.example.net[192.0.2.1] said: 550 5.1.1 no such "
    "user: \303\274ber \"(in reply to you)\" (in reply to RCPT TO command)\n"
    "@1764000060 2 5.1.1 gone\n@1764000061 2 told 0QK3ZP7V2M9Y\n"
    "@1764000060 3 5.4.7 delivery time expired; last: 4.4.1 connect to "
    "mx.example.net[192.0.2.1]:25: "
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
		if (c == 0x7f || (c < 0x20 && c != '\r' && c != '\n' && c != '\t'))
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
	ok(has(&out, "<fine@example.net>: relayed\r\n      250 2.0.0 Ok: queued\r\n"),
	    "a person can read it");
	ok(has(&out, "Final-Recipient: rfc822; fine@example.net\r\nAction: relayed\r\n"
		     "Status: 2.0.0\r\nDiagnostic-Code: smtp; 250 2.0.0 Ok: queued\r\n"
		     "Last-Attempt-Date: Mon, 24 Nov 2025 16:01:00 +0000\r\n"),
	    "the fields of a recipient that was passed on");
	ok(has(&out, "Final-Recipient: utf-8; gr\303\274n@example.net\r\nAction: delivered\r\n"),
	    "… and of one that was delivered");
	ok(has(&out, "Content-Type: message/global-delivery-status\r\n"
		     "Content-Transfer-Encoding: 8bit\r\n\r\n"),
	    "whose address makes it RFC 6533's form");
	ok(has(&out, "Content-Transfer-Encoding: 8bit\r\nContent-Type: multipart/report;"),
	    "and 8-bit text");
	ok(has(&out, "charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nThis is"),
	    "in UTF-8");
	is_int((int)dsn_body(e, &facts), BODY_8BITMIME, "which is known");
	ok(has(&out, "<gr\303\274n@example.net>: delivered\r\n    (sent to \303\274ber+x@d)\r\n"),
	    "an ORCPT of RFC 6533, decoded for a person");
	ok(has(&out, "Original-Recipient: utf-8; \303\274ber+x@d\r\n"), "and for a program");
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

/* An envelope with one recipient, and its journal folded in. */
static struct envelope
one(const char *parameters, const char *lines)
{
	static const char start[] =
	    "pillarbox 1\nid 0QK3ZP7V2M9X\narrived 1764000000.123456\nuid 1000\n"
	    "size 000000001234\nbody 7BIT    \ndots 1\nfrom <sender@example.org>\n";
	struct buf b = BUF_INIT(1 << 16);
	struct envelope e;
	const char *why = "";

	buf_addf(&b, "%srcpt <r@d.example>%s\n\n", start, parameters);
	if (!ok(envelope_parse(&e, b.data, b.len, &why) > 0, "an envelope%s %s", parameters, why))
		exit(1);
	journal_fold(&e, lines, strlen(lines));
	buf_free(&b);
	return e;
}

static const char later[] =
    "@1764014400 0 4.4.1 connect to mx.d.example[192.0.2.1]:25: timed out\n";

static void
test_delay(struct dsn_facts facts)
{
	static const struct {
		const char *parameters, *lines;
		bool wanted, asked; /* DSN_DELAY, DSN_DELAY_ASKED */
	} rows[] = {
	    {"", later, true, false},
	    {" NOTIFY=DELAY", later, true, true},
	    {" NOTIFY=FAILURE", later, false, false},
	    {" NOTIFY=SUCCESS,DELAY", later, true, true},
	    {" NOTIFY=NEVER", later, false, false},
	    {" NOTIFY=DELAY", "@1764014400 0 2.0.0 ok\n", false, false},
	    {" NOTIFY=DELAY", "@1764014400 0 5.0.0 no\n", false, false},
	    {" NOTIFY=DELAY", "", false, false},
	    {" NOTIFY=DELAY", "@1764014400 0 4.4.1 a\n@1764014401 0 warned 0QK3ZP7V2M9Y\n", false,
		false},
	};
	struct buf out = BUF_INIT(1 << 20);
	struct envelope e;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		e = one(rows[i].parameters, rows[i].lines);
		ok(dsn_wanted(DSN_DELAY, &e.rcpt[0]) == rows[i].wanted, "  a delay is told: %d",
		    rows[i].wanted);
		ok(dsn_wanted(DSN_DELAY_ASKED, &e.rcpt[0]) == rows[i].asked,
		    "  … where that must be asked for: %d", rows[i].asked);
		envelope_free(&e);
	}
	facts.kind = DSN_DELAY;
	facts.whole = false;
	facts.retry_until = 1764432000;
	e = one("", later);
	dsn_head(&out, &e, &facts);
	ok(has(&out, "Subject: Delayed mail (still being retried)\r\n"), "a delay's subject");
	ok(has(&out, "Final-Recipient: rfc822; r@d.example\r\nAction: delayed\r\nStatus: 4.4.1\r\n"
		     "Diagnostic-Code: X-Pillarbox; connect to mx.d.example[192.0.2.1]:25: timed "
		     "out\r\nLast-Attempt-Date: Mon, 24 Nov 2025 20:00:00 +0000\r\n"
		     "Will-Retry-Until: Sat, 29 Nov 2025 16:00:00 +0000\r\n"),
	    "its fields");
	ok(has(&out, "Tried to: Sat, 29 Nov 2025") && has(&out, "need not do anything"),
	    "its text for a person");
	ok(!has(&out, "Send it again"), "no advice to send it again");
	envelope_free(&e);
	buf_free(&out);
}

static void
test_copy(struct dsn_facts facts)
{
	struct envelope e =
	    one("", "@1764014400 0 5.1.1 gone\n@1764014401 0 copied 0QK3ZP7V2M9Y\n");
	struct buf out = BUF_INIT(1 << 20);

	ok(!dsn_wanted(DSN_COPY, &e.rcpt[0]), "a copy is made once");
	ok(dsn_wanted(DSN_FAILURE, &e.rcpt[0]), "and nobody is told by it");
	envelope_free(&e);
	e = one(" NOTIFY=NEVER", "@1764014400 0 5.1.1 gone\n");
	ok(dsn_wanted(DSN_COPY, &e.rcpt[0]), "for the postmaster NOTIFY does not count");
	facts.kind = DSN_COPY;
	facts.to = "admin@example.org";
	dsn_head(&out, &e, &facts);
	ok(has(&out,
	       "To: <admin@example.org>\r\nSubject: Postmaster copy: undeliverable report\r\n"),
	    "a copy's header");
	ok(has(&out, "Auto-Submitted: auto-generated\r\n"), "it answers to nobody");
	envelope_free(&e);
	buf_free(&out);
}

/* Which types the parts have: RFC 3464, RFC 6522, RFC 6533. */
static void
test_forms(struct dsn_facts facts)
{
	static const struct {
		enum body body;
		bool whole, eightbit, utf8;
		const char *want;
		enum body report;
	} rows[] = {
	    {BODY_7BIT, false, false, true, "Content-Type: text/rfc822-headers\r\n\r\n", BODY_7BIT},
	    {BODY_7BIT, true, false, true, "Content-Type: message/rfc822\r\n\r\n", BODY_7BIT},
	    {BODY_8BITMIME, false, false, true, "Content-Type: text/rfc822-headers\r\n\r\n",
		BODY_7BIT},
	    {BODY_8BITMIME, false, true, true,
		"Content-Type: text/rfc822-headers\r\nContent-Transfer-Encoding: 8bit\r\n\r\n",
		BODY_8BITMIME},
	    {BODY_8BITMIME, true, false, true,
		"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\n\r\n",
		BODY_8BITMIME},
	    {BODY_8BITMIME, true, true, true,
		"Content-Type: message/global\r\nContent-Transfer-Encoding: 8bit\r\n\r\n",
		BODY_8BITMIME},
	    {BODY_8BITMIME, true, true, false,
		"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\n\r\n",
		BODY_8BITMIME},
	    {BODY_SMTPUTF8, true, true, true,
		"Content-Type: message/global\r\nContent-Transfer-Encoding: 8bit\r\n\r\n",
		BODY_8BITMIME},
	    {BODY_SMTPUTF8, false, true, true,
		"Content-Type: message/global-headers\r\nContent-Transfer-Encoding: 8bit\r\n\r\n",
		BODY_8BITMIME},
	};
	struct envelope e = one("", "@1764014400 0 5.1.1 gone\n");
	struct buf out = BUF_INIT(1 << 20);

	facts.kind = DSN_FAILURE;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		e.body = rows[i].body;
		facts.whole = rows[i].whole;
		facts.original.eightbit = rows[i].eightbit;
		facts.original.utf8 = rows[i].utf8;
		buf_clear(&out);
		dsn_head(&out, &e, &facts);
		ok(out.len > strlen(rows[i].want) &&
			strcmp(buf_str(&out) + out.len - strlen(rows[i].want), rows[i].want) == 0,
		    "part 3, row %zu", i);
		is_int((int)dsn_body(&e, &facts), (int)rows[i].report, "  and what the report is");
	}
	facts.to = "s\303\266nder@example.org";
	is_int((int)dsn_body(&e, &facts), BODY_SMTPUTF8, "to an address that needs SMTPUTF8");
	facts.to = "sender@example.org";
	facts.mailer = "MAILER-DAEMON@\303\266.example";
	is_int((int)dsn_body(&e, &facts), BODY_SMTPUTF8, "from an address that needs it");
	envelope_free(&e);
	buf_free(&out);
}

static void
test_meanings(void)
{
	static const struct {
		const char *line, *want;
	} rows[] = {
	    {"5.1.1 host a[1] said: 550 5.1.1 x", "There is no such mailbox."},
	    {"5.0.0 host a[1] said: 550 User UNKNOWN", "There is probably no such mailbox."},
	    {"5.0.0 host a[1] said: 550 no", "its own words"},
	    {"5.2.2 host a[1] said: 552 5.2.2 x", "The mailbox is full."},
	    {"5.3.4 host a[1] said: 552 5.3.4 x", "too large"},
	    {"5.7.1 host a[1] said: 554 5.7.1 Relay access denied", "wants an account"},
	    {"5.7.1 host a[1] said: 554 5.7.1 blocked using zen.example", "source of spam"},
	    {"5.7.1 host a[1] said: 554 5.7.1 x", "rules do not allow"},
	    {"5.7.26 host a[1] said: 550 5.7.26 x", "SPF, DKIM, DMARC"},
	    {"5.4.4 Host or domain name not found", "There is no such domain"},
	    {"5.1.2 x", "There is no such domain"},
	    {"5.1.10 x", "takes no mail"},
	    {"5.6.7 x", "beyond a to z"},
	    {"5.4.6 x", "for ever"},
	    {"5.4.7 delivery time expired; last: 4.2.2 host a[1] said: 452 x",
		"The mailbox is full."},
	    {"5.4.7 delivery time expired; last: 4.7.8 host a[1] said: 535 x", "password"},
	    {"5.4.7 delivery time expired; last: 4.4.3 x", "(DNS)"},
	    {"5.4.7 delivery time expired; last: of an older version", "troubles"},
	    {"5.99.99 x", "its own words"},
	    {"4.3.2 host a[1] refused to talk to me: 554 5.2.2 he said: go", "troubles"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf line = BUF_INIT(4096);
		struct dsn_said said;
		buf_addf(&line, "@1764014400 0 %s\n", rows[i].line);
		struct envelope e = one("", buf_str(&line));
		dsn_said(&said, &e.rcpt[0]);
		ok(strstr(dsn_explain(&said).what, rows[i].want) != NULL, "%s: %s", rows[i].line,
		    dsn_explain(&said).what);
		envelope_free(&e);
		buf_free(&line);
	}
}

/* A long text is broken, and unfolds to what it was. */
static void
test_fold(struct dsn_facts facts)
{
	struct buf text = BUF_INIT(4096), line = BUF_INIT(8192), out = BUF_INIT(1 << 20);
	struct buf plain = BUF_INIT(1 << 20);

	for (int i = 0; i < 40; i++)
		buf_addf(&text, "%d%s", i * i * i * 7, i % 7 == 0 ? "  " : " ");
	buf_adds(&text, "end");
	buf_addf(&line, "@1764014400 0 5.1.1 host a[1] said: %s\n", buf_str(&text));
	struct envelope e = one("", buf_str(&line));
	facts.kind = DSN_FAILURE;
	dsn_head(&out, &e, &facts);
	for (const char *s = buf_str(&out), *nl; *s != '\0'; s = nl + 2) {
		nl = strstr(s, "\r\n");
		if (nl - s > 78)
			ok(false, "a line of %d: %.*s", (int)(nl - s), (int)(nl - s), s);
		buf_add(&plain, s, (size_t)(nl - s));
		if (nl[2] != ' ')
			buf_adds(&plain, "\r\n");
	}
	buf_clear(&line);
	buf_addf(&line, "\r\nDiagnostic-Code: smtp; %s\r\n", buf_str(&text));
	ok(has(&plain, buf_str(&line)), "a long text unfolds to what it was");
	envelope_free(&e);
	buf_free(&text);
	buf_free(&line);
	buf_free(&out);
	buf_free(&plain);
}

static void
test_original(void)
{
	static const struct {
		const char *header, *subject, *message_id;
		bool eightbit, alien;
	} rows[] = {
	    {"Subject: lost\r\nMessage-ID: <a@b>\r\n\r\nSubject: body\r\n", "lost", "<a@b>", false,
		false},
	    {"subject:  two\r\n lines\r\nX: y\r\n\r\n", "two  lines", "", false, false},
	    {"Subject: \303\274ber\r\n\r\n", "\303\274ber", "", true, false},
	    {"Subject: a\001b\r\n", "a?b", "", false, false},
	    {"Subject: =?utf-8?q?=C3=BCber_=0D=0A=1B?=\r\n x\r\n\r\n", "\303\274ber  ?  x", "",
		false, false},
	    {"Subject: \374ber\r\n", "?ber", "", true, true},
	    {"Message-ID: <a b>\r\n\r\n", "", "", false, false},
	    {"Message-ID: <a@b>\r\n\tX\r\n\r\n", "", "", false, false},
	    {"Message-ID: a@b\r\n\r\n", "", "", false, false},
	    {"", "", "", false, false},
	    {"no header\r\n", "", "", false, false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct dsn_original o;
		dsn_read_original(&o, rows[i].header, strlen(rows[i].header));
		is(o.subject, rows[i].subject, "a subject");
		is(o.message_id, rows[i].message_id, "  and a Message-ID");
		ok(o.eightbit == rows[i].eightbit && o.utf8 != rows[i].alien,
		    "  and whether it is 8-bit");
	}
}

static size_t
count(const struct buf *b, const char *what)
{
	size_t n = 0;

	for (const char *s = buf_str(b), *end = s + b->len;
	     (s = memmem(s, (size_t)(end - s), what, strlen(what))) != NULL; s++)
		n++;
	return n;
}

/* As many as there can be, with the longest texts: it fits, and all are named. */
static void
test_many(struct dsn_facts facts)
{
	struct recipient *rcpt = calloc(ENVELOPE_RCPT_MAX, sizeof(*rcpt));
	struct envelope e = {.id = {"0QK3ZP7V2M9X"}, .rcpt = rcpt, .nrcpt = ENVELOPE_RCPT_MAX};
	struct buf out = BUF_INIT(DSN_MAX);
	char address[321], text[OUTCOME_TEXT];

	memset(address, 'a', 320);
	address[308] = '@';
	address[320] = '\0';
	memset(text, 'x', sizeof(text));
	for (size_t i = 0; i < e.nrcpt; i++)
		rcpt[i] = (struct recipient){.address = address,
		    .status = STATUS(5, 1, 1),
		    .text = text,
		    .textlen = sizeof(text)};
	facts.kind = DSN_FAILURE;
	dsn_head(&out, &e, &facts);
	is_int(out.error, 0, "a report about 50,000 recipients fits");
	is_int((long long)count(&out, "\r\nFinal-Recipient:"), ENVELOPE_RCPT_MAX, "each is named");
	is_int(
	    (long long)count(&out, "\r\nDiagnostic-Code:"), DSN_FULL, "the first with all fields");
	is_int((long long)count(&out, ">: failed\r\n"), DSN_PEOPLE, "a person is told of some");
	ok(has(&out, "And 49900 more: their addresses are in the next part."),
	    "and of how many more");
	ok(legal_lines(&out), "no line is too long");
	buf_free(&out);
	free(rcpt);
}

static void
make_noise(struct buf *b, int max, unsigned *seed)
{
	static const char *const pieces[] = {"host ", " said: ", "[", "]", " ", "550 5.1.1 ", "\n",
	    "\r\n", "\r\n.\r\n", "\r\n--", "Action: delivered", "\033[31m", "\xff", "\xc2\x9b",
	    "\303\274", "\xe2\x80\xae", "\t", "\177", " (in reply to ",
	    "delivery time expired; last: ", "4.4.1 ",
	    "refused to talk to me: ", "=?utf-8?q?x?=", "%s%n", "\\x{D}\\x{A}", "+0D+0A",
	    "\\x{110000}",
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	    "aa",
	    "utf-8;", ";"};

	buf_clear(b);
	for (int n = rand_r(seed) % max; n > 0; n--)
		buf_adds(b, pieces[(size_t)rand_r(seed) % (sizeof(pieces) / sizeof(pieces[0]))]);
}

static bool
is_utf8(const struct buf *b)
{
	size_t n;

	for (size_t at = 0; at < b->len; at += n)
		if ((n = utf8_len(b->data + at, b->len - at)) == 0)
			return false;
	return true;
}

/* Whatever a server says, and whatever stands in a spool file: lines stay legal, fields ours. */
static void
test_noise(struct dsn_facts facts)
{
	struct buf out = BUF_INIT(1 << 20), text = BUF_INIT(1 << 16), orcpt = BUF_INIT(1 << 16),
		   envid = BUF_INIT(1 << 16);
	unsigned seed = 5, bad = 0, faked = 0, alien = 0;

	for (int i = 0; i < 20000; i++) {
		struct recipient rcpt[2] = {
		    {.address = "r@d.example", .status = STATUS(5, 1, 1)},
		    {.address = i % 2 ? "\303\274@d.example" : "q@d.example",
			.status = STATUS(5, 4, 7)},
		};
		struct envelope e = {.id = {"0QK3ZP7V2M9X"}, .rcpt = rcpt, .nrcpt = 2};
		make_noise(&text, 40, &seed);
		make_noise(&orcpt, 8, &seed);
		make_noise(&envid, 300, &seed);
		rcpt[0].text = rcpt[1].text = text.data;
		rcpt[0].textlen = rcpt[1].textlen = text.len;
		rcpt[0].orcpt = orcpt.data;
		e.envid = envid.data;
		facts.kind = DSN_FAILURE;
		dsn_read_original(&facts.original, buf_str(&text), text.len);
		buf_clear(&out);
		dsn_head(&out, &e, &facts);
		dsn_tail(&out, &facts);
		bad += !legal_lines(&out);
		faked += count(&out, "\r\nAction:") != 2 || count(&out, "\r\n--") != 4;
		alien += !is_utf8(&out);
	}
	is_int(bad, 0, "noise makes no illegal line");
	is_int(alien, 0, "nothing that is not UTF-8");
	is_int(faked, 0, "nor a field or a part of its own");
	buf_free(&out);
	buf_free(&text);
	buf_free(&orcpt);
	buf_free(&envid);
}

int
main(void)
{
	struct dsn_facts facts = {.hostname = "host.example.org",
	    .mailer = "MAILER-DAEMON@example.org",
	    .to = "sender@example.org",
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
	ok(has(&out, "Original-Recipient: rfc822; Bad+x@example.net\r\n"), "ORCPT decoded");
	ok(has(&out,
	       "Final-Recipient: rfc822; bad@example.net\r\nAction: failed\r\n"
	       "Status: 5.1.1\r\nRemote-MTA: dns; mx.example.net\r\n"
	       "Diagnostic-Code: smtp; 550 5.1.1 no such user: ??ber \"(in reply to you)\"\r\n"),
	    "the fields of a recipient that a server refused");
	ok(has(&out, "Status: 5.4.7\r\nDiagnostic-Code: X-Pillarbox; connect to mx.example.net"),
	    "the fields of one that we gave up");
	ok(has(&out, "<bad@example.net>: failed\r\n    (sent to Bad+x@example.net)\r\n"
		     "    There is no such mailbox. Look for a typing error"),
	    "what it means");
	ok(has(&out,
	       "    The server mx.example.net said:\r\n      550 5.1.1 no such user: \303\274ber"),
	    "what the server said, in its letters");
	ok(has(&out,
	       "<old@example.net>: failed\r\n    It was tried for 60 seconds and is given up. What "
	       "stood in the way:\r\n    The server could not be reached."),
	    "why it was given up");
	ok(!has(&out, "good@example.net") && !has(&out, "told@example.net"),
	    "neither who got it nor who was reported");
	ok(!has(&out, "never@example.net") && !has(&out, "sad@example.net"),
	    "nor who was not to be told of");
	ok(has(&out, "Content-Type: message/delivery-status\r\n\r\n"), "part 2 is 7-bit");
	ok(has(&out, "Content-Type: text/rfc822-headers\r\n\r\n"), "the header comes back");
	buf_adds(&out, "Subject: x\r\n");
	dsn_tail(&out, &facts);
	ok(legal_lines(&out), "CRLF, no controls, no long line, ends with a line");
	ok(has(&out, "\r\n--0QK3ZP7V2M9Y.6445948894e00/pillarbox--\r\n"), "closed");

	facts.whole = true;
	e.body = BODY_8BITMIME;
	buf_clear(&out);
	dsn_head(&out, &e, &facts);
	ok(has(&out, "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"),
	    "the whole comes back, with its body type");

	test_success(&e, facts);
	test_id(&e);
	test_delay(facts);
	test_copy(facts);
	test_forms(facts);
	test_meanings();
	test_fold(facts);
	test_original();
	test_many(facts);
	test_noise(facts);
	orcpts();
	envelope_free(&e);
	buf_free(&out);
	return done();
}
