/* SPDX-License-Identifier: ISC */
#include "net/tls.h"

#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/inet.h"

struct tls_context {
	SSL_CTX *ctx;
	bool trusts; /* CA certificates are loaded */
};

struct tls {
	SSL *ssl;
	short wants;
	bool open; /* the handshake is done and nothing has failed since */
	char why[TLS_TEXT];
};

/* The oldest error of OpenSSL's queue: later ones are its consequences. */
static const char *
first_error(void)
{
	unsigned long error = ERR_peek_error();
	const char *text = ERR_reason_error_string(error);

	if (ERR_SYSTEM_ERROR(error))
		return strerror(ERR_GET_REASON(error));
	return text != NULL ? text : "unknown error";
}

struct tls_context *
tls_context_new(const char *ca_file, char why[TLS_TEXT])
{
	struct tls_context *c = calloc(1, sizeof(*c));

	ERR_clear_error();
	if (c == NULL || (c->ctx = SSL_CTX_new(TLS_client_method())) == NULL ||
	    SSL_CTX_set_min_proto_version(c->ctx, TLS1_2_VERSION) != 1) {
		snprintf(why, TLS_TEXT, "TLS: %s", c == NULL ? strerror(ENOMEM) : first_error());
		tls_context_free(c);
		return NULL;
	}
	c->trusts = ca_file[0] != '\0';
	if (c->trusts && SSL_CTX_load_verify_file(c->ctx, ca_file) != 1) {
		snprintf(why, TLS_TEXT, "CA certificates %.128s: %s", ca_file, first_error());
		tls_context_free(c);
		return NULL;
	}
	SSL_CTX_set_options(c->ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
	SSL_CTX_set_mode(c->ctx, SSL_MODE_ENABLE_PARTIAL_WRITE |
				     SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
				     SSL_MODE_RELEASE_BUFFERS);
	return c;
}

void
tls_context_free(struct tls_context *c)
{
	if (c == NULL)
		return;
	SSL_CTX_free(c->ctx);
	free(c);
}

/*
 * The system's certificates cost some 30 milliseconds where they are one file: not for mail that
 * goes in plain. A system without any is no error here; nothing will be verified then.
 */
static int
trust_system(struct tls_context *c)
{
	if (!c->trusts && SSL_CTX_set_default_verify_paths(c->ctx) != 1)
		return 0;
	c->trusts = true;
	return 1;
}

/* Whom to expect. An address is not sent as SNI (RFC 6066 3). */
static int
expect(SSL *ssl, const char *host)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
	struct inet address;

	X509_VERIFY_PARAM_set_hostflags(
	    param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
	if (X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_SSL_SERVER) != 1)
		return 0;
	if (inet_parse(&address, host))
		return X509_VERIFY_PARAM_set1_ip_asc(param, host);
	return SSL_set1_host(ssl, host) == 1 && SSL_set_tlsext_host_name(ssl, host) == 1;
}

struct tls *
tls_new(struct tls_context *c, int fd, const char *host, bool verify)
{
	struct tls *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	t->wants = POLLOUT;
	t->ssl = trust_system(c) == 1 ? SSL_new(c->ctx) : NULL;
	if (t->ssl == NULL || SSL_set_fd(t->ssl, fd) != 1 || expect(t->ssl, host) != 1) {
		tls_free(t);
		return NULL;
	}
	/* With VERIFY_NONE a client verifies all the same, and goes on whatever comes out. */
	SSL_set_verify(t->ssl, verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
	SSL_set_connect_state(t->ssl);
	return t;
}

static void
explain(struct tls *t, int error, int saved)
{
	long verdict = SSL_get_verify_result(t->ssl);
	bool refused = error == SSL_ERROR_SSL &&
		       ERR_GET_REASON(ERR_peek_error()) == SSL_R_CERTIFICATE_VERIFY_FAILED;

	if (refused)
		snprintf(t->why, sizeof(t->why), "certificate verify failed: %s",
		    X509_verify_cert_error_string(verdict));
	else if (error == SSL_ERROR_SSL)
		snprintf(t->why, sizeof(t->why), "%s", first_error());
	else if (error == SSL_ERROR_SYSCALL && saved != 0)
		snprintf(t->why, sizeof(t->why), "%s", strerror(saved));
	else
		snprintf(t->why, sizeof(t->why), "connection closed by the server");
}

/* What a result <= 0 of OpenSSL means. */
static int
failed(struct tls *t, int result)
{
	int saved = errno;
	int error = SSL_get_error(t->ssl, result);

	if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) {
		t->wants = error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT;
		errno = EAGAIN;
	} else {
		explain(t, error, saved);
		t->open = false;
		errno = EPROTO;
	}
	ERR_clear_error();
	return -1;
}

/* A server that closes without close_notify: SMTP knows by itself what is complete. */
static bool
ended(struct tls *t, int result)
{
	int error = SSL_get_error(t->ssl, result);

	return error == SSL_ERROR_ZERO_RETURN || (error == SSL_ERROR_SYSCALL && errno == 0) ||
	       (error == SSL_ERROR_SSL &&
		   ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING);
}

int
tls_handshake(struct tls *t)
{
	int result;

	ERR_clear_error();
	errno = 0;
	result = SSL_do_handshake(t->ssl);
	if (result != 1)
		return failed(t, result);
	t->open = true;
	return 0;
}

ssize_t
tls_read(struct tls *t, void *data, size_t len)
{
	int result;

	ERR_clear_error();
	errno = 0;
	result = SSL_read(t->ssl, data, len > INT_MAX ? INT_MAX : (int)len);
	if (result > 0)
		return result;
	if (ended(t, result)) {
		ERR_clear_error();
		t->open = false;
		return 0;
	}
	return failed(t, result);
}

ssize_t
tls_write(struct tls *t, const void *data, size_t len)
{
	int result;

	ERR_clear_error();
	errno = 0;
	result = SSL_write(t->ssl, data, len > INT_MAX ? INT_MAX : (int)len);
	return result > 0 ? result : failed(t, result);
}

bool
tls_pending(const struct tls *t)
{
	return SSL_pending(t->ssl) > 0;
}

short
tls_wants(const struct tls *t)
{
	return t->wants;
}

const char *
tls_why(const struct tls *t)
{
	return t->why;
}

bool
tls_verified(const struct tls *t)
{
	return SSL_get0_peer_certificate(t->ssl) != NULL &&
	       SSL_get_verify_result(t->ssl) == X509_V_OK;
}

void
tls_describe(const struct tls *t, char *dst, size_t size)
{
	snprintf(dst, size, "%s %s %s", SSL_get_version(t->ssl), SSL_get_cipher_name(t->ssl),
	    tls_verified(t) ? "verified" : "anonymous");
}

static bool
bind_exporter(SSL *ssl, struct sasl_binding *b)
{
	static const char label[] = "EXPORTER-Channel-Binding";

	b->len = 32;
	return SSL_export_keying_material(ssl, b->data, b->len, label, sizeof(label) - 1,
		   (const unsigned char *)"", 0, 1) == 1;
}

/* The certificate's digest, by its signature's hash, SHA-256 for what is older (RFC 5929 4.1). */
static bool
bind_end_point(const SSL *ssl, struct sasl_binding *b)
{
	X509 *cert = SSL_get0_peer_certificate(ssl);
	unsigned len = 0;
	int nid = NID_undef;
	const EVP_MD *md;

	if (cert == NULL || X509_get_signature_info(cert, &nid, NULL, NULL, NULL) != 1)
		return false;
	if (nid == NID_md5 || nid == NID_sha1)
		nid = NID_sha256;
	_Static_assert(sizeof(b->data) >= EVP_MAX_MD_SIZE, "any digest fits");
	if ((md = EVP_get_digestbynid(nid)) == NULL || X509_digest(cert, md, b->data, &len) != 1)
		return false;
	b->len = len;
	return true;
}

void
tls_binding(const struct tls *t, struct sasl_binding *b)
{
	*b = (struct sasl_binding){0};
	if (SSL_version(t->ssl) >= TLS1_3_VERSION)
		b->name = bind_exporter(t->ssl, b) ? "tls-exporter" : NULL;
	else
		b->name = bind_end_point(t->ssl, b) ? "tls-server-end-point" : NULL;
	ERR_clear_error();
}

void
tls_free(struct tls *t)
{
	if (t == NULL)
		return;
	if (t->open)
		SSL_shutdown(t->ssl);
	ERR_clear_error();
	SSL_free(t->ssl);
	free(t);
}
