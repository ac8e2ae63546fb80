/* SPDX-License-Identifier: ISC */
/*
 * wire: what all destinations of smtp have in common: the settings as flush sent them, the routes,
 * TLS, the resolver, the way back to flush, and the time.
 *
 * A route is where mail goes that has one way to go: the relays of a section of the settings, or
 * the exchangers of each domain. Its hops are tried in their order; one that failed is passed by
 * for HANDOFF_DOWN, whoever asks, unless all have failed.
 */
#ifndef WIRE_H
#define WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "mail/route.h"
#include "mail/sasl.h"
#include "mail/status.h"
#include "net/resolver.h"
#include "net/tls.h"
#include "outbox.h"
#include "sys/config.h"

#define WIRE_REPLACED 3 /* files of the resolver that others may take the place of */

struct channel;

struct wire_hop {
	struct relay *relay;         /* NULL: the exchangers of the domain */
	struct sasl_account account; /* user "": none */
	int64_t down;                /* passed by before this time */
};

struct wire_route {
	struct wire_hop hop[ROUTE_URLS];
	size_t nhops;
	unsigned connections, messages; /* at the same time; over each */
	struct outcome broken;          /* class 0: all is well; else what every message gets */
};

struct wire {
	int64_t now;               /* milliseconds, monotonic; of this turn of the loop */
	unsigned jobs;             /* open, of all channels */
	unsigned jobs_max;         /* … as many as there are descriptors for */
	unsigned watched;          /* … that somebody watches */
	unsigned sessions;         /* that were opened so far */
	uint64_t round;            /* that the mail is at, see channel.h */
	bool ready;                /* the settings are complete */
	bool ending;               /* no more mail is begun */
	struct channel *channels;  /* the control first */
	struct outbox *news;       /* where what is of no job is told: the control's */
	struct resolver *resolver; /* NULL before wire_complete() */
	struct settings settings;
	struct wire_route routes[1 + SETTINGS_RELAYS]; /* [relay]'s, then settings.relay's */
	size_t nroutes;
	struct wire_route direct; /* to the exchangers; without hops where nobody needs it */
	struct relay proxy;       /* host "": none */
	struct inet source[2];    /* [smtp] bind_address */
	size_t nsources;
	struct tls_context *tls;      /* NULL: not needed */
	bool readable[WIRE_REPLACED]; /* for confine_wire_stale() */
	struct outcome broken;        /* as in a route, for all of them */
};

/* 0, or -1 with errno: no memory. */
int wire_init(struct wire *w);

/* Settings as they came. What is not understood makes the wire broken, which later says so. */
void wire_set(struct wire *w, const struct handoff_settings *s);

/*
 * The settings are complete: work out the rest, enter the sandbox, and only then start the resolver.
 * 0, or -1 with errno: no threads.
 */
int wire_complete(struct wire *w);

/* The route to a destination, by its name on the channel. */
struct wire_route *wire_route(struct wire *w, const char *destination);

/* The TLS policy for a relay or, when that is NULL, the exchangers of a domain; never AUTO. */
enum tls_policy wire_policy(const struct wire *w, const struct relay *relay, const char *domain);

/* Secrets are wiped. */
void wire_free(struct wire *w);

#endif
