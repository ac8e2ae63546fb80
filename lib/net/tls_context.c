/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <openssl/conf.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/tls_impl.h"

/* Nobody is there to be asked. */
static int
no_passphrase(char *text, int size, int writing, void *arg)
{
	bool *asked = arg;

	(void)text, (void)size, (void)writing;
	*asked = true;
	return -1;
}

static int
refuse_file(char why[TLS_TEXT], const char *what, const char *path)
{
	unsigned long error = ERR_peek_error();
	const char *text = tls_first_error();

	if (error == ERR_PACK(ERR_LIB_PEM, 0, PEM_R_NO_START_LINE) ||
	    error == ERR_PACK(ERR_LIB_OSSL_DECODER, 0, ERR_R_UNSUPPORTED))
		text = "nothing of that kind in it (PEM)";
	snprintf(why, TLS_TEXT, "%s %.128s: %s", what, path, text);
	return -1;
}

static int
trust(struct tls_context *c, const struct tls_settings *settings, char why[TLS_TEXT])
{
	const char *file = settings->ca_file, *dir = settings->ca_path;
	struct stat st;

	c->trusts = *file != '\0' || *dir != '\0';
	if (*file != '\0' && SSL_CTX_load_verify_file(c->ctx, file) != 1)
		return refuse_file(why, "CA certificates", file);
	if (*dir == '\0')
		return 0;
	errno = ENOTDIR; /* OpenSSL looks into it only when it needs a certificate */
	if (stat(dir, &st) == 0 && S_ISDIR(st.st_mode) && access(dir, R_OK | X_OK) == 0 &&
	    SSL_CTX_load_verify_dir(c->ctx, dir) == 1)
		return 0;
	snprintf(why, TLS_TEXT, "CA certificates %.128s: %s", dir, strerror(errno));
	return -1;
}

static int
use_key(struct tls_context *c, const char *key, const char *cert, char why[TLS_TEXT])
{
	bool locked = false;
	int used;

	SSL_CTX_set_default_passwd_cb(c->ctx, no_passphrase);
	SSL_CTX_set_default_passwd_cb_userdata(c->ctx, &locked);
	used = SSL_CTX_use_PrivateKey_file(c->ctx, key, SSL_FILETYPE_PEM);
	SSL_CTX_set_default_passwd_cb(c->ctx, NULL);
	SSL_CTX_set_default_passwd_cb_userdata(c->ctx, NULL);
	if (used == 1)
		return 0;
	if (locked)
		snprintf(why, TLS_TEXT, "client key %.128s: it is encrypted", key);
	else if (ERR_GET_LIB(ERR_peek_error()) != ERR_LIB_X509)
		refuse_file(why, "client key", key);
	else
		snprintf(why, TLS_TEXT, "client key %.100s is not that of the certificate %.100s",
		    key, cert);
	return -1;
}

static int
identify(struct tls_context *c, const struct tls_settings *settings, char why[TLS_TEXT])
{
	const char *cert = settings->client_cert, *key = settings->client_key;

	if (*cert == '\0' && *key == '\0')
		return 0;
	if (*cert == '\0') {
		snprintf(
		    why, TLS_TEXT, "client key %.128s: a client certificate belongs to it", key);
		return -1;
	}
	if (SSL_CTX_use_certificate_chain_file(c->ctx, cert) != 1)
		return refuse_file(why, "client certificate", cert);
	return use_key(c, *key != '\0' ? key : cert, cert, why);
}

static int
pin(struct tls_context *c, const struct tls_settings *settings, char why[TLS_TEXT])
{
	const char *reason;

	if (fingerprints_parse(&c->pins, settings->fingerprint, &reason) == 0)
		return 0;
	snprintf(why, TLS_TEXT, "fingerprint: %s", reason);
	return -1;
}

int
tls_context_open(struct tls_context *c, char why[TLS_TEXT])
{
	SSL_CTX *ctx;

	if (c->ctx != NULL)
		return 0;
	ERR_clear_error();
	if ((ctx = SSL_CTX_new(TLS_client_method())) == NULL ||
	    SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1 ||
	    SSL_CTX_dane_enable(ctx) != 1) {
		snprintf(why, TLS_TEXT, "%s", tls_first_error());
		ERR_clear_error();
		SSL_CTX_free(ctx);
		return -1;
	}
	SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
				  SSL_MODE_RELEASE_BUFFERS);
	c->ctx = ctx;
	tls_cache_init(c);
	return 0;
}

/* Files are read now: who reads them may be about to give up reach of them, and mistakes are to be
 * said early. */
static int
read_files(struct tls_context *c, const struct tls_settings *settings, char why[TLS_TEXT])
{
	if (settings->ca_file[0] == '\0' && settings->ca_path[0] == '\0' &&
	    settings->client_cert[0] == '\0' && settings->client_key[0] == '\0')
		return 0;
	return tls_context_open(c, why) == 0 && trust(c, settings, why) == 0 &&
		       identify(c, settings, why) == 0
		   ? 0
		   : -1;
}

struct tls_context *
tls_context_new(const struct tls_settings *settings, char why[TLS_TEXT])
{
	struct tls_context *c = calloc(1, sizeof(*c));

	if (c == NULL)
		snprintf(why, TLS_TEXT, "%s", strerror(ENOMEM));
	else if (read_files(c, settings, why) == 0 && pin(c, settings, why) == 0)
		return c;
	ERR_clear_error();
	tls_context_free(c);
	return NULL;
}

void
tls_context_free(struct tls_context *c)
{
	if (c == NULL)
		return;
	tls_cache_free(c);
	SSL_CTX_free(c->ctx);
	free(c);
}

void
tls_each_path(void (*each)(void *arg, const char *path), void *arg)
{
	const char *modules = OPENSSL_info(OPENSSL_INFO_MODULES_DIR);
	char *conf = CONF_get1_default_config_file();

	each(arg, X509_get_default_cert_file());
	each(arg, X509_get_default_cert_dir());
	if (modules != NULL)
		each(arg, modules);
	if (conf != NULL)
		each(arg, conf);
	OPENSSL_free(conf);
}
