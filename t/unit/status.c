/* SPDX-License-Identifier: ISC */
#include "mail/status.h"

#include "mail/reply.h"
#include "tap.h"

static const struct {
	const char *name, *input;
	size_t len;
	const char *printed;
} parses[] = {
    {"success", "2.0.0 Ok", 5, "2.0.0"},
    {"at the end", "5.1.1", 5, "5.1.1"},
    {"three digits each", "4.999.123 x", 9, "4.999.123"},
    {"class 3 is none", "3.0.0", 0, ""},
    {"class 1 is none", "1.0.0", 0, ""},
    {"four digits", "5.1.1000", 0, ""},
    {"no detail", "5.1. x", 0, ""},
    {"no subject", "5..1", 0, ""},
    {"two parts", "5.1 x", 0, ""},
    {"glued", "5.1.1x", 0, ""},
    {"an address", "5.1.1.2", 0, ""},
    {"empty", "", 0, ""},
    {"class alone", "5", 0, ""},
};

static void
test_parse(void)
{
	for (size_t i = 0; i < sizeof(parses) / sizeof(parses[0]); i++) {
		struct status st = STATUS(9, 9, 9);
		char text[STATUS_LEN];
		size_t len = status_parse(&st, parses[i].input);

		is_int((long long)len, (long long)parses[i].len, parses[i].name);
		if (len > 0)
			is(status_print(text, st), parses[i].printed, parses[i].name);
		else
			is_int(st.class, 9, "… is left alone");
	}
}

static const struct {
	const char *name;
	enum stage stage;
	const char *line;
	const char *status;
	enum scope scope;
	const char *text;
} judgements[] = {
    {"delivered", STAGE_DOT, "250 2.0.0 Ok: queued as X", "2.0.0", SCOPE_MESSAGE,
	"250 2.0.0 Ok: queued as X"},
    {"delivered, no code", STAGE_DOT, "250 ok", "2.0.0", SCOPE_MESSAGE, "250 ok"},
    {"unknown recipient", STAGE_RCPT, "550 5.1.1 who?", "5.1.1", SCOPE_RECIPIENT,
	"host mx[1.2.3.4] said: 550 5.1.1 who? (in reply to RCPT TO command)"},
    {"recipient later", STAGE_RCPT, "450 4.2.0 greylisted", "4.2.0", SCOPE_RECIPIENT, NULL},
    {"recipient later, no code", STAGE_RCPT, "450 busy", "4.2.0", SCOPE_RECIPIENT, NULL},
    {"too many recipients, 452", STAGE_RCPT, "452 too many", "4.5.3", SCOPE_RECIPIENT, NULL},
    {"too many recipients, 552", STAGE_RCPT, "552 too many", "4.5.3", SCOPE_RECIPIENT, NULL},
    {"552 with a code", STAGE_RCPT, "552 5.2.2 full", "4.2.2", SCOPE_RECIPIENT, NULL},
    {"552 to the dot is final", STAGE_DOT, "552 too big", "5.3.4", SCOPE_MESSAGE,
	"host mx[1.2.3.4] said: 552 too big (in reply to end of DATA command)"},
    {"class does not agree", STAGE_RCPT, "550 4.7.1 hm", "5.0.0", SCOPE_RECIPIENT, NULL},
    {"sender refused", STAGE_MAIL, "553 5.1.8 no", "5.1.8", SCOPE_MESSAGE, NULL},
    {"DATA refused", STAGE_DATA, "554 5.5.1 no", "5.5.1", SCOPE_MESSAGE, NULL},
    {"message refused", STAGE_DOT, "554 5.7.1 spam", "5.7.1", SCOPE_MESSAGE, NULL},
    {"refused half way", STAGE_BODY, "552 5.3.4 big", "5.3.4", SCOPE_MESSAGE,
	"host mx[1.2.3.4] said: 552 5.3.4 big (in reply to message content)"},
    {"421 to RCPT", STAGE_RCPT, "421 4.3.2 bye", "4.3.2", SCOPE_DESTINATION, NULL},
    {"421 to the dot, no code", STAGE_DOT, "421 bye", "4.3.2", SCOPE_DESTINATION, NULL},
    {"greeting 554", STAGE_GREETING, "554 5.7.1 blocked", "4.7.1", SCOPE_DESTINATION,
	"host mx[1.2.3.4] refused to talk to me: 554 5.7.1 blocked"},
    {"EHLO 550", STAGE_EHLO, "550 no", "4.5.0", SCOPE_DESTINATION, NULL},
    {"STARTTLS 502", STAGE_STARTTLS, "502 no", "4.5.1", SCOPE_DESTINATION, NULL},
    {"AUTH 535", STAGE_AUTH, "535 5.7.8 wrong", "4.7.8", SCOPE_DESTINATION,
	"host mx[1.2.3.4] said: 535 5.7.8 wrong (in reply to AUTH command)"},
    {"AUTH 535, no code", STAGE_AUTH, "535 wrong", "4.7.8", SCOPE_DESTINATION, NULL},
    {"RSET 500", STAGE_RSET, "500 what", "4.5.2", SCOPE_DESTINATION, NULL},
    {"MAIL 530: log in first", STAGE_MAIL, "530 5.7.0 login", "4.7.0", SCOPE_DESTINATION, NULL},
    {"MAIL 503: out of order", STAGE_MAIL, "503 EHLO first", "4.5.1", SCOPE_DESTINATION, NULL},
    {"RCPT 503", STAGE_RCPT, "503 MAIL first", "4.5.1", SCOPE_MESSAGE, NULL},
};

static struct outcome
judge(enum stage stage, const char *line, const char *host)
{
	struct reply r;

	reply_init(&r);
	reply_push(&r, line, strlen(line));
	return status_judge(stage, &r, host);
}

static void
test_judge(void)
{
	for (size_t i = 0; i < sizeof(judgements) / sizeof(judgements[0]); i++) {
		struct outcome o = judge(judgements[i].stage, judgements[i].line, "mx[1.2.3.4]");
		char text[STATUS_LEN];

		is(status_print(text, o.status), judgements[i].status, judgements[i].name);
		is_int(o.scope, judgements[i].scope, "… scope");
		is_int(o.stage, judgements[i].stage, "… stage");
		if (judgements[i].text != NULL)
			is(o.text, judgements[i].text, "… text");
	}
}

/* Before MAIL nothing is permanent, whatever the code. */
static void
test_site(void)
{
	static const enum stage site[] = {
	    STAGE_GREETING, STAGE_EHLO, STAGE_STARTTLS, STAGE_AUTH, STAGE_RSET};
	unsigned bad = 0;

	for (size_t i = 0; i < sizeof(site) / sizeof(site[0]); i++) {
		for (int code = 300; code < 600; code++) {
			char line[32];
			struct outcome o;

			snprintf(line, sizeof(line), "%d 5.7.1 no", code);
			o = judge(site[i], line, "h");
			bad += o.status.class != 4 || o.scope != SCOPE_DESTINATION;
		}
	}
	is_int(bad, 0, "site trouble is never permanent");
}

static void
test_long(void)
{
	char line[2000], host[1000];
	struct outcome o;
	const char *tail = " (in reply to end of DATA command)";

	memset(line, 'x', sizeof(line));
	memcpy(line, "554 ", 4);
	line[sizeof(line) - 1] = '\0';
	memset(host, 'h', sizeof(host));
	host[sizeof(host) - 1] = '\0';
	o = judge(STAGE_DOT, line, host);
	ok(strlen(o.text) > 400 && strlen(o.text) < OUTCOME_TEXT, "a long reply is cut");
	is(o.text + strlen(o.text) - strlen(tail), tail, "… and the command stays");
}

static const struct {
	const char *name, *input;
	size_t len, size;
	const char *output;
} cleanings[] = {
    {"plain", "plain ~text", 11, 99, "plain ~text"},
    {"C0, DEL", "a\x1b[31m\x07\x7f\tb", 10, 99, "a?[31m???b"},
    {"NUL", "a\0b", 3, 99, "a?b"},
    {"CR LF", "a\r\nb\r\n\r\nc", 9, 99, "a b  c"},
    {"CR or LF alone", "a\rb\nc\r", 6, 99, "a?b?c?"},
    {"UTF-8", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x93\xae", 9, 99,
	"\xc3\xa9\xe2\x82\xac\xf0\x9f\x93\xae"},
    {"C1", "a\xc2\x85\xc2\x9f\xc2\xa0", 7, 99, "a??\xc2\xa0"},
    {"turns of direction", "\xe2\x80\xaa\xe2\x80\xae\xe2\x81\xa6\xe2\x81\xa9", 12, 99, "????"},
    {"line ends", "\xe2\x80\xa8\xe2\x80\xa9", 6, 99, "??"},
    {"beside them", "\xe2\x80\xa7\xe2\x80\xaf\xe2\x81\xa5\xe2\x81\xaa", 12, 99,
	"\xe2\x80\xa7\xe2\x80\xaf\xe2\x81\xa5\xe2\x81\xaa"},
    {"Latin-1", "caf\xe9!", 5, 99, "caf?!"},
    {"overlong", "\xc0\xaf\xe0\x80\xaf", 5, 99, "?????"},
    {"surrogate", "\xed\xa0\x80", 3, 99, "???"},
    {"beyond Unicode", "\xf4\x90\x80\x80", 4, 99, "????"},
    {"cut off", "a\xe2\x82", 3, 99, "a??"},
    {"ends at a character", "ab\xe2\x82\xac", 5, 5, "ab"},
    {"fits", "ab\xe2\x82\xac", 5, 6, "ab\xe2\x82\xac"},
    {"size 1", "abc", 3, 1, ""},
};

static void
test_clean(void)
{
	for (size_t i = 0; i < sizeof(cleanings) / sizeof(cleanings[0]); i++) {
		char dst[100] = "untouched";

		text_clean(dst, cleanings[i].size, cleanings[i].input, cleanings[i].len);
		is(dst, cleanings[i].output, cleanings[i].name);
	}
}

static void
test_trouble(void)
{
	struct outcome o = status_trouble(
	    STAGE_TLS, SCOPE_DESTINATION, STATUS(5, 7, 5), "bad\r\n%s\x1b", "certificate");

	is_int(o.status.class, 4, "trouble is always for now");
	is(o.text, "bad certificate?", "… and its text is clean");
	for (int i = STAGE_CONFIG; i <= STAGE_QUIT; i++)
		ok(stage_words((enum stage)i) != NULL, "stage %d has words", i);
}

int
main(void)
{
	test_parse();
	test_judge();
	test_site();
	test_long();
	test_clean();
	test_trouble();
	return done();
}
