/* SPDX-License-Identifier: ISC */
#include "wire.h"

#include <stdlib.h>
#include <string.h>

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
wire_init(struct wire *w, int channel)
{
	memset(w, 0, sizeof(*w));
	outbox_init(&w->outbox, channel);
	w->now = clock_monotonic();
	if (settings_default(&w->settings) == -1)
		return -1;
	w->resolver = resolver_new();
	return w->resolver != NULL ? 0 : -1;
}

/* "section.key" NUL "value" NUL, whatever came. */
void
wire_set(struct wire *w, const struct handoff_setting *s)
{
	char name[128];
	size_t len = strnlen(s->text, sizeof(s->text));
	const char *value = s->text + len + 1, *why = "not a name";
	char *dot;

	if (len >= sizeof(name) || memchr(value, '\0', sizeof(s->text) - len - 1) == NULL) {
		breaks(&w->broken, "settings", "malformed");
		return;
	}
	memcpy(name, s->text, len + 1);
	dot = strchr(name, '.');
	if (dot != NULL) {
		*dot = '\0';
		if (settings_set(&w->settings, name, dot + 1, value, "flush", &why) == 0)
			return;
		*dot = '.';
	}
	breaks(&w->broken, name, why);
}

/* A relay without a password of its own has that of its section. */
static void
set_account(struct wire_route *route, struct wire_hop *h, const struct sasl_account *section)
{
	h->account = *section;
	h->account.user = h->relay->user;
	if (h->relay->password[0] != '\0')
		h->account.password = h->relay->password;
	if (h->account.user[0] != '\0' && h->account.password[0] == '\0' &&
	    !sasl_lists(h->account.mechanisms, "EXTERNAL"))
		breaks(&route->broken, "relay.password", "not set, but relay.url names an account");
}

static void
add_relay(
    struct wire_route *route, const struct relay *relay, const struct sasl_account *section)
{
	struct wire_hop *h = &route->hop[route->nhops];

	if ((h->relay = malloc(sizeof(*relay))) == NULL) {
		breaks(&route->broken, "relay.url", "out of memory");
		return;
	}
	*h->relay = *relay;
	set_account(route, h, section);
	route->nhops++;
}

static void
add_relays(struct wire_route *route, const char *urls, const struct sasl_account *section)
{
	struct relay relay;
	const char *why;
	int r;

	while ((r = route_next(&relay, &urls, &why)) == 1 && route->nhops < ROUTE_URLS)
		add_relay(route, &relay, section);
	if (r != 0)
		breaks(&route->broken, "relay.url", r == 1 ? "too many URLs" : why);
	explicit_bzero(&relay, sizeof(relay));
}

enum tls_policy
wire_policy(const struct wire *w, const struct relay *relay, const char *domain)
{
	const struct settings *s = &w->settings;
	enum tls_policy set = tls_policies_find(s->tls_policies,
	    relay != NULL ? relay->host : domain, (enum tls_policy)s->tls_policy);

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

void
wire_complete(struct wire *w)
{
	const struct settings *s = &w->settings;
	const struct sasl_account section = {
	    .password = s->relay_password, .mechanisms = s->relay_auth};
	const struct tls_settings tls = {
	    .ca_file = s->tls_ca_file,
	    .ca_path = s->tls_ca_path,
	    .fingerprint = s->tls_fingerprint,
	    .client_cert = s->tls_client_cert,
	    .client_key = s->tls_client_key,
	};
	char why[TLS_TEXT];

	add_relays(&w->relay, s->relay_url, &section);
	w->direct.nhops = 1;
	if (needs_tls(w, w->relay.nhops > 0 ? &w->relay : &w->direct) &&
	    (w->tls = tls_context_new(&tls, why)) == NULL)
		breaks(&w->broken, "TLS", why);
	w->ready = true;
}

struct wire_route *
wire_route(struct wire *w, const char *destination)
{
	return destination[0] == '\0' && w->relay.nhops > 0 ? &w->relay : &w->direct;
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
	free_route(&w->relay);
	free_route(&w->direct);
	settings_free(&w->settings);
	tls_context_free(w->tls);
	outbox_free(&w->outbox);
}
