/* SPDX-License-Identifier: ISC */
/*
 * resolve: names to addresses, domains to mail exchangers. This blocks: net/resolver.h has threads
 * for it.
 *
 * Addresses come from getaddrinfo(), so /etc/hosts and a container's DNS count, both families
 * whatever this machine's own addresses are, in RFC 6724 order, then interleaved: a network
 * whose IPv6 is dead costs one attempt before an IPv4 address has its turn.
 * Exchangers come from DNS (RFC 5321 5.1): by preference, equal ones shuffled; a domain
 * without MX records is its own exchanger; RFC 7505's null MX is a refusal.
 *
 * What went wrong is an outcome, stage STAGE_LOOKUP, scope SCOPE_DESTINATION:
 *	4.4.3	no server answered, or with an error
 *	5.1.2	the domain does not exist (only LOOKUP_MX, and LOOKUP_HOST for the domain itself)
 *	5.1.10	null MX
 */
#ifndef NET_RESOLVE_H
#define NET_RESOLVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mail/route.h"
#include "mail/status.h"
#include "net/inet.h"

#define RESOLVE_HOSTS 20     /* exchangers of a domain that are kept, best first */
#define RESOLVE_ADDRESSES 16 /* addresses of a host that are kept */

struct mx {
	uint16_t preference;
	char host[HOST_LEN]; /* no final dot */
};

struct mx_list {
	size_t n;
	struct mx mx[RESOLVE_HOSTS];
};

enum mx_verdict {
	MX_FOUND,    /* the list has at least one */
	MX_IMPLICIT, /* the domain has no MX record: it is its own exchanger */
	MX_NULL,     /* the domain takes no mail (RFC 7505) */
	MX_NXDOMAIN, /* there is no such domain */
	MX_TROUBLE,  /* SERVFAIL and the like, or not a DNS message */
	MX_UNUSABLE, /* MX records, but none with a host name in it */
};

enum lookup_type {
	LOOKUP_RELAY, /* a configured host: with the system's search list, failure never permanent
		       */
	LOOKUP_HOST,  /* an exchanger: the name as it is */
	LOOKUP_MX,    /* the exchangers of a domain */
};

/* A question with its answer. */
struct lookup {
	enum lookup_type type;
	char name[HOST_LEN];
	uint16_t port;          /* of the addresses */
	bool implicit;          /* LOOKUP_HOST: the name is the domain itself: 5.1.2 is possible */
	struct outcome outcome; /* class 2: answered, and one of the following is not empty */
	struct mx_list mx;      /* LOOKUP_MX */
	bool mx_implicit;       /* … and the list is the domain itself, for want of MX records */
	size_t naddress;
	struct inet address[RESOLVE_ADDRESSES];
	/* of resolver.c */
	void *owner; /* the asker's; NULL: forgotten */
	struct lookup *next;
};

/*
 * Answer a question, all else zero. Blocks, for half a minute at worst, and is safe in many threads
 * at once. A numeric address is answered at once, see resolve_literal().
 */
void resolve(struct lookup *l);

/* Answer it when no look-up is needed: false when one is. Never blocks. */
bool resolve_literal(struct lookup *l);

/*
 * Pure: read the answer to an MX query. The list is in order of preference, then as in the packet.
 * Whatever the octets are, the result is one of the verdicts.
 */
enum mx_verdict resolve_parse_mx(struct mx_list *list, const unsigned char *packet, size_t len);

/* Pure but for arc4random: shuffle exchangers of equal preference among themselves. */
void resolve_shuffle_mx(struct mx_list *list);

#endif
