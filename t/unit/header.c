/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdlib.h>

#include "mail/header.h"
#include "tap.h"

/*
 * The lines of input, ended by LF; what comes out is a trace: [field] with "|" for CRLF, then
 * how it ended: END, BODY:line, EOF, HUGE.
 */
static const struct {
	const char *name, *input, *expected;
} rows[] = {
    {"one field", "To: a\n\nx\n", "[To: a]END"},
    {"two fields", "To: a\nSubject: b\n\n", "[To: a][Subject: b]END"},
    {"folds", "To: a,\n b,\n\tc\nCc: d\n\n", "[To: a,| b,|\tc][Cc: d]END"},
    {"a fold of white space", "To: a\n \t\n b\n\n", "[To: a| \t| b]END"},
    {"a fold of white space last", "To: a\n \n\n", "[To: a| ]END"},
    {"no empty line", "To: a\nhello world\n", "[To: a]BODY:hello world"},
    {"no header", "hello world\nTo: a\n", "BODY:hello world"},
    {"no header, indented", " To: a\n", "BODY: To: a"},
    {"nothing", "", "EOF"},
    {"only an empty line", "\nTo: a\n", "END"},
    {"end of input", "To: a\nCc: b\n", "[To: a][Cc: b]EOF"},
    {"mbox", "From root Mon Nov 23\nTo: a\n\n", "[To: a]END"},
    {"quoted mbox", ">From root Mon Nov 23\nTo: a\n\n", "[To: a]END"},
    {"a field, not an mbox line", "From : a@b\n\n", "[From : a@b]END"},
    {"mbox line only", "From root\n", "EOF"},
    {"mbox then body", "From root\n hello\n", "BODY: hello"},
    {"mbox line later", "To: a\nFrom root\n", "[To: a]BODY:From root"},
    {"a second mbox line", "From a\n>From b\n", "BODY:>From b"},
    {"From: is no mbox line", "From: a\n\n", "[From: a]END"},
    {"space before the colon", "To : a\nCc \t: b\n\n", "[To : a][Cc \t: b]END"},
    {"no value", "To:\nCc: \n\n", "[To:][Cc: ]END"},
    {"no name", ": a\n", "BODY:: a"},
    {"a space in a name", "T o: a\n", "BODY:T o: a"},
    {"a name with 8 bits", "T\xc3\xb6: a\n", "BODY:T\xc3\xb6: a"},
    {"a name with DEL", "T\x7f: a\n", "BODY:T\x7f: a"},
    {"a name with a control", "T\x01: a\n", "BODY:T\x01: a"},
    {"odd names", "!#$%&'*~;<>@[]: a\n\n", "[!#$%&'*~;<>@[]: a]END"},
    {"colons in a value", "Subject: a: b\n\n", "[Subject: a: b]END"},
    {"8 bits in a value", "Subject: \xc3\xb6\xff\n\n", "[Subject: \xc3\xb6\xff]END"},
};

static void
trace(const char *input, struct buf *out)
{
	enum header_event ev = HEADER_MORE;
	const char *line = input, *lf = input;
	struct header h;

	header_init(&h);
	while (*line != '\0' && (ev == HEADER_MORE || ev == HEADER_FIELD)) {
		lf = strchr(line, '\n');
		ev = header_push(&h, line, (size_t)(lf - line));
		if (ev == HEADER_MORE)
			line = lf + 1;
		else if (ev == HEADER_FIELD)
			buf_addf(out, "[%s]", buf_str(&h.field.text));
	}
	if (ev == HEADER_END) {
		buf_adds(out, "END");
	} else if (ev == HEADER_BODY) {
		buf_addf(out, "BODY:%.*s", (int)(lf - line), line);
	} else if (ev == HEADER_MORE) {
		while (header_finish(&h) == HEADER_FIELD)
			buf_addf(out, "[%s]", buf_str(&h.field.text));
		buf_adds(out, "EOF");
	}
	header_free(&h);
}

static void
table(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct buf out = BUF_INIT(4096), flat = BUF_INIT(4096);

		trace(rows[i].input, &out);
		for (size_t k = 0; k < out.len; k++) {
			if (out.data[k] == '\r' && out.data[k + 1] == '\n') {
				buf_addc(&flat, '|');
				k++;
			} else {
				buf_addc(&flat, out.data[k]);
			}
		}
		is(buf_str(&flat), rows[i].expected, rows[i].name);
		buf_free(&out);
		buf_free(&flat);
	}
}

static const struct {
	const char *line;
	enum header_name expected;
	size_t value;
} names[] = {
    {"To: a", HEADER_TO, 3},
    {"tO:a", HEADER_TO, 3},
    {"To \t : a", HEADER_TO, 6},
    {"Toe: a", HEADER_OTHER, 4},
    {"T: a", HEADER_OTHER, 2},
    {"APPARENTLY-TO: a", HEADER_APPARENTLY_TO, 14},
    {"Message-Id: a", HEADER_MESSAGE_ID, 11},
    {"Resent-Message-Id: a", HEADER_RESENT_MESSAGE_ID, 18},
    {"X-Other: a", HEADER_OTHER, 8},
};

static void
lookups(void)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		struct header h;

		header_init(&h);
		header_push(&h, names[i].line, strlen(names[i].line));
		ok(header_finish(&h) == HEADER_FIELD && h.field.name == names[i].expected &&
			h.field.value == names[i].value,
		    "name and value of \"%s\"", names[i].line);
		header_free(&h);
	}
	for (int i = HEADER_APPARENTLY_TO; i <= HEADER_TO; i++) {
		const char *s = header_spelling((enum header_name)i);

		if (s == NULL || header_lookup(s, strlen(s)) != (enum header_name)i)
			ok(false, "table row %d", i);
	}
	is(header_spelling(HEADER_OTHER), "", "the others have no spelling");
	is_int(header_lookup("", 0), HEADER_OTHER, "the empty name");
	ok(header_has_addresses(HEADER_RESENT_CC), "Resent-Cc has addresses");
	ok(!header_has_addresses(HEADER_RETURN_PATH), "Return-Path is not qualified");
	ok(!header_has_addresses(HEADER_OTHER), "others have none");
}

static void
huge(void)
{
	static char line[65536];
	enum header_event ev = HEADER_MORE;
	struct header h;
	size_t n = 0;

	memset(line, ' ', sizeof(line));
	header_init(&h);
	header_push(&h, "To: a", 5);
	while (ev == HEADER_MORE && n++ < 100)
		ev = header_push(&h, line, sizeof(line));
	is_int(ev, HEADER_HUGE, "a huge field is refused");
	is_int((long long)n, HEADER_FIELD_MAX / sizeof(line), "at its maximum");
	is_int(h.field.text.error, EMSGSIZE, "for its size");
	header_free(&h);
}

/* Random lines: every octet of a line that was taken comes out again, in order. */
static void
random_lines(void)
{
	static const char alphabet[] = "To: \t,ax:\x80\0";
	struct buf in = BUF_INIT(1 << 16), out = BUF_INIT(1 << 16);
	size_t wrong = 0;

	srand(1);
	for (int round = 0; round < 20000; round++) {
		enum header_event ev = HEADER_MORE;
		struct header h;

		buf_clear(&in);
		buf_clear(&out);
		header_init(&h);
		while (ev == HEADER_MORE && in.len < 500) {
			size_t len = (size_t)rand() % 12;
			char *line = malloc(len + 1);

			for (size_t i = 0; i < len; i++)
				line[i] = alphabet[(size_t)rand() % (sizeof(alphabet) - 1)];
			while ((ev = header_push(&h, line, len)) == HEADER_FIELD) {
				buf_add(&out, h.field.text.data, h.field.text.len);
				buf_adds(&out, "\r\n");
			}
			if (ev == HEADER_MORE) {
				buf_add(&in, line, len);
				buf_adds(&in, "\r\n");
			}
			free(line);
		}
		if (ev == HEADER_MORE && header_finish(&h) == HEADER_FIELD) {
			buf_add(&out, h.field.text.data, h.field.text.len);
			buf_adds(&out, "\r\n");
		}
		wrong += header_finish(&h) != HEADER_END;
		wrong += in.len != out.len || memcmp(buf_str(&in), buf_str(&out), in.len) != 0;
		header_free(&h);
	}
	is_int((long long)wrong, 0, "random lines come out as they went in");
	buf_free(&in);
	buf_free(&out);
}

int
main(void)
{
	table();
	lookups();
	huge();
	random_lines();
	return done();
}
