/* SPDX-License-Identifier: ISC */
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

#include "mail/status.h"
#include "net/tls_impl.h"

/* Whose: the organisation of an authority, else its common name. */
static void
issuer(char *dst, size_t size, const X509 *cert)
{
	const X509_NAME *name = X509_get_issuer_name(cert);
	char text[128];

	if (X509_NAME_get_text_by_NID(name, NID_commonName, text, sizeof(text)) < 1 &&
	    X509_NAME_get_text_by_NID(name, NID_organizationName, text, sizeof(text)) < 1)
		snprintf(text, sizeof(text), "nobody named");
	text_clean(dst, size, text, strlen(text));
}

void
tls_show_certificate(const struct tls *t, char *dst, size_t size)
{
	X509 *cert = SSL_get0_peer_certificate(t->ssl);
	char names[192], by[128];
	int days = 0, seconds = 0;

	if (cert == NULL) {
		snprintf(dst, size, "no certificate was shown");
		return;
	}
	tls_list_names(names, sizeof(names), cert);
	issuer(by, sizeof(by), cert);
	if (ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(cert)) != 1)
		snprintf(dst, size, "certificate for %s, issued by %s", names, by);
	else if (days < 0 || seconds < 0)
		snprintf(dst, size, "certificate for %s, issued by %s, expired %d days ago", names,
		    by, -days);
	else
		snprintf(dst, size, "certificate for %s, issued by %s, expires in %d days", names,
		    by, days);
}
