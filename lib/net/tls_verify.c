/* SPDX-License-Identifier: ISC */
#include <arpa/inet.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "mail/buf.h"
#include "mail/status.h"
#include "net/inet.h"
#include "net/tls_impl.h"

#define NAMES 4 /* of a certificate that are told */

/* A name out of a certificate, which may hold anything. */
static bool
add_name(struct buf *out, const GENERAL_NAME *name)
{
	char text[INET6_ADDRSTRLEN];
	int len = name->type == GEN_IPADD ? ASN1_STRING_length(name->d.iPAddress) : 0;

	if (name->type == GEN_DNS)
		buf_add(out, ASN1_STRING_get0_data(name->d.dNSName),
		    (size_t)ASN1_STRING_length(name->d.dNSName));
	else if ((len == 4 || len == 16) &&
		 inet_ntop(len == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(name->d.iPAddress),
		     text, sizeof(text)) != NULL)
		buf_adds(out, text);
	else
		return false;
	return true;
}

void
tls_list_names(char *dst, size_t size, const X509 *cert)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	struct buf list = BUF_INIT(4096);
	int told = 0, n = sk_GENERAL_NAME_num(names);

	for (int i = 0; i < n && told < NAMES; i++) {
		size_t before = list.len;

		if (told > 0)
			buf_adds(&list, ", ");
		if (add_name(&list, sk_GENERAL_NAME_value(names, i)))
			told++;
		else if (list.error == 0)
			list.len = before;
	}
	if (told == 0)
		buf_adds(&list, "no host at all (a common name does not count)");
	text_clean(dst, size, buf_str(&list), list.len);
	buf_free(&list);
	GENERAL_NAMES_free(names);
}

static void
print_time(char dst[32], const ASN1_TIME *when)
{
	struct tm tm;

	if (when == NULL || ASN1_TIME_to_tm(when, &tm) != 1 ||
	    strftime(dst, 32, "%Y-%m-%d %H:%M:%S UTC", &tm) == 0)
		snprintf(dst, 32, "an unknown time");
}

static bool
untrusted(int error)
{
	return error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY ||
	       error == X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE ||
	       error == X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN;
}

static bool
none_trusted(const struct tls *t)
{
	X509_STORE *store = SSL_CTX_get_cert_store(t->context->ctx);

	return sk_X509_OBJECT_num(X509_STORE_get0_objects(store)) == 0;
}

/* What is wrong with a certificate of the chain, in words that say what to do. */
static void
note_flaw(struct tls *t, X509_STORE_CTX *x)
{
	int error = X509_STORE_CTX_get_error(x);
	const X509 *cert = X509_STORE_CTX_get_current_cert(x);
	char text[160];

	if (cert != NULL && error == X509_V_ERR_CERT_HAS_EXPIRED) {
		print_time(text, X509_get0_notAfter(cert));
		snprintf(t->flaw, sizeof(t->flaw), "it has expired, on %s", text);
	} else if (cert != NULL && error == X509_V_ERR_CERT_NOT_YET_VALID) {
		print_time(text, X509_get0_notBefore(cert));
		snprintf(t->flaw, sizeof(t->flaw),
		    "it is not yet valid, only from %s (is the clock right?)", text);
	} else if (cert != NULL && (error == X509_V_ERR_HOSTNAME_MISMATCH ||
				       error == X509_V_ERR_IP_ADDRESS_MISMATCH)) {
		tls_list_names(text, sizeof(text), cert);
		snprintf(
		    t->flaw, sizeof(t->flaw), "it is not for %.100s but for %s", t->host, text);
	} else if (error == X509_V_ERR_INVALID_PURPOSE) {
		snprintf(t->flaw, sizeof(t->flaw), "it is not one for servers");
	} else if (error == X509_V_ERR_DANE_NO_MATCH) {
		snprintf(t->flaw, sizeof(t->flaw), "no TLSA record of %.150s matches it", t->host);
	} else if (untrusted(error)) {
		snprintf(t->flaw, sizeof(t->flaw), "its authority is not trusted: %s%s",
		    X509_verify_cert_error_string(error),
		    none_trusted(t) ? "; no CA certificates were found here" : "");
	} else {
		snprintf(t->flaw, sizeof(t->flaw), "%s", X509_verify_cert_error_string(error));
	}
}

static int
on_verify(int good, X509_STORE_CTX *x)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(x, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct tls *t = SSL_get_app_data(ssl);

	if (!good && t->flaw[0] == '\0')
		note_flaw(t, x);
	return good;
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

/* An address is not sent as SNI (RFC 6066 3). */
static int
expect_name(struct tls *t, const char *also)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(t->ssl);
	struct inet address;

	X509_VERIFY_PARAM_set_hostflags(
	    param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
	if (X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_SSL_SERVER) != 1)
		return 0;
	if (inet_parse(&address, t->host))
		return X509_VERIFY_PARAM_set1_ip_asc(param, t->host);
	return SSL_set1_host(t->ssl, t->host) == 1 &&
	       SSL_set_tlsext_host_name(t->ssl, t->host) == 1 &&
	       (also == NULL || SSL_add1_host(t->ssl, also) == 1);
}

/*
 * DANE-EE(3) needs neither name nor date (RFC 7672 3.1.1). A record that OpenSSL finds malformed is
 * left out; when it was the only one, the names and the system's CAs have to do.
 */
static int
expect_records(struct tls *t, const struct tlsa_set *set)
{
	struct tlsa r;
	size_t at = 0;

	if (SSL_dane_enable(t->ssl, t->host) != 1)
		return 0;
	SSL_dane_set_flags(t->ssl, DANE_FLAG_NO_DANE_EE_NAMECHECKS);
	while (tlsa_next(set, &at, &r))
		if (SSL_dane_tlsa_add(t->ssl, r.usage, r.selector, r.matching, r.data, r.len) < 0)
			return 0;
	return 1;
}

int
tls_expect(struct tls *t, const struct tls_peer *peer)
{
	bool demand = t->verify && !t->pinned; /* the fingerprint is for tls_handshake() to see */

	if (t->dane ? expect_records(t, peer->tlsa) != 1 : trust_system(t->context) != 1)
		return 0;
	/* With VERIFY_NONE a client verifies all the same, and goes on whatever comes out. */
	SSL_set_verify(t->ssl, demand ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, on_verify);
	return expect_name(t, peer->also);
}

static bool
digest(const struct tls *t, unsigned char sum[FINGERPRINT_OCTETS])
{
	const X509 *cert = SSL_get0_peer_certificate(t->ssl);

	return cert != NULL && X509_digest(cert, EVP_sha256(), sum, NULL) == 1;
}

enum tls_verdict
tls_verdict(const struct tls *t)
{
	unsigned char sum[FINGERPRINT_OCTETS];

	if (SSL_session_reused(t->ssl))
		return t->resumed;
	if (t->pinned)
		return digest(t, sum) && fingerprints_have(&t->context->pins, sum) ? TLS_PINNED
										   : TLS_ANONYMOUS;
	if (SSL_get0_peer_certificate(t->ssl) == NULL || SSL_get_verify_result(t->ssl) != X509_V_OK)
		return TLS_ANONYMOUS;
	return SSL_get0_dane_authority(t->ssl, NULL, NULL) >= 0 ? TLS_DANE : TLS_VERIFIED;
}

void
tls_note_pin(struct tls *t)
{
	unsigned char sum[FINGERPRINT_OCTETS];
	char text[FINGERPRINT_TEXT];

	if (!digest(t, sum))
		return;
	fingerprint_print(text, sum);
	snprintf(t->flaw, sizeof(t->flaw),
	    "its fingerprint is another one than tls.fingerprint: SHA-256 %s", text);
}
