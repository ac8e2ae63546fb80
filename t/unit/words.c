/* SPDX-License-Identifier: ISC */
#include "mail/words.h"

#include <stdlib.h>

#include "tap.h"

static const struct {
	const char *text, *want;
} rows[] = {
    {"", ""},
    {"plain text", "plain text"},
    {"=?utf-8?q?gr=C3=BCn?=", "gr\303\274n"},
    {"=?UTF-8?B?Z3LDvG4=?= Haus", "gr\303\274n Haus"},
    {"=?utf-8?b?Z3LDvG4?=", "gr\303\274n"},
    {"=?iso-8859-1?Q?gr=FCn_und_blau?=", "gr\303\274n und blau"},
    {"=?us-ascii*en?q?a_b?=", "a b"},
    {"=?utf-8?q?a=C3?= \r\n =?utf-8?q?=BCb?= c", "a\303\274b c"},
    {"a =?utf-8?q?b?=  c", "a b  c"},
    {"=?koi8-r?q?=C1?= x", "=?koi8-r?q?=C1?= x"},
    {"=?utf-8?x?abc?=", "=?utf-8?x?abc?="},
    {"=?utf-8?q?a=4?=", "=?utf-8?q?a=4?="},
    {"=?utf-8?q?a=GG?=", "=?utf-8?q?a=GG?="},
    {"=?utf-8?b?a$b?=", "=?utf-8?b?a$b?="},
    {"=?utf-8?q?no end", "=?utf-8?q?no end"},
    {"=?utf-8?q?a?= =?koi8-r?q?b?=", "a=?koi8-r?q?b?="},
    {"=?", "=?"},
    {"=??q?a?=", "=??q?a?="},
    {"=?utf-8?", "=?utf-8?"},
    {"=?utf-8?q", "=?utf-8?q"},
    {"=?utf-8?q?", "=?utf-8?q?"},
    {"=?utf-8?q?a?", "=?utf-8?q?a?"},
    {"=?utf-8?q?=07x?=y", "\axy"},
};

/* Whatever comes: no read outside (ASan sees it), and it ends. */
static void
test_noise(void)
{
	static const char alphabet[] = "=??uUtTfF-8qQbB_ \t\r\nA4\303\274";
	unsigned seed = 7;

	for (int i = 0; i < 100000; i++) {
		size_t len = (size_t)rand_r(&seed) % 40;
		char *text = malloc(len + 1);
		struct buf out = BUF_INIT(64);
		for (size_t j = 0; j < len; j++)
			text[j] = alphabet[(size_t)rand_r(&seed) % (sizeof(alphabet) - 1)];
		text[len] = '\0';
		words_decode(&out, text);
		if (out.len > len && out.error == 0)
			ok(out.len <= 2 * len, "longer than twice: %s", text);
		buf_free(&out);
		free(text);
	}
	ok(true, "noise is survived");
}

int
main(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf out = BUF_INIT(4096);
		char name[40];
		words_decode(&out, rows[i].text);
		snprintf(name, sizeof(name), "row %zu: %.20s", i, rows[i].want);
		is(buf_str(&out), rows[i].want, name);
		buf_free(&out);
	}
	test_noise();
	return done();
}
