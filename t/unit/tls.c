/* SPDX-License-Identifier: ISC */
/* Base64 (RFC 4648 10 and what is no base64), and contexts that cannot be had. */
#include "net/tls.h"

#include "tap.h"

static const struct {
	const char *plain, *base64;
} pairs[] = {
    {"", ""},
    {"f", "Zg=="},
    {"fo", "Zm8="},
    {"foo", "Zm9v"},
    {"foob", "Zm9vYg=="},
    {"fooba", "Zm9vYmE="},
    {"foobar", "Zm9vYmFy"},
    {"\xff\xfe\xfd>>>???", "//79Pj4+Pz8/"},
};

static const char *const bad[] = {"Z", "Zg", "Zg=", "Zg==Zg==", "Zg==\n",
    " Zg==", "Z===", "====", "Zm9v\r\n", "Zm-_", "Zm9=v", "=Zm9"};

static void
test_base64(void)
{
	struct buf out = BUF_INIT(1024), large = BUF_INIT(100000), small = BUF_INIT(8);

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		buf_clear(&out);
		tls_crypto.encode(&out, pairs[i].plain, strlen(pairs[i].plain));
		is(buf_str(&out), pairs[i].base64, pairs[i].base64);
		buf_clear(&out);
		is_int(
		    tls_crypto.decode(&out, pairs[i].base64, strlen(pairs[i].base64)), 0, "back");
		is(buf_str(&out), pairs[i].plain, pairs[i].base64);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		buf_clear(&out);
		is_int(tls_crypto.decode(&out, bad[i], strlen(bad[i])), -1, "not base64");
		is_int((long long)out.len, 0, "nothing came of it");
	}
	buf_clear(&out);
	tls_crypto.encode(&out, "\0user\0secret", 12);
	is(buf_str(&out), "AHVzZXIAc2VjcmV0", "NULs count");
	buf_adds(&out, "!");
	is(buf_str(&out), "AHVzZXIAc2VjcmV0!", "and it can be added to");
	for (int i = 0; i < 5000; i++)
		buf_adds(&large, "line");
	buf_clear(&out);
	tls_crypto.encode(&small, large.data, large.len);
	ok(small.error != 0 && small.len == 0, "a maximum is kept");
	buf_free(&small);
	buf_free(&large);
	buf_free(&out);
}

static void
test_context(void)
{
	char why[TLS_TEXT] = "";
	struct tls_context *ctx;

	ok(tls_context_new("/nonexistent", why) == NULL, "a CA file that is not there");
	is(why, "CA certificates /nonexistent: No such file or directory", "and why");
	ok(tls_context_new("/dev/null", why) == NULL, "a CA file without certificates");
	ok(strncmp(why, "CA certificates /dev/null: ", 27) == 0, "and why");
	ctx = tls_context_new("", why);
	ok(ctx != NULL, "the system's");
	tls_context_free(ctx);
}

int
main(void)
{
	test_base64();
	test_context();
	return done();
}
