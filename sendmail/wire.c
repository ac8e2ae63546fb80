/* SPDX-License-Identifier: ISC */
#include "wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "confine_wire.h"
#include "mail/tls_policy.h"
#include "sys/clock.h"

static void
breaks(struct outcome *broken, const char *what, const char *why)
{
	if (broken->status.class == 0)
		*broken = status_trouble(
		    STAGE_CONFIG, SCOPE_DESTINATION, STATUS(4, 3, 5), "%s: %s", what, why);
}

int
wire_init(struct wire *w)
{
	memset(w, 0, sizeof(*w));
	w->now = clock_monotonic();
	return settings_default(&w->settings);
}

void
wire_set(struct wire *w, const struct handoff_settings *s)
{
	const char *why;

	for (const char *name = NULL; (name = handoff_setting(s, name)) != NULL;)
		if (settings_take(&w->settings, name, "flush", &why) == -1)
			breaks(&w->broken, name, why);
}

/* What a section says of its relays. */
struct section {
	const char *name, *urls;
	struct sasl_account account; /* its user is the URL's to say */
};

static void
breaks_section(
    struct wire_route *route, const struct section *from, const char *key, const char *why)
{
	char what[SETTINGS_SECTION + 16];

	snprintf(what, sizeof(what), "%s.%s", from->name, key);
	breaks(&route->broken, what, why);
}

/* A relay without a password of its own has that of its section. */
static void
set_account(struct wire_route *route, struct wire_hop *h, const struct section *from)
{
	char why[SETTINGS_SECTION + 64];

	h->account = from->account;
	h->account.user = h->relay->user;
	if (h->relay->password[0] != '\0')
		h->account.password = h->relay->password;
	snprintf(why, sizeof(why), "not set, but %s.url names an account", from->name);
	if (h->account.user[0] != '\0' && h->account.password[0] == '\0' &&
	    !sasl_lists(h->account.mechanisms, "EXTERNAL"))
		breaks_section(route, from, "password", why);
}

static void
add_relay(struct wire_route *route, const struct section *from, const struct relay *relay)
{
	struct wire_hop *h = &route->hop[route->nhops];

	if ((h->relay = malloc(sizeof(*relay))) == NULL) {
		breaks_section(route, from, "url", "out of memory");
		return;
	}
	*h->relay = *relay;
	set_account(route, h, from);
	route->nhops++;
}

static void
add_relays(struct wire_route *route, const struct section *from)
{
	struct relay relay;
	const char *urls = from->urls, *why;
	int r;

	while ((r = route_next(&relay, &urls, &why)) == 1 && route->nhops < ROUTE_URLS)
		add_relay(route, from, &relay);
	if (r != 0)
		breaks_section(route, from, "url", r == 1 ? "too many URLs" : why);
	explicit_bzero(&relay, sizeof(relay));
}

/* How much of them there may be; 0: what holds for all. */
static void
set_limits(const struct wire *w, struct wire_route *route, unsigned connections, unsigned messages)
{
	const struct settings *s = &w->settings;

	route->connections = connections > 0 ? connections : s->smtp_connections;
	route->messages = messages > 0 ? messages : s->smtp_messages_per_connection;
}

/* Every route that mail may take, the direct one where a section has no relays. */
static void
set_routes(struct wire *w)
{
	const struct settings *s = &w->settings;
	struct section from = {
	    "relay", s->relay_url, {.password = s->relay_password, .mechanisms = s->relay_auth}};

	w->nroutes = 1 + s->nrelays;
	add_relays(&w->routes[0], &from);
	set_limits(w, &w->routes[0], 0, 0);
	set_limits(w, &w->direct, 0, 0);
	for (size_t i = 0; i < s->nrelays; i++) {
		const struct settings_relay *r = &s->relay[i];

		from = (struct section){
		    r->section, r->url, {.password = r->password, .mechanisms = r->auth}};
		add_relays(&w->routes[1 + i], &from);
		set_limits(w, &w->routes[1 + i], r->connections, r->messages_per_connection);
	}
	for (size_t i = 0; i < w->nroutes; i++)
		if (w->routes[i].nhops == 0)
			w->direct.nhops = 1;
	from = (struct section){"relay", s->relay_fallback,
	    {.password = s->relay_password, .mechanisms = s->relay_auth}};
	if (w->direct.nhops > 0)
		add_relays(&w->direct, &from);
}

static void
set_sources(struct wire *w)
{
	char text[2][ROUTE_ADDRESS];
	const char *why;

	if (route_addresses(text, w->settings.smtp_bind_address, &why) == -1)
		breaks(&w->broken, "smtp.bind_address", why);
	for (size_t i = 0; i < 2; i++)
		if (inet_parse(&w->source[w->nsources], text[i]))
			w->nsources++;
}

enum tls_policy
wire_policy(const struct wire *w, const struct relay *relay, const char *domain)
{
	const struct settings *s = &w->settings;
	enum tls_policy set = tls_policies_find(
	    s->tls_policies, relay != NULL ? relay->host : domain, (enum tls_policy)s->tls_policy);

	return route_policy(relay, set, s->tls_fingerprint[0] != '\0');
}

/* Whether mail may go by TLS; where it never does, no unreadable certificate is to stop it. */
static bool
needs_tls(const struct wire *w, const struct wire_route *route)
{
	const struct settings *s = &w->settings;

	for (size_t i = 0; i < route->nhops; i++) {
		const struct relay *relay = route->hop[i].relay;

		if (relay == NULL ? s->tls_policy != TLS_POLICY_NONE || s->tls_policies[0] != '\0'
				  : relay->mode == TLS_MODE_IMPLICIT ||
					wire_policy(w, relay, "") != TLS_POLICY_NONE)
			return true;
	}
	return false;
}

static void
set_proxy(struct wire *w)
{
	const struct settings *s = &w->settings;
	const char *why;

	if (s->smtp_proxy[0] == '\0')
		return;
	if (route_parse_proxy(&w->proxy, s->smtp_proxy, &why) == -1)
		breaks(&w->broken, "smtp.proxy", why);
	else if (w->proxy.password[0] == '\0')
		snprintf(
		    w->proxy.password, sizeof(w->proxy.password), "%s", s->smtp_proxy_password);
}

int
wire_complete(struct wire *w)
{
	const struct settings *s = &w->settings;
	const struct tls_settings tls = {
	    .ca_file = s->tls_ca_file,
	    .ca_path = s->tls_ca_path,
	    .fingerprint = s->tls_fingerprint,
	    .client_cert = s->tls_client_cert,
	    .client_key = s->tls_client_key,
	};
	char why[TLS_TEXT];
	bool wanted;

	w->ready = true;
	set_routes(w);
	set_sources(w);
	set_proxy(w);
	wanted = needs_tls(w, &w->direct);
	for (size_t i = 0; i < w->nroutes; i++)
		wanted = wanted || needs_tls(w, &w->routes[i]);
	if (wanted && (w->tls = tls_context_new(&tls, why)) == NULL)
		breaks(&w->broken, "TLS", why);
	confine_wire(w);
	w->resolver = resolver_new();
	return w->resolver != NULL ? 0 : -1;
}

struct wire_route *
wire_route(struct wire *w, const char *destination)
{
	struct wire_route *route = &w->direct;

	if (destination[0] == '\0')
		route = &w->routes[0];
	for (size_t i = 1; destination[0] == ':' && i < w->nroutes; i++)
		if (strcmp(destination + 1, settings_relay_name(&w->settings.relay[i - 1])) == 0)
			route = &w->routes[i];
	if (route->nhops > 0 || route->broken.status.class != 0)
		return route;
	return w->direct.nhops > 0 ? &w->direct : &w->routes[0];
}

static void
free_route(struct wire_route *route)
{
	for (size_t i = 0; i < route->nhops; i++) {
		struct relay *relay = route->hop[i].relay;

		if (relay != NULL)
			explicit_bzero(relay, sizeof(*relay));
		free(relay);
	}
}

void
wire_free(struct wire *w)
{
	for (size_t i = 0; i < w->nroutes; i++)
		free_route(&w->routes[i]);
	free_route(&w->direct);
	explicit_bzero(&w->proxy, sizeof(w->proxy));
	settings_free(&w->settings);
	tls_context_free(w->tls);
}
