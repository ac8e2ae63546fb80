/* SPDX-License-Identifier: ISC */
/*
 * crypto: base64, digests and random octets from OpenSSL, for lib/mail, which is pure. Besides
 * tls.c the only file that knows OpenSSL.
 */
#ifndef NET_CRYPTO_H
#define NET_CRYPTO_H

#include "mail/sasl.h"

/* Base64 is strict in decoding: nothing but the alphabet and full padding (RFC 4648 3). */
extern const struct sasl_crypto crypto_sasl;

/* A new nonce: 144 random bits in base64. 0, or -1 when there are none to be had. */
int crypto_nonce(char dst[SASL_NONCE]);

#endif
