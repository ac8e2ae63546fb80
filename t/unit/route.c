/* SPDX-License-Identifier: ISC */
#include "mail/route.h"

#include "tap.h"

static const struct {
	const char *url;
	enum tls_mode mode;
	const char *host;
	unsigned port;
	const char *user, *password;
} good[] = {
    {"smtp://relay.example", TLS_MODE_OFFERED, "relay.example", 25, "", ""},
    {"smtp://relay.example/", TLS_MODE_OFFERED, "relay.example", 25, "", ""},
    {"SMTP://Relay.Example", TLS_MODE_OFFERED, "relay.example", 25, "", ""},
    {"smtp+tls://relay.example", TLS_MODE_STARTTLS, "relay.example", 587, "", ""},
    {"smtps://relay.example", TLS_MODE_IMPLICIT, "relay.example", 465, "", ""},
    {"smtp+notls://relay.example", TLS_MODE_NEVER, "relay.example", 25, "", ""},
    {"smtp://relay:2525", TLS_MODE_OFFERED, "relay", 2525, "", ""},
    {"smtp://relay:1", TLS_MODE_OFFERED, "relay", 1, "", ""},
    {"smtp://relay:65535/", TLS_MODE_OFFERED, "relay", 65535, "", ""},
    {"smtp://mail_relay-1", TLS_MODE_OFFERED, "mail_relay-1", 25, "", ""},
    {"smtp://3f2ab01c9d77", TLS_MODE_OFFERED, "3f2ab01c9d77", 25, "", ""},
    {"smtp://192.0.2.1:26", TLS_MODE_OFFERED, "192.0.2.1", 26, "", ""},
    {"smtp://[2001:DB8::1]", TLS_MODE_OFFERED, "2001:db8::1", 25, "", ""},
    {"smtp://[::1]:587/", TLS_MODE_OFFERED, "::1", 587, "", ""},
    {"smtps://joe@relay", TLS_MODE_IMPLICIT, "relay", 465, "joe", ""},
    {"smtps://joe:@relay", TLS_MODE_IMPLICIT, "relay", 465, "joe", ""},
    {"smtps://joe%40example.org:p%3A%2f%25@relay", TLS_MODE_IMPLICIT, "relay", 465,
	"joe@example.org", "p:/%"},
    {"smtps://j+o=e:a!b$c&d@relay", TLS_MODE_IMPLICIT, "relay", 465, "j+o=e", "a!b$c&d"},
    {"smtps://j%C3%A9%20x@relay", TLS_MODE_IMPLICIT, "relay", 465, "j\xc3\xa9 x", ""},
    {"smtp+tls://joe:pw@[::1]:26", TLS_MODE_STARTTLS, "::1", 26, "joe", "pw"},
    {"smtp+notls://joe:pw@localhost:2525", TLS_MODE_NEVER, "localhost", 2525, "joe", "pw"},
    {"smtp+notls://joe@127.8.9.1", TLS_MODE_NEVER, "127.8.9.1", 25, "joe", ""},
    {"smtp+notls://joe@[::1]", TLS_MODE_NEVER, "::1", 25, "joe", ""},
};

static const struct {
	const char *url, *why;
} bad[] = {
    {"", "form"},
    {"relay.example", "form"},
    {"relay.example:25", "form"},
    {"smtp:relay", "form"},
    {"smtp:/relay", "form"},
    {"http://relay", "unknown scheme"},
    {"smtp+starttls://relay", "unknown scheme"},
    {"://relay", "unknown scheme"},
    {"smtp://", "no host"},
    {"smtp:///", "no host"},
    {"smtp://:25", "no host"},
    {"smtp://[]", "no host"},
    {"smtps://joe@", "no host"},
    {"smtp://relay:", "bad port"},
    {"smtp://relay:0", "bad port"},
    {"smtp://relay:65536", "bad port"},
    {"smtp://relay:123456", "bad port"},
    {"smtp://relay:-1", "bad port"},
    {"smtp://relay:2 5", "bad port"},
    {"smtp://relay:smtp", "bad port"},
    {"smtp://[::1]25", "bad port"},
    {"smtp://relay/path", "nothing may follow"},
    {"smtp://relay//", "nothing may follow"},
    {"smtp://relay?x", "not ?mx"},
    {"smtp://relay?", "not ?mx"},
    {"smtp://relay?mx&srv", "not ?mx"},
    {"smtp://192.0.2.1?mx", "for domains"},
    {"smtp://[::1]?srv", "for domains"},
    {"smtp+notls://me@localhost?mx", "for domains"},
    {"lmtp://relay?mx", "for domains"},
    {"smtp://relay:25?srv", "DNS's to say"},
    {"smtp:///run/x", "nothing may follow"},
    {"lmtp://host/run/x", "nothing may follow"},
    {"lmtp://", "no host"},
    {"lmtp:///", "no host"},
    {"lmtp:///run/x?mx", "a path has no"},
    {"lmtp:///run/%00", "bad character"},
    {"lmtp:///run/%0a", "bad character"},
    {"lmtp:///run/a\"b", "bad character"},
    {"smtp://relay#x", "bad host"},
    {"smtp://re lay", "bad host"},
    {"smtp://relay\n", "bad host"},
    {"smtp://rel\xc3\xa9", "bad host"},
    {"smtp://.relay", "bad host"},
    {"smtp://relay.", "bad host"},
    {"smtp://a..b", "bad host"},
    {"smtp://-relay", "bad host"},
    {"smtp://relay-.example", "bad host"},
    {"smtp://$(id)", "bad host"},
    {"smtp://127.1", "bad host"},
    {"smtp://1.2.3.256", "bad host"},
    {"smtp://0x7f000001", "bad host"},
    {"smtp://2130706433", "bad host"},
    {"smtp://::1", "no host"},
    {"smtp://[::1", "bad host"},
    {"smtp://[relay]", "bad host"},
    {"smtp://[127.0.0.1]", "bad host"},
    {"smtp://[fe80::1%25eth0]", "bad host"},
    {"smtps://@relay", "empty user"},
    {"smtps://:pw@relay", "empty user"},
    {"smtps://joe@example.org@relay", "bad host"},
    {"smtps://joe:p w@relay", "bad character"},
    {"smtps://joe:p%00w@relay", "bad character"},
    {"smtps://joe%0d%0aRSET@relay", "bad character"},
    {"smtps://joe%7f@relay", "bad character"},
    {"smtps://joe%4@relay", "bad character"},
    {"smtps://joe%@relay", "bad character"},
    {"smtps://joe%zz@relay", "bad character"},
    {"smtps://j\xc3\xa9@relay", "bad character"},
    {"smtps://joe:a:b@relay", "bad character"},
    {"smtp+notls://joe@relay", "needs TLS"},
    {"smtp+notls://joe:pw@128.0.0.1", "needs TLS"},
    {"smtp+notls://joe@localhost.example", "needs TLS"},
    {"smtp+notls://joe@127.example", "needs TLS"},
};

static void
test_parse(void)
{
	static const struct relay nothing;
	struct relay r;
	const char *why;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		why = "";
		if (!is_int(route_parse(&r, good[i].url, &why), 0, good[i].url)) {
			printf("# %s\n", why);
			continue;
		}
		is_int(r.mode, good[i].mode, "… mode");
		is(r.host, good[i].host, "… host");
		is_int(r.port, good[i].port, "… port");
		is(r.user, good[i].user, "… user");
		is(r.password, good[i].password, "… password");
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		int rc = route_parse(&r, bad[i].url, &why);

		ok(rc == -1 && strstr(why, bad[i].why) != NULL, "%zu: refused: %s (%s)", i,
		    bad[i].why, why);
		ok(memcmp(&r, &nothing, sizeof(r)) == 0, "… and nothing stays");
	}
}

static const struct {
	const char *list;
	const char *hosts; /* … that come out, each with a blank behind it */
	const char *why;   /* and how it ends; NULL: well */
} lists[] = {
    {"", "", NULL},
    {" ,\t", "", NULL},
    {"smtp://a", "a ", NULL},
    {"smtp://a,smtps://b", "a b ", NULL},
    {" smtp://a , smtps://b\tsmtp://c, ", "a b c ", NULL},
    {"smtp://a, b", "a ", "form"},
    {"smtps://u:p,w@a", "", "bad port"},
    {"smtp://a smtp://a smtp://a smtp://a smtp://a smtp://a smtp://a smtp://a", "a a a a a a a a ",
	NULL},
    {"smtp://a smtp://a smtp://a smtp://a smtp://a smtp://a smtp://a smtp://a smtp://a",
	"a a a a a a a a a ", "more than 8"},
};

static void
test_lists(void)
{
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		const char *list = lists[i].list, *why = "";
		char hosts[256] = "";
		struct relay r;

		while (route_next(&r, &list, &why) == 1)
			strcat(strcat(hosts, r.host), " ");
		is(hosts, lists[i].hosts, lists[i].list);
		ok(route_check(lists[i].list, &why) == (lists[i].why != NULL ? -1 : 0) &&
			(lists[i].why == NULL || strstr(why, lists[i].why) != NULL),
		    "… %s", lists[i].why != NULL ? lists[i].why : "good");
	}
}

static const struct {
	const char *url, *host, *path;
	unsigned port;
	bool lmtp;
	enum relay_lookup lookup;
	const char *service;
} others[] = {
    {"smtp://d.example?mx", "d.example", "", 25, false, RELAY_LOOKUP_MX, NULL},
    {"smtp+tls://d.example:26?MX", "d.example", "", 26, false, RELAY_LOOKUP_MX, NULL},
    {"smtps://u@d.example/?srv", "d.example", "", 465, false, RELAY_LOOKUP_SRV,
	"_submissions._tcp.d.example"},
    {"smtp+tls://d?srv", "d", "", 587, false, RELAY_LOOKUP_SRV, "_submission._tcp.d"},
    {"smtp://d?srv", "d", "", 25, false, RELAY_LOOKUP_SRV, "_submission._tcp.d"},
    {"lmtp://relay", "relay", "", 24, true, RELAY_LOOKUP_HOST, NULL},
    {"lmtp://u:p@[::1]:2424/", "::1", "", 2424, true, RELAY_LOOKUP_HOST, NULL},
    {"lmtp:///run/dovecot/lmtp", "", "/run/dovecot/lmtp", 24, true, RELAY_LOOKUP_HOST, NULL},
    {"lmtp://u@/a%20b%3f:@", "", "/a b?:@", 24, true, RELAY_LOOKUP_HOST, NULL},
};

static void
test_others(void)
{
	char service[HOST_LEN], list[256];

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		const char *why = "", *rest = list;
		struct relay r;

		snprintf(list, sizeof(list), "%s, smtp://x", others[i].url);
		is_int(route_next(&r, &rest, &why), 1, others[i].url);
		is(r.host, others[i].host, "… host");
		is(r.path, others[i].path, "… path");
		is_int(r.port, others[i].port, "… port");
		ok(r.lmtp == others[i].lmtp && r.lookup == others[i].lookup, "… kind");
		if (others[i].service == NULL)
			continue;
		route_service(&r, service);
		is(service, others[i].service, "… service");
	}
}

static const struct {
	const char *list, *v4, *v6; /* NULL: refused */
} sources[] = {
    {"", "", ""},
    {"192.0.2.1", "192.0.2.1", ""},
    {" 2001:db8::1 ", "", "2001:db8::1"},
    {"2001:db8::1, 192.0.2.1", "192.0.2.1", "2001:db8::1"},
    {"192.0.2.1, 192.0.2.2", NULL, NULL},
    {"::1 ::2", NULL, NULL},
    {"host", NULL, NULL},
    {"[::1]", NULL, NULL},
    {"192.0.2.1/24", NULL, NULL},
    {"1111:2222:3333:4444:5555:6666:7777:8888:9999:0000", NULL, NULL},
};

static void
test_sources(void)
{
	char text[2][ROUTE_ADDRESS];
	const char *why = "";

	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
		int r = route_addresses(text, sources[i].list, &why);

		is_int(r, sources[i].v4 != NULL ? 0 : -1, sources[i].list);
		if (r == -1)
			continue;
		is(text[0], sources[i].v4, "… IPv4");
		is(text[1], sources[i].v6, "… IPv6");
	}
}

/* The longest parts, and one octet more. */
static void
test_lengths(void)
{
	static const struct {
		const char *name, *before, *after;
		char fill;
		size_t most;
	} parts[] = {
	    {"label", "smtp://", ".example", 'a', 63},
	    {"user", "smtps://", "@relay", 'u', USER_LEN - 1},
	    {"password", "smtps://u:", "@relay", 'p', SECRET_LEN - 1},
	    {"path", "lmtp:///", "", 'p', ROUTE_PATH_LEN - 2},
	};
	static char url[SECRET_LEN + 100];
	struct relay r;
	const char *why;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		for (size_t more = 0; more < 2; more++) {
			size_t n = strlen(parts[i].before), m = parts[i].most + more;

			strcpy(url, parts[i].before);
			memset(url + n, parts[i].fill, m);
			strcpy(url + n + m, parts[i].after);
			is_int(route_parse(&r, url, &why), more ? -1 : 0, parts[i].name);
		}
	}
	strcpy(url, "smtp://");
	for (size_t i = 0; i < 127; i++)
		strcat(url, "a.");
	strcat(url, "b");
	is_int(route_parse(&r, url, &why), 0, "longest host");
	strcat(url, "b");
	is_int((long long)strlen(r.host), HOST_LEN - 1, "… of 255 octets");
	is_int(route_parse(&r, url, &why), -1, "… one more");
}

static const struct {
	const char *url; /* NULL: MX */
	enum tls_policy set, want;
	bool pinned;
} policies[] = {
    {"smtp+notls://r", TLS_POLICY_AUTO, TLS_POLICY_NONE, false},
    {"smtp+tls://r", TLS_POLICY_AUTO, TLS_POLICY_VERIFY, false},
    {"smtps://r", TLS_POLICY_AUTO, TLS_POLICY_VERIFY, false},
    {"smtp://r", TLS_POLICY_AUTO, TLS_POLICY_MAY, false},
    {"smtp://u@r", TLS_POLICY_AUTO, TLS_POLICY_VERIFY, false},
    {NULL, TLS_POLICY_AUTO, TLS_POLICY_DANE, false},
    {NULL, TLS_POLICY_AUTO, TLS_POLICY_DANE, true},
    {NULL, TLS_POLICY_MAY, TLS_POLICY_MAY, true},
    {"smtp://r", TLS_POLICY_AUTO, TLS_POLICY_VERIFY, true},
    {"smtp://r", TLS_POLICY_ENCRYPT, TLS_POLICY_VERIFY, true},
    {"smtp://r", TLS_POLICY_NONE, TLS_POLICY_NONE, true},
    {"smtp+notls://r", TLS_POLICY_AUTO, TLS_POLICY_NONE, true},
    {"smtp://r", TLS_POLICY_DANE, TLS_POLICY_DANE, false},
    {"smtp://u@r", TLS_POLICY_DANE, TLS_POLICY_VERIFY, false},
    {NULL, TLS_POLICY_ENCRYPT, TLS_POLICY_ENCRYPT, false},
    {"smtp://r", TLS_POLICY_NONE, TLS_POLICY_NONE, false},
    {"smtp://r", TLS_POLICY_VERIFY, TLS_POLICY_VERIFY, false},
    {"smtp+notls://r", TLS_POLICY_VERIFY, TLS_POLICY_VERIFY, false},
    {"smtp+tls://r", TLS_POLICY_ENCRYPT, TLS_POLICY_ENCRYPT, false},
    {"smtp://u@r", TLS_POLICY_NONE, TLS_POLICY_VERIFY, false},
    {"smtp://u@r", TLS_POLICY_MAY, TLS_POLICY_VERIFY, false},
    {"smtps://u@r", TLS_POLICY_ENCRYPT, TLS_POLICY_VERIFY, false},
    {"smtp+notls://u@localhost", TLS_POLICY_VERIFY, TLS_POLICY_NONE, false},
    {"smtp+notls://u@localhost", TLS_POLICY_AUTO, TLS_POLICY_NONE, false},
    {"smtp://u@localhost", TLS_POLICY_NONE, TLS_POLICY_VERIFY, false},
    {"lmtp://r", TLS_POLICY_AUTO, TLS_POLICY_MAY, false},
    {"lmtp://u@r", TLS_POLICY_NONE, TLS_POLICY_VERIFY, false},
    {"lmtp://u@127.0.0.1", TLS_POLICY_AUTO, TLS_POLICY_NONE, false},
    {"lmtp:///run/x", TLS_POLICY_VERIFY, TLS_POLICY_NONE, true},
    {"lmtp://u@/run/x", TLS_POLICY_AUTO, TLS_POLICY_NONE, false},
};

static const struct {
	const char *host;
	bool loopback;
} hosts[] = {
    {"localhost", true},
    {"LocalHost", true},
    {"127.0.0.1", true},
    {"127.255.255.254", true},
    {"::1", true},
    {"0:0:0:0:0:0:0:1", true},
    {"128.0.0.1", false},
    {"127.0.0.1.example", false},
    {"127.1", false},
    {"localhost.example", false},
    {"::2", false},
    {"::ffff:127.0.0.1", false},
    {"", false},
};

static const struct {
	const char *address, *domain; /* NULL: -1 */
} domains[] = {
    {"joe@example.org", "example.org"},
    {"joe@Example.ORG", "example.org"},
    {"\"a@b\"@example.org", "example.org"},
    {"joe@[192.0.2.1]", "[192.0.2.1]"},
    {"joe", NULL},
    {"joe@", NULL},
    {"", NULL},
};

static void
test_domain(void)
{
	char dst[HOST_LEN], address[2 * HOST_LEN];

	for (size_t i = 0; i < sizeof(domains) / sizeof(domains[0]); i++) {
		int rc = route_domain(dst, domains[i].address);

		is(rc == 0 ? dst : NULL, domains[i].domain != NULL ? domains[i].domain : "(null)",
		    domains[i].address);
	}
	memset(address, 'a', sizeof(address));
	address[1] = '@';
	address[2 + HOST_LEN - 1] = '\0';
	is_int(route_domain(dst, address), 0, "longest domain");
	address[2 + HOST_LEN - 1] = 'a';
	address[2 + HOST_LEN] = '\0';
	is_int(route_domain(dst, address), -1, "one octet more");
}

int
main(void)
{
	struct relay r;
	const char *why;

	test_parse();
	test_lists();
	test_others();
	test_sources();
	test_lengths();
	for (size_t i = 0; i < sizeof(policies) / sizeof(policies[0]); i++) {
		const char *url = policies[i].url;

		ok((url == NULL || route_parse(&r, url, &why) == 0) &&
			route_policy(url != NULL ? &r : NULL, policies[i].set,
			    policies[i].pinned) == policies[i].want,
		    "policy of %s", url != NULL ? url : "MX");
	}
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++)
		ok(route_loopback(hosts[i].host) == hosts[i].loopback, "%s", hosts[i].host);
	test_domain();
	return done();
}
