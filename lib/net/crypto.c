/* SPDX-License-Identifier: ISC */
#include "net/crypto.h"

#include <errno.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <string.h>

#define NONCE_OCTETS 18 /* 24 characters, without padding */

static void
encode(struct buf *out, const void *data, size_t len)
{
	char *to;

	if (len > INT_MAX / 2) {
		out->error = EMSGSIZE;
		return;
	}
	to = buf_reserve(out, (len + 2) / 3 * 4 + 1); /* EVP_EncodeBlock writes a NUL */
	if (to != NULL)
		out->len += (size_t)EVP_EncodeBlock((unsigned char *)to, data, (int)len);
}

/* EVP_DecodeBlock is lenient with white space and padding; this is not. Octets of padding or -1. */
static int
check_base64(const char *text, size_t len)
{
	static const char alphabet[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	int padding = 0;

	if (len % 4 != 0 || len > INT_MAX / 2)
		return -1;
	while (padding < 2 && len > 0 && text[len - 1] == '=') {
		padding++;
		len--;
	}
	for (size_t i = 0; i < len; i++)
		if (memchr(alphabet, text[i], sizeof(alphabet) - 1) == NULL)
			return -1;
	return padding;
}

static int
decode(struct buf *out, const char *text, size_t len)
{
	int padding = check_base64(text, len);
	char *to;
	int n;

	if (padding == -1)
		return -1;
	if (len == 0)
		return 0;
	if ((to = buf_reserve(out, len / 4 * 3)) == NULL)
		return -1;
	n = EVP_DecodeBlock((unsigned char *)to, (const unsigned char *)text, (int)len);
	if (n < padding)
		return -1;
	out->len += (size_t)(n - padding);
	return 0;
}

static const EVP_MD *
digest(enum sasl_hash h)
{
	switch (h) {
	case SASL_MD5:
		return EVP_md5();
	case SASL_SHA1:
		return EVP_sha1();
	case SASL_SHA256:
		break;
	}
	return EVP_sha256();
}

static int
hash(enum sasl_hash h, struct sasl_octets data, unsigned char out[SASL_DIGEST])
{
	return EVP_Digest(data.at, data.len, out, NULL, digest(h), NULL) == 1 ? 0 : -1;
}

static int
hmac(enum sasl_hash h, struct sasl_octets key, struct sasl_octets data,
    unsigned char out[SASL_DIGEST])
{
	if (key.len > INT_MAX)
		return -1;
	return HMAC(digest(h), key.at, (int)key.len, data.at, data.len, out, NULL) != NULL ? 0 : -1;
}

static int
stretch(enum sasl_hash h, struct sasl_octets password, struct sasl_octets salt, unsigned rounds,
    unsigned char out[SASL_DIGEST])
{
	const EVP_MD *md = digest(h);

	if (password.len > INT_MAX || salt.len > INT_MAX || rounds > INT_MAX)
		return -1;
	return PKCS5_PBKDF2_HMAC(password.at, (int)password.len, salt.at, (int)salt.len,
		   (int)rounds, md, EVP_MD_get_size(md), out) == 1
		   ? 0
		   : -1;
}

static bool
same(const void *a, const void *b, size_t len)
{
	return CRYPTO_memcmp(a, b, len) == 0;
}

int
crypto_nonce(char dst[SASL_NONCE])
{
	unsigned char octets[NONCE_OCTETS];

	_Static_assert(NONCE_OCTETS / 3 * 4 + 1 == SASL_NONCE, "a nonce fits");
	if (RAND_bytes(octets, sizeof(octets)) != 1)
		return -1;
	EVP_EncodeBlock((unsigned char *)dst, octets, sizeof(octets));
	return 0;
}

const struct sasl_crypto crypto_sasl = {
    .encode = encode,
    .decode = decode,
    .hash = hash,
    .hmac = hmac,
    .stretch = stretch,
    .same = same,
};
