/* SPDX-License-Identifier: ISC */
#include "mail/sasl.h"

#include "tap.h"

static const struct sasl_account account = {"joe", "s3cret"};

static const struct {
	const char *name, *offered, *chosen;
} choices[] = {
    {"PLAIN before LOGIN", "LOGIN PLAIN", "PLAIN"},
    {"LOGIN alone", "CRAM-MD5 LOGIN XOAUTH2", "LOGIN"},
    {"any case", "plain", "PLAIN"},
    {"blanks", "  \tGSSAPI\t LOGIN ", "LOGIN"},
    {"none fits", "GSSAPI NTLM", NULL},
    {"no part of a word", "PLAINTEXT XLOGIN LOGIN-2", NULL},
    {"empty", "", NULL},
};

static void
test_choice(void)
{
	for (size_t i = 0; i < sizeof(choices) / sizeof(choices[0]); i++) {
		const struct sasl_mechanism *m = sasl_choose(choices[i].offered);

		if (choices[i].chosen == NULL)
			ok(m == NULL, "%s", choices[i].name);
		else
			is(m != NULL ? sasl_name(m) : NULL, choices[i].chosen, choices[i].name);
	}
}

static void
test_plain(void)
{
	struct buf out = BUF_INIT(1024);
	struct sasl s;

	sasl_start(&s, sasl_choose("PLAIN"), &account);
	ok(sasl_initial(&s, &out), "PLAIN speaks first");
	is_mem(buf_str(&out), out.len, "\0joe\0s3cret", 11, "… user and password");
	ok(sasl_step(&s, "", 0, &out) == -1, "… and has no more to say");
	buf_clear(&out);
	sasl_start(&s, sasl_choose("PLAIN"), &account);
	ok(sasl_step(&s, "", 0, &out) == 0, "or answers an empty challenge");
	is_mem(buf_str(&out), out.len, "\0joe\0s3cret", 11, "… with the same");
	buf_wipe(&out);
}

static void
test_login(void)
{
	struct buf out = BUF_INIT(1024);
	struct sasl s;

	sasl_start(&s, sasl_choose("LOGIN"), &account);
	ok(!sasl_initial(&s, &out) && out.len == 0, "LOGIN waits");
	ok(sasl_step(&s, "Username:", 9, &out) == 0, "first challenge");
	is(buf_str(&out), "joe", "… the user");
	buf_clear(&out);
	ok(sasl_step(&s, "Password:", 9, &out) == 0, "second challenge");
	is(buf_str(&out), "s3cret", "… the password");
	buf_clear(&out);
	ok(sasl_step(&s, "More:", 5, &out) == -1 && out.len == 0, "no third");
	buf_wipe(&out);
}

int
main(void)
{
	test_choice();
	test_plain();
	test_login();
	return done();
}
