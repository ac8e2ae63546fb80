/* SPDX-License-Identifier: ISC */
#include "mail/route.h"

#include <arpa/inet.h>

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "mail/socks.h"

#define LABEL_MAX 63 /* octets of a label of a name, RFC 1035 2.3.4 */

#define SUBMISSION "_submission._tcp."
#define SUBMISSIONS "_submissions._tcp." /* the longer one */

static const struct scheme {
	const char *name;
	enum tls_mode mode;
	uint16_t port;
	bool lmtp;
} schemes[] = {
    {"smtp", TLS_MODE_OFFERED, 25, false},
    {"smtp+tls", TLS_MODE_STARTTLS, 587, false},
    {"smtps", TLS_MODE_IMPLICIT, 465, false},
    {"smtp+notls", TLS_MODE_NEVER, 25, false},
    {"lmtp", TLS_MODE_OFFERED, 24, true},
};

/* A piece of the URL. */
struct span {
	const char *s;
	size_t len;
};

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_alnum(char c)
{
	return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z');
}

static int
hex(char c)
{
	if (is_digit(c))
		return c - '0';
	c = lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool
same(struct span p, const char *name)
{
	if (strlen(name) != p.len)
		return false;
	for (size_t i = 0; i < p.len; i++)
		if (lower(p.s[i]) != name[i])
			return false;
	return true;
}

/* Cut `rest` at its first `c`: what is before it, or the whole when there is none. */
static struct span
cut(struct span *rest, char c, bool *found)
{
	const char *p = rest->len > 0 ? memchr(rest->s, c, rest->len) : NULL;
	struct span head = *rest;

	*found = p != NULL;
	if (p == NULL) {
		*rest = (struct span){rest->s + rest->len, 0};
		return head;
	}
	head.len = (size_t)(p - rest->s);
	*rest = (struct span){p + 1, rest->len - head.len - 1};
	return head;
}

/* What RFC 3986 lets stand in userinfo as it is, but for the colon, and the comma of lists. */
static bool
is_userinfo(char c)
{
	return is_alnum(c) || (c != '\0' && strchr("-._~!$&'()*+;=", c) != NULL);
}

/*
 * Decode percent-encoding into dst[size]: userinfo, or with `also` those characters too. No control
 * octet may come out. 0, or -1 with *why.
 */
static int
decode(char *dst, size_t size, struct span p, const char *also, const char **why)
{
	size_t n = 0;

	for (size_t i = 0; i < p.len; i++) {
		int c = (unsigned char)p.s[i];

		if (c == '%') {
			int high = i + 2 < p.len ? hex(p.s[i + 1]) : -1;
			int low = i + 2 < p.len ? hex(p.s[i + 2]) : -1;

			c = high < 0 || low < 0 ? -1 : high << 4 | low;
			i += 2;
		} else if (!is_userinfo((char)c) && strchr(also, c) == NULL) {
			c = -1;
		}
		if (c < 0x20 || c == 0x7f) {
			*why = "bad character in user, password or path: percent-encode it";
			return -1;
		}
		if (n + 1 >= size) {
			*why = "user, password or path too long";
			return -1;
		}
		dst[n++] = (char)c;
	}
	dst[n] = '\0';
	return 0;
}

static int
parse_user(struct relay *r, struct span userinfo, const char **why)
{
	bool colon;
	struct span user = cut(&userinfo, ':', &colon);

	if (user.len == 0) {
		*why = "empty user";
		return -1;
	}
	if (decode(r->user, sizeof(r->user), user, "", why) == -1)
		return -1;
	return decode(r->password, sizeof(r->password), userinfo, "", why);
}

/* Letters, digits, inner hyphens; underscores, since container networks use them. */
static bool
label_ok(struct span p)
{
	if (p.len == 0 || p.len > LABEL_MAX || p.s[0] == '-' || p.s[p.len - 1] == '-')
		return false;
	for (size_t i = 0; i < p.len; i++)
		if (!is_alnum(p.s[i]) && p.s[i] != '-' && p.s[i] != '_')
			return false;
	return true;
}

/* Whether resolvers take a last label for a number, and so "127.1" and "0x7f.1" for addresses. */
static bool
numeric(struct span p)
{
	bool digits = true;

	for (size_t i = 0; i < p.len; i++)
		digits = digits && is_digit(p.s[i]);
	return digits || (p.len >= 2 && p.s[0] == '0' && p.s[1] == 'x');
}

/* A name in lower case, or a dotted quad, whole. */
static bool
name_ok(const char *host)
{
	struct in_addr quad;
	struct span rest = {host, strlen(host)}, label;
	bool dot;

	do {
		label = cut(&rest, '.', &dot);
		if (!label_ok(label))
			return false;
	} while (dot);
	return !numeric(label) || inet_pton(AF_INET, host, &quad) == 1;
}

static int
parse_host(struct relay *r, struct span *rest, const char **why)
{
	struct in6_addr six;
	struct span host = *rest;
	bool bracket = host.len > 0 && host.s[0] == '[', found;
	size_t i;

	*why = "bad host";
	if (bracket) {
		*rest = (struct span){host.s + 1, host.len - 1};
		host = cut(rest, ']', &found);
		if (!found)
			return -1;
	} else {
		host.len = 0;
		while (host.len < rest->len && rest->s[host.len] != ':')
			host.len++;
		*rest = (struct span){rest->s + host.len, rest->len - host.len};
	}
	if (host.len == 0) {
		*why = "no host";
		return -1;
	}
	if (host.len >= sizeof(r->host))
		return -1;
	for (i = 0; i < host.len; i++)
		r->host[i] = lower(host.s[i]);
	r->host[i] = '\0';
	if (bracket)
		return inet_pton(AF_INET6, r->host, &six) == 1 ? 0 : -1;
	return name_ok(r->host) ? 0 : -1;
}

/* rest: "" or ":port" */
static int
parse_port(struct relay *r, struct span rest, const char **why)
{
	unsigned port = 0;

	if (rest.len == 0)
		return 0;
	*why = "bad port";
	if (rest.s[0] != ':' || rest.len < 2 || rest.len > 6)
		return -1;
	for (size_t i = 1; i < rest.len; i++) {
		if (!is_digit(rest.s[i]))
			return -1;
		port = port * 10 + (unsigned)(rest.s[i] - '0');
	}
	if (port < 1 || port > 65535)
		return -1;
	r->port = (uint16_t)port;
	return 0;
}

static int
parse_scheme(struct relay *r, struct span *rest, const char **why)
{
	bool found;
	struct span name = cut(rest, ':', &found);

	*why = "unknown scheme: not smtp, smtp+tls, smtps, smtp+notls or lmtp";
	if (!found || rest->len < 2 || rest->s[0] != '/' || rest->s[1] != '/') {
		*why = "not of the form scheme://host";
		return -1;
	}
	*rest = (struct span){rest->s + 2, rest->len - 2};
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		if (!same(name, schemes[i].name))
			continue;
		r->mode = schemes[i].mode;
		r->port = schemes[i].port;
		r->lmtp = schemes[i].lmtp;
		return 0;
	}
	return -1;
}

/* What stands behind "?": the host is a domain, whose servers are to be looked up. */
static int
parse_lookup(struct relay *r, struct span query, const char **why)
{
	struct in_addr quad;

	*why = "not ?mx or ?srv";
	if (same(query, "mx"))
		r->lookup = RELAY_LOOKUP_MX;
	else if (same(query, "srv"))
		r->lookup = RELAY_LOOKUP_SRV;
	else
		return -1;
	*why = "?mx and ?srv are for domains, and not for lmtp";
	if (r->lmtp || route_loopback(r->host) || strchr(r->host, ':') != NULL ||
	    inet_pton(AF_INET, r->host, &quad) == 1)
		return -1;
	*why = "bad host";
	return strlen(r->host) + strlen(SUBMISSIONS) < sizeof(r->host) ? 0 : -1;
}

/* host[:port] of the authority, and what is behind it */
static int
parse_place(
    struct relay *r, struct span authority, struct span path, struct span query, const char **why)
{
	if (path.len > 0) {
		*why = "nothing may follow host and port";
		return -1;
	}
	if (parse_host(r, &authority, why) == -1 || parse_port(r, authority, why) == -1)
		return -1;
	if (query.len > 0 && parse_lookup(r, query, why) == -1)
		return -1;
	*why = "with ?srv the port is DNS's to say";
	return r->lookup == RELAY_LOOKUP_SRV && authority.len > 0 ? -1 : 0;
}

/* [user[:password]@]host[:port][/][?query], or of lmtp [user[:password]@]/path */
static int
parse_rest(struct relay *r, struct span rest, const char **why)
{
	bool at, slash, asked;
	struct span path = cut(&rest, '?', &asked), authority, probe, userinfo;
	const char *start;

	authority = cut(&path, '/', &slash);
	probe = authority;
	userinfo = cut(&probe, '@', &at);
	if (at) {
		if (parse_user(r, userinfo, why) == -1)
			return -1;
		authority = probe;
	}
	if (asked && rest.len == 0) {
		*why = "not ?mx or ?srv";
		return -1;
	}
	if (!r->lmtp || authority.len > 0 || path.len == 0)
		return parse_place(r, authority, path, rest, why);
	*why = "a path has no ?mx or ?srv";
	start = path.s - 1; /* with its slash */
	return asked ? -1
		     : decode(r->path, sizeof(r->path), (struct span){start, path.len + 1}, "/:@",
			   why);
}

static int
parse(struct relay *r, struct span url, const char **why)
{
	*r = (struct relay){0};
	if (parse_scheme(r, &url, why) == -1 || parse_rest(r, url, why) == -1)
		goto bad;
	if (r->user[0] != '\0' && r->mode == TLS_MODE_NEVER && !route_local(r)) {
		*why = "an account needs TLS: smtp+notls with a user is for loopback only";
		goto bad;
	}
	return 0;
bad:
	explicit_bzero(r, sizeof(*r));
	return -1;
}

int
route_parse(struct relay *r, const char *url, const char **why)
{
	return parse(r, (struct span){url, strlen(url)}, why);
}

int
route_parse_proxy(struct relay *r, const char *url, const char **why)
{
	static const char scheme[] = "socks5://", no_proxy[] = "not socks5://host[:port]";
	size_t len = strlen(scheme);

	*r = (struct relay){.port = SOCKS_PORT};
	*why = no_proxy;
	if (strncasecmp(url, scheme, len) == 0 &&
	    parse_rest(r, (struct span){url + len, strlen(url + len)}, why) == 0) {
		*why = no_proxy;
		if (r->lookup == RELAY_LOOKUP_HOST)
			return 0;
	}
	explicit_bzero(r, sizeof(*r));
	return -1;
}

int
route_next(struct relay *r, const char **list, const char **why)
{
	struct span url;

	*list += strspn(*list, ROUTE_SEPARATORS);
	url = (struct span){*list, strcspn(*list, ROUTE_SEPARATORS)};
	*list += url.len;
	if (url.len == 0)
		return 0;
	return parse(r, url, why) == 0 ? 1 : -1;
}

int
route_check(const char *list, const char **why)
{
	struct relay r;
	size_t n = 0;
	int result;

	while ((result = route_next(&r, &list, why)) == 1 && ++n <= ROUTE_URLS)
		;
	explicit_bzero(&r, sizeof(r));
	if (result == 1)
		*why = "more than 8 URLs";
	return result == 0 ? 0 : -1;
}

void
route_service(const struct relay *r, char dst[HOST_LEN])
{
	snprintf(dst, HOST_LEN, "%s%.*s", r->mode == TLS_MODE_IMPLICIT ? SUBMISSIONS : SUBMISSION,
	    (int)(HOST_LEN - sizeof(SUBMISSIONS)), r->host);
}
