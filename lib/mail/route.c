/* SPDX-License-Identifier: ISC */
#include "mail/route.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>
#include <strings.h>

enum tls_policy
route_policy(const struct relay *r, enum tls_policy set, bool pinned)
{
	static const enum tls_policy automatic[] = {
	    [TLS_MODE_NEVER] = TLS_POLICY_NONE,
	    [TLS_MODE_OFFERED] = TLS_POLICY_MAY,
	    [TLS_MODE_STARTTLS] = TLS_POLICY_VERIFY,
	    [TLS_MODE_IMPLICIT] = TLS_POLICY_VERIFY,
	};

	if (r != NULL && r->path[0] != '\0')
		return TLS_POLICY_NONE;
	if (r != NULL && r->user[0] != '\0')
		return (r->mode == TLS_MODE_NEVER || r->lmtp) && route_local(r) ? TLS_POLICY_NONE
										: TLS_POLICY_VERIFY;
	if (set == TLS_POLICY_AUTO)
		set = r == NULL ? TLS_POLICY_DANE : automatic[r->mode];
	return r != NULL && pinned && set != TLS_POLICY_NONE ? TLS_POLICY_VERIFY : set;
}

bool
route_local(const struct relay *r)
{
	return r->path[0] != '\0' || route_loopback(r->host);
}

bool
route_loopback(const char *host)
{
	struct in_addr four;
	struct in6_addr six;

	if (strcasecmp(host, "localhost") == 0)
		return true;
	if (inet_pton(AF_INET, host, &four) == 1)
		return ntohl(four.s_addr) >> 24 == 127;
	return inet_pton(AF_INET6, host, &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
}

int
route_addresses(char dst[2][ROUTE_ADDRESS], const char *list, const char **why)
{
	unsigned char octets[sizeof(struct in6_addr)];

	dst[0][0] = dst[1][0] = '\0';
	*why = "not an IPv4 address, an IPv6 address, or one of each";
	for (size_t len; *(list += strspn(list, ROUTE_SEPARATORS)) != '\0'; list += len) {
		char text[ROUTE_ADDRESS];
		size_t six;

		len = strcspn(list, ROUTE_SEPARATORS);
		if (len >= sizeof(text))
			return -1;
		memcpy(text, list, len);
		text[len] = '\0';
		six = memchr(text, ':', len) != NULL;
		if (dst[six][0] != '\0' || inet_pton(six ? AF_INET6 : AF_INET, text, octets) != 1)
			return -1;
		memcpy(dst[six], text, len + 1);
	}
	return 0;
}

int
route_domain(char dst[HOST_LEN], const char *address)
{
	const char *at = strrchr(address, '@');
	size_t len = at != NULL ? strlen(at + 1) : 0;

	if (len == 0 || len >= HOST_LEN)
		return -1;
	for (size_t i = 0; i <= len; i++)
		dst[i] = (char)tolower((unsigned char)at[1 + i]);
	return 0;
}
