/* SPDX-License-Identifier: ISC */
/*
 * socks: the client's side of SOCKS5 (RFC 1928) with user and password (RFC 1929), as far as
 * CONNECT. Pure: octets in, octets out.
 *
 *	socks_start(); then until socks_over():
 *	write what socks_output() has, and say so by socks_wrote(); when it has nothing, read
 *	socks_wants() octets at most, for what comes behind is the server's, and give them to
 *	socks_input()
 */
#ifndef MAIL_SOCKS_H
#define MAIL_SOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mail/route.h"

#define SOCKS_PORT 1080
#define SOCKS_FIELD 255 /* octets of a name, a user or a password at most */

/* Where to: a name for the proxy to look up, or an address in network order. */
struct socks_target {
	const char *name; /* NULL: an address */
	unsigned char address[16];
	size_t address_len; /* 4 or 16 */
	uint16_t port;
};

enum socks_state {
	SOCKS_METHOD, /* which way to log in */
	SOCKS_LOGIN,
	SOCKS_CONNECT,
	SOCKS_BOUND, /* the rest of the reply: an address that nobody needs */
	SOCKS_DONE,
	SOCKS_FAILED,
};

struct socks {
	enum socks_state state;
	struct socks_target target;
	const char *user, *password; /* borrowed; user "": none */
	unsigned char out[3 + 2 * (SOCKS_FIELD + 1)];
	size_t outat, outlen;
	unsigned char in[5]; /* what a reply begins with */
	size_t inlen;
	size_t skip; /* octets of the bound address that are still to come */
	const char *why;
};

/* The strings are borrowed until it is over. A field of more than SOCKS_FIELD octets fails. */
void socks_start(
    struct socks *s, const struct socks_target *target, const char *user, const char *password);

/* What is to be written, NULL: nothing. */
const unsigned char *socks_output(const struct socks *s, size_t *len);
void socks_wrote(struct socks *s, size_t len);

size_t socks_wants(const struct socks *s);
void socks_input(struct socks *s, const unsigned char *data, size_t len);

/* SOCKS_DONE: connected; SOCKS_FAILED: socks_why() says how, "connection refused" … */
bool socks_over(const struct socks *s);
const char *socks_why(const struct socks *s);

#endif
