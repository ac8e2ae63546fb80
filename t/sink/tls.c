/* SPDX-License-Identifier: ISC */
#include <err.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "sink.h"

enum { VALID_SECONDS = 30 * 24 * 3600 };

static void
extension(X509 *cert, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, cert, cert, NULL, NULL, 0);
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	if (!e || !X509_add_ext(cert, e, -1))
		errx(EX_SOFTWARE, "certificate: %s", value);
	X509_EXTENSION_free(e);
}

/* Self-signed and no CA; a client trusts it by having it in its ca_file. */
static X509 *
make_certificate(EVP_PKEY *key, const char *name)
{
	char names[512];
	unsigned char serial[8];
	X509 *cert = X509_new();
	if (!cert || RAND_bytes(serial, sizeof serial) != 1)
		errx(EX_SOFTWARE, "certificate");
	serial[0] &= 0x7f;
	BIGNUM *number = BN_bin2bn(serial, sizeof serial, NULL);
	BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert));
	BN_free(number);
	X509_set_version(cert, X509_VERSION_3);
	X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
	X509_gmtime_adj(X509_getm_notAfter(cert), VALID_SECONDS);
	X509_set_pubkey(cert, key);
	X509_NAME *subject = X509_get_subject_name(cert);
	X509_NAME_add_entry_by_txt(
	    subject, "CN", MBSTRING_UTF8, (const unsigned char *)name, -1, -1, 0);
	X509_set_issuer_name(cert, subject);
	extension(cert, NID_basic_constraints, "critical,CA:FALSE");
	extension(cert, NID_ext_key_usage, "serverAuth");
	/* Another name than the ordinary one is for tests of the check: then it stands alone. */
	if (strcmp(name, "localhost") == 0)
		snprintf(names, sizeof names, "DNS:localhost,IP:127.0.0.1,IP:::1");
	else
		snprintf(names, sizeof names, "DNS:%s", name);
	extension(cert, NID_subject_alt_name, names);
	if (!X509_sign(cert, key, EVP_sha256()))
		errx(EX_SOFTWARE, "certificate");
	return cert;
}

static bool
load(const char *path, X509 **cert, EVP_PKEY **key, SSL_CTX *ctx)
{
	FILE *f = fopen(path, "r");
	if (!f)
		return false;
	*key = PEM_read_PrivateKey(f, NULL, NULL, NULL);
	*cert = PEM_read_X509(f, NULL, NULL, NULL);
	for (X509 *next; (next = PEM_read_X509(f, NULL, NULL, NULL)) != NULL;)
		SSL_CTX_add_extra_chain_cert(ctx, next);
	ERR_clear_error();
	fclose(f);
	if (!*key || !*cert)
		errx(EX_DATAERR, "%s: no key and certificate in it", path);
	return true;
}

static void
save(const char *path, const X509 *cert, const EVP_PKEY *key)
{
	mode_t mask = umask(key ? 077 : 022);
	FILE *f = fopen(path, "w");
	umask(mask);
	if (!f)
		err(EX_CANTCREAT, "%s", path);
	if (key)
		PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL);
	PEM_write_X509(f, cert);
	if (fclose(f) != 0)
		err(EX_IOERR, "%s", path);
}

int
tls_version(const char *name)
{
	if (strcmp(name, "1.1") == 0)
		return TLS1_1_VERSION;
	return strcmp(name, "1.2") == 0 ? TLS1_2_VERSION : 0;
}

/* What else the options want of it. */
static void
configure(SSL_CTX *ctx, const struct sink *k)
{
	SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"sink", 4);
	/* OpenSSL has the old versions, but takes their digests at this level only. */
	if (k->newest == TLS1_1_VERSION)
		SSL_CTX_set_cipher_list(ctx, "DEFAULT@SECLEVEL=0");
	if (k->newest != 0 && (SSL_CTX_set_min_proto_version(ctx, 0) != 1 ||
				  SSL_CTX_set_max_proto_version(ctx, k->newest) != 1))
		errx(EX_SOFTWARE, "TLS versions");
	if (!k->client_ca)
		return;
	if (SSL_CTX_load_verify_file(ctx, k->client_ca) != 1)
		errx(EX_NOINPUT, "%s: no certificates", k->client_ca);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
}

SSL_CTX *
tls_context(const struct sink *k, const char *keep, const char *path)
{
	X509 *cert = NULL;
	EVP_PKEY *key = NULL;
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	if (!ctx)
		errx(EX_SOFTWARE, "TLS context");
	configure(ctx, k);
	if (!keep || !load(keep, &cert, &key, ctx)) {
		key = EVP_EC_gen("P-256");
		if (!key)
			errx(EX_SOFTWARE, "key");
		cert = make_certificate(key, k->name);
		if (keep)
			save(keep, cert, key);
	}
	if (path)
		save(path, cert, NULL);
	if (SSL_CTX_use_certificate(ctx, cert) != 1 || SSL_CTX_use_PrivateKey(ctx, key) != 1)
		errx(EX_SOFTWARE, "TLS context");
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	X509_free(cert);
	EVP_PKEY_free(key);
	return ctx;
}

int
tls_unbase64(char *text)
{
	unsigned char out[LINE_LEN];
	size_t length = strlen(text), padding = 0;
	if (length % 4 != 0 || length > sizeof out)
		return -1;
	while (padding < 2 && padding < length && text[length - 1 - padding] == '=')
		padding++;
	/* EVP_DecodeBlock also passes over blanks: not base64 here. */
	if (strcspn(text, " \t") != length)
		return -1;
	int n = EVP_DecodeBlock(out, (const unsigned char *)text, (int)length);
	if (n < 0)
		return -1;
	n -= (int)padding;
	memcpy(text, out, (size_t)n);
	text[n] = '\0';
	return n;
}
