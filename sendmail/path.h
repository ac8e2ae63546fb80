/* SPDX-License-Identifier: ISC */
/*
 * path: where a destination can be reached, tried one after the other: the hops of its route, of
 * each hop its hosts by preference, of each host its addresses. A host is looked up when its turn
 * comes. So a host that turns out to be this machine is found then; those of its preference may
 * have been tried before.
 *
 *	PATH_NONE     nothing is known: path_start()
 *	PATH_ASKING   a look-up is under way; path_answer()
 *	PATH_AT       there is an address to try, or one that works; path_next() when it does not
 *	PATH_END      everything failed: `last` says how; path_reset()
 */
#ifndef PATH_H
#define PATH_H

#include "net/session.h"
#include "wire.h"

#define PATH_TRIES 10     /* addresses of a hop that are tried, as Postfix bounds them */
#define PATH_EARLY 5000   /* milliseconds, see path_timeout() */
#define PATH_LOOKUP 60000 /* milliseconds a look-up may take */
#define PATH_FRESH 300000 /* milliseconds before it is looked for anew */

enum path_state {
	PATH_NONE,
	PATH_ASKING,
	PATH_AT,
	PATH_END,
};

struct path {
	struct wire *wire;
	struct wire_route *route;
	const char *domain; /* the destination */
	enum path_state state;
	size_t hop;            /* the one that is tried */
	struct lookup *lookup; /* under way */
	int64_t since;         /* asked, or known */
	struct mx_list hosts;
	struct inet proxy[RESOLVE_ADDRESSES]; /* see [smtp] proxy; asked for when it is needed */
	size_t nproxies, via;
	bool asking_proxy;
	size_t host; /* the one that is tried */
	bool implicit;
	struct inet address[RESOLVE_ADDRESSES];
	size_t naddress, at;
	unsigned tries;         /* addresses of the hop */
	bool reached;           /* … one of them answered */
	enum tls_policy policy; /* of the destination */
	bool secure;            /* DNSSEC vouches for the hosts; or they are configured */
	struct tlsa_set tlsa;   /* of the host */
	bool plain;             /* its TLS failed where TLS is only welcome: go without */
	struct outcome last;    /* of what failed last */
};

/* domain: the destination's name, borrowed. */
void path_init(struct path *p, struct wire *w, const char *domain);

/* owner: told by the lookup when it is answered. */
void path_start(struct path *p, void *owner);

/* The answer to its look-up; the caller frees it. */
void path_answer(struct path *p, const struct lookup *l, void *owner);

/* When the look-up is given up: call path_late() then. */
int64_t path_deadline(const struct path *p);
void path_late(struct path *p, void *owner);

/* The address that is tried did not work: go on to the next. */
enum path_failure {
	PATH_UNPROXIED, /* there was none to the proxy */
	PATH_UNREACHED, /* there was no connection */
	PATH_FAILED,    /* there was one */
	PATH_REFUSED,   /* and nor would others of the hop take us */
};
void path_next(struct path *p, const struct outcome *o, enum path_failure how, void *owner);

/* What the end of a session to it was. */
enum path_failure path_failure(const struct session *s, const struct outcome *o);

/* It may be time to look for a better way: see PATH_FRESH. */
bool path_stale(const struct path *p);

/* Its hop, host and address, and the TLS policy there, never AUTO or DANE. PATH_AT only. */
const struct wire_hop *path_hop(const struct path *p);
enum tls_policy path_policy(const struct path *p);

/* Whether TLS is only welcome there, so that without it the mail may go too. PATH_AT only. */
bool path_may_be_plain(const struct path *p);
const char *path_host(const struct path *p);
const struct inet *path_address(const struct path *p);

/* Whether its hop is reached through the proxy, if there is one: what is on this machine is not. */
bool path_proxied(const struct path *p);

/* path_session.c: a session there, but for who gives it mail. Borrows from the path. PATH_AT only. */
struct session_config path_session(const struct path *p);

void path_reset(struct path *p);

#endif
