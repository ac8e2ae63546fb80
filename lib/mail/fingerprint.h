/* SPDX-License-Identifier: ISC */
/*
 * fingerprint: the text of [tls] fingerprint: SHA-256 digests of certificates, in hex, colons
 * allowed, separated by blanks or commas, as `openssl x509 -fingerprint -sha256` prints them behind
 * its "=". Pure.
 */
#ifndef MAIL_FINGERPRINT_H
#define MAIL_FINGERPRINT_H

#include <stdbool.h>
#include <stddef.h>

#define FINGERPRINT_OCTETS 32
#define FINGERPRINT_TEXT (3 * FINGERPRINT_OCTETS) /* "AB:CD:…" with its NUL */
#define FINGERPRINTS_MAX 16

struct fingerprints {
	size_t n;
	unsigned char digest[FINGERPRINTS_MAX][FINGERPRINT_OCTETS];
};

/* 0, also for "", which is none; or -1 with *why a constant string. */
int fingerprints_parse(struct fingerprints *set, const char *text, const char **why);

bool fingerprints_have(const struct fingerprints *set, const unsigned char *digest);

void fingerprint_print(char dst[FINGERPRINT_TEXT], const unsigned char *digest);

#endif
