/* SPDX-License-Identifier: ISC */
#include <bsd/stdlib.h>
#include <stdlib.h>
#include <string.h>

#include "net/resolve_impl.h"

/* priority, weight, port (RFC 2782), and a target of one octet at least */
#define FIXED 6

/* One SRV record's data: false when it is of no use. A target of "." is counted apart. */
static bool
parse_record(struct mx *mx, ns_msg *msg, const ns_rr *rr, unsigned *nulls)
{
	const unsigned char *data = ns_rr_rdata(*rr);
	char name[NS_MAXDNAME];
	size_t len;

	if (ns_rr_rdlen(*rr) <= FIXED || ns_name_uncompress(ns_msg_base(*msg), ns_msg_end(*msg),
					     data + FIXED, name, sizeof(name)) == -1)
		return false;
	*nulls += name[0] == '\0' || strcmp(name, ".") == 0;
	len = strlen(name);
	*mx = (struct mx){
	    .preference = (uint16_t)ns_get16(data),
	    .weight = (uint16_t)ns_get16(data + 2),
	    .port = (uint16_t)ns_get16(data + 4),
	};
	if (len >= sizeof(mx->host) || !resolve_name_ok(name) || mx->port == 0)
		return false;
	memcpy(mx->host, name, len + 1);
	return true;
}

enum mx_verdict
resolve_parse_srv(struct mx_list *list, const unsigned char *packet, size_t len)
{
	enum mx_verdict verdict;
	unsigned seen = 0, nulls = 0;
	struct mx mx;
	ns_msg msg;
	ns_rr rr;

	list->n = 0;
	if ((verdict = resolve_parse_head(&msg, packet, len)) != MX_FOUND)
		return verdict;
	for (int i = 0; i < ns_msg_count(msg, ns_s_an); i++) {
		if (ns_parserr(&msg, ns_s_an, i, &rr) == -1) {
			list->n = 0;
			return MX_TROUBLE;
		}
		if (ns_rr_type(rr) != ns_t_srv || ns_rr_class(rr) != ns_c_in)
			continue;
		seen++;
		if (parse_record(&mx, &msg, &rr, &nulls))
			resolve_insert_mx(list, &mx);
	}
	if (list->n > 0)
		return MX_FOUND;
	return seen == 0 ? MX_IMPLICIT : nulls == seen ? MX_NULL : MX_UNUSABLE;
}

/* One of n, those of more weight more often; those without hardly ever (RFC 2782). */
static size_t
draw(const struct mx *mx, size_t n)
{
	uint32_t sum = 0, at;
	size_t i = 0;

	for (size_t k = 0; k < n; k++)
		sum += mx[k].weight;
	if (sum == 0)
		return arc4random_uniform((uint32_t)n);
	at = arc4random_uniform(sum) + 1;
	while (mx[i].weight < at)
		at -= mx[i++].weight;
	return i;
}

void
resolve_order_srv(struct mx_list *list)
{
	for (size_t i = 0, n; i < list->n; i++) {
		struct mx t = list->mx[i];
		size_t k;

		for (n = 1; i + n < list->n && list->mx[i + n].preference == t.preference;)
			n++;
		k = i + draw(&list->mx[i], n);
		list->mx[i] = list->mx[k];
		list->mx[k] = t;
	}
}
