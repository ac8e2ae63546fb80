/* SPDX-License-Identifier: ISC */
#include "net/resolve_libc.h"

#include <bsd/stdlib.h>
#include <ctype.h>
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "net/resolve_impl.h"

/* Not an address: RFC 5321 5.1 wants a name in MX. */
bool
resolve_name_ok(const char *s)
{
	const char *label = s;
	bool digits = true;

	for (; *s != '\0'; s++) {
		if (*s == '.') {
			if (s == label || s[1] == '\0')
				return false;
			label = s + 1;
			digits = true;
		} else if (isalnum((unsigned char)*s) || *s == '-' || *s == '_')
			digits = digits && isdigit((unsigned char)*s);
		else
			return false;
	}
	return s > label && !digits;
}

void
resolve_insert_mx(struct mx_list *list, const struct mx *mx)
{
	size_t i = list->n;

	while (i > 0 && list->mx[i - 1].preference > mx->preference)
		i--;
	if (i == RESOLVE_HOSTS)
		return;
	if (list->n < RESOLVE_HOSTS)
		list->n++;
	memmove(&list->mx[i + 1], &list->mx[i], (list->n - i - 1) * sizeof(list->mx[0]));
	list->mx[i] = *mx;
}

/* One MX record's data. 1: taken; 0: not a host name; -1: the null MX. */
static int
parse_record(struct mx_list *list, ns_msg *msg, const ns_rr *rr)
{
	const unsigned char *data = ns_rr_rdata(*rr);
	const unsigned char *start = ns_msg_base(*msg), *end = ns_msg_end(*msg);
	char name[NS_MAXDNAME];
	struct mx mx = {0}; /* no weight, no port: those are of SRV */
	size_t len;

	if (ns_rr_rdlen(*rr) < 3 ||
	    ns_name_uncompress(start, end, data + 2, name, sizeof(name)) == -1)
		return 0;
	if (name[0] == '\0' || strcmp(name, ".") == 0)
		return -1;
	len = strlen(name);
	if (len >= sizeof(mx.host) || !resolve_name_ok(name))
		return 0;
	mx.preference = (uint16_t)ns_get16(data);
	memcpy(mx.host, name, len + 1);
	resolve_insert_mx(list, &mx);
	return 1;
}

static enum mx_verdict
parse_answers(struct mx_list *list, ns_msg *msg)
{
	unsigned seen = 0, nulls = 0;

	for (int i = 0; i < ns_msg_count(*msg, ns_s_an); i++) {
		ns_rr rr;

		if (ns_parserr(msg, ns_s_an, i, &rr) == -1)
			return MX_TROUBLE;
		if (ns_rr_type(rr) != ns_t_mx || ns_rr_class(rr) != ns_c_in)
			continue;
		seen++;
		if (parse_record(list, msg, &rr) == -1)
			nulls++;
	}
	if (list->n > 0)
		return MX_FOUND;
	if (seen == 0)
		return MX_IMPLICIT;
	return nulls == seen ? MX_NULL : MX_UNUSABLE;
}

enum mx_verdict
resolve_parse_head(ns_msg *msg, const unsigned char *packet, size_t len)
{
	if (len > NS_MAXMSG || ns_initparse(packet, (int)len, msg) == -1 ||
	    !ns_msg_getflag(*msg, ns_f_qr) || ns_msg_getflag(*msg, ns_f_tc))
		return MX_TROUBLE;
	if (ns_msg_getflag(*msg, ns_f_rcode) == ns_r_nxdomain)
		return MX_NXDOMAIN;
	return ns_msg_getflag(*msg, ns_f_rcode) == ns_r_noerror ? MX_FOUND : MX_TROUBLE;
}

enum mx_verdict
resolve_parse_mx(struct mx_list *list, const unsigned char *packet, size_t len)
{
	enum mx_verdict verdict;
	ns_msg msg;

	list->n = 0;
	if ((verdict = resolve_parse_head(&msg, packet, len)) == MX_FOUND)
		verdict = parse_answers(list, &msg);
	if (verdict != MX_FOUND)
		list->n = 0;
	return verdict;
}

void
resolve_shuffle_mx(struct mx_list *list)
{
	for (size_t i = 0, n; i < list->n; i += n) {
		for (n = 1;
		     i + n < list->n && list->mx[i + n].preference == list->mx[i].preference;)
			n++;
		for (size_t k = n; k > 1; k--) {
			struct mx *a = &list->mx[i + k - 1];
			struct mx *b = &list->mx[i + arc4random_uniform((uint32_t)k)];
			struct mx t = *a;

			*a = *b;
			*b = t;
		}
	}
}

static void
fail(struct lookup *l, unsigned char class, const char *type, const char *why)
{
	struct status st = class == 5 ? STATUS(4, 1, 2) : STATUS(4, 4, 3);

	l->outcome = status_trouble(STAGE_LOOKUP, SCOPE_DESTINATION, st,
	    "Host or domain name not found. Name service error for name=%s type=%s: %s", l->name,
	    type, why);
	l->outcome.status.class = class;
}

static void
found(struct lookup *l)
{
	if (l->type == LOOKUP_SRV)
		resolve_order_srv(&l->mx);
	else
		resolve_shuffle_mx(&l->mx);
}

/* RFC 5321 5.1: without MX records a domain is its own exchanger. */
static void
implied(struct lookup *l)
{
	l->mx.n = 1;
	l->mx.mx[0] = (struct mx){0};
	memcpy(l->mx.mx[0].host, l->name, sizeof(l->name));
	l->mx_implicit = true;
}

/* MX or SRV: which hosts; the verdict becomes an outcome. */
static void
judge_mx(struct lookup *l, enum mx_verdict verdict)
{
	const char *type = l->type == LOOKUP_SRV ? "SRV" : "MX";

	l->outcome.status = STATUS(2, 0, 0);
	if (verdict == MX_FOUND)
		found(l);
	else if (verdict == MX_IMPLICIT && l->type != LOOKUP_SRV)
		implied(l);
	else if (verdict == MX_NULL && l->type == LOOKUP_MX)
		l->outcome = status_final(status_trouble(STAGE_LOOKUP, SCOPE_DESTINATION,
		    STATUS(5, 1, 10), "Domain %s does not accept mail (null MX)", l->name));
	else if (verdict == MX_NULL || verdict == MX_IMPLICIT)
		fail(l, 4, type, "The domain has no such service");
	else if (verdict == MX_NXDOMAIN)
		fail(l, l->type == LOOKUP_MX ? 5 : 4, type, "Host not found");
	else if (verdict == MX_TROUBLE)
		fail(l, 4, type, "Host not found, try again");
	else
		fail(l, 4, type, "No host name in the records");
}

/* res_nmkquery and res_nsend, not res_nquery, so that the parsers see the reply's code. */
unsigned char *
resolve_query(struct __res_state *rs, const char *name, int type, size_t *len)
{
	unsigned char query[NS_PACKETSZ], *answer;
	int n =
	    res_nmkquery(rs, ns_o_query, name, ns_c_in, type, NULL, 0, NULL, query, sizeof(query));

	errno = EINVAL;
	if (n == -1 || (answer = malloc(NS_MAXMSG)) == NULL)
		return NULL;
	n = res_nsend(rs, query, n, answer, NS_MAXMSG);
	*len = n > 0 ? (size_t)n : 0;
	return answer;
}

static void
look_up_mx(struct lookup *l, struct __res_state *rs)
{
	enum mx_verdict verdict = MX_TROUBLE;
	bool srv = l->type == LOOKUP_SRV;
	char name[HOST_LEN] = "";
	size_t len = 0;
	unsigned char *answer = resolve_query(rs, l->name, srv ? ns_t_srv : ns_t_mx, &len);

	if (answer == NULL && errno == EINVAL)
		verdict = MX_NXDOMAIN; /* it cannot be written as a query: no such name can exist */
	else if (answer != NULL) {
		verdict = srv ? resolve_parse_srv(&l->mx, answer, len)
			      : resolve_parse_mx(&l->mx, answer, len);
		l->secure = resolve_parse_alias(name, answer, len) == PROOF_SECURE;
	}
	free(answer);
	judge_mx(l, verdict);
}

/* The next of `family` (or of the other one, when `other`) at or behind *ai. */
static const struct addrinfo *
next_of(const struct addrinfo *ai, int family, bool other)
{
	while (ai != NULL && (ai->ai_family == family) == other)
		ai = ai->ai_next;
	return ai;
}

/* Families take turns, beginning with the one that getaddrinfo put first. */
static void
interleave(struct lookup *l, const struct addrinfo *list)
{
	const struct addrinfo *at[2];
	int family = list->ai_family;

	at[0] = next_of(list, family, false);
	at[1] = next_of(list, family, true);
	for (unsigned turn = 0; l->naddress < RESOLVE_ADDRESSES; turn++) {
		const struct addrinfo **ai = &at[turn % 2];
		struct inet *to = &l->address[l->naddress];

		if (at[0] == NULL && at[1] == NULL)
			break;
		if (*ai == NULL)
			continue;
		if (inet_set(to, (*ai)->ai_addr)) {
			inet_set_port(to, l->port);
			l->naddress++;
		}
		*ai = next_of((*ai)->ai_next, family, turn % 2 == 1);
	}
}

static void
look_up_host(struct lookup *l)
{
	const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	struct addrinfo *list = NULL;
	int error = getaddrinfo(l->name, NULL, &hints, &list);
	bool missing = error == EAI_NONAME || error == EAI_NODATA || error == EAI_ADDRFAMILY;

	if (error == 0) {
		l->outcome.status = STATUS(2, 0, 0);
		interleave(l, list);
		freeaddrinfo(list);
	}
	if (error == 0 && l->naddress > 0)
		return;
	if (missing && l->implicit)
		fail(l, 5, "A", "Host not found");
	else
		fail(l, 4, "A", missing ? "Host not found" : "Host not found, try again");
}

bool
resolve_names_hosts(const struct lookup *l)
{
	return l->type == LOOKUP_MX || l->type == LOOKUP_RELAY_MX || l->type == LOOKUP_SRV;
}

bool
resolve_literal(struct lookup *l)
{
	if (resolve_names_hosts(l) || !inet_parse(&l->address[0], l->name))
		return false;
	inet_set_port(&l->address[0], l->port);
	l->naddress = 1;
	l->outcome.status = STATUS(2, 0, 0);
	return true;
}

/*
 * glibc's getaddrinfo obeys the thread's own resolver state; it is made afresh each time, since a
 * state with changed options is not renewed when resolv.conf changes. The environment's say in it
 * (LOCALDOMAIN, RES_OPTIONS) is main's to take away.
 */
void
resolve(struct lookup *l)
{
	struct __res_state *rs = &_res;

	if (resolve_literal(l))
		return;
	if (res_ninit(rs) == -1) {
		fail(l, 4, resolve_names_hosts(l) ? "MX" : "A", "no resolver");
		return;
	}
	if (l->type != LOOKUP_RELAY)
		rs->options &= ~(unsigned long)(RES_DEFNAMES | RES_DNSRCH);
	if (resolve_trusted(rs))
		rs->options |= RES_TRUSTAD; /* else glibc takes AD out of the answer */
	if (rs->retrans > RES_TIMEOUT)
		rs->retrans = RES_TIMEOUT;
	if (rs->retry > 2)
		rs->retry = 2;
	if (resolve_names_hosts(l))
		look_up_mx(l, rs);
	else
		look_up_host(l);
	if (l->dane && l->outcome.status.class == 2)
		resolve_dane(l, rs);
	res_nclose(rs);
}
