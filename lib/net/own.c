/* SPDX-License-Identifier: ISC */
#include "net/own.h"

#include <ifaddrs.h>
#include <string.h>

static bool
same(const struct inet *a, const struct inet *b)
{
	if (a->any.sa_family != b->any.sa_family)
		return false;
	if (a->any.sa_family == AF_INET)
		return a->v4.sin_addr.s_addr == b->v4.sin_addr.s_addr;
	return IN6_ARE_ADDR_EQUAL(&a->v6.sin6_addr, &b->v6.sin6_addr);
}

bool
own_address(const struct inet *a)
{
	struct ifaddrs *list;
	struct inet own;
	bool found = false;

	if (inet_is_path(a) || inet_is_loopback(a) || getifaddrs(&list) == -1)
		return false;
	for (const struct ifaddrs *i = list; i != NULL && !found; i = i->ifa_next)
		found = i->ifa_addr != NULL && inet_set(&own, i->ifa_addr) && same(a, &own);
	freeifaddrs(list);
	return found;
}
