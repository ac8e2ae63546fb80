/* SPDX-License-Identifier: ISC */
#include "mail/reply.h"

#include "tap.h"

static const struct {
	const char *name;
	const char *lines[5];
	enum reply_event last; /* all before it: REPLY_MORE */
	int code;
	const char *status, *text;
} cases[] = {
    {"one line", {"250 ok"}, REPLY_DONE, 250, "0.0.0", "250 ok"},
    {"code alone", {"354"}, REPLY_DONE, 354, "0.0.0", "354"},
    {"code and space", {"354 "}, REPLY_DONE, 354, "0.0.0", "354"},
    {"enhanced code", {"550 5.1.1 who?"}, REPLY_DONE, 550, "5.1.1", "550 5.1.1 who?"},
    {"enhanced code alone", {"250 2.1.5"}, REPLY_DONE, 250, "2.1.5", "250 2.1.5"},
    {"longest enhanced code", {"550 5.123.456 x"}, REPLY_DONE, 550, "5.123.456", "550 5.123.456 x"},
    {"enhanced code too long", {"550 5.1.4567 x"}, REPLY_DONE, 550, "0.0.0", "550 5.1.4567 x"},
    {"lines", {"250-first", "250-", "250 second"}, REPLY_DONE, 250, "0.0.0", "250 first second"},
    {"code on each line", {"550-5.1.1 first line", "550 5.1.1 second line"}, REPLY_DONE, 550,
	"5.1.1", "550 5.1.1 first line second line"},
    {"another code stays", {"550-5.1.1 a", "550-5.7.1", "550 5.7.1 b"}, REPLY_DONE, 550, "5.1.1",
	"550 5.1.1 a 5.7.1 5.7.1 b"},
    {"last line is the code", {"220-a", "220"}, REPLY_DONE, 220, "0.0.0", "220 a"},
    {"foreign octets", {"550 \x1b[2J\xe9\xc3\xa9"}, REPLY_DONE, 550, "0.0.0", "550 ?[2J?\xc3\xa9"},
    {"unfinished", {"250-a", "250-b"}, REPLY_MORE, 250, "0.0.0", "250 a b"},
    {"empty", {""}, REPLY_BAD, 0, NULL, NULL},
    {"two digits", {"25 ok"}, REPLY_BAD, 0, NULL, NULL},
    {"four digits", {"2500 ok"}, REPLY_BAD, 0, NULL, NULL},
    {"letters", {"hello"}, REPLY_BAD, 0, NULL, NULL},
    {"1xx", {"100 continue"}, REPLY_BAD, 0, NULL, NULL},
    {"6xx", {"600 what"}, REPLY_BAD, 0, NULL, NULL},
    {"other separator", {"250_ok"}, REPLY_BAD, 0, NULL, NULL},
    {"HTTP", {"HTTP/1.1 200 OK"}, REPLY_BAD, 0, NULL, NULL},
    {"leading space", {" 250 ok"}, REPLY_BAD, 0, NULL, NULL},
    {"code changes", {"250-a", "251 b"}, REPLY_BAD, 0, NULL, NULL},
    {"CR inside", {"250 a\rb"}, REPLY_BAD, 0, NULL, NULL},
};

static void
test_cases(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct reply r;
		char text[STATUS_LEN];
		enum reply_event ev = REPLY_MORE;
		bool before = true;

		reply_init(&r);
		for (const char *const *l = cases[i].lines; *l != NULL; l++) {
			before = before && ev == REPLY_MORE;
			ev = reply_push(&r, *l, strlen(*l));
		}
		ok(before && ev == cases[i].last, "%s", cases[i].name);
		if (ev == REPLY_BAD)
			continue;
		is_int(r.code, cases[i].code, "… code");
		is(status_print(text, r.status), cases[i].status, "… enhanced code");
		is(r.text, cases[i].text, "… text");
		is_int((long long)r.len, (long long)strlen(r.text), "… length");
	}
}

static void
test_limits(void)
{
	static char line[REPLY_LINE + 1];
	struct reply r;
	unsigned more = 0;

	memset(line, 'x', sizeof(line));
	memcpy(line, "250 ", 4);
	reply_init(&r);
	ok(reply_push(&r, line, REPLY_LINE) == REPLY_DONE, "longest line");
	ok(r.len == strlen(r.text) && r.len == REPLY_TEXT - 1, "… its text is cut");
	reply_init(&r);
	ok(reply_push(&r, line, REPLY_LINE + 1) == REPLY_BAD, "one octet more");

	reply_init(&r);
	while (more < REPLY_LINES && reply_push(&r, "250-x", 5) == REPLY_MORE)
		more++;
	is_int(more, REPLY_LINES, "most lines");
	ok(reply_push(&r, "250 x", 5) == REPLY_BAD, "one line more");
	ok(r.len == strlen(r.text) && r.len < REPLY_TEXT, "… its text is bounded");

	reply_init(&r);
	ok(reply_push(&r, "250 a\0b", 7) == REPLY_BAD, "NUL");
	reply_init(&r);
	ok(reply_push(&r, "250 a\nb", 7) == REPLY_BAD, "LF");
}

static void
test_line_text(void)
{
	size_t len;
	const char *text = reply_line_text("250-SIZE 10", 11, &len);

	is_mem(text, len, "SIZE 10", 7, "text of a line");
	text = reply_line_text("250", 3, &len);
	is_mem(text, len, "", 0, "… of a short one");
	text = reply_line_text("250-", 4, &len);
	is_mem(text, len, "", 0, "… of an empty one");
	text = reply_line_text("", 0, &len);
	is_mem(text, len, "", 0, "… of none");
}

int
main(void)
{
	test_cases();
	test_limits();
	test_line_text();
	return done();
}
