/* SPDX-License-Identifier: ISC */
#include "path.h"

#include <string.h>
#include <strings.h>

#define SMTP_PORT 25

void
path_init(struct path *p, struct wire *w, const char *domain)
{
	memset(p, 0, sizeof(*p));
	p->wire = w;
	p->route = wire_route(w, domain);
	p->domain = domain;
}

void
path_reset(struct path *p)
{
	if (p->lookup != NULL)
		resolver_forget(p->wire->resolver, p->lookup);
	path_init(p, p->wire, p->domain);
}

const struct wire_hop *
path_hop(const struct path *p)
{
	return &p->route->hop[p->hop];
}

static void
end(struct path *p, const struct outcome *o)
{
	p->last = *o;
	p->state = PATH_END;
}

static void
ask(struct path *p, enum lookup_type type, const char *name, void *owner)
{
	struct outcome o = status_trouble(
	    STAGE_LOOKUP, SCOPE_DESTINATION, STATUS(4, 3, 0), "look-up of %s: out of memory", name);
	const struct relay *relay = path_hop(p)->relay;
	uint16_t port = relay != NULL ? relay->port : SMTP_PORT;

	p->state = PATH_ASKING;
	p->since = p->wire->now;
	p->lookup = resolver_ask(p->wire->resolver, type, name, port, p->implicit,
	    p->secure && p->policy == TLS_POLICY_DANE, owner);
	if (p->lookup == NULL)
		end(p, &o);
}

static void
ask_host(struct path *p, void *owner)
{
	enum lookup_type type = path_hop(p)->relay != NULL ? LOOKUP_RELAY : LOOKUP_HOST;

	ask(p, type, p->hosts.mx[p->host].host, owner);
}

/* The only host is a configured name or an address. */
static void
only_host(struct path *p, const char *name, size_t len, void *owner)
{
	struct mx *mx = &p->hosts.mx[0];

	p->hosts.n = 1;
	if (len >= sizeof(mx->host))
		len = sizeof(mx->host) - 1;
	memcpy(mx->host, name, len);
	mx->host[len] = '\0';
	ask_host(p, owner);
}

/* The hop's turn. */
static void
begin(struct path *p, void *owner)
{
	const struct relay *relay = path_hop(p)->relay;
	size_t len = strlen(p->domain);

	p->policy = wire_policy(p->wire, relay, p->domain);
	p->secure = relay != NULL;
	p->host = p->tries = 0;
	if (relay != NULL)
		only_host(p, relay->host, strlen(relay->host), owner);
	else if (len > 2 && p->domain[0] == '[' && p->domain[len - 1] == ']') {
		size_t skip = strncasecmp(p->domain, "[IPv6:", 6) == 0 ? 6 : 1;

		only_host(p, p->domain + skip, len - skip - 1, owner);
	} else
		ask(p, LOOKUP_MX, p->domain, owner);
}

static bool
is_down(const struct path *p)
{
	return path_hop(p)->down > p->wire->now;
}

void
path_start(struct path *p, void *owner)
{
	path_reset(p);
	while (p->hop < p->route->nhops && is_down(p))
		p->hop++;
	if (p->hop == p->route->nhops)
		for (p->hop = p->route->nhops; p->hop > 0;)
			p->route->hop[--p->hop].down = 0;
	begin(p, owner);
}

/* A relay that failed is not asked again at once. Of exchangers the next domain has others. */
static void
next_hop(struct path *p, void *owner)
{
	struct wire_hop *h = &p->route->hop[p->hop];

	if (h->relay != NULL)
		h->down = p->wire->now + WIRE_DOWN;
	while (++p->hop < p->route->nhops && is_down(p))
		;
	if (p->hop < p->route->nhops)
		begin(p, owner);
	else
		p->state = PATH_END;
}

/* The next host's turn; the reason why the last one's failed is kept. */
static void
next_host(struct path *p, void *owner)
{
	if (++p->host < p->hosts.n && p->tries < PATH_TRIES)
		ask_host(p, owner);
	else
		next_hop(p, owner);
}

void
path_answer(struct path *p, const struct lookup *l, void *owner)
{
	p->lookup = NULL;
	p->since = p->wire->now;
	if (l->outcome.status.class != 2) {
		p->last = l->outcome;
		if (l->type == LOOKUP_MX)
			next_hop(p, owner);
		else
			next_host(p, owner);
	} else if (l->type == LOOKUP_MX) {
		p->hosts = l->mx;
		p->implicit = l->mx_implicit;
		p->secure = l->secure;
		ask_host(p, owner);
	} else {
		memcpy(p->address, l->address, sizeof(p->address));
		p->naddress = l->naddress;
		p->tlsa = l->tlsa;
		p->at = 0;
		p->plain = false;
		p->state = PATH_AT;
	}
}

int64_t
path_deadline(const struct path *p)
{
	return p->state == PATH_ASKING ? p->since + PATH_LOOKUP : INT64_MAX;
}

void
path_late(struct path *p, void *owner)
{
	p->last = status_trouble(STAGE_LOOKUP, SCOPE_DESTINATION, STATUS(4, 4, 3),
	    "DNS look-up of %s timed out", p->lookup->name);
	resolver_forget(p->wire->resolver, p->lookup);
	p->lookup = NULL;
	next_hop(p, owner);
}

void
path_next(struct path *p, const struct outcome *o, bool hop, void *owner)
{
	p->last = *o;
	p->plain = false;
	p->tries++;
	if (hop || p->tries >= PATH_TRIES)
		next_hop(p, owner);
	else if (++p->at == p->naddress)
		next_host(p, owner);
}

bool
path_stale(const struct path *p)
{
	return p->state == PATH_AT && p->wire->now >= p->since + PATH_FRESH;
}

/* RFC 7672 2.2: what TLSA records demand; nothing where there are none. */
enum tls_policy
path_policy(const struct path *p)
{
	static const enum tls_policy demands[] = {
	    [TLSA_NONE] = TLS_POLICY_MAY,
	    [TLSA_UNUSABLE] = TLS_POLICY_ENCRYPT,
	    [TLSA_USABLE] = TLS_POLICY_VERIFY,
	};

	if (p->plain)
		return TLS_POLICY_NONE;
	return p->policy == TLS_POLICY_DANE ? demands[p->tlsa.state] : p->policy;
}

/* There is nothing behind TLS that comes first to go back to. */
bool
path_may_be_plain(const struct path *p)
{
	const struct relay *relay = path_hop(p)->relay;

	return path_policy(p) == TLS_POLICY_MAY &&
	       (relay == NULL || relay->mode != TLS_MODE_IMPLICIT);
}

const char *
path_host(const struct path *p)
{
	return p->hosts.mx[p->host].host;
}

const struct inet *
path_address(const struct path *p)
{
	return &p->address[p->at];
}

struct session_config
path_session(const struct path *p)
{
	const struct wire *w = p->wire;
	const struct wire_hop *hop = path_hop(p);
	const struct relay *relay = hop->relay;

	return (struct session_config){
	    .hostname = w->settings.mail_hostname,
	    .host = path_host(p),
	    .address = *path_address(p),
	    .policy = path_policy(p),
	    .implicit_tls = relay != NULL && relay->mode == TLS_MODE_IMPLICIT,
	    .also = relay != NULL || p->domain[0] == '[' ? NULL : p->domain,
	    .pinned = relay != NULL,
	    .tlsa = &p->tlsa,
	    .plain_auth =
		relay != NULL && relay->mode == TLS_MODE_NEVER && route_loopback(relay->host),
	    .account = relay != NULL && relay->user[0] != '\0' ? &hop->account : NULL,
	    .tls = w->tls,
	    .chunking = w->settings.smtp_chunking != 0,
	    .connect_timeout = w->settings.smtp_connect_timeout * 1000,
	};
}
