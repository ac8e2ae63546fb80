/* SPDX-License-Identifier: ISC */
#include <string.h>
#include <strings.h>

#include "path.h"

/*
 * What the connection may take: less where an address of the other family is behind it, so that a
 * dead IPv6 costs little.
 */
static unsigned
timeout_of(const struct path *p)
{
	unsigned timeout = p->wire->settings.smtp_connect_timeout * 1000;

	for (size_t i = p->at + 1; i < p->naddress; i++)
		if (p->address[i].any.sa_family != p->address[p->at].any.sa_family)
			return timeout < PATH_EARLY ? timeout : PATH_EARLY;
	return timeout;
}

/* The address to come from, see [smtp] bind_address; NULL: any. */
static const struct inet *
source_of(const struct path *p, const struct inet *to)
{
	for (size_t i = 0; i < p->wire->nsources; i++)
		if (p->wire->source[i].any.sa_family == to->any.sa_family)
			return &p->wire->source[i];
	return NULL;
}

/* Whether a name is the domain's own or one below it. */
static bool
belongs(const char *name, const char *domain)
{
	size_t n = strlen(name), len = strlen(domain);

	return n >= len && strcasecmp(name + n - len, domain) == 0 &&
	       (n == len || name[n - len - 1] == '.');
}

/*
 * What its certificate is for. Of the exchangers of a domain, the domain too; of hosts that DNS
 * named for a relay's domain, that domain alone, or it too where they are below it (RFC 6186 6):
 * anybody can write another's name into an answer.
 */
static void
set_names(const struct path *p, struct session_config *config)
{
	const struct relay *relay = path_hop(p)->relay;

	if (relay == NULL)
		config->also = p->domain[0] == '[' ? NULL : p->domain;
	else if (relay->lookup != RELAY_LOOKUP_HOST && belongs(path_host(p), relay->host))
		config->also = relay->host;
	else if (relay->lookup != RELAY_LOOKUP_HOST)
		config->identity = relay->host;
}

struct session_config
path_session(const struct path *p)
{
	const struct wire *w = p->wire;
	const struct wire_hop *hop = path_hop(p);
	const struct relay *relay = hop->relay;
	struct session_config config = {
	    .hostname = w->settings.mail_hostname,
	    .host = path_host(p),
	    .address = *path_address(p),
	    .policy = path_policy(p),
	    .implicit_tls = relay != NULL && relay->mode == TLS_MODE_IMPLICIT,
	    .pinned = relay != NULL,
	    .tlsa = &p->tlsa,
	    .lmtp = relay != NULL && relay->lmtp,
	    .plain_auth = relay != NULL && (relay->mode == TLS_MODE_NEVER || relay->lmtp) &&
			  route_local(relay),
	    .account = relay != NULL && relay->user[0] != '\0' ? &hop->account : NULL,
	    .tls = w->tls,
	    .chunking = w->settings.smtp_chunking != 0,
	    .connect_timeout = timeout_of(p),
	};

	if (path_proxied(p) && !inet_is_loopback(&config.address))
		config.proxy =
		    (struct session_proxy){p->proxy[p->via], w->proxy.user, w->proxy.password};
	config.source =
	    source_of(p, config.proxy.address.len != 0 ? &config.proxy.address : &config.address);
	set_names(p, &config);
	return config;
}
