/* SPDX-License-Identifier: ISC */
/*
 * smtp_ehlo: what a server offers in its reply to EHLO (RFC 5321 4.1.1.1), a line at a time. Only
 * extensions that the client uses are known; the rest is passed over.
 */
#ifndef MAIL_SMTP_EHLO_H
#define MAIL_SMTP_EHLO_H

#include <stddef.h>
#include <stdint.h>

enum smtp_extension {
	SMTP_PIPELINING = 1 << 0, /* RFC 2920 */
	SMTP_SIZE = 1 << 1,       /* RFC 1870 */
	SMTP_8BITMIME = 1 << 2,   /* RFC 6152 */
	SMTP_SMTPUTF8 = 1 << 3,   /* RFC 6531 */
	SMTP_STARTTLS = 1 << 4,   /* RFC 3207 */
	SMTP_DSN = 1 << 5,        /* RFC 3461 */
	SMTP_AUTH = 1 << 6,       /* RFC 4954, and "AUTH=" of old servers */
	SMTP_REQUIRETLS = 1 << 7, /* RFC 8689 */
	SMTP_CHUNKING = 1 << 8,   /* RFC 3030 */
	SMTP_LIMITS = 1 << 9,     /* RFC 9422 */
};

#define SMTP_EHLO_AUTH 512 /* octets of mechanisms that are kept, NUL included */

struct smtp_ehlo {
	unsigned has;              /* enum smtp_extension */
	uint64_t size;             /* the limit SIZE gave; 0: none, or not to be understood */
	/* LIMITS: of a session, a transaction, a transaction; 0: none, or not to be understood */
	unsigned mailmax, rcptmax, rcptdomainmax;
	char auth[SMTP_EHLO_AUTH]; /* mechanisms, a space between them; of several lines: all */
};

void smtp_ehlo_init(struct smtp_ehlo *e);

/* A line of the list behind its code, any octets. Not for the first line: that is the greeting. */
void smtp_ehlo_line(struct smtp_ehlo *e, const char *text, size_t len);

#endif
