/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "mail/rewrite.h"
#include "tap.h"

#define NO_RULE "not a rule such as root@* = cron@example.org"
#define QUOTE "a local-part with = or * in it is written in quotes; a pattern has an @"
#define BEHIND "a rule behind one that matches everything"
#define STAR "* stands for a whole domain, or for what is in front of its dot"
#define A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define L60 "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define DOMAIN_244 L60 "." L60 "." L60 "." L60 /* three dots: 243 */

static const struct {
	const char *rules, *why;
} checks[] = {
    {"", NULL},
    {" \t", NULL},
    {"a@b", NULL},
    {"*", NULL},
    {"*@*", NULL},
    {"a@*", NULL},
    {"*@b", NULL},
    {"*=a@b", NULL},
    {"a@b=c@d", NULL},
    {" a@b \t= c@d , e@* = *@f,*@*.g=h@*\t, i@j ", NULL},
    {"a@[127.0.0.1] = *@[IPv6:::1]", NULL},
    {"\"a,=*b\"@c = \"x,y\"@d", NULL},
    {"j\xc3\xb6rg@m\xc3\xbcller.example = a@b", NULL},
    {"a@_b.c, d@e", BEHIND},
    {"* = a@b, c@d = e@f", BEHIND},
    {"a@b = c@d, *@* = *, x", BEHIND},
    {"a@b,", BEHIND},
    {"a@b = c@d,", NO_RULE},
    {",", NO_RULE},
    {"a@b = c@d,, e@f", NO_RULE},
    {"a", NO_RULE},
    {"a@", NO_RULE},
    {"@b", NO_RULE},
    {"=", QUOTE},
    {"= a@b", QUOTE},
    {"a@b =", NO_RULE},
    {"a@b = c@d = e@f", NO_RULE},
    {"a@b c@d", NO_RULE},
    {"a@b -> c@d", NO_RULE},
    {"a = c@d", NO_RULE},
    {"a@b = c", NO_RULE},
    {"<a@b>", NO_RULE},
    {"a@b ; c", NO_RULE},
    {"a@b = c@d; e@f", "not an address"},
    {"a=c@d", QUOTE},
    {"a*@b = c@d", QUOTE},
    {"*a@b = c@d", QUOTE},
    {"**@b", QUOTE},
    {"a@*b", STAR},
    {"a@**", STAR},
    {"a@*.*", "not an address"},
    {"a@*.", "not an address"},
    {"a@*. = c@d", "not an address"},
    {"a@*..b = c@d", "not an address"},
    {"a@b..c", "not an address"},
    {"a@b@c", "not an address"},
    {"a@<b>", "not an address"},
    {"a@-b", "not an address"},
    {"a@.b = c@d", "a domain begins with a dot"},
    {"*@*.b", "*.domain is a pattern, no replacement"},
    {"a@b = c@*.d", "*.domain is a pattern, no replacement"},
    {"\"a b\"@c", NO_RULE},
    {"\"a", NO_RULE},
    {"a\xff@b", NO_RULE},
};

static void
check_table(void)
{
	for (size_t i = 0; i < sizeof(checks) / sizeof(*checks); i++) {
		const char *why = NULL;
		int r = rewrite_check(checks[i].rules, &why);

		is_int(r, checks[i].why != NULL ? -1 : 0, checks[i].rules);
		is(r == -1 ? why : "", checks[i].why != NULL ? checks[i].why : "", "why");
	}
}

static const struct {
	const char *rules, *address, *expected;
} rewrites[] = {
    {"", "a@b", "a@b"},
    {"x@y", "a@b", "x@y"},
    {"* = x@y", "a@b", "x@y"},
    {"*@*=x@y", "a@b", "x@y"},
    {"x@*", "a@b", "x@b"},
    {"*@y", "a@b", "a@y"},
    {"*", "a@b", "a@b"},
    {"*@*", "A@B", "A@B"},
    {"x@y", "", ""},
    {"*@y", "root", "root"},
    {"a@b = x@y", "a@b", "x@y"},
    {"a@b = x@y", "a@bb", "a@bb"},
    {"a@b = x@y", "aa@b", "aa@b"},
    {"Root@Host.Example = x@y", "rOOT@hOST.eXAMPLE", "x@y"},
    {"a@b = *@y", "A@b", "A@y"},
    {"a@b = x@*", "a@B", "x@B"},
    {"a@* = x@y", "a@c.d", "x@y"},
    {"a@* = x@y", "b@c.d", "b@c.d"},
    {"*@b = x@y", "c@B", "x@y"},
    {"*@b = x@y", "c@a.b", "c@a.b"},
    {"*@*.b = x@y", "c@a.B", "x@y"},
    {"*@*.b = *@b", "c@d.a.b", "c@b"},
    {"*@*.b = x@y", "c@b", "c@b"},
    {"*@*.b = x@y", "c@ab", "c@ab"},
    {"c@*.b = x@y", "d@a.b", "d@a.b"},
    {"*@[127.0.0.1] = *@y", "a@[127.0.0.1]", "a@y"},
    {"a@b = x@y, a@b = z@y", "a@b", "x@y"},
    {"a@b = c@b, c@b = d@b", "a@b", "c@b"},
    {"a@b = c@d, c@d = a@b", "c@d", "a@b"},
    {"root@* = *, *@b = c@*, x@y", "root@b", "root@b"},
    {"root@* = *, *@b = c@*, x@y", "a@b", "c@b"},
    {"root@* = *, *@b = c@*, x@y", "a@c", "x@y"},
    {"\"a=b\"@* = x@y", "a=b@c", "x@y"},
    {"\"a=b\"@c", "a@b", "a=b@c"},
    {"\"a..b\"@c", "a@b", "\"a..b\"@c"},
    {"\"*\"@b = x@y", "a@b", "a@b"},
    {"\"*\"@b = x@y", "*@b", "x@y"},
    {"\"x,y\"@* = x@y", "\"x,y\"@c", "x@y"},
    {"a@b = x@y", "\"a\"@b", "x@y"},
    {"*@y", "\"a,b\"@c", "\"a,b\"@y"},
    {"*@y", "\"a@b\"@c", "\"a@b\"@y"},
    {"*@y", "j\xc3\xb6rg@c", "j\xc3\xb6rg@y"},
    {"a@b = x@y, nonsense, c@d = x@y", "a@b", "x@y"},
    {"a@b = x@y, nonsense, c@d = x@y", "c@d", "c@d"},
    {"*@" DOMAIN_244, A64 "@b", A64 "@" DOMAIN_244},
    {"*@" DOMAIN_244, A64 A64 "@b", A64 A64 "@b"},
};

static void
apply_table(void)
{
	char address[ADDRESS_MAX + 1] = "a@b";

	for (size_t i = 0; i < sizeof(rewrites) / sizeof(*rewrites); i++) {
		snprintf(address, sizeof(address), "%s", rewrites[i].address);
		rewrite_apply(rewrites[i].rules, address);
		is(address, rewrites[i].expected, rewrites[i].rules);
	}
	strcpy(address, "a@b");
	rewrite_apply(NULL, address);
	is(address, "a@b", "no rules");
}

static void
pick(char *dst, size_t size, const char *const *pieces, size_t n)
{
	dst[0] = '\0';
	for (int i = rand() % 12; i > 0; i--) {
		const char *piece = pieces[(size_t)rand() % n];

		if (strlen(dst) + strlen(piece) < size)
			strcat(dst, piece);
	}
}

/* Whatever the rules are: an address stays one, nothing else is touched. */
static void
noise(void)
{
	static const char *const pieces[] = {"a", "b", "x.y", "@", "@", "*", "*.", ".", "=", " = ",
	    ",", ", ", "\"", "\"a b\"", "\"a,b\"", "[1]", "\\", "\xc3\xb6", "\xff", "-", " ", "\t",
	    "a@b", "*@b", "a@*", "*@*.b", A64, DOMAIN_244};
	size_t n = sizeof(pieces) / sizeof(*pieces), bad = 0, taken = 0, changed = 0;

	srand(1);
	for (int round = 0; round < 300000; round++) {
		char rules[8192], text[8192], address[ADDRESS_MAX + 1], before[ADDRESS_MAX + 1];
		const char *why = "";

		pick(rules, sizeof(rules), pieces, n);
		pick(text, sizeof(text), pieces, n);
		snprintf(address, sizeof(address), "%.*s", ADDRESS_MAX, text);
		if (rand() % 2 == 0)
			strcpy(address, round % 4 == 0 ? "a@b" : "a@x.b");
		strcpy(before, address);
		taken += rewrite_check(rules, &why) == 0;
		bad += why == NULL && strspn(rules, " \t") != strlen(rules) &&
		       rewrite_check(rules, &why) != 0;
		rewrite_apply(rules, address);
		changed += strcmp(before, address) != 0;
		bad += address_valid(before)
			   ? !address_valid(address)
			   : strcmp(before, address) != 0 && !address_valid(address);
	}
	is_int((long long)bad, 0, "noise");
	ok(taken > 1000 && changed > 1000, "taken %zu, changed %zu", taken, changed);
}

static const struct {
	const char *patterns, *address;
	bool match;
} senders[] = {
    {"a@x.example", "a@x.example", true},
    {"a@x.example", "A@X.Example", true},
    {"a@x.example", "b@x.example", false},
    {"a@x.example", "a@sub.x.example", false},
    {"*@x.example", "b@x.example", true},
    {"*@*.x.example", "b@sub.x.example", true},
    {"*@*.x.example", "b@x.example", false},
    {"a@*", "a@y.example", true},
    {"*", "a@y.example", true},
    {"*@*", "a@y.example", true},
    {" b@* , a@* ", "a@y.example", true},
    {"\"a=b\"@*", "a=b@y.example", true},
    {"*", "", false},
    {"*", "a", false},
    {"", "a@y.example", false},
};

static const struct {
	const char *patterns, *why; /* NULL: good */
} lists[] = {
    {"", NULL},
    {" ", NULL},
    {"a@b, *@c, d@*, *", NULL},
    {"*, a@b", NULL},
    {"a", "not a pattern"},
    {"a@b,", "not a pattern"},
    {"a@b c@d", "not a pattern"},
    {"a@b = c@d", "not a pattern"},
    {"@b", "not a pattern"},
    {"a=b@c", "in quotes"},
    {"*a@b", "in quotes"},
    {"a@*b", "for a whole domain"},
    {"a@b..c", "not an address"},
};

static void
match_table(void)
{
	for (size_t i = 0; i < sizeof(senders) / sizeof(senders[0]); i++)
		ok(rewrite_matches(senders[i].patterns, senders[i].address) == senders[i].match,
		    "%s %s %s", senders[i].patterns, senders[i].match ? "has" : "has not",
		    senders[i].address);
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		const char *why = "", *want = lists[i].why;
		int r = rewrite_check_patterns(lists[i].patterns, &why);

		ok(want == NULL ? r == 0 : r == -1 && strstr(why, want) != NULL, "\"%s\": %s",
		    lists[i].patterns, r == 0 ? "good" : why);
	}
}

int
main(void)
{
	check_table();
	match_table();
	apply_table();
	noise();
	return done();
}
