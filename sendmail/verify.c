/* SPDX-License-Identifier: ISC */
#include "verify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "aliases.h"
#include "complain.h"
#include "examine.h"
#include "health.h"
#include "intake.h"
#include "mail/address.h"
#include "mail/json.h"
#include "mail/rewrite.h"
#include "mail/route.h"

struct verify {
	const struct options *options;
	const struct settings *settings;
	struct names names;
	char sender[ADDRESS_MAX + 1]; /* of a message from the caller; "": not known */
	const char *relays;           /* … and the URLs that it goes by; "": none */
	int status;                   /* of the first that does not resolve, or cannot be reached */
};

static void
note(struct verify *v, int status)
{
	if (v->status == EX_OK)
		v->status = status;
}

/* What was typed, harmless on a terminal. */
static void
show(const struct verify *v, const char *text, const char *verdict, const char *detail)
{
	struct buf out = BUF_INIT(16 * 1024);
	char a[512], b[512];

	text_clean(a, sizeof(a), text, strlen(text));
	text_clean(b, sizeof(b), detail, strlen(detail));
	if (!v->options->json) {
		printf("%s... %s%s\n", a, verdict, b);
		return;
	}
	buf_addc(&out, '{');
	json_member(&out, "address", a);
	json_member(&out, "verdict", verdict);
	json_member(&out, "detail", b);
	buf_addc(&out, '}');
	puts(buf_str(&out));
	buf_free(&out);
}

static void
add_relay(struct buf *text, const struct relay *r)
{
	char service[HOST_LEN];

	route_service(r, service);
	buf_adds(text, text->len == 0 ? "by the relay " : ", else ");
	if (r->path[0] != '\0')
		buf_adds(text, r->path);
	else if (r->lookup == RELAY_LOOKUP_SRV)
		buf_addf(text, "of %s", service);
	else
		buf_addf(text, "%s%s port %u",
		    r->lookup == RELAY_LOOKUP_MX ? "the exchangers of " : "", r->host,
		    (unsigned)r->port);
}

/* The relays without their passwords: "by the relay a port 587, else b port 25". */
static int
describe_relays(const char *urls, char *dst, size_t size)
{
	struct buf text = BUF_INIT(size - 1);
	struct relay relay;
	const char *why;
	int r;

	while ((r = route_next(&relay, &urls, &why)) == 1)
		add_relay(&text, &relay);
	explicit_bzero(&relay, sizeof(relay));
	snprintf(dst, size, "%s%s", r == -1 ? "relay.url: " : "", r == -1 ? why : buf_str(&text));
	buf_free(&text);
	return r;
}

/* The relays, or the mail exchangers of the domain. */
static int
describe_route(const struct verify *v, const char *address, char *dst, size_t size)
{
	char domain[HOST_LEN];

	if (v->relays[0] != '\0')
		return describe_relays(v->relays, dst, size);
	if (route_domain(domain, address) == -1)
		return -1;
	snprintf(dst, size, "to the mail exchangers of %s", domain);
	return 0;
}

/* -v: go there. */
static void
try_out(struct verify *v, const char *address)
{
	char destination[HOST_LEN];
	const struct examine e = {
	    .destination = destination,
	    .from = v->sender,
	    .to = address,
	    .json = v->options->json,
	};

	if (!settings_by_relay(v->settings, v->sender, destination) &&
	    route_domain(destination, address) == -1)
		return;
	fflush(stdout);
	note(v, examine(&e, v->settings));
}

static void
show_result(struct verify *v, const char *typed, struct recipient *r)
{
	char route[ROUTE_URLS * (HOST_LEN + 32)] = "no way to get there",
					    line[sizeof(route) + ADDRESS_MAX + 8];

	if (intake_complete(&r->address, v->names.domain) == -1) {
		note(v, EX_TEMPFAIL);
		return;
	}
	if (!address_valid(r->address)) {
		show(v, typed, "no such address: ", r->address);
		note(v, EX_NOHOST);
		return;
	}
	if (describe_route(v, r->address, route, sizeof(route)) == -1) {
		show(v, typed, "undeliverable: ", route);
		note(v, EX_NOHOST);
		return;
	}
	snprintf(line, sizeof(line), "<%s> %s", r->address, route);
	show(v, typed, "deliverable: ", line);
	if (v->options->verbose)
		try_out(v, r->address);
}

static void
resolve(struct verify *v, const char *typed, const char *mailbox)
{
	struct buf errors = BUF_INIT(64 * 1024);
	struct envelope e = {0};
	char address[ADDRESS_MAX + 1];
	int r = EX_OK;

	if (address_qualify(address, mailbox, INTAKE_LOCAL) == -1 ||
	    envelope_add(&e, address) == -1) {
		show(v, typed, "not an address", "");
		note(v, EX_NOUSER);
		return;
	}
	if (v->settings->mail_aliases[0] != '\0')
		r = aliases_apply(
		    v->settings->mail_aliases, INTAKE_LOCAL, v->names.hostname, &e, &errors);
	aliases_report(&errors);
	if (r == EX_DATAERR) {
		show(v, typed, "leads to nobody: see the aliases", "");
		note(v, EX_NOUSER);
	} else if (r == EX_TEMPFAIL || r == EX_OSERR)
		note(v, EX_TEMPFAIL);
	else if (e.nrcpt == 0)
		show(v, typed, "discarded: an alias of /dev/null", "");
	for (size_t i = 0; i < e.nrcpt && r != EX_DATAERR; i++)
		show_result(v, typed, &e.rcpt[i]);
	buf_free(&errors);
	envelope_free(&e);
}

static void
verify_list(struct verify *v, const char *list)
{
	struct address_parser parser;
	struct address a;
	enum address_event ev;

	address_start(&parser, list, strlen(list));
	while ((ev = address_next(&parser, &a)) != ADDRESS_END)
		if (ev == ADDRESS_ONE)
			resolve(v, a.mailbox, a.mailbox);
		else {
			show(v, list, "not an address", "");
			note(v, EX_NOUSER);
		}
}

/* The sender that a message from the caller would have, -f or himself; "" when there is none. */
static void
find_sender(struct verify *v)
{
	const char *from = v->options->from != NULL ? v->options->from : names_user(&v->names)->login;
	const struct settings_relay *relay;

	if (strcmp(from, "<>") == 0 || from[0] == '\0' ||
	    address_qualify(v->sender, from, v->names.domain) == -1)
		v->sender[0] = '\0';
	else
		rewrite_apply(v->settings->rewrite_envelope_from, v->sender);
	relay = settings_relay_of(v->settings, v->sender);
	v->relays = relay != NULL ? relay->url : v->settings->relay_url;
}

static void
show_sender(struct verify *v)
{
	char line[ADDRESS_MAX + 64];

	if (v->sender[0] == '\0')
		return;
	snprintf(line, sizeof(line), "mail from here is sent as <%s>", v->sender);
	show(v, names_user(&v->names)->login, line, "");
}

int
verify(const struct options *o, const struct settings *s)
{
	struct verify v = {.options = o, .settings = s, .status = EX_OK};

	names_gather(&v.names, s);
	find_sender(&v);
	if (o->nrecipients == 0)
		return health(o, s, v.sender);
	if (o->verbose)
		show_sender(&v);
	for (int i = 0; i < o->nrecipients; i++)
		verify_list(&v, o->recipients[i]);
	return fflush(stdout) == 0 ? v.status : EX_IOERR;
}
