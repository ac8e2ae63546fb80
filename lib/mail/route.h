/* SPDX-License-Identifier: ISC */
/*
 * route: relay URLs, and which destination a recipient belongs to. Pure.
 *
 *	smtp://[user[:password]@]host[:port]       STARTTLS when offered; port 25
 *	smtp+tls://…                               STARTTLS, verified, or nothing; port 587
 *	smtps://…                                  TLS from the first octet; port 465
 *	smtp+notls://…                             never TLS; port 25
 *	lmtp://…                                   LMTP (RFC 2033), STARTTLS when offered; port 24
 *	lmtp://[user[:password]@]/path             LMTP over a Unix socket
 *	…host?mx                                   host is a domain: its mail exchangers, that port
 *	…host?srv                                  … the servers of its SRV records (RFC 6186, 8314):
 *	                                           _submissions._tcp for smtps, else _submission._tcp
 *
 * user and password are percent-encoded (RFC 3986 2.1), commas too; IPv6 addresses stand in
 * brackets. Several URLs, separated by blanks or commas, are tried in their order.
 * A password belongs in [relay] password_file; one in the URL works and is never shown.
 * `user` with no TLS is refused by route_parse() but for what route_local() says.
 */
#ifndef MAIL_ROUTE_H
#define MAIL_ROUTE_H

#include <stdbool.h>
#include <stdint.h>

enum tls_mode {
	TLS_MODE_NEVER,    /* smtp+notls */
	TLS_MODE_OFFERED,  /* smtp: STARTTLS when offered */
	TLS_MODE_STARTTLS, /* smtp+tls */
	TLS_MODE_IMPLICIT, /* smtps */
};

/* Values of [tls] policy; TLS_POLICY_AUTO picks by route, see route_policy(). */
enum tls_policy {
	TLS_POLICY_AUTO,
	TLS_POLICY_NONE,
	TLS_POLICY_MAY,     /* use it when offered, any certificate; else plain */
	TLS_POLICY_ENCRYPT, /* any certificate, but never plain */
	TLS_POLICY_VERIFY,  /* chain and name must be right */
	TLS_POLICY_DANE,    /* what the server's TLSA records demand; without any, MAY */
};

#define HOST_LEN 256 /* octets of a host or domain name, its NUL included */
#define USER_LEN 256
#define SECRET_LEN 4096
#define ROUTE_URLS 8 /* in a list */
#define ROUTE_SEPARATORS " \t,"

enum relay_lookup {
	RELAY_LOOKUP_HOST, /* the host's addresses */
	RELAY_LOOKUP_MX,
	RELAY_LOOKUP_SRV,
};

#define ROUTE_PATH_LEN 108 /* octets of a Unix socket's path, its NUL included: sun_path */

struct relay {
	enum tls_mode mode;
	bool lmtp;
	enum relay_lookup lookup;
	char path[ROUTE_PATH_LEN]; /* of a Unix socket; else "" */
	char host[HOST_LEN];       /* name or address, without brackets */
	uint16_t port;
	char user[USER_LEN];       /* "": no account */
	char password[SECRET_LEN]; /* from the URL; "" when it has none */
};

/* Parse a relay URL. 0, or -1 with *why a constant string ("unknown scheme", "bad port" …). */
int route_parse(struct relay *r, const char *url, const char **why);

/* socks5://[user[:password]@]host[:port], port 1080: the parts of *r that these are. As above. */
int route_parse_proxy(struct relay *r, const char *url, const char **why);

/* The next URL of a list, which moves behind it. 1; 0 at the end; -1 with *why. */
int route_next(struct relay *r, const char **list, const char **why);

/* Whether it is a list of URLs, perhaps an empty one. 0, or -1 with *why. */
int route_check(const char *list, const char **why);

/*
 * The TLS policy in force: `set` unless AUTO. AUTO: smtp+notls none; smtp+tls and smtps verify;
 * smtp with an account or a fingerprint verify, without them may; MX (r == NULL) dane. A set policy
 * never weakens an account: with a user it is VERIFY, or NONE for smtp+notls and lmtp on this
 * machine. `pinned`, the relay's fingerprint is set, makes VERIFY of all that is not NONE.
 */
enum tls_policy route_policy(const struct relay *r, enum tls_policy set, bool pinned);

/* Whether it is on this machine for sure: a loopback address, "localhost", a Unix socket. */
bool route_local(const struct relay *r);

/* The name of its SRV records, "_submission._tcp.host". */
void route_service(const struct relay *r, char dst[HOST_LEN]);

/* Whether a host as written is this machine's loopback: 127.0.0.0/8, ::1, "localhost". */
bool route_loopback(const char *host);

/*
 * Addresses to come from: a list of one of IPv4, one of IPv6, or both, or none, as texts in that
 * order; "": none. 0, or -1 with *why.
 */
#define ROUTE_ADDRESS 46
int route_addresses(char dst[2][ROUTE_ADDRESS], const char *list, const char **why);

/*
 * The destination of a recipient when there is no relay: the domain behind its last "@",
 * lower-case, into dst[HOST_LEN]. -1 when it has none or it is too long.
 */
int route_domain(char dst[HOST_LEN], const char *address);

#endif
