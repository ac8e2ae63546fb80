/* SPDX-License-Identifier: ISC */
/*
 * route: lists of relay URLs. What is accepted has a place to go to; written anew of its parts it is
 * the same relay; and no password of it is shown.
 */
#include "mail/route.h"

#include <ctype.h>

#include "fuzz.h"
#include "sys/settings.h"

/* RFC 3986 2.1: all but a few; in a path "/" too stays as it is. */
static void
add_encoded(struct buf *out, const char *s, const char *also)
{
	for (; *s != '\0'; s++)
		if (isalnum((unsigned char)*s) || *s == '-' || *s == *also)
			buf_addc(out, *s);
		else
			buf_addf(out, "%%%02X", (unsigned char)*s);
}

static const char *
scheme(const struct relay *r)
{
	static const char *const names[] = {
	    [TLS_MODE_NEVER] = "smtp+notls",
	    [TLS_MODE_OFFERED] = "smtp",
	    [TLS_MODE_STARTTLS] = "smtp+tls",
	    [TLS_MODE_IMPLICIT] = "smtps",
	};
	return r->lmtp ? "lmtp" : names[r->mode];
}

static void
print(const struct relay *r, struct buf *out)
{
	static const char *const lookups[] = {"", "?mx", "?srv"};

	buf_addf(out, "%s://", scheme(r));
	if (r->user[0] != '\0') {
		add_encoded(out, r->user, "-");
		if (r->password[0] != '\0') {
			buf_addc(out, ':');
			add_encoded(out, r->password, "-");
		}
		buf_addc(out, '@');
	}
	if (r->path[0] != '\0')
		add_encoded(out, r->path, "/");
	else
		buf_addf(out, strchr(r->host, ':') != NULL ? "[%s]" : "%s", r->host);
	if (r->path[0] == '\0' && r->lookup != RELAY_LOOKUP_SRV)
		buf_addf(out, ":%u", r->port);
	buf_adds(out, lookups[r->lookup]);
}

static void
check_relay(const struct relay *r)
{
	struct buf url = BUF_INIT(FUZZ_MAX);
	struct relay again;
	const char *why;
	char name[HOST_LEN];

	CHECK(r->host[0] != '\0' || r->path[0] == '/');
	CHECK(r->path[0] != '\0' || r->port != 0 || r->lookup == RELAY_LOOKUP_SRV);
	CHECK(r->password[0] == '\0' || r->user[0] != '\0');
	for (int set = TLS_POLICY_AUTO; set <= TLS_POLICY_DANE; set++) {
		enum tls_policy p = route_policy(r, (enum tls_policy)set, false);

		CHECK(p != TLS_POLICY_AUTO);
		CHECK(r->user[0] == '\0' || p == TLS_POLICY_VERIFY ||
		      (p == TLS_POLICY_NONE && route_local(r)));
	}
	if (r->lookup == RELAY_LOOKUP_SRV) {
		route_service(r, name);
		CHECK(strnlen(name, HOST_LEN) < HOST_LEN);
	}
	print(r, &url);
	CHECK(route_parse(&again, buf_str(&url), &why) == 0);
	CHECK(again.mode == r->mode && again.lmtp == r->lmtp && again.lookup == r->lookup);
	CHECK(strcmp(again.host, r->host) == 0 && strcmp(again.path, r->path) == 0);
	CHECK(strcmp(again.user, r->user) == 0 && strcmp(again.password, r->password) == 0);
	CHECK(again.port == r->port);
	buf_free(&url);
}

/* The passwords of a list; shown is what people see of it. */
static void
check_shown(const char *list, const char *shown, bool stars)
{
	struct relay r, s;
	const char *why;
	int more;

	while ((more = route_next(&r, &list, &why)) == 1) {
		size_t stared;

		CHECK(route_next(&s, &shown, &why) == 1);
		CHECK(strcmp(s.host, r.host) == 0 && strcmp(s.user, r.user) == 0);
		stared = strspn(s.password, "*");
		CHECK(s.password[stared] == '\0' &&
		      (s.password[0] == '\0') == (r.password[0] == '\0'));
		CHECK(!stars || stared == 0 || stared == 3);
	}
	CHECK(more == 0);
}

static void
check_list(const char *list)
{
	const char *rest = list, *why = NULL;
	struct buf shown = BUF_INIT(FUZZ_MAX);
	char *hidden = strdup(list);
	unsigned n = 0;
	struct relay r;
	int more;

	CHECK(hidden != NULL);
	if (route_check(list, &why) == 0) {
		while ((more = route_next(&r, &rest, &why)) == 1) {
			CHECK(++n <= ROUTE_URLS);
			check_relay(&r);
		}
		CHECK(more == 0);
		settings_hide_passwords(hidden);
		check_shown(list, hidden, false);
		settings_print_urls(&shown, list);
		check_shown(list, buf_str(&shown), true);
	} else {
		CHECK(why != NULL);
		settings_hide_passwords(hidden);
		settings_print_urls(&shown, list);
	}
	free(hidden);
	buf_free(&shown);
}

static void
check_others(const char *text)
{
	char addresses[2][ROUTE_ADDRESS], domain[HOST_LEN];
	const char *why = NULL;
	struct relay r;

	if (route_parse_proxy(&r, text, &why) == 0)
		CHECK(r.host[0] != '\0' && r.port != 0);
	if (route_addresses(addresses, text, &why) == 0)
		CHECK(strlen(addresses[0]) < ROUTE_ADDRESS && strlen(addresses[1]) < ROUTE_ADDRESS);
	if (route_domain(domain, text) == 0)
		CHECK(domain[0] != '\0' && strlen(domain) < HOST_LEN);
	(void)route_loopback(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz f = fuzz_start(data, size);
	char *text = fuzz_string(&f);

	check_list(text);
	check_others(text);
	free(text);
	return 0;
}
