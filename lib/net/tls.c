/* SPDX-License-Identifier: ISC */
#include "net/tls.h"

#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/tls_impl.h"

/* What OpenSSL says so that only its authors understand it. */
static const struct {
	int reason;
	const char *text;
} reasons[] = {
    {SSL_R_UNSUPPORTED_PROTOCOL, "the server knows nothing newer than TLS 1.1"},
    {SSL_R_TLSV1_ALERT_PROTOCOL_VERSION,
	"alert \"protocol version\": the server takes neither TLS 1.2 nor 1.3"},
    {SSL_R_WRONG_VERSION_NUMBER, "what the server sent is not TLS"},
    {SSL_R_UNEXPECTED_EOF_WHILE_READING, "connection closed by the server"},
};

const char *
tls_first_error(void)
{
	unsigned long error = ERR_peek_error();
	int reason = ERR_GET_REASON(error);
	const char *text = ERR_reason_error_string(error);

	if (ERR_SYSTEM_ERROR(error))
		return strerror(reason);
	for (size_t i = 0;
	     ERR_GET_LIB(error) == ERR_LIB_SSL && i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].reason == reason)
			return reasons[i].text;
	return text != NULL ? text : "unknown error";
}

struct tls *
tls_new(struct tls_context *c, int fd, const struct tls_peer *peer)
{
	struct tls *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	t->context = c;
	t->wants = POLLOUT;
	t->verify = peer->verify;
	t->pinned = peer->pinned && c->pins.n > 0;
	t->dane = peer->tlsa != NULL && peer->tlsa->state == TLSA_USABLE;
	snprintf(t->host, sizeof(t->host), "%s", t->dane ? peer->tlsa->base : peer->host);
	if (tls_context_open(c, t->why) == -1)
		return t;
	if ((t->ssl = SSL_new(c->ctx)) == NULL || SSL_set_app_data(t->ssl, t) != 1 ||
	    SSL_set_fd(t->ssl, fd) != 1 || tls_expect(t, peer) != 1 ||
	    tls_cache_key(t, peer) != 1) {
		tls_free(t);
		return NULL;
	}
	SSL_set_connect_state(t->ssl);
	tls_cache_offer(t);
	return t;
}

/* RFC 8446 6.2: the server ends it with a word of its own. */
static bool
explain_alert(struct tls *t)
{
	unsigned long error = ERR_peek_error();
	int alert = ERR_GET_REASON(error) - SSL_AD_REASON_OFFSET;
	const char *text = ERR_reason_error_string(error);

	if (ERR_GET_LIB(error) != ERR_LIB_SSL || alert < 0 || alert > 255 ||
	    alert == SSL_AD_PROTOCOL_VERSION || text == NULL)
		return false;
	/* "sslv3 alert handshake failure", of any version */
	if (strstr(text, "alert ") != NULL)
		text = strstr(text, "alert ") + 6;
	snprintf(t->why, sizeof(t->why), "the server ended it with alert \"%s\"", text);
	return true;
}

static void
explain(struct tls *t, int error, int saved)
{
	bool refused = error == SSL_ERROR_SSL &&
		       ERR_GET_REASON(ERR_peek_error()) == SSL_R_CERTIFICATE_VERIFY_FAILED;

	if (refused)
		snprintf(t->why, sizeof(t->why), "certificate verify failed: %.290s", t->flaw);
	else if (error == SSL_ERROR_SSL && !explain_alert(t))
		snprintf(t->why, sizeof(t->why), "%s", tls_first_error());
	else if (error == SSL_ERROR_SYSCALL && saved != 0)
		snprintf(t->why, sizeof(t->why), "%s", strerror(saved));
	else if (error != SSL_ERROR_SSL)
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

	if (t->ssl == NULL) {
		errno = EPROTO;
		return -1;
	}
	ERR_clear_error();
	errno = 0;
	result = SSL_do_handshake(t->ssl);
	if (result != 1) {
		failed(t, result);
		if (errno != EAGAIN)
			tls_cache_drop(t);
		return -1;
	}
	if (t->verify && !tls_verified(t)) {
		if (t->pinned)
			tls_note_pin(t);
		snprintf(t->why, sizeof(t->why), "certificate verify failed: %.290s", t->flaw);
		errno = EPROTO;
		return -1;
	}
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
	return t->ssl != NULL && SSL_pending(t->ssl) > 0;
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
	return tls_verdict(t) != TLS_ANONYMOUS;
}

void
tls_describe(const struct tls *t, char *dst, size_t size)
{
	static const char *const verdicts[] = {
	    [TLS_ANONYMOUS] = "anonymous",
	    [TLS_VERIFIED] = "verified",
	    [TLS_PINNED] = "pinned",
	    [TLS_DANE] = "dane",
	};

	snprintf(dst, size, "%s %s %s", SSL_get_version(t->ssl), SSL_get_cipher_name(t->ssl),
	    verdicts[tls_verdict(t)]);
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
