/* SPDX-License-Identifier: ISC */
#include "mail/json.h"

#include "tap.h"

static const struct {
	const char *text, *wanted;
} strings[] = {
    {"", "\"\""},
    {"plain", "\"plain\""},
    {"a \"b\" \\ c", "\"a \\\"b\\\" \\\\ c\""},
    {"\x1b[1m\t\n\x7f", "\"\\u001b[1m\\u0009\\u000a\\u007f\""},
    {"Grüße", "\"Grüße\""},
    {"\xff\xc3", "\"\\ufffd\\ufffd\""},
};

int
main(void)
{
	struct buf out = BUF_INIT(4096);

	for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
		buf_clear(&out);
		json_string(&out, strings[i].text);
		is(buf_str(&out), strings[i].wanted, strings[i].wanted);
	}
	buf_clear(&out);
	buf_addc(&out, '{');
	json_member(&out, "a", "b");
	json_number(&out, "n", -5);
	buf_addc(&out, '}');
	is(buf_str(&out), "{\"a\":\"b\",\"n\":-5}", "an object");
	buf_free(&out);
	return done();
}
