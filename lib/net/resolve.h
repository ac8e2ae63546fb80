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
 * DNSSEC: an answer is `secure` when the resolver says that it validated it (the AD bit) and
 * resolv.conf says that the resolver is to be believed: every name server is on this machine's
 * loopback, or "options trust-ad". Of an exchanger or relay that is asked for with `dane`, the
 * TLSA records are looked up when its address is secure (RFC 7672 2.2; resolve_tlsa.c).
 *
 * What went wrong is an outcome, stage STAGE_LOOKUP, scope SCOPE_DESTINATION:
 *	4.4.3	no server answered, or with an error
 *	5.1.2	the domain does not exist (only LOOKUP_MX, and LOOKUP_HOST for the domain itself)
 *	5.1.10	null MX
 *	4.7.5	the TLSA records cannot be had: without them the host is not to be used
 */
#ifndef NET_RESOLVE_H
#define NET_RESOLVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mail/route.h"
#include "mail/status.h"
#include "net/inet.h"
#include "net/tlsa.h"

#define RESOLVE_HOSTS 20     /* exchangers of a domain that are kept, best first */
#define RESOLVE_ADDRESSES 16 /* addresses of a host that are kept */

struct mx {
	uint16_t preference;
	uint16_t weight, port; /* SRV only */
	char host[HOST_LEN];   /* no final dot */
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
	LOOKUP_RELAY_MX, /* the same, of a configured domain: failure is never permanent */
	LOOKUP_SRV,      /* the servers of a service, "_submission._tcp.example.org"; likewise */
};

/* A question with its answer. */
struct lookup {
	enum lookup_type type;
	char name[HOST_LEN];
	uint16_t port;          /* of the addresses */
	bool implicit;          /* LOOKUP_HOST: the name is the domain itself: 5.1.2 is possible */
	bool dane;              /* the TLSA records of the host are wanted */
	struct outcome outcome; /* class 2: answered, and one of the following is not empty */
	struct mx_list mx;      /* LOOKUP_MX, _RELAY_MX, _SRV */
	bool mx_implicit;       /* … and the list is the domain itself, for want of MX records */
	bool secure;            /* … and that was validated */
	size_t naddress;
	struct inet address[RESOLVE_ADDRESSES];
	struct tlsa_set tlsa; /* dane */
	/* of resolver.c */
	void *owner; /* the asker's; NULL: forgotten */
	struct lookup *next;
};

/*
 * Answer a question, all else zero. Blocks, for half a minute at worst, and is safe in many threads
 * at once. A numeric address is answered at once, see resolve_literal().
 */
void resolve(struct lookup *l);

/* The name servers that are asked, for people: "192.0.2.53, 2001:db8::53". */
void resolve_servers(char *dst, size_t size);

/* Whether the answer is a list of hosts, and not of addresses. */
bool resolve_names_hosts(const struct lookup *l);

/* Answer it when no look-up is needed: false when one is. Never blocks. */
bool resolve_literal(struct lookup *l);

/*
 * Pure: read the answer to an MX query. The list is in order of preference, then as in the packet.
 * Whatever the octets are, the result is one of the verdicts.
 */
enum mx_verdict resolve_parse_mx(struct mx_list *list, const unsigned char *packet, size_t len);

/* Pure: the same of the answer to an SRV query, a target of "." being MX_NULL. */
enum mx_verdict resolve_parse_srv(struct mx_list *list, const unsigned char *packet, size_t len);

/*
 * Pure but for arc4random: shuffle exchangers of equal preference among themselves; and servers of
 * equal priority, with regard to their weight (RFC 2782).
 */
void resolve_shuffle_mx(struct mx_list *list);
void resolve_order_srv(struct mx_list *list);

/*
 * Pure: whether an answer, with or without data, was validated, and who is meant: `name` goes along
 * the CNAME records of the answer. Any query's.
 */
enum proof {
	PROOF_NONE,    /* SERVFAIL and the like, or not a DNS message */
	PROOF_MISSING, /* an answer, not validated */
	PROOF_SECURE,
};
enum proof resolve_parse_alias(char name[HOST_LEN], const unsigned char *packet, size_t len);

/* Pure: the same of the answer to a TLSA query, whose records are added to the set. */
enum proof resolve_parse_tlsa(struct tlsa_set *set, const unsigned char *packet, size_t len);

#endif
