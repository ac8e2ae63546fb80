/* SPDX-License-Identifier: ISC */
/*
 * The server's reply to each command in each state, its limits, and what is the caller's to call.
 */
#include "server_play.h"

/* Every refusal: what comes first, the command, the reply's beginning. */

#define X10 "xxxxxxxxxx"
#define X100 X10 X10 X10 X10 X10 X10 X10 X10 X10 X10

static const struct {
	const char *before, *command, *reply;
} replies[] = {
    {"", "MAIL FROM:<a@x>", "503 5.5.1 EHLO or HELO first"},
    {"", "RCPT TO:<a@x>", "503 5.5.1"},
    {"", "DATA", "503 5.5.1"},
    {"", "RSET", "250 2.0.0"},
    {"", "NOOP", "250 2.0.0"},
    {"", "NOOP what ever", "250 2.0.0"},
    {"", "VRFY root", "252 2.0.0"},
    {"", "VRFY", "501 5.5.4"},
    {"", "HELP", "214-2.0.0 EHLO HELO MAIL RCPT DATA BDAT RSET NOOP VRFY HELP QUIT\r\n214 "},
    {"", "HELP MAIL", "214-2.0.0"},
    {"", "QUIT", "221 2.0.0"},
    {"", "QUIT now", "501 5.5.4"},
    {"", "EXPN list", "502 5.5.1"},
    {"", "ETRN x", "502 5.5.1"},
    {"", "TURN", "502 5.5.1"},
    {HELLO, "AUTH PLAIN AAAA", "502 5.5.1"},
    {HELLO, "STARTTLS", "502 5.5.1"},
    {"", "EHLO", "501 5.5.4"},
    {"", "EHLO ", "501 5.5.4"},
    {"", "HELO", "501 5.5.4"},
    {"", "EHLO a b", "501 5.5.4"},
    {"", "EHLO \xc3\xbc.example", "501 5.5.4"},
    {"", "EHLO " X100 X100 X100, "501 5.5.4"},
    {"", "EHLO my_host", "250-box.example"},
    {"", "EHLO [127.0.0.1]", "250-box.example"},
    {"", "ehlo   c  ", "250-box.example"},
    {"", "HELO c", "250 box.example"},
    {"", "", "500 5.5.1"},
    {"", "WHAT", "500 5.5.1"},
    {"", " EHLO c", "500 5.5.1"},
    {"", "EHLO\tc", "500 5.5.2"},
    {"", "EHLO c\rx", "500 5.5.2"},
    {"", "EHLO c\r", "500 5.5.2"},
    {"", "EHLO c\x7f", "500 5.5.2"},
    {"", "Subject: hello", "421 4.7.0"},
    {"", "From:hello", "421 4.7.0"},
    {"", "GET / HTTP/1.1", "421 4.7.0"},
    {"", "POST / HTTP/1.1", "421 4.7.0"},
    {"", "CONNECT x:25 HTTP/1.1", "421 4.7.0"},
    {"", "OPTIONS / HTTP/1.1", "500 5.5.1"},

    {HELLO, "MAIL", "501 5.5.4 Syntax"},
    {HELLO, "MAIL TO:<a@x>", "501 5.5.4 Syntax"},
    {HELLO, "MAIL FROM", "501 5.5.4 Syntax"},
    {HELLO, "MAIL FROM:", "501 5.5.4 Syntax"},
    {HELLO, "MAIL FROM:a@x", "501 5.5.4 Syntax"},
    {HELLO, "MAIL FROM:<a@x", "501 5.5.4 Syntax"},
    {HELLO, "MAIL FROM:a@x>", "501 5.5.4 Syntax"},
    {HELLO, "MAIL FROM:<a@x>SIZE=1", "501 5.5.4 Syntax"},
    {HELLO, "MAIL FROM:<a@x> SIZE=1", "250 2.1.0"},
    {HELLO, "mail from: <a@x>  size=1  ", "250 2.1.0"},
    {HELLO, "MAIL FROM:<>", "250 2.1.0"},
    {HELLO, "MAIL FROM:<root>", "250 2.1.0"},
    {HELLO, "MAIL FROM:<\"a>b\"@x>", "250 2.1.0"},
    {HELLO, "MAIL FROM:<\"a b\"@x>", "501 5.1.7"},
    {HELLO, "MAIL FROM:<a b@x>", "501 5.1.7"},
    {HELLO, "MAIL FROM:<a@x,b@x>", "501 5.1.7"},
    {HELLO, "MAIL FROM:<a@b@c>", "501 5.1.7"},
    {HELLO, "MAIL FROM:<@x>", "501 5.5.4"},
    {HELLO, "MAIL FROM:<a@>", "501 5.1.7"},
    {HELLO, "MAIL FROM:<.a@x>", "501 5.1.7"},
    {HELLO, "MAIL FROM:<a@-x>", "501 5.1.7"},
    {HELLO, "MAIL FROM:<<a@x>>", "501 5.5.4"},
    {HELLO, "MAIL FROM:<a@[127.0.0.1]>", "250 2.1.0"},
    {HELLO, "MAIL FROM:<a@[IPv6:::1]>", "250 2.1.0"},
    {HELLO, "MAIL FROM:<@r.example:a@x>", "250 2.1.0"},
    {HELLO, "MAIL FROM:<@r.example,@s.example:a@x>", "250 2.1.0"},
    {HELLO, "MAIL FROM:<@r.example:>", "501 5.5.4"},
    {HELLO, "MAIL FROM:<@r<:a@x>", "501 5.5.4"},
    {HELLO, "MAIL FROM:<" X100 X100 X100 "@" X100 ">", "501 5.1.7"},
    {HELLO, "MAIL FROM:<\xc3\xbc@x>", "553 5.6.7"},
    {HELLO, "MAIL FROM:<\xc3\xbc@x> SMTPUTF8", "250 2.1.0"},
    {HELLO, "MAIL FROM:<\xc3@x> SMTPUTF8", "501 5.1.7"},
    {HELLO, "MAIL FROM:<\xff@x> SMTPUTF8", "501 5.1.7"},
    {HELLO, "MAIL FROM:<a@x> SIZE", "501 5.5.4"},
    {HELLO, "MAIL FROM:<a@x> SIZE=", "501 5.5.4"},
    {HELLO, "MAIL FROM:<a@x> SIZE=-1", "501 5.5.4"},
    {HELLO, "MAIL FROM:<a@x> SIZE=1x", "501 5.5.4"},
    {HELLO, "MAIL FROM:<a@x> SIZE=1000000", "250 2.1.0"},
    {HELLO, "MAIL FROM:<a@x> SIZE=1000001", "552 5.3.4"},
    {HELLO, "MAIL FROM:<a@x> SIZE=99999999999999999999", "552 5.3.4"},
    {HELLO, "MAIL FROM:<a@x> SIZE=000000000000000000001", "501 5.5.4"},
    {HELLO, "MAIL FROM:<a@x> SIZE=1 SIZE=1", "501 5.5.4"},
    {HELLO, "MAIL FROM:<a@x> BODY=7BIT", "250 2.1.0"},
    {HELLO, "MAIL FROM:<a@x> body=8bitmime", "250 2.1.0"},
    {HELLO, "MAIL FROM:<a@x> BODY=BINARYMIME", "501 5.5.4"},
    {HELLO, "MAIL FROM:<a@x> BODY", "501 5.5.4"},
    {HELLO, "MAIL FROM:<a@x> SMTPUTF8=1", "501 5.5.4"},
    {HELLO, "MAIL FROM:<a@x> RET=FULL", "250 2.1.0"},
    {HELLO, "MAIL FROM:<a@x> RET=SOME", "501 5.5.4"},
    {HELLO, "MAIL FROM:<a@x> RET=HDRS RET=HDRS", "501 5.5.4"},
    {HELLO, "MAIL FROM:<a@x> ENVID=QQ+2B+3D", "250 2.1.0"},
    {HELLO, "MAIL FROM:<a@x> ENVID=", "501 5.5.4"},
    {HELLO, "MAIL FROM:<a@x> ENVID=a=b", "501 5.5.4"},
    {HELLO, "MAIL FROM:<a@x> ENVID=a+", "501 5.5.4"},
    {HELLO, "MAIL FROM:<a@x> ENVID=a+2", "501 5.5.4"},
    {HELLO, "MAIL FROM:<a@x> ENVID=a+2b", "501 5.5.4"},
    {HELLO, "MAIL FROM:<a@x> ENVID=a+0D+0A", "501 5.5.4"},
    {HELLO, "MAIL FROM:<a@x> ENVID=a+7F", "501 5.5.4"},
    {HELLO, "MAIL FROM:<a@x> ENVID=a+C3", "501 5.5.4"},
    {HELLO, "MAIL FROM:<a@x> ENVID=a\xc3\xbc", "501 5.5.4"},
    {HELLO, "MAIL FROM:<a@x> ENVID=" X100, "250 2.1.0"},
    {HELLO, "MAIL FROM:<a@x> ENVID=" X100 "x", "501 5.5.4"},
    {HELLO, "MAIL FROM:<a@x> AUTH=<>", "250 2.1.0"},
    {HELLO, "MAIL FROM:<a@x> AUTH=e+3Dmc2@x", "250 2.1.0"},
    {HELLO, "MAIL FROM:<a@x> AUTH=+", "501 5.5.4"},
    {HELLO, "MAIL FROM:<a@x> NOTIFY=NEVER", "555 5.5.4"},
    {HELLO, "MAIL FROM:<a@x> X-WHAT", "555 5.5.4"},
    {HELLO, "MAIL FROM:<a@x> =", "555 5.5.4"},
    {HELLO, "RCPT TO:<b@x>", "503 5.5.1 MAIL first"},
    {HELLO, "DATA", "503 5.5.1 MAIL first"},

    {MAIL, "MAIL FROM:<a@x>", "503 5.5.1"},
    {MAIL, "DATA", "503 5.5.1 RCPT first"},
    {MAIL, "RCPT", "501 5.5.4"},
    {MAIL, "RCPT FROM:<b@x>", "501 5.5.4"},
    {MAIL, "RCPT TO:b@x", "501 5.5.4"},
    {MAIL, "RCPT TO:<>", "501 5.1.3"},
    {MAIL, "RCPT TO:<postmaster>", "250 2.1.5"},
    {MAIL, "RCPT TO:<Postmaster>", "250 2.1.5"},
    {MAIL, "RCPT TO:<root>", "250 2.1.5"},
    {MAIL, "RCPT TO:<-oQ/tmp@x>", "250 2.1.5"},
    {MAIL, "RCPT TO:<|id@x>", "250 2.1.5"},
    {MAIL, "RCPT TO:<a@x> <b@x>", "555 5.5.4"},
    {MAIL, "RCPT TO:<b@x y>", "501 5.1.3"},
    {MAIL, "RCPT TO:<\xc3\xbc@x>", "553 5.6.7"},
    {MAIL, "RCPT TO:<b@x> NOTIFY=NEVER", "250 2.1.5"},
    {MAIL, "RCPT TO:<b@x> notify=success,Failure,DELAY", "250 2.1.5"},
    {MAIL, "RCPT TO:<b@x> NOTIFY=", "501 5.5.4"},
    {MAIL, "RCPT TO:<b@x> NOTIFY", "501 5.5.4"},
    {MAIL, "RCPT TO:<b@x> NOTIFY=NEVER,DELAY", "501 5.5.4"},
    {MAIL, "RCPT TO:<b@x> NOTIFY=DELAY,", "501 5.5.4"},
    {MAIL, "RCPT TO:<b@x> NOTIFY=FAIL", "501 5.5.4"},
    {MAIL, "RCPT TO:<b@x> ORCPT=rfc822;b+2B1@x", "250 2.1.5"},
    {MAIL, "RCPT TO:<b@x> ORCPT=b@x", "501 5.5.4"},
    {MAIL, "RCPT TO:<b@x> ORCPT=;b@x", "501 5.5.4"},
    {MAIL, "RCPT TO:<b@x> ORCPT=rfc822;", "501 5.5.4"},
    {MAIL, "RCPT TO:<b@x> ORCPT=r c;b", "501 5.5.4"},
    {MAIL, "RCPT TO:<b@x> ORCPT=rfc822;b+0A", "501 5.5.4"},
    {MAIL, "RCPT TO:<b@x> ORCPT=\xc3\xbc;b", "501 5.5.4"},
    {MAIL, "RCPT TO:<b@x> ORCPT=rfc822;" X100 X100 X100 X100 X100, "501 5.5.4"},
    {MAIL, "RCPT TO:<b@x> SIZE=1", "555 5.5.4"},

    {RCPT, "MAIL FROM:<a@x>", "503 5.5.1"},
    {RCPT, "DATA now", "501 5.5.4"},
    {RCPT, "DATA", "354 "},
    {RCPT, "EHLO again", "250-box.example"},
    {RCPT "RSET\r\n", "DATA", "503 5.5.1 MAIL first"},
    {RCPT "EHLO again\r\n", "DATA", "503 5.5.1 MAIL first"},
    {RCPT "HELO again\r\n", "DATA", "503 5.5.1 MAIL first"},
    {RCPT, "RCPT TO:<b@b@b>\r\nDATA", "501 5.1.3 Bad recipient address\r\n354 "},
    {RCPT, "BDAT", "421 4.5.4"},
    {RCPT, "BDAT x", "421 4.5.4"},
    {RCPT, "BDAT -1", "421 4.5.4"},
    {RCPT, "BDAT 1 LAST x", "421 4.5.4"},
    {RCPT, "BDAT 1 FIRST", "421 4.5.4"},
    {RCPT, "BDAT 99999999999999999999", "421 4.5.4"},
    {RCPT, "BDAT 0 last", "250 2.0.0 Ok"},
    {RCPT, "BDAT 0", "250 2.0.0 0 octets received"},
    {RCPT "BDAT 0\r\n", "DATA", "503 5.5.1"},
    {RCPT "BDAT 0\r\n", "RCPT TO:<c@x>", "503 5.5.1"},
    {RCPT "BDAT 0\r\n", "MAIL FROM:<c@x>", "503 5.5.1"},
    {"", "BDAT 0", "503 5.5.1 EHLO"},
    {HELLO, "BDAT 0", "503 5.5.1 MAIL"},
    {MAIL, "BDAT 0", "503 5.5.1 RCPT"},
    {MAIL "BDAT 0\r\n", "RCPT TO:<b@x>", "503 5.5.1 RSET"},
    {MAIL "BDAT 0 LAST\r\n", "MAIL FROM:<b@x>", "250 2.1.0"},
};

static void
test_replies(void)
{
	for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
		const char *want = replies[i].reply;
		struct buf name = BUF_INIT(BIG);
		struct play p;

		escape(&name, replies[i].command, strlen(replies[i].command));
		start(&p, &plain);
		push(&p, replies[i].before, strlen(replies[i].before));
		buf_clear(&p.replies);
		push(&p, replies[i].command, strlen(replies[i].command));
		push(&p, "\r\n", 2);
		if (!ok(strncmp(buf_str(&p.replies), want, strlen(want)) == 0, "%.60s: %.9s",
			buf_str(&name), want))
			tap_quote("got", buf_str(&p.replies), p.replies.len);
		finish(&p);
		buf_free(&name);
	}
}

/* What a session says behind HELLO, octets as they are. */
static char *
session(const char *octets, size_t len)
{
	static char said[8192];
	struct play p;

	start(&p, &plain);
	push(&p, HELLO, strlen(HELLO));
	buf_clear(&p.replies);
	push(&p, octets, len);
	snprintf(said, sizeof(said), "%s", buf_str(&p.replies));
	finish(&p);
	return said;
}

static void
test_limits(void)
{
	static char line[5000];
	struct play p;

	is(session("NO\0OP\r\n", 7), "500 5.5.2 Control characters in a command\r\n", "NUL");
	memset(line, 'x', sizeof(line));
	memcpy(line, "NOOP ", 5);
	memcpy(line + SMTP_SERVER_LINE - 2, "\r\n", 2);
	is(session(line, SMTP_SERVER_LINE), "250 2.0.0 Ok\r\n", "the longest line");
	memset(line + SMTP_SERVER_LINE - 2, 'x', 2);
	memcpy(line + SMTP_SERVER_LINE - 1, "\r\nRSET\r\n", 8);
	is(session(line, SMTP_SERVER_LINE + 7),
	    "500 5.5.2 The line is too long\r\n250 2.0.0 Ok\r\n", "an octet more");
	memset(line + 1000, 'x', 2000);
	memcpy(line + 4000, "\r\nNOOP\r\n", 8);
	is(session(line, 4008), "500 5.5.2 The line is too long\r\n250 2.0.0 Ok\r\n",
	    "twice as long");
	memcpy(line + 3000, "\nQUIT\n", 6);
	is(session(line, 4008), "500 5.5.2 The line is too long\r\n250 2.0.0 Ok\r\n",
	    "bare LF in a long line");

	start(&p, &plain);
	push(&p, HELLO, strlen(HELLO));
	for (int i = 0; i < SMTP_SERVER_ERRORS - 1; i++)
		push(&p, "FOO\r\n", 5);
	ok(!p.over, "one mistake less");
	push(&p, RCPT "DATA\r\n.\r\n", strlen(RCPT "DATA\r\n.\r\n"));
	for (int i = 0; i < SMTP_SERVER_ERRORS - 1; i++)
		push(&p, "RSET x\r\n", 8);
	ok(!p.over, "an accepted message forgives");
	buf_clear(&p.replies);
	push(&p, "FOO\r\nNOOP\r\n", 11);
	ok(p.over, "the last mistake");
	ok(strncmp(buf_str(&p.replies), "421 4.7.0 ", 10) == 0 &&
		strchr(p.replies.data, '\n')[1] == '\0',
	    "… ends the session");
	finish(&p);
}

static void
test_recipients(void)
{
	struct envelope *e;
	struct play p;
	char line[1000], orcpt[481];
	unsigned n = 0;

	start(&p, &plain);
	push(&p, MAIL, strlen(MAIL));
	for (unsigned i = 0; i <= ENVELOPE_RCPT_MAX; i++) {
		int len = snprintf(line, sizeof(line), "RCPT TO:<r%u@x>\r\n", i);
		buf_clear(&p.replies);
		push(&p, line, (size_t)len);
		n += strcmp(buf_str(&p.replies), "250 2.1.5 Ok\r\n") == 0;
	}
	is_int(n, ENVELOPE_RCPT_MAX, "so many recipients and no more");
	ok(strncmp(buf_str(&p.replies), "452 4.5.3", 9) == 0, "452 for the next");
	push(&p, "DATA\r\n", 6);
	e = smtp_server_envelope(p.server);
	is_int((long long)e->nrcpt, ENVELOPE_RCPT_MAX, "all of them are different");
	is(e->rcpt[ENVELOPE_RCPT_MAX - 1].address, "r49999@x", "in their order");
	finish(&p);

	start(&p, &plain);
	push(&p, MAIL, strlen(MAIL));
	memset(orcpt, 'o', 480);
	orcpt[480] = '\0';
	do {
		int len = snprintf(line, sizeof(line),
		    "RCPT TO:<r%u@x> NOTIFY=SUCCESS,FAILURE,DELAY ORCPT=rfc822;%s\r\n", n++, orcpt);
		buf_clear(&p.replies);
		push(&p, line, (size_t)len);
	} while (p.replies.data[0] == '2');
	ok(strncmp(buf_str(&p.replies), "452 4.5.3", 9) == 0, "452 before the head is too large");
	push(&p, "DATA\r\n", 6);
	struct buf head = BUF_INIT(ENVELOPE_HEAD_MAX);
	envelope_print(&head, smtp_server_envelope(p.server));
	ok(head.error == 0 && head.len > ENVELOPE_HEAD_MAX / 10 * 9, "it fits");
	buf_free(&head);
	finish(&p);
}

/* What is the caller's to call. */
static void
test_caller(void)
{
	char text[2000];
	struct play p;

	start(&p, &plain);
	ok(!smtp_server_in_message(p.server), "no message");
	is(smtp_server_doing(p.server), "CONNECT", "doing nothing");
	push(&p, RCPT "DATA\r\nx", strlen(RCPT "DATA\r\nx"));
	ok(smtp_server_in_message(p.server), "in a message");
	is(smtp_server_doing(p.server), "DATA", "doing DATA");
	is(smtp_server_helo(p.server), "c", "its name");
	buf_clear(&p.replies);
	smtp_server_close(p.server, "4.4.2 box.example timed out");
	p.in_message = false;
	push(&p, "NOOP\r\n", 6);
	is(buf_str(&p.replies), "421 4.4.2 box.example timed out\r\n", "closed from this side");
	ok(p.over, "… and over");
	finish(&p);

	start(&p, &plain);
	push(&p, RCPT "BDAT 5\r\nhel", strlen(RCPT "BDAT 5\r\nhel"));
	ok(smtp_server_in_message(p.server), "in a chunk");
	push(&p, "lo", 2);
	ok(smtp_server_in_message(p.server), "between chunks");
	push(&p, "RSET\r\n", 6);
	ok(!smtp_server_in_message(p.server), "after RSET");
	buf_clear(&p.replies);
	push(&p, RCPT "DATA\r\n", strlen(RCPT "DATA\r\n"));
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	memcpy(text, "5.6.0 a\r\n250 b\x1b[0m", 18);
	smtp_server_answer(p.server, 554, text);
	p.in_message = false;
	buf_clear(&p.replies);
	push(&p, "x\r\n.\r\n", 6);
	ok(replies_are_smtp(&p.replies) && strchr(p.replies.data, '\n')[1] == '\0' &&
		strncmp(p.replies.data, "554 5.6.0 a 250 b?[0m", 21) == 0,
	    "a foreign text is cleaned and cut");
	finish(&p);
}

int
main(void)
{
	srand(1);
	test_replies();
	test_limits();
	test_recipients();
	test_caller();
	return done();
}
