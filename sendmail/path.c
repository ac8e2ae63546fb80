/* SPDX-License-Identifier: ISC */
#include "path.h"

#include <string.h>
#include <strings.h>

#define SMTP_PORT 25

void
path_init(struct path *p, struct wire *w)
{
	memset(p, 0, sizeof(*p));
	p->wire = w;
}

void
path_reset(struct path *p)
{
	if (p->lookup != NULL)
		resolver_forget(p->wire->resolver, p->lookup);
	path_init(p, p->wire);
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
	uint16_t port = p->wire->has_relay ? p->wire->relay.port : SMTP_PORT;

	p->state = PATH_ASKING;
	p->since = p->wire->now;
	p->lookup = resolver_ask(p->wire->resolver, type, name, port, p->implicit, owner);
	if (p->lookup == NULL)
		end(p, &o);
}

static void
ask_host(struct path *p, void *owner)
{
	enum lookup_type type = p->wire->has_relay ? LOOKUP_RELAY : LOOKUP_HOST;

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

void
path_start(struct path *p, const char *domain, void *owner)
{
	size_t len = strlen(domain);

	path_reset(p);
	if (p->wire->has_relay)
		only_host(p, p->wire->relay.host, strlen(p->wire->relay.host), owner);
	else if (len > 2 && domain[0] == '[' && domain[len - 1] == ']') {
		size_t skip = strncasecmp(domain, "[IPv6:", 6) == 0 ? 6 : 1;

		only_host(p, domain + skip, len - skip - 1, owner);
	} else
		ask(p, LOOKUP_MX, domain, owner);
}

/* The next host's turn; the reason why the last one's failed is kept. */
static void
next_host(struct path *p, void *owner)
{
	if (++p->host < p->hosts.n && p->tries < PATH_TRIES)
		ask_host(p, owner);
	else
		p->state = PATH_END;
}

void
path_answer(struct path *p, const struct lookup *l, void *owner)
{
	p->lookup = NULL;
	p->since = p->wire->now;
	if (l->outcome.status.class != 2) {
		p->last = l->outcome;
		if (l->type == LOOKUP_MX)
			p->state = PATH_END;
		else
			next_host(p, owner);
	} else if (l->type == LOOKUP_MX) {
		p->hosts = l->mx;
		p->implicit = l->mx_implicit;
		ask_host(p, owner);
	} else {
		memcpy(p->address, l->address, sizeof(p->address));
		p->naddress = l->naddress;
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
path_late(struct path *p)
{
	struct outcome o;

	o = status_trouble(STAGE_LOOKUP, SCOPE_DESTINATION, STATUS(4, 4, 3),
	    "DNS look-up of %s timed out", p->lookup->name);
	resolver_forget(p->wire->resolver, p->lookup);
	p->lookup = NULL;
	end(p, &o);
}

void
path_next(struct path *p, const struct outcome *o, bool final, void *owner)
{
	p->last = *o;
	p->plain = false;
	p->tries++;
	if (final || p->state != PATH_AT)
		p->state = PATH_END;
	else if (++p->at == p->naddress)
		next_host(p, owner);
	else if (p->tries >= PATH_TRIES)
		p->state = PATH_END;
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
