/* SPDX-License-Identifier: ISC */
/* Base64 (RFC 4648 10 and what is no base64), digests with the vectors of their RFCs, nonces. */
#include "net/crypto.h"

#include "tap.h"

#define TEXT(s) ((struct sasl_octets){(s), strlen(s)})

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
		crypto_sasl.encode(&out, pairs[i].plain, strlen(pairs[i].plain));
		is(buf_str(&out), pairs[i].base64, pairs[i].base64);
		buf_clear(&out);
		is_int(
		    crypto_sasl.decode(&out, pairs[i].base64, strlen(pairs[i].base64)), 0, "back");
		is(buf_str(&out), pairs[i].plain, pairs[i].base64);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		buf_clear(&out);
		is_int(crypto_sasl.decode(&out, bad[i], strlen(bad[i])), -1, "not base64");
		is_int((long long)out.len, 0, "nothing came of it");
	}
	buf_clear(&out);
	crypto_sasl.encode(&out, "\0user\0secret", 12);
	is(buf_str(&out), "AHVzZXIAc2VjcmV0", "NULs count");
	buf_adds(&out, "!");
	is(buf_str(&out), "AHVzZXIAc2VjcmV0!", "and it can be added to");
	for (int i = 0; i < 5000; i++)
		buf_adds(&large, "line");
	buf_clear(&out);
	crypto_sasl.encode(&small, large.data, large.len);
	ok(small.error != 0 && small.len == 0, "a maximum is kept");
	buf_free(&small);
	buf_free(&large);
	buf_free(&out);
}

/* RFC 1321 A.5, FIPS 180; RFC 2202 2 and 3, RFC 4231 4.3; RFC 6070, RFC 7914 11. */
static const struct {
	enum { HASH, HMAC, STRETCH } what;
	enum sasl_hash hash;
	const char *key, *text;
	unsigned rounds;
	const char *wanted;
} digests[] = {
    {HASH, SASL_MD5, "", "abc", 0, "900150983cd24fb0d6963f7d28e17f72"},
    {HASH, SASL_SHA1, "", "abc", 0, "a9993e364706816aba3e25717850c26c9cd0d89d"},
    {HASH, SASL_SHA256, "", "abc", 0,
	"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {HMAC, SASL_MD5, "Jefe", "what do ya want for nothing?", 0, "750c783e6ab0b503eaa86e310a5db738"},
    {HMAC, SASL_SHA1, "Jefe", "what do ya want for nothing?", 0,
	"effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"},
    {HMAC, SASL_SHA256, "Jefe", "what do ya want for nothing?", 0,
	"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
    {STRETCH, SASL_SHA1, "password", "salt", 1, "0c60c80f961f0e71f3a9b524af6012062fe037a6"},
    {STRETCH, SASL_SHA1, "password", "salt", 4096, "4b007901b765489abead49d926f721d065a429c1"},
    {STRETCH, SASL_SHA256, "passwd", "salt", 1,
	"55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"},
};

static void
test_digests(void)
{
	for (size_t i = 0; i < sizeof(digests) / sizeof(digests[0]); i++) {
		struct sasl_octets key = TEXT(digests[i].key), text = TEXT(digests[i].text);
		unsigned char out[SASL_DIGEST];
		char hex[2 * SASL_DIGEST + 1] = "";
		int r = -1;

		if (digests[i].what == HASH)
			r = crypto_sasl.hash(digests[i].hash, text, out);
		else if (digests[i].what == HMAC)
			r = crypto_sasl.hmac(digests[i].hash, key, text, out);
		else
			r = crypto_sasl.stretch(digests[i].hash, key, text, digests[i].rounds, out);
		is_int(r, 0, "a digest");
		for (size_t j = 0; j < strlen(digests[i].wanted) / 2; j++)
			snprintf(hex + 2 * j, 3, "%02x", out[j]);
		is(hex, digests[i].wanted, digests[i].wanted);
	}
	ok(crypto_sasl.same("abc", "abd", 2) && !crypto_sasl.same("abc", "abd", 3), "compared");
}

static void
test_nonce(void)
{
	char a[SASL_NONCE], b[SASL_NONCE];

	is_int(crypto_nonce(a), 0, "a nonce");
	is_int(crypto_nonce(b), 0, "and another");
	is_int((long long)strlen(a), SASL_NONCE - 1, "its length");
	ok(strcmp(a, b) != 0, "they differ");
	ok(strpbrk(a, ",= ") == NULL, "no comma in it");
}

int
main(void)
{
	test_base64();
	test_digests();
	test_nonce();
	return done();
}
