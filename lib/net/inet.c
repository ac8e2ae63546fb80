/* SPDX-License-Identifier: ISC */
#include "net/inet.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

bool
inet_set(struct inet *a, const struct sockaddr *sa)
{
	memset(a, 0, sizeof(*a));
	if (sa->sa_family == AF_INET)
		a->len = sizeof(a->v4);
	else if (sa->sa_family == AF_INET6)
		a->len = sizeof(a->v6);
	else
		return false;
	memcpy(&a->any, sa, a->len);
	return true;
}

bool
inet_parse(struct inet *a, const char *text)
{
	memset(a, 0, sizeof(*a));
	if (inet_pton(AF_INET, text, &a->v4.sin_addr) == 1) {
		a->v4.sin_family = AF_INET;
		a->len = sizeof(a->v4);
		return true;
	}
	if (inet_pton(AF_INET6, text, &a->v6.sin6_addr) == 1) {
		a->v6.sin6_family = AF_INET6;
		a->len = sizeof(a->v6);
		return true;
	}
	return false;
}

bool
inet_set_path(struct inet *a, const char *path)
{
	size_t len = strlen(path);

	memset(a, 0, sizeof(*a));
	if (len == 0 || len >= sizeof(a->local.sun_path))
		return false;
	a->local.sun_family = AF_UNIX;
	memcpy(a->local.sun_path, path, len + 1);
	a->len = sizeof(a->local);
	return true;
}

bool
inet_is_path(const struct inet *a)
{
	return a->any.sa_family == AF_UNIX;
}

bool
inet_is_loopback(const struct inet *a)
{
	if (a->any.sa_family == AF_INET)
		return ntohl(a->v4.sin_addr.s_addr) >> 24 == 127;
	return a->any.sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&a->v6.sin6_addr);
}

void
inet_set_port(struct inet *a, uint16_t port)
{
	if (a->any.sa_family == AF_INET6)
		a->v6.sin6_port = htons(port);
	else
		a->v4.sin_port = htons(port);
}

uint16_t
inet_port(const struct inet *a)
{
	return ntohs(a->any.sa_family == AF_INET6 ? a->v6.sin6_port : a->v4.sin_port);
}

void
inet_print(char dst[INET_TEXT], const struct inet *a)
{
	const void *octets = &a->v4.sin_addr;

	if (inet_is_path(a)) {
		snprintf(dst, INET_TEXT, "%s", a->local.sun_path);
		return;
	}
	if (a->any.sa_family == AF_INET6)
		octets = &a->v6.sin6_addr;
	if (inet_ntop(a->any.sa_family, octets, dst, INET_TEXT) == NULL)
		memcpy(dst, "?", 2);
}

void
inet_print_literal(char dst[INET_TEXT], const struct inet *a)
{
	char text[INET_TEXT];

	inet_print(text, a);
	snprintf(dst, INET_TEXT, "[%s%.100s]", a->any.sa_family == AF_INET6 ? "IPv6:" : "", text);
}
