/* SPDX-License-Identifier: ISC */
/* Policies by destination: which rule counts, and what is no rule. */
#include "mail/tls_policy.h"

#include "tap.h"

#define RULES "example.org = verify,*.example.net=encrypt ,[192.0.2.1] = none, * = dane"

static const struct {
	const char *rules, *name;
	enum tls_policy want; /* MAY: no rule is for it */
} finds[] = {
    {RULES, "example.org", TLS_POLICY_VERIFY},
    {RULES, "EXAMPLE.ORG", TLS_POLICY_VERIFY},
    {RULES, "mx.example.org", TLS_POLICY_DANE},
    {RULES, "a.example.net", TLS_POLICY_ENCRYPT},
    {RULES, "a.b.Example.Net", TLS_POLICY_ENCRYPT},
    {RULES, "example.net", TLS_POLICY_DANE},
    {RULES, "badexample.net", TLS_POLICY_DANE},
    {RULES, "[192.0.2.1]", TLS_POLICY_NONE},
    {"a.example = auto", "a.example", TLS_POLICY_AUTO},
    {"a.example = none, a.example = verify", "a.example", TLS_POLICY_NONE},
    {"a.example = verify", "b.example", TLS_POLICY_MAY},
    {"a.example = verify", "a.example.b", TLS_POLICY_MAY},
    {"a.example = verify", "", TLS_POLICY_MAY},
    {"", "a.example", TLS_POLICY_MAY},
    {"oops, a.example = verify", "a.example", TLS_POLICY_MAY},
    {"a.example = verify, oops", "a.example", TLS_POLICY_VERIFY},
};

static const struct {
	const char *rules, *why; /* "": good */
} checks[] = {
    {"", ""},
    {RULES, ""},
    {"2001:db8::1 = may", ""},
    {"\ta_b = may\t,", ""},
    {"a = verify,b = none", ""},
    {"a", "not a rule"},
    {"a verify", "not a rule"},
    {"= verify", "not a name"},
    {", a = verify", "not a name"},
    {" ", "not a name"},
    {"*a = verify", "not a name"},
    {"*. = verify", "not a name"},
    {".a = verify", "not a name"},
    {"a. = verify", "not a name"},
    {"a@b = verify", "not a name"},
    {"*.*.a = verify", "not a name"},
    {"a =", "no policy"},
    {"a = , b = may", "no policy"},
    {"a = Verify", "no policy"},
    {"a = verifying", "no policy"},
    {"a = ver", "no policy"},
    {"a = verify b = may", "a comma"},
    {"* = may, a = verify", "never used"},
};

int
main(void)
{
	char rules[HOST_LEN + 16];
	const char *why;

	for (size_t i = 0; i < sizeof(finds) / sizeof(finds[0]); i++)
		is_int(tls_policies_find(finds[i].rules, finds[i].name, TLS_POLICY_MAY),
		    finds[i].want, finds[i].name);
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		why = "";
		tls_policies_check(checks[i].rules, &why);
		ok(checks[i].why[0] == '\0' ? why == NULL || *why == '\0'
					    : why != NULL && strstr(why, checks[i].why) != NULL,
		    "\"%s\": %s", checks[i].rules, checks[i].why);
	}
	for (size_t more = 0; more < 2; more++) {
		memset(rules, 'a', HOST_LEN - 1 + more);
		strcpy(rules + HOST_LEN - 1 + more, "=may");
		is_int(tls_policies_check(rules, &why), more ? -1 : 0, "the longest name");
	}
	return done();
}
