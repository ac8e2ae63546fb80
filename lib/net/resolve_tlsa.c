/* SPDX-License-Identifier: ISC */
#include "net/resolve_libc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "net/resolve_impl.h"

#define ALIASES 16 /* CNAMEs in a row */

static bool
loopback(const struct __res_state *rs, int i)
{
	const struct sockaddr_in *four = &rs->nsaddr_list[i];
	const struct sockaddr_in6 *six = rs->_u._ext.nsaddrs[i];

	if (four->sin_family == AF_INET)
		return ntohl(four->sin_addr.s_addr) >> 24 == 127;
	return six != NULL && six->sin6_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&six->sin6_addr);
}

bool
resolve_trusted(const struct __res_state *rs)
{
	if (rs->options & RES_TRUSTAD)
		return true;
	for (int i = 0; i < rs->nscount; i++)
		if (!loopback(rs, i))
			return false;
	return rs->nscount > 0;
}

static enum proof
parse_head(ns_msg *msg, const unsigned char *packet, size_t len)
{
	if (resolve_parse_head(msg, packet, len) == MX_TROUBLE)
		return PROOF_NONE;
	return ns_msg_getflag(*msg, ns_f_ad) ? PROOF_SECURE : PROOF_MISSING;
}

/* Go one CNAME further. 1: done; 0: there is none for this name; -1: not a DNS message. */
static int
follow(char name[HOST_LEN], ns_msg *msg)
{
	for (int i = 0; i < ns_msg_count(*msg, ns_s_an); i++) {
		char target[NS_MAXDNAME];
		ns_rr rr;

		if (ns_parserr(msg, ns_s_an, i, &rr) == -1)
			return -1;
		if (ns_rr_type(rr) != ns_t_cname || ns_rr_class(rr) != ns_c_in ||
		    strcasecmp(ns_rr_name(rr), name) != 0)
			continue;
		if (ns_name_uncompress(ns_msg_base(*msg), ns_msg_end(*msg), ns_rr_rdata(rr), target,
			sizeof(target)) == -1 ||
		    strlen(target) >= HOST_LEN || !resolve_name_ok(target))
			return -1;
		memcpy(name, target, strlen(target) + 1);
		return 1;
	}
	return 0;
}

enum proof
resolve_parse_alias(char name[HOST_LEN], const unsigned char *packet, size_t len)
{
	ns_msg msg;
	enum proof proof = parse_head(&msg, packet, len);
	int went = 1;

	for (int i = 0; proof != PROOF_NONE && went == 1; i++)
		if ((went = follow(name, &msg)) == -1 || i == ALIASES)
			proof = PROOF_NONE;
	return proof;
}

enum proof
resolve_parse_tlsa(struct tlsa_set *set, const unsigned char *packet, size_t len)
{
	ns_msg msg;
	enum proof proof = parse_head(&msg, packet, len);

	for (int i = 0; proof == PROOF_SECURE && i < ns_msg_count(msg, ns_s_an); i++) {
		ns_rr rr;

		if (ns_parserr(&msg, ns_s_an, i, &rr) == -1)
			proof = PROOF_NONE;
		else if (ns_rr_type(rr) == ns_t_tlsa && ns_rr_class(rr) == ns_c_in)
			tlsa_add(set, ns_rr_rdata(rr), ns_rr_rdlen(rr));
	}
	return proof;
}

/* The answer of one query goes to `alias` or, when that is NULL, to `set`. */
static enum proof
ask(struct __res_state *rs, const char *name, int type, char alias[HOST_LEN], struct tlsa_set *set)
{
	size_t len = 0;
	unsigned char *answer = resolve_query(rs, name, type, &len);
	enum proof proof = PROOF_NONE;

	if (answer != NULL)
		proof = alias != NULL ? resolve_parse_alias(alias, answer, len)
				      : resolve_parse_tlsa(set, answer, len);
	free(answer);
	return proof;
}

/* RFC 7672 2.1.2: without an answer an attacker may be in the way, and the host is not used. */
static void
give_up(struct lookup *l, const char *type, const char *name)
{
	l->outcome = status_trouble(STAGE_LOOKUP, SCOPE_DESTINATION, STATUS(4, 7, 5),
	    "look-up of %s %s failed, so %s cannot be authenticated (DANE)", type, name, l->name);
}

/* The records for one base domain. False: the look-up failed. */
static bool
find_records(struct lookup *l, struct __res_state *rs, const char *base)
{
	char name[HOST_LEN + 16];
	enum proof proof;

	snprintf(name, sizeof(name), "_%u._tcp.%s", l->port, base);
	if (strlen(name) >= HOST_LEN - 1)
		return true; /* no name can be that long */
	l->tlsa = (struct tlsa_set){0};
	proof = ask(rs, name, ns_t_tlsa, NULL, &l->tlsa);
	memcpy(l->tlsa.base, base, strlen(base) + 1);
	if (proof == PROOF_NONE)
		give_up(l, "TLSA", name);
	return proof != PROOF_NONE;
}

/*
 * RFC 7672 2.2.1 and 2.2.2. Whether the host's zone is signed shows in the answer for A, also when
 * there is none. Of an alias the name behind it comes first, then its own.
 */
void
resolve_dane(struct lookup *l, struct __res_state *rs)
{
	char target[HOST_LEN];
	enum proof proof;

	memcpy(target, l->name, sizeof(target));
	proof = ask(rs, l->name, ns_t_a, target, NULL);
	if (proof == PROOF_NONE)
		give_up(l, "A", l->name);
	if (proof != PROOF_SECURE)
		return;
	if (find_records(l, rs, target) && l->tlsa.state == TLSA_NONE &&
	    strcasecmp(target, l->name) != 0)
		find_records(l, rs, l->name);
}
