/* SPDX-License-Identifier: ISC */
/*
 * SCRAM (RFC 5802, 7677), the server's side, with channel binding by tls-exporter (RFC 9266) and
 * tls-server-end-point (RFC 5929).
 */
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <string.h>

#include "sink.h"

enum { ROUNDS = 4096, TEXT = 2048 };

struct scram {
	const EVP_MD *md;
	char gs2[300];   /* as the client sent it: "n,,", "y,,", "p=NAME,," */
	char bare[600];  /* client-first-bare */
	char first[600]; /* server-first */
	char nonce[300];
	unsigned char salt[12];
};

static void
base64(char *to, const void *data, size_t length)
{
	EVP_EncodeBlock((unsigned char *)to, data, (int)length);
}

static void
hmac(const struct scram *x, const unsigned char *key, const char *text, unsigned char *out)
{
	HMAC(x->md, key, EVP_MD_get_size(x->md), (const unsigned char *)text, strlen(text), out,
	    NULL);
}

/* The data that the header's binding stands for. Its length; -1: there is none of that name. */
static int
bound(const struct session *s, const char *gs2, unsigned char out[EVP_MAX_MD_SIZE])
{
	unsigned length = 0;
	SSL *ssl = s->wire.ssl;
	if (gs2[0] != 'p')
		return 0;
	if (ssl && SSL_version(ssl) >= TLS1_3_VERSION && strcmp(gs2, "p=tls-exporter,,") == 0 &&
	    SSL_export_keying_material(ssl, out, 32, "EXPORTER-Channel-Binding", 24, NULL, 0, 0) ==
		1)
		return 32;
	if (ssl && strcmp(gs2, "p=tls-server-end-point,,") == 0 &&
	    X509_digest(SSL_get_certificate(ssl), EVP_sha256(), out, &length) == 1)
		return (int)length;
	return -1;
}

/* Take the client's first message apart. Whether the user is ours. */
static bool
parse_first(struct session *s, struct scram *x, bool plus)
{
	char user[300] = "", *comma = strstr(s->line, ",,");
	if (!comma || sscanf(comma + 2, "n=%299[^,],r=%290[^,]", user, x->nonce) != 2) {
		session_violation(s, "a malformed first message of SCRAM: %s", s->line);
		return false;
	}
	snprintf(x->bare, sizeof x->bare, "%.590s", comma + 2);
	comma[2] = '\0';
	snprintf(x->gs2, sizeof x->gs2, "%.290s", s->line);
	if (plus != (x->gs2[0] == 'p'))
		session_violation(s, "SCRAM, %s-PLUS, with %s", plus ? "" : "not ", x->gs2);
	if (x->gs2[0] == 'y' && strcasestr(s->sink->mechanisms, "-PLUS"))
		session_violation(s, "the list of mechanisms was tampered with: y");
	return strcmp(user, s->sink->user) == 0;
}

static void
say_first(struct scram *x)
{
	char salt[64];
	RAND_bytes(x->salt, sizeof x->salt);
	base64(salt, x->salt, sizeof x->salt);
	strcat(x->nonce, "sink");
	snprintf(x->first, sizeof x->first, "r=%s,s=%s,i=%d", x->nonce, salt, ROUNDS);
}

/* What the client has to send, and what we say to that. */
static bool
expect(const struct session *s, const struct scram *x, char final[TEXT], char ours[TEXT])
{
	unsigned char data[EVP_MAX_MD_SIZE], salted[EVP_MAX_MD_SIZE], key[EVP_MAX_MD_SIZE],
	    stored[EVP_MAX_MD_SIZE], sign[EVP_MAX_MD_SIZE];
	char header[400], text[800], talk[TEXT];
	size_t length = (size_t)EVP_MD_get_size(x->md), n = strlen(x->gs2);
	int more = bound(s, x->gs2, data);
	if (more < 0)
		return false;
	memcpy(header, x->gs2, n);
	memcpy(header + n, data, (size_t)more);
	base64(text, header, n + (size_t)more);
	int at = snprintf(final, TEXT, "c=%s,r=%s", text, x->nonce);
	snprintf(talk, sizeof talk, "%s,%s,%.800s", x->bare, x->first, final);
	PKCS5_PBKDF2_HMAC(s->sink->password, (int)strlen(s->sink->password), x->salt,
	    sizeof x->salt, ROUNDS, x->md, (int)length, salted);
	hmac(x, salted, "Client Key", key);
	EVP_Digest(key, length, stored, NULL, x->md, NULL);
	hmac(x, stored, talk, sign);
	for (size_t i = 0; i < length; i++)
		key[i] ^= sign[i];
	base64(text, key, length);
	snprintf(final + at, TEXT - (size_t)at, ",p=%s", text);
	hmac(x, salted, "Server Key", key);
	hmac(x, key, talk, sign);
	base64(text, sign, length);
	snprintf(ours, TEXT, "v=%s", text);
	return true;
}

void
scram_run(struct session *s, const char *mechanism, char *initial)
{
	struct scram x = {.md = strstr(mechanism, "256") ? EVP_sha256() : EVP_sha1()};
	char wanted[TEXT], ours[TEXT];
	int n = auth_first(s, initial, mechanism);
	if (n < 0)
		return;
	bool right = parse_first(s, &x, strstr(mechanism, "-PLUS") != NULL);
	say_first(&x);
	if (auth_challenge(s, x.first, mechanism) < 0)
		return;
	right = expect(s, &x, wanted, ours) && right && strcmp(s->line, wanted) == 0;
	if (right) {
		n = auth_challenge(s, ours, mechanism);
		if (n < 0)
			return;
		if (n > 0)
			session_violation(s, "an answer to SCRAM's last message");
	}
	auth_verdict(s, mechanism, right);
}
