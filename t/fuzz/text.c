/* SPDX-License-Identifier: ISC */
/*
 * text: foreign text on its way to a log, a terminal, JSON. What is cleaned is clean, and stays as it
 * is when it is cleaned again; a JSON string is one, in UTF-8, and says what the text said.
 */
#include "fuzz.h"
#include "mail/json.h"
#include "mail/status.h"
#include "mail/submission.h"
#include "mail/words.h"
#include "sys/log_json.h"

static void
check_clean(const char *data, size_t len, size_t room)
{
	char *dst = malloc(room), *again = malloc(room);

	CHECK(dst != NULL && again != NULL);
	text_clean(dst, room, data, len);
	CHECK(strlen(dst) < room && fuzz_is_clean(dst, strlen(dst)));
	text_clean(again, room, dst, strlen(dst));
	CHECK(strcmp(dst, again) == 0);
	free(dst);
	free(again);
}

static unsigned
hex(const char *s)
{
	char digits[5] = {s[0], s[1], s[2], s[3], '\0'}, *end;
	unsigned n = (unsigned)strtoul(digits, &end, 16);

	CHECK(end == digits + 4);
	return n;
}

/* The string at s (RFC 8259 7), of which only the escapes come that json.c makes: its octets. */
static size_t
parse_string(const char *s, size_t len, struct buf *out)
{
	size_t i = 1;

	CHECK(len >= 2 && s[0] == '"');
	for (; i < len && s[i] != '"'; i++) {
		CHECK((unsigned char)s[i] >= 0x20);
		if (s[i] != '\\') {
			buf_addc(out, s[i]);
		} else if (s[++i] != 'u') {
			CHECK(s[i] == '"' || s[i] == '\\');
			buf_addc(out, s[i]);
		} else {
			unsigned c = hex(s + i + 1);

			CHECK(c < 0x80 || c == 0xfffd);
			if (c < 0x80)
				buf_addc(out, (char)c);
			else
				buf_adds(out, "\xef\xbf\xbd");
			i += 4;
		}
	}
	CHECK(i < len);
	return i + 1;
}

static void
check_json(const char *text)
{
	struct buf json = BUF_INIT(FUZZ_MAX), back = BUF_INIT(FUZZ_MAX);

	json_string(&json, text);
	CHECK(fuzz_is_utf8(json.data, json.len));
	CHECK(parse_string(json.data, json.len, &back) == json.len);
	CHECK(!fuzz_is_utf8(text, strlen(text)) || strcmp(buf_str(&back), text) == 0);
	buf_free(&json);
	buf_free(&back);
}

/* One object a line, whatever the line of the log says. */
static void
check_log(const char *text)
{
	struct buf json = BUF_INIT(FUZZ_MAX), string = BUF_INIT(FUZZ_MAX);
	const struct log_line l = {.when = 1790000000123456,
	    .host = "h.x.example",
	    .program = "pillarbox/smtp",
	    .pid = 1,
	    .text = text};

	log_json(&json, &l);
	CHECK(json.error == 0 && fuzz_is_utf8(json.data, json.len));
	CHECK(json.data[0] == '{' && json.data[json.len - 1] == '}');
	for (size_t at = 1; at < json.len - 1;)
		if (json.data[at] == '"')
			at += parse_string(json.data + at, json.len - at, &string);
		else
			CHECK(strchr(",:-.0123456789", json.data[at++]) != NULL);
	buf_free(&json);
	buf_free(&string);
}

/* A display name is one phrase in a header, whatever it is. */
static void
check_phrase(const char *name)
{
	struct buf out = BUF_INIT(FUZZ_MAX);

	submission_phrase(&out, name);
	CHECK(out.error == 0);
	for (size_t i = 0; i < out.len; i++) {
		unsigned char c = (unsigned char)out.data[i];

		CHECK(c < 0x80 && (c >= ' ' || c == '\r' || c == '\n' || c == '\t'));
		CHECK(c != '\r' || out.data[i + 1] == '\n');
		CHECK(c != '\n' || (out.data[i - 1] == '\r' &&
				       (out.data[i + 1] == ' ' || out.data[i + 1] == '\t')));
	}
	buf_free(&out);
}

static void
check_words(const char *text)
{
	struct buf out = BUF_INIT(FUZZ_MAX);

	words_decode(&out, text);
	CHECK(out.error == 0 && out.len <= 2 * strlen(text));
	CHECK(strstr(text, "=?") != NULL || strcmp(buf_str(&out), text) == 0);
	buf_free(&out);
}

static void
check_status(const char *text)
{
	struct status st = STATUS(0, 0, 0), again = STATUS(0, 0, 0);
	char printed[STATUS_LEN];
	size_t n = status_parse(&st, text);

	CHECK(n <= strlen(text) && n < STATUS_LEN);
	if (n == 0)
		return;
	CHECK(status_parse(&again, status_print(printed, st)) == strlen(printed));
	CHECK(again.class == st.class && again.subject == st.subject && again.detail == st.detail);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz f = fuzz_start(data, size);
	size_t room = 1 + fuzz_choose(&f, 256);
	char *text;

	check_clean(f.data, f.len, room);
	text = fuzz_string(&f);
	check_json(text);
	check_log(text);
	check_phrase(text);
	check_words(text);
	check_status(text);
	free(text);
	return 0;
}
