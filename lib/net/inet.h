/* SPDX-License-Identifier: ISC */
/*
 * inet: where a server is: an address and port, IPv4 or IPv6, or a Unix socket; and its texts.
 * Pure; goes by value.
 */
#ifndef NET_INET_H
#define NET_INET_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

#define INET_TEXT 112 /* octets of a text below, its NUL included */

struct inet {
	socklen_t len; /* of the member in use */
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
		struct sockaddr_un local;
	};
};

/* Copy a socket address of IPv4 or IPv6. False for any other family. */
bool inet_set(struct inet *a, const struct sockaddr *sa);

/* A numeric address without brackets, "192.0.2.1" or "2001:db8::1". False when it is none. */
bool inet_parse(struct inet *a, const char *text);

/* A Unix socket. False when the path is too long. */
bool inet_set_path(struct inet *a, const char *path);
bool inet_is_path(const struct inet *a);

/* 127.0.0.0/8 and ::1. */
bool inet_is_loopback(const struct inet *a);

/* The port, in host order; not of a Unix socket. */
void inet_set_port(struct inet *a, uint16_t port);
uint16_t inet_port(const struct inet *a);

/* "192.0.2.1", "2001:db8::1", "/run/lmtp" */
void inet_print(char dst[INET_TEXT], const struct inet *a);

/* The address literal of RFC 5321 4.1.3: "[192.0.2.1]", "[IPv6:2001:db8::1]". */
void inet_print_literal(char dst[INET_TEXT], const struct inet *a);

#endif
