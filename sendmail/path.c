/* SPDX-License-Identifier: ISC */
#include "path.h"

#include <string.h>
#include <strings.h>

#include "net/own.h"

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
ask(struct path *p, enum lookup_type type, const char *name, uint16_t port, void *owner)
{
	struct outcome o = status_trouble(
	    STAGE_LOOKUP, SCOPE_DESTINATION, STATUS(4, 3, 0), "look-up of %s: out of memory", name);

	p->state = PATH_ASKING;
	p->since = p->wire->now;
	p->lookup = resolver_ask(p->wire->resolver, type, name, port, p->implicit,
	    p->secure && p->policy == TLS_POLICY_DANE, owner);
	if (p->lookup == NULL)
		end(p, &o);
}

/* The port is DNS's to say where SRV records are asked for. */
static void
ask_host(struct path *p, void *owner)
{
	const struct relay *relay = path_hop(p)->relay;
	const struct mx *mx = &p->hosts.mx[p->host];
	uint16_t port = relay != NULL ? relay->port : SMTP_PORT;
	bool configured = relay != NULL && relay->lookup == RELAY_LOOKUP_HOST;

	ask(p, configured ? LOOKUP_RELAY : LOOKUP_HOST, mx->host, mx->port != 0 ? mx->port : port,
	    owner);
}

static void
set_host(struct path *p, const char *name, size_t len)
{
	struct mx *mx = &p->hosts.mx[0];

	p->hosts.n = 1;
	*mx = (struct mx){0};
	if (len >= sizeof(mx->host))
		len = sizeof(mx->host) - 1;
	memcpy(mx->host, name, len);
}

bool
path_proxied(const struct path *p)
{
	const struct relay *relay = path_hop(p)->relay;

	return p->wire->proxy.host[0] != '\0' && (relay == NULL || !route_local(relay));
}

/* The only host is a configured name or an address. A relay's name is for the proxy to look up. */
static void
only_host(struct path *p, const char *name, size_t len, void *owner)
{
	const struct relay *relay = path_hop(p)->relay;
	struct inet *a = &p->address[0];

	set_host(p, name, len);
	if (relay == NULL || !path_proxied(p) || p->policy == TLS_POLICY_DANE || inet_parse(a, name)) {
		ask_host(p, owner);
		return;
	}
	inet_set_port(a, relay->port);
	p->naddress = 1;
	p->at = 0;
	p->since = p->wire->now;
	p->state = PATH_AT;
}

/* A Unix socket: the name is ours, as Postfix has it in its log. */
static void
at_socket(struct path *p, const char *path)
{
	const char *name = p->wire->settings.mail_hostname;

	set_host(p, name, strlen(name));
	inet_set_path(&p->address[0], path);
	p->naddress = 1;
	p->at = 0;
	p->since = p->wire->now;
	p->state = PATH_AT;
}

static void
begin_relay(struct path *p, const struct relay *relay, void *owner)
{
	char service[HOST_LEN];

	route_service(relay, service);
	if (relay->path[0] != '\0')
		at_socket(p, relay->path);
	else if (relay->lookup == RELAY_LOOKUP_MX)
		ask(p, LOOKUP_RELAY_MX, relay->host, 0, owner);
	else if (relay->lookup == RELAY_LOOKUP_SRV)
		ask(p, LOOKUP_SRV, service, 0, owner);
	else
		only_host(p, relay->host, strlen(relay->host), owner);
}

/* The hop's turn. */
static void
begin(struct path *p, void *owner)
{
	const struct relay *relay = path_hop(p)->relay;
	size_t len = strlen(p->domain);

	p->policy = wire_policy(p->wire, relay, p->domain);
	p->secure = relay != NULL;
	p->implicit = p->reached = p->plain = false;
	p->host = p->tries = 0;
	p->asking_proxy = path_proxied(p) && p->nproxies == 0;
	if (p->asking_proxy)
		ask(p, LOOKUP_RELAY, p->wire->proxy.host, p->wire->proxy.port, owner);
	else if (relay != NULL)
		begin_relay(p, relay, owner);
	else if (len > 2 && p->domain[0] == '[' && p->domain[len - 1] == ']') {
		size_t skip = strncasecmp(p->domain, "[IPv6:", 6) == 0 ? 6 : 1;

		only_host(p, p->domain + skip, len - skip - 1, owner);
	} else
		ask(p, LOOKUP_MX, p->domain, 0, owner);
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

/* What nobody's mail is delayed by is worth a line in the log all the same. */
static void
tell_passed(struct path *p)
{
	union handoff_message m = {.passed = {.type = HANDOFF_PASSED, .why = p->last}};

	outbox_put(p->wire->news, &m);
}

/*
 * A relay that failed is not asked again at once; of exchangers the next domain has others. What is
 * there for when they cannot be reached is passed by when one was, or none was known.
 */
static void
next_hop(struct path *p, void *owner)
{
	struct wire_hop *h = &p->route->hop[p->hop];
	bool blocked = p->tries > 0 && !p->reached;

	if (h->relay != NULL)
		h->down = p->wire->now + HANDOFF_DOWN;
	else if (!blocked)
		p->hop = p->route->nhops - 1;
	while (++p->hop < p->route->nhops && is_down(p))
		;
	if (p->hop == p->route->nhops) {
		p->state = PATH_END;
		return;
	}
	tell_passed(p);
	begin(p, owner);
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

/*
 * The i-th host is us: it and what is no better are not to be tried (RFC 5321 5.1). When that
 * leaves none, mail for the domain would come back for ever.
 */
static void
drop_us(struct path *p, size_t i)
{
	size_t n = 0;

	while (p->hosts.mx[n].preference < p->hosts.mx[i].preference)
		n++;
	p->hosts.n = n;
	if (n == 0)
		p->last = status_final(status_trouble(STAGE_LOOKUP, SCOPE_DESTINATION,
		    STATUS(5, 4, 6), "mail for %s loops back to myself", p->domain));
}

static void
take_hosts(struct path *p, const struct lookup *l, void *owner)
{
	const char *own = p->wire->settings.mail_hostname;
	bool direct = path_hop(p)->relay == NULL;

	p->hosts = l->mx;
	p->implicit = direct && l->mx_implicit;
	p->secure = l->secure;
	for (size_t i = 0; direct && i < p->hosts.n; i++)
		if (strcasecmp(p->hosts.mx[i].host, own) == 0)
			drop_us(p, i);
	if (p->hosts.n > 0)
		ask_host(p, owner);
	else
		next_hop(p, owner);
}

/* [smtp] family */
static bool
wanted(const struct path *p, const struct inet *a)
{
	static const sa_family_t families[] = {
	    [FAMILY_IPV4] = AF_INET,
	    [FAMILY_IPV6] = AF_INET6,
	};
	int set = p->wire->settings.smtp_family;

	return set == FAMILY_ANY || families[set] == a->any.sa_family;
}

/* The addresses of the host whose turn it is. False when they are ours. */
static bool
take_addresses(struct path *p, const struct lookup *l)
{
	bool direct = path_hop(p)->relay == NULL;

	p->naddress = p->at = 0;
	for (size_t i = 0; i < l->naddress; i++) {
		if (direct && own_address(&l->address[i])) {
			drop_us(p, p->host);
			return false;
		}
		if (wanted(p, &l->address[i]))
			p->address[p->naddress++] = l->address[i];
	}
	if (p->naddress == 0)
		p->last = status_trouble(STAGE_LOOKUP, SCOPE_DESTINATION, STATUS(4, 4, 3),
		    "%s has no address that smtp.family allows", path_host(p));
	p->tlsa = l->tlsa;
	p->plain = false;
	return p->naddress > 0;
}

void
path_answer(struct path *p, const struct lookup *l, void *owner)
{
	bool hosts = resolve_names_hosts(l);

	p->lookup = NULL;
	p->since = p->wire->now;
	if (l->outcome.status.class != 2) {
		p->last = l->outcome;
		if (hosts || p->asking_proxy)
			next_hop(p, owner);
		else
			next_host(p, owner);
	} else if (p->asking_proxy) {
		memcpy(p->proxy, l->address, sizeof(p->proxy));
		p->nproxies = l->naddress;
		p->via = 0;
		begin(p, owner);
	} else if (hosts)
		take_hosts(p, l, owner);
	else if (take_addresses(p, l))
		p->state = PATH_AT;
	else
		next_host(p, owner);
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
path_next(struct path *p, const struct outcome *o, enum path_failure how, void *owner)
{
	p->last = *o;
	p->plain = false;
	if (how == PATH_UNPROXIED && ++p->via < p->nproxies)
		return;
	p->tries++;
	p->reached = p->reached || how != PATH_UNREACHED;
	if (how == PATH_UNPROXIED)
		p->nproxies = 0;
	if (how == PATH_UNPROXIED || how == PATH_REFUSED || p->tries >= PATH_TRIES)
		next_hop(p, owner);
	else if (++p->at == p->naddress)
		next_host(p, owner);
}

enum path_failure
path_failure(const struct session *s, const struct outcome *o)
{
	if (o->stage == STAGE_AUTH)
		return PATH_REFUSED;
	if (session_without_proxy(s))
		return PATH_UNPROXIED;
	return session_reached(s) ? PATH_FAILED : PATH_UNREACHED;
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
