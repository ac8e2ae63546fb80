/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "mail/submission.h"
#include "tap.h"

static const struct submission_facts defaults = {
    .domain = "x.example",
    .local = "x.example",
    .hostname = "h.x.example",
    .login = "alice",
    .uid = 1000,
    .now = UINT64_C(1790000000123456),
    .utc_offset = 7200,
    .id = {"6BFZDM9F0005"},
};

#define DATE "Mon, 21 Sep 2026 16:13:20 +0200"
#define ID "<6BFZDM9F0005.7c240@h.x.example>"
#define ADDED "Date: " DATE "\r\nMessage-ID: " ID "\r\n"

/* Play a header, lines ended by LF, and end it. */
static int
play(struct submission *s, const char *input, struct envelope *e, struct buf *out)
{
	enum header_event ev = HEADER_MORE;
	struct header h;
	const char *lf;

	header_init(&h);
	while ((lf = strchr(input, '\n')) != NULL && ev != HEADER_END) {
		ev = header_push(&h, input, (size_t)(lf - input));
		if (ev == HEADER_FIELD)
			submission_field(s, &h.field, out);
		else
			input = lf + 1;
	}
	while (header_finish(&h) == HEADER_FIELD)
		submission_field(s, &h.field, out);
	header_free(&h);
	return submission_end(s, e, out);
}

/* What becomes of fields, where nothing is missing. */
static const struct {
	const char *name, *input, *expected;
} edits[] = {
    {"others as they are", "X: a  b\n\tc \nSubject:d\n", "X: a  b\r\n\tc \r\nSubject:d\r\n"},
    {"8 bits", "Subject: \xff\n", "Subject: \xff\r\n"},
    {"bare name", "Reply-To: root\n", "Reply-To: root@x.example\r\n"},
    {"old style", "Reply-To: root (Cron Daemon)\n", "Reply-To: root@x.example (Cron Daemon)\r\n"},
    {"complete", "Reply-To: A B <a@b>, c@d (e)\n", "Reply-To: A B <a@b>, c@d (e)\r\n"},
    {"in brackets", "Reply-To: A <a>, b\n", "Reply-To: A <a@x.example>, b@x.example\r\n"},
    {"folds kept", "Cc:\n a,\n\tb (c\n d) ,\n e@f\n",
	"Cc:\r\n a@x.example,\r\n\tb@x.example (c\r\n d) ,\r\n e@f\r\n"},
    {"a group", "Cc: G: a, b;, c\n", "Cc: G: a@x.example, b@x.example;, c@x.example\r\n"},
    {"empty group", "Cc: undisclosed-recipients:;\n", "Cc: undisclosed-recipients:;\r\n"},
    {"quoted name", "Cc: \"a.b\", \"c,d\"\n", "Cc: \"a.b\"@x.example, \"c,d\"@x.example\r\n"},
    {"no address", "Cc: foo bar, \"baz\n", "Cc: foo bar, \"baz\r\n"},
    {"some no address", "Cc: foo bar, a\n", "Cc: foo bar, a@x.example\r\n"},
    {"obsolete colon", "cc \t: a\n", "cc \t: a@x.example\r\n"},
    {"not in other fields", "X-To: a\nReturn-Receipt-To: a\n",
	"X-To: a\r\nReturn-Receipt-To: a\r\n"},
    {"Bcc", "Bcc: a@b,\n c@d\nX: y\nBCC:e\n", "X: y\r\n"},
    {"Return-Path, Content-Length", "Return-Path: <>\nContent-Length: 5\n", ""},
    {"Apparently-To", "Apparently-To: a\n", "Apparently-To: a@x.example\r\n"},
    {"Received", "Received: from a\n\tby b\n", "Received: from a\r\n\tby b\r\n"},
    {"a second To", "To: a@b\nTo: c@d\n", "To: a@b\r\nTo: c@d\r\n"},
    {"second ones", "From: 1@x\nDate: 2\nMessage-ID: 3\nFrom: 4@x\nDate: 5\nMessage-Id: 6\n",
	"From: 1@x\r\nDate: 2\r\nMessage-ID: 3\r\n"},
    {"empty ones", "From:\nDate: \nMessage-ID:\t\nTo:\nCc: \nReply-To:\n \nSender: <>\nFrom: g:;\n",
	""},
    {"other empty ones", "Subject:\nX:\n", "Subject:\r\nX:\r\n"},
    {"an unreadable From", "From: A B\nFrom: a@b\n", "From: A B\r\n"},
};

#define REST "From: f@x\nDate: d\nMessage-ID: <m>\nTo: t@x\n"
#define REST_OUT "From: f@x\r\nDate: d\r\nMessage-ID: <m>\r\nTo: t@x\r\n\r\n"

/* Without the lines of REST that stand in it already. */
static void
edit_table(void)
{
	for (size_t i = 0; i < sizeof(edits) / sizeof(*edits); i++) {
		struct buf in = BUF_INIT(4096), out = BUF_INIT(4096), want = BUF_INIT(4096);
		struct envelope e = {0};
		struct submission s;
		bool from = strstr(edits[i].expected, "From: ") != NULL;

		buf_addf(&in, "%s%s", edits[i].input, REST);
		buf_adds(&want, edits[i].expected);
		if (from && strstr(edits[i].expected, "Date") != NULL)
			buf_adds(&want, "To: t@x\r\n\r\n");
		else
			buf_adds(&want, &REST_OUT[from ? strlen("From: f@x\r\n") : 0]);
		submission_init(&s, &defaults);
		play(&s, buf_str(&in), &e, &out);
		is(buf_str(&out), buf_str(&want), edits[i].name);
		ok(s.eightbit_header == (strchr(edits[i].expected, '\xff') != NULL), "8 bits seen");
		submission_free(&s);
		envelope_free(&e);
		buf_free(&in);
		buf_free(&out);
		buf_free(&want);
	}
}

/* Which 8-bit octets ask for SMTPUTF8. */
static const struct {
	const char *name, *input;
	bool wanted;
} international[] = {
    {"ASCII", "To: <a@b.example>\n", false},
    {"a local part", "To: a@b, \xc3\xa4@b.example\n", true},
    {"a bare local part", "Cc: \xc3\xa4\n", true},
    {"a domain", "Sender: A <a@\xc3\xa4.example>\n", true},
    {"a name", "From: \"\xc3\xa4\" <a@b.example>\n", false},
    {"a comment", "From: a@b.example (\xc3\xa4)\n", false},
    {"a subject", "Subject: \xc3\xa4@b.example\n", false},
    {"not UTF-8", "To: <\xe4@b.example>\n", false},
    {"one that does not go out", "Bcc: \xc3\xa4@b.example\n", false},
};

static void
international_table(void)
{
	for (size_t i = 0; i < sizeof(international) / sizeof(*international); i++) {
		struct buf out = BUF_INIT(4096);
		struct envelope e = {0};
		struct submission s;

		submission_init(&s, &defaults);
		play(&s, international[i].input, &e, &out);
		is_int(s.utf8_address, international[i].wanted, international[i].name);
		submission_free(&s);
		envelope_free(&e);
		buf_free(&out);
	}
}

/* What is added; login and sender NULL: alice, none. */
static const struct {
	const char *name, *login, *full_name, *sender, *input, *expected;
} missing[] = {
    {"all", NULL, NULL, NULL, "",
	"From: alice@x.example\r\n" ADDED "To: undisclosed-recipients:;\r\n\r\n"},
    {"all, but empty", NULL, NULL, "", "From: \nTo:\n\n",
	"From: alice@x.example\r\n" ADDED "To: undisclosed-recipients:;\r\n\r\n"},
    {"a name", NULL, "Alice Doe", NULL, "To: a@b\n",
	"To: a@b\r\nFrom: Alice Doe <alice@x.example>\r\n" ADDED "\r\n"},
    {"a sender", NULL, "A. Doe", "b@c", "To: a@b\n",
	"To: a@b\r\nFrom: \"A. Doe\" <b@c>\r\n" ADDED "\r\n"},
    {"a login with a domain", "a@corp", NULL, NULL, "Cc: a@b\n",
	"Cc: a@b\r\nFrom: a@corp\r\n" ADDED "\r\n"},
    {"a hostile login", "a\r\nBcc: b", NULL, "x\ny@z", "Cc: a@b\n",
	"Cc: a@b\r\nFrom: uid1000@x.example\r\n" ADDED "\r\n"},
    {"a hostile name", NULL, "a\r\nBcc: b\x1b", NULL, "Cc: a@b\n",
	"Cc: a@b\r\nFrom: \"aBcc: b\" <alice@x.example>\r\n" ADDED "\r\n"},
    {"a name of nothing", NULL, " \r\n\t", NULL, "Cc: a@b\n",
	"Cc: a@b\r\nFrom: alice@x.example\r\n" ADDED "\r\n"},
    {"Date and Message-ID", NULL, NULL, NULL, "From: a@b\nTo: c@d\n",
	"From: a@b\r\nTo: c@d\r\n" ADDED "\r\n"},
    {"only Bcc", NULL, NULL, NULL, "From: a@b\nDate: x\nMessage-ID: y\nBcc: c\n",
	"From: a@b\r\nDate: x\r\nMessage-ID: y\r\nTo: undisclosed-recipients:;\r\n\r\n"},
    {"Resent", NULL, "A", NULL, "Resent-To: a\nFrom: b\nDate: x\nMessage-ID: y\n",
	"Resent-To: a@x.example\r\nFrom: b@x.example\r\nDate: x\r\nMessage-ID: y\r\n"
	"Resent-From: A <alice@x.example>\r\nResent-Date: " DATE "\r\n"
	"Resent-Message-ID: " ID "\r\n\r\n"},
    {"Resent, only Bcc", NULL, NULL, NULL, "Resent-Bcc: a\n" REST,
	"From: f@x\r\nDate: d\r\nMessage-ID: <m>\r\nTo: t@x\r\n"
	"Resent-From: alice@x.example\r\nResent-Date: " DATE "\r\n"
	"Resent-Message-ID: " ID "\r\n\r\n"},
    {"Resent, with all", NULL, NULL, NULL,
	"Resent-From: a\nResent-Date: b\nResent-Message-ID: c\n" REST,
	"Resent-From: a@x.example\r\nResent-Date: b\r\nResent-Message-ID: c\r\n" REST_OUT},
    {"a fold before the address", NULL, "J\xc3\xb6rg Alexander Maximilian Wolfgang",
	"a-rather-long-address@domain.example", "To: a@b\n",
	"To: a@b\r\nFrom: =?UTF-8?Q?J=C3=B6rg_Alexander_Maximilian_Wolfgang?=\r\n"
	" <a-rather-long-address@domain.example>\r\n" ADDED "\r\n"},
};

static void
missing_table(void)
{
	for (size_t i = 0; i < sizeof(missing) / sizeof(*missing); i++) {
		struct submission_facts facts = defaults;
		struct envelope e = {0};
		struct buf out = BUF_INIT(4096);
		struct submission s;

		if (missing[i].login != NULL)
			facts.login = missing[i].login;
		facts.full_name = missing[i].full_name;
		if (missing[i].sender != NULL)
			e.from = strdup(missing[i].sender);
		submission_init(&s, &facts);
		is_int(play(&s, missing[i].input, &e, &out), 0, missing[i].name);
		is(buf_str(&out), missing[i].expected, missing[i].name);
		submission_free(&s);
		envelope_free(&e);
		buf_free(&out);
	}
}

#define REPLACED "x@y"
#define DM "Date: d\nMessage-ID: <m>\nTo: t@x\n"
#define DM_OUT "Date: d\r\nMessage-ID: <m>\r\nTo: t@x\r\n"

/* What rules do to From and its like; login is alice, and DM stands behind what is given. */
static const struct {
	const char *name, *header_from, *reply_to;
	enum keep keep;
	const char *input, *expected, *added;
} rewriting[] = {
    {"cron", REPLACED, "", KEEP_REPLY_TO, "From: root (Cron Daemon)\n",
	"From: x@y (Cron Daemon)\r\n", "Reply-To: root@x.example (Cron Daemon)\r\n"},
    {"cron, kept elsewhere", REPLACED, "", KEEP_X_ORIGINAL_FROM, "From: root@h (Cron Daemon)\n",
	"From: x@y (Cron Daemon)\r\n", "X-Original-From: root@h (Cron Daemon)\r\n"},
    {"cron, not kept", REPLACED, "", KEEP_NONE, "From: root@h (Cron Daemon)\n",
	"From: x@y (Cron Daemon)\r\n", ""},
    {"a Reply-To of its own", REPLACED, "", KEEP_REPLY_TO, "From: A <a@b>\nReply-To: c\n",
	"From: A <x@y>\r\nReply-To: c@x.example\r\n", "X-Original-From: A <a@b>\r\n"},
    {"one behind it", REPLACED, "", KEEP_REPLY_TO, "from :a@b\nSubject: s\nReply-To: c\n",
	"from :x@y\r\nSubject: s\r\nReply-To: c@x.example\r\n", "X-Original-From: a@b\r\n"},
    {"one with nothing in it", REPLACED, "", KEEP_REPLY_TO, "Reply-To: \nFrom:a@b\n",
	"From:x@y\r\n", "Reply-To: a@b\r\n"},
    {"names, folds, comments", "*@*.b = *@b", "", KEEP_REPLY_TO,
	"From: (\"c@a.b\")\n \"c@a.b\" <c@a.b> (c@a.b),\n\t=?utf-8?q?D?= <d@e>\n",
	"From: (\"c@a.b\")\r\n \"c@a.b\" <c@b> (c@a.b),\r\n\t=?utf-8?q?D?= <d@e>\r\n",
	"Reply-To: (\"c@a.b\")\r\n \"c@a.b\" <c@a.b> (c@a.b),\r\n\t=?utf-8?q?D?= <d@e>\r\n"},
    {"comments inside", REPLACED, "", KEEP_NONE,
	"From: root (Cron \\) (a)) @\n h (b), <\"q(r\" (s) @t>, u@v\n",
	"From: x@y (Cron \\) (a)) (b), <x@y (s)>, x@y\r\n", ""},
    {"a route", REPLACED, "", KEEP_NONE, "From: <@r:a@b>\n", "From: <@r:x@y>\r\n", ""},
    {"a group", "a@* = x@y", "", KEEP_NONE, "From: G: a, b;\n", "From: G: x@y, b@x.example;\r\n",
	""},
    {"what is no address", REPLACED, "", KEEP_REPLY_TO, "From: A B\n", "From: A B\r\n", ""},
    {"some of it is", REPLACED, "", KEEP_REPLY_TO, "From: A B, <>, a@b\n", "From: A B, <>, x@y\r\n",
	"Reply-To: A B, <>, a@b\r\n"},
    {"no rule for it", "*@z = x@y", "*@z = x@y", KEEP_REPLY_TO, "From: a@b\nReply-To: a\n",
	"From: a@b\r\nReply-To: a@x.example\r\n", ""},
    {"already there", REPLACED, "", KEEP_REPLY_TO, "From: x@Y\n", "From: x@y\r\n", ""},
    {"all of them", REPLACED, "", KEEP_REPLY_TO,
	"Resent-From: a\nResent-Sender: b\nResent-Date: d\nResent-Message-ID: m\nFrom: c@d\n"
	"Sender: e@f\nCc: g@h\nResent-To: i@j\n",
	"Resent-From: x@y\r\nResent-Sender: x@y\r\nResent-Date: d\r\nResent-Message-ID: m\r\n"
	"From: x@y\r\nSender: x@y\r\nCc: g@h\r\nResent-To: i@j\r\n",
	"Reply-To: c@d\r\n"},
    {"only Sender", "a@* = x@y", "", KEEP_REPLY_TO, "From: b@c\nSender: a@b\nSender: a\n",
	"From: b@c\r\nSender: x@y\r\nSender: x@y\r\n", ""},
    {"Reply-To", "", "*@b = *@z", KEEP_REPLY_TO, "From: a@b\nReply-To: B <a@b>, c\n",
	"From: a@b\r\nReply-To: B <a@z>, c@x.example\r\n", ""},
    {"an added Reply-To", REPLACED, "*@b = *@z", KEEP_REPLY_TO, "From: A <a@b>\n",
	"From: A <x@y>\r\n", "Reply-To: A <a@z>\r\n"},
    {"X-Original-From", REPLACED, "*@b = *@z", KEEP_X_ORIGINAL_FROM, "From: A <a@b>\n",
	"From: A <x@y>\r\n", "X-Original-From: A <a@b>\r\n"},
    {"a second From", REPLACED, "", KEEP_REPLY_TO, "From: a@b\nFrom: c@d\n", "From: x@y\r\n",
	"Reply-To: a@b\r\n"},
    {"no From", REPLACED, "", KEEP_REPLY_TO, "", "",
	"From: \"A. Doe\" <x@y>\r\nReply-To: \"A. Doe\" <alice@x.example>\r\n"},
    {"no From, not kept", REPLACED, "", KEEP_NONE, "", "", "From: \"A. Doe\" <x@y>\r\n"},
    {"no From, no rule for it", "root@* = x@y", "", KEEP_REPLY_TO, "", "",
	"From: \"A. Doe\" <alice@x.example>\r\n"},
    {"no Resent-From", REPLACED, "", KEEP_REPLY_TO,
	"Resent-To: a@b\nResent-Date: d\nResent-Message-ID: m\nFrom: x@y\n",
	"Resent-To: a@b\r\nResent-Date: d\r\nResent-Message-ID: m\r\nFrom: x@y\r\n",
	"Resent-From: \"A. Doe\" <x@y>\r\n"},
    {"a long line", REPLACED, "", KEEP_REPLY_TO,
	"Reply-To: c@d\nFrom: \t "
	"\"0123456789012345678901234567890123456789012345\" <a-long-name@b>\n \n",
	"Reply-To: c@d\r\nFrom: \t "
	"\"0123456789012345678901234567890123456789012345\" <x@y>\r\n \r\n",
	"X-Original-From:\r\n "
	"\"0123456789012345678901234567890123456789012345\" <a-long-name@b>\r\n \r\n"},
    {"a mistake in the rules", "a@b = , x@y", "", KEEP_REPLY_TO, "From: a@b\n", "From: a@b\r\n",
	""},
};

static void
rewriting_table(void)
{
	for (size_t i = 0; i < sizeof(rewriting) / sizeof(*rewriting); i++) {
		struct buf in = BUF_INIT(4096), out = BUF_INIT(4096), want = BUF_INIT(4096);
		struct submission_facts facts = defaults;
		struct envelope e = {0};
		struct submission s;

		facts.full_name = "A. Doe";
		facts.header_from = rewriting[i].header_from;
		facts.reply_to = rewriting[i].reply_to;
		facts.keep = rewriting[i].keep;
		buf_addf(&in, "%s" DM, rewriting[i].input);
		buf_addf(&want, "%s" DM_OUT "%s\r\n", rewriting[i].expected, rewriting[i].added);
		for (int pass = 1; pass <= 2; pass++) {
			submission_init(&s, &facts);
			is_int(play(&s, buf_str(&in), &e, &out), 0, rewriting[i].name);
			is(buf_str(&out), buf_str(&want), pass == 1 ? "first" : "a second pass");
			submission_free(&s);
			buf_clear(&in);
			for (const char *p = buf_str(&out); *p != '\0'; p++)
				if (*p != '\r')
					buf_addc(&in, *p);
			buf_clear(&out);
		}
		envelope_free(&e);
		buf_free(&in);
		buf_free(&out);
		buf_free(&want);
	}
}

/*
 * Fields of any form, rules that leave their own results: every address of From is x@y or of z,
 * comments and names are as many as before, and a second pass changes nothing.
 */
static void
random_rewriting(void)
{
	static const char *const pieces[] = {"a", "root", "a@b", "<a@b>", "<c@z>", "@", ",", ";",
	    "g:", " ", " ", "\n ", "(c)", "(", ")", "\"n\"", "\"", "\\", "<", ">", "@r:", "x@y",
	    "b@[1.2.3.4]", ".", "\xc3\xb6", "=?q?="};
	size_t n = sizeof(pieces) / sizeof(*pieces), bad = 0, kept = 0;
	struct submission_facts facts = defaults;

	facts.header_from = "*@z = *, x@y";
	srand(1);
	for (int round = 0; round < 60000; round++) {
		struct buf in = BUF_INIT(4096), out[2] = {BUF_INIT(4096), BUF_INIT(4096)};
		struct envelope e = {0};

		facts.keep = (enum keep)(rand() % 3);
		buf_adds(&in, "From: ");
		for (int k = rand() % 12; k > 0; k--)
			buf_adds(&in, pieces[(size_t)rand() % n]);
		buf_adds(&in, rand() % 2 ? "\n" DM : "\nReply-To: a\n" DM);
		for (int pass = 0; pass < 2; pass++) {
			struct address_parser p;
			struct address a;
			enum address_event ev;
			struct submission s;
			const char *from;
			size_t len = 0;

			submission_init(&s, &facts);
			bad += play(&s, buf_str(&in), &e, &out[pass]) != 0;
			submission_free(&s);
			from = strstr(buf_str(&out[pass]), "From: ");
			for (from += 6;
			     strncmp(from + len, "\r\n", 2) != 0 || from[len + 2] == ' ';)
				len++;
			address_start(&p, from, len);
			while ((ev = address_next(&p, &a)) != ADDRESS_END)
				bad += ev == ADDRESS_ONE && strcmp(a.mailbox, "x@y") != 0 &&
				       strcmp(a.mailbox, "c@z") != 0;
			buf_clear(&in);
			for (const char *c = buf_str(&out[pass]); *c != '\0'; c++)
				if (*c != '\r')
					buf_addc(&in, *c);
		}
		bad += strcmp(buf_str(&out[0]), buf_str(&out[1])) != 0;
		kept += strstr(buf_str(&out[0]), "X-Original-From:") != NULL;
		envelope_free(&e);
		buf_free(&in);
		buf_free(&out[0]);
		buf_free(&out[1]);
	}
	is_int((long long)bad, 0, "random rewriting");
	ok(kept > 1000, "kept %zu", kept);
}

static unsigned
count_bad(const struct submission *s)
{
	unsigned n = 0;

	for (size_t i = 0; i < s->bad_list.len; i++)
		n += s->bad_list.data[i] == '\0';
	return n;
}

/* -t: recipients, NUL-terminated ones of argv first; then what s.bad_list and s.sender are. */
static const struct {
	const char *name, *argv, *input, *expected, *bad;
	unsigned nbad;
	const char *sender;
} recipients[] = {
    {"none", NULL, "Subject: a\n", "", "", 0, ""},
    {"To, Cc, Bcc", NULL, "To: a, b@c\nCC: d\nBcc: e\n", "a@x.example b@c d@x.example e@x.example ",
	"", 0, ""},
    {"from several", NULL, "To: a\nTo: b\n", "a@x.example b@x.example ", "", 0, ""},
    {"each once", NULL, "To: a, b, a@X.EXAMPLE, A\nCc: a, b\n",
	"a@x.example b@x.example A@x.example ", "", 0, ""},
    {"argv first", "b@x.example", "To: a, b, c\n", "b@x.example a@x.example c@x.example ", "", 0,
	""},
    {"not Apparently-To", NULL, "Apparently-To: a\nReply-To: b\n", "", "", 0, ""},
    {"groups", NULL, "To: G: a@b, c@d;\nCc: undisclosed-recipients:;\n", "a@b c@d ", "", 0, ""},
    {"bad ones", NULL, "To: foo bar, a@b, baz@\nCc: c@d\n", "a@b c@d ", "foo bar", 2, ""},
    {"a bad one with controls", NULL, "To: a\x1b[1m@b\n", "", "a?[1m@b", 1, ""},
    {"null", NULL, "To: <>, a@b\n", "a@b ", "<>", 1, ""},
    {"resent", NULL, "To: a\nBcc: b\nResent-To: c\nResent-Cc: d\nResent-Bcc: e\nCc: f\n",
	"c@x.example d@x.example e@x.example ", "", 0, ""},
    {"resent, bad ones elsewhere", NULL, "To: a b\nResent-To: c, d e\nCc: f g\n", "c@x.example ",
	"d e", 1, ""},
    {"resent twice", NULL, "Resent-From: x\nResent-To: a\nResent-From: y\nResent-To: b\nTo: c\n",
	"a@x.example ", "", 0, ""},
    {"resent before a trace", NULL, "Resent-To: a\nReceived: x\nResent-Cc: b\nTo: c\n",
	"a@x.example ", "", 0, ""},
    {"resent below a trace", NULL, "Received: x\nResent-To: a\n", "a@x.example ", "", 0, ""},
    {"resent to nobody", NULL, "Resent-Bcc:\nTo: c\n", "", "", 0, ""},
    {"resent without recipients", NULL, "Resent-From: a\nTo: c\n", "c@x.example ", "", 0, ""},
    {"sender", NULL, "From: A <a>, b@c\nSender: d@e\n", "", "", 0, "a@x.example"},
    {"sender, Sender first", NULL, "Sender: d@e\nFrom: a b, <c@d>\n", "", "", 0, "c@d"},
    {"sender, only Sender", NULL, "Sender: d@e\nSender: f@g\n", "", "", 0, "d@e"},
    {"sender, no From", NULL, "From: <>\nSender: d@e\n", "", "", 0, "d@e"},
    {"sender, unreadable", NULL, "From: a b\n", "", "", 0, ""},
};

static void
recipient_table(void)
{
	struct submission_facts facts = defaults;

	facts.from_header = true;
	for (size_t i = 0; i < sizeof(recipients) / sizeof(*recipients); i++) {
		struct buf out = BUF_INIT(4096), got = BUF_INIT(4096);
		struct envelope e = {0};
		struct submission s;

		if (recipients[i].argv != NULL)
			envelope_add(&e, recipients[i].argv);
		submission_init(&s, &facts);
		is_int(play(&s, recipients[i].input, &e, &out), 0, recipients[i].name);
		for (size_t k = 0; k < e.nrcpt; k++)
			buf_addf(&got, "%s ", e.rcpt[k].address);
		is(buf_str(&got), recipients[i].expected, recipients[i].name);
		is(buf_str(&s.bad_list), recipients[i].bad, "bad");
		is_int(count_bad(&s), recipients[i].nbad, "how many");
		is(s.sender, recipients[i].sender, "sender");
		submission_free(&s);
		envelope_free(&e);
		buf_free(&out);
		buf_free(&got);
	}
}

static void
start(void)
{
	struct submission_facts facts = defaults;
	struct buf out = BUF_INIT(4096);
	struct submission s;

	submission_init(&s, &facts);
	submission_start(&s, &out);
	is(buf_str(&out),
	    "Received: by h.x.example (Pillarbox, from userid 1000)\r\n"
	    "\tid 6BFZDM9F0005; Mon, 21 Sep 2026 14:13:20 +0000\r\n",
	    "Received");
	buf_clear(&out);
	facts.with = "ESMTP";
	facts.hostname = "a\r\nb (c);\xff";
	submission_start(&s, &out);
	is(buf_str(&out),
	    "Received: by a--b--c--- (Pillarbox, from userid 1000)\r\n"
	    "\twith ESMTP id 6BFZDM9F0005; Mon, 21 Sep 2026 14:13:20 +0000\r\n",
	    "Received with ESMTP and a hostile name");
	for (int i = 0; i < 3; i++) {
		struct header_field f = {.name = HEADER_RECEIVED, .value = 9, .text = BUF_INIT(64)};

		buf_adds(&f.text, "Received: x");
		submission_field(&s, &f, &out);
		buf_free(&f.text);
	}
	is_int(s.received, 3, "hops");
	submission_free(&s);
	buf_free(&out);
}

static const struct {
	uint64_t now;
	long offset;
	const char *expected;
} dates[] = {
    {0, 0, "Thu, 1 Jan 1970 00:00:00 +0000"},
    {0, -3600, "Thu, 1 Jan 1970 00:00:00 -0100"},
    {951782399, 0, "Mon, 28 Feb 2000 23:59:59 +0000"},
    {951782400, 0, "Tue, 29 Feb 2000 00:00:00 +0000"},
    {951868800, 0, "Wed, 1 Mar 2000 00:00:00 +0000"},
    {1795446785, 3600, "Mon, 23 Nov 2026 16:13:05 +0100"},
    {1798761599, 0, "Thu, 31 Dec 2026 23:59:59 +0000"},
    {1798761599, 1, "Thu, 31 Dec 2026 23:59:59 +0000"},
    {1798761599, 19800, "Fri, 1 Jan 2027 05:29:59 +0530"},
    {1798761600, -12600, "Thu, 31 Dec 2026 20:30:00 -0330"},
    {1798761600, -1800, "Thu, 31 Dec 2026 23:30:00 -0030"},
    {4107542400, 0, "Mon, 1 Mar 2100 00:00:00 +0000"},
    {4107542399, 0, "Sun, 28 Feb 2100 23:59:59 +0000"},
    {1798761600, 1000000, "Fri, 1 Jan 2027 00:00:00 +0000"},
    {UINT64_MAX / 1000000, 0, "Wed, 19 Jan 586524 08:01:49 +0000"},
};

static const struct {
	const char *input, *expected;
} phrases[] = {
    {"", ""},
    {"Alice", "Alice"},
    {"  Alice Doe ", "Alice Doe"},
    {"John Q. Public", "\"John Q. Public\""},
    {"O'Neil", "O'Neil"},
    {"\"Reminder Service\"", "Reminder Service"},
    {"\"", "\"\\\"\""},
    {"\"\"", ""},
    {"a \"b\" \\", "\"a \\\"b\\\" \\\\\""},
    {"a@b, <c>", "\"a@b, <c>\""},
    {"a\r\nb\tc\x7f", "abc"},
    {"=?UTF-8?Q?J=C3=B6rg?=", "=?UTF-8?Q?J=C3=B6rg?="},
    {"J\xc3\xb6rg M\xc3\xbcller", "=?UTF-8?Q?J=C3=B6rg_M=C3=BCller?="},
    {"\xc3\xb6 =?_\".", "=?UTF-8?Q?=C3=B6_=3D=3F=5F=22=2E?="},
    {"J\xf6rg", "J?rg"},
    {"a\xc2\x9b"
     "b",
	"ab"},
    {"\xe6\xa1\x88\xe6\xa1\x88\xe6\xa1\x88\xe6\xa1\x88\xe6\xa1\x88\xe6\xa1\x88",
	"=?UTF-8?Q?=E6=A1=88=E6=A1=88=E6=A1=88=E6=A1=88=E6=A1=88?=\r\n =?UTF-8?Q?=E6=A1=88?="},
};

static void
texts(void)
{
	for (size_t i = 0; i < sizeof(dates) / sizeof(*dates); i++) {
		struct buf out = BUF_INIT(4096);

		submission_date(&out, dates[i].now * 1000000, dates[i].offset);
		is(buf_str(&out), dates[i].expected, "date");
		buf_free(&out);
	}
	for (size_t i = 0; i < sizeof(phrases) / sizeof(*phrases); i++) {
		struct buf out = BUF_INIT(4096);

		submission_phrase(&out, phrases[i].input);
		is(buf_str(&out), phrases[i].expected, "phrase");
		buf_free(&out);
	}
}

/* The calendar agrees with the library's. */
static void
random_dates(void)
{
	size_t wrong = 0;

	srand(1);
	for (int round = 0; round < 100000; round++) {
		time_t t = (time_t)((uint64_t)rand() * 40) + rand() % 40;
		struct buf out = BUF_INIT(100);
		char want[100];

		strftime(want, sizeof(want), "%a, %-d %b %Y %T +0000", gmtime(&t));
		submission_date(&out, (uint64_t)t * 1000000, 0);
		wrong += strcmp(buf_str(&out), want) != 0;
		buf_free(&out);
	}
	is_int((long long)wrong, 0, "random dates");
}

/* Long and random names: no line over 78 octets, no octet that is not printable ASCII. */
static void
random_names(void)
{
	size_t wrong = 0;

	srand(1);
	for (int round = 0; round < 20000; round++) {
		struct buf out = BUF_INIT(1 << 16);
		char name[400];
		size_t len = (size_t)rand() % sizeof(name), line = strlen("Resent-From: ");

		for (size_t i = 0; i < len; i++)
			name[i] = (char)(rand() % 3 ? rand() : "\xc3\xb6\xe6\xa1\x88"[i % 5]);
		name[len] = '\0';
		submission_phrase(&out, name);
		for (size_t i = 0; i < out.len; i++, line++) {
			unsigned char c = (unsigned char)out.data[i];

			if (c == '\r' && out.data[i + 1] == '\n' && out.data[i + 2] == ' ') {
				wrong += line > 76;
				i++;
				line = (size_t)-1;
			} else {
				wrong += c < 0x20 || c > 0x7e;
			}
		}
		wrong += line > 76 && out.data[0] == '=';
		buf_free(&out);
	}
	is_int((long long)wrong, 0, "random names");
}

/* 50000 recipients, each twice, are no trouble; one more is. */
static void
many(void)
{
	struct submission_facts facts = defaults;
	struct buf in = BUF_INIT(1 << 24), out = BUF_INIT(1 << 24);
	bool sorted = true;

	facts.from_header = true;
	for (unsigned n = ENVELOPE_RCPT_MAX; n <= ENVELOPE_RCPT_MAX + 1; n++) {
		struct envelope e = {0};
		struct submission s;
		int rc;

		buf_clear(&in);
		buf_clear(&out);
		for (int k = 0; k < 2; k++) {
			buf_adds(&in, k == 0 ? "To: x0" : "Cc: x0");
			for (unsigned i = 1; i < n; i++)
				buf_addf(&in, ",\n x%u", i);
			buf_adds(&in, "\n");
		}
		submission_init(&s, &facts);
		rc = play(&s, buf_str(&in), &e, &out);
		if (n == ENVELOPE_RCPT_MAX) {
			is_int(rc, 0, "50000 recipients");
			is_int((long long)e.nrcpt, n, "all there");
			for (unsigned i = 0; i < e.nrcpt; i++)
				sorted = sorted && atoi(e.rcpt[i].address + 1) == (int)i;
			ok(sorted, "in their order");
		} else {
			ok(rc == -1 && errno == E2BIG, "one too many");
		}
		submission_free(&s);
		envelope_free(&e);
	}
	buf_free(&in);
	buf_free(&out);
}

static void
errors(void)
{
	struct buf out = BUF_INIT(20);
	struct envelope e = {0};
	struct submission s;

	submission_init(&s, &defaults);
	ok(play(&s, "To: a@b\n", &e, &out) == -1 && errno == EMSGSIZE, "no room");
	submission_free(&s);
	envelope_free(&e);
	buf_free(&out);
}

int
main(void)
{
	edit_table();
	international_table();
	missing_table();
	rewriting_table();
	random_rewriting();
	recipient_table();
	start();
	texts();
	random_dates();
	random_names();
	many();
	errors();
	return done();
}
