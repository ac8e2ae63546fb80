/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "mail/address.h"
#include "mail/submission.h"
#include "tap.h"

#define X10 "xxxxxxxxxx"
#define X50 X10 X10 X10 X10 X10
#define X60 X50 X10

/*
 * Members are separated by "|": a mailbox, "=" and its text where that differs, or "!" and the text
 * of what is no address.
 */
static const struct {
	const char *name, *input, *expected;
} lists[] = {
    {"nothing", "", ""},
    {"space", " \r\n\t", ""},
    {"commas", ",, ;,", ""},
    {"a comment", "(nobody)", ""},
    {"one", "a@b", "a@b"},
    {"two", "a@b,c@d", "a@b|c@d"},
    {"space around", " a@b ,\r\n\tc@d ", "a@b|c@d"},
    {"stray commas", ",a@b,, ,c@d,", "a@b|c@d"},
    {"semicolons", "a@b; c@d;", "a@b|c@d"},
    {"bare name", "root", "root"},
    {"bare names", "root, postmaster", "root|postmaster"},
    {"old style", "root (Cron Daemon)", "root"},
    {"old style, comment first", "(Cron Daemon) root", "root"},
    {"old style, complete", "a@b (c)", "a@b"},
    {"bare name in brackets", "Name <root>", "root"},
    {"name and address", "Name <a@b>", "a@b"},
    {"brackets", "<a@b>", "a@b"},
    {"space in brackets", "< a@b >", "a@b"},
    {"a comment behind", "Name <a@b> (c)", "a@b"},
    {"quoted name", "\"A, B <x@y>\" <a@b>", "a@b"},
    {"quoted pairs", "\"A \\\" , <x@y>\" <a@b>", "a@b"},
    {"encoded words", "=?UTF-8?Q?J=C3=B6rg?= <a@b>", "a@b"},
    {"UTF-8 name", "J\xc3\xb6rg <a@b>", "a@b"},
    {"8-bit name", "J\xf6rg <a@b>", "a@b"},
    {"dots in a name", "John Q. Public <a@b>", "a@b"},
    {"an address as name", "foo@bar <a@b>", "a@b"},
    {"a quoted address as name", "\"foo@bar\" <a@b>", "a@b"},
    {"a list tag as name", "[List] Foo <a@b>", "a@b"},
    {"an apostrophe", "O'Neil <o'neil@b>", "o'neil@b"},
    {"a slash", "A/B <a/b@c>", "a/b@c"},
    {"group", "G: a@b, c@d;", "a@b|c@d"},
    {"group among others", "x@y, G: a@b, c@d; , e@f", "x@y|a@b|c@d|e@f"},
    {"empty group", "undisclosed-recipients:;", ""},
    {"quoted group", "\"A: B\":a@b;", "a@b"},
    {"group without an end", "G: a@b", "a@b"},
    {"route", "<@r1,@r2:a@b>", "a@b"},
    {"route and name", "N <@r1:a@b>, c@d", "a@b|c@d"},
    {"route only", "<@r1:>", "!<@r1:>"},
    {"route without an end", "<@r1>", "!<@r1>"},
    {"literal", "a@[192.0.2.1]", "a@[192.0.2.1]"},
    {"IPv6 literal", "a@[IPv6:::1], c@d", "a@[IPv6:::1]|c@d"},
    {"a bad literal", "a@[x y]", "!a@[x y]"},
    {"an empty literal", "a@[]", "!a@[]"},
    {"text behind a literal", "a@[1]b", "!a@[1]b"},
    {"quoted local-part", "\"a.b\"@c", "a.b@c=\"a.b\"@c"},
    {"quotes that must stay", "\"a,b\"@c", "\"a,b\"@c"},
    {"quotes that must stay, dots", "\"a..b\"@c", "\"a..b\"@c"},
    {"minimal escapes", "\"\\a\\\\,\\\"\"@c", "\"a\\\\,\\\"\"@c=\"\\a\\\\,\\\"\"@c"},
    {"an @ in quotes", "\"a@b\"@c", "\"a@b\"@c"},
    {"quoted words", "\"a\".b.\"c\"@d", "a.b.c@d=\"a\".b.\"c\"@d"},
    {"quoted words without a dot", "\"a\"b@d", "!\"a\"b@d"},
    {"a space in quotes", "\"a b\"@c", "!\"a b\"@c"},
    {"empty quotes", "\"\"@c", "!\"\"@c"},
    {"quoted bare name", "\"root\"", "root=\"root\""},
    {"quoted bare address", "\"a@b\"", "!\"a@b\""},
    {"obsolete space", "a . b @ c . d", "a.b@c.d=a . b @ c . d"},
    {"comments inside", "a(x).(y)b@(z)c", "a.b@c=a(x).(y)b@(z)c"},
    {"nested comments", "a@b (c (d \\) (e)) f), g", "a@b|g"},
    {"two dots", "a..b@c, a.@d", "a..b@c|a.@d"},
    {"a leading dot", ".a@b", "!.a@b"},
    {"UUCP", "far!a@x, far!a", "far!a@x|far!a"},
    {"percent", "a%b@c", "a%b@c"},
    {"a hyphen first", "-oQ/tmp@x, -f", "-oQ/tmp@x|-f"},
    {"UTF-8 address", "j\xc3\xb6rg@d\xc3\xb6.example", "j\xc3\xb6rg@d\xc3\xb6.example"},
    {"not UTF-8", "j\xf6rg@x, a", "!j\xf6rg@x|a"},
    {"C1 control", "a\xc2\x9bz@x", "!a\xc2\x9bz@x"},
    {"control", "a\x1b@x, b", "!a\x1b@x|b"},
    {"DEL", "a\x7f@x", "!a\x7f@x"},
    {"null", "<>", "!"},
    {"null among others", "a, N <>, b", "a|!|b"},
    {"null with a comment", "< (c) >", "!"},
    {"two words", "John Doe, a", "!John Doe|a"},
    {"two addresses", "a@b c@d", "!a@b c@d"},
    {"two brackets", "<a@b> <c@d>, e", "!<a@b> <c@d>|e"},
    {"brackets in brackets", "<<a@b>>, e", "!<<a@b>>|e"},
    {"text behind brackets", "<a@b> Name", "!<a@b> Name"},
    {"> alone", "a>, b", "!a>|b"},
    {") alone", "a), b", "!a)|b"},
    {"no domain", "a@, b", "!a@|b"},
    {"no local-part", "@b", "!@b"},
    {"two @", "a@b@c", "!a@b@c"},
    {"an empty label", "a@b..c", "!a@b..c"},
    {"a dot last", "a@b.", "!a@b."},
    {"hyphens", "a@-b, a@b-, a@b-.c, a@b-c", "!a@-b|!a@b-|!a@b-.c|a@b-c"},
    {"underscores", "a@my_host", "a@my_host"},
    {"a backslash", "D\\user", "!D\\user"},
    {"quote without an end", "a, \"b, c", "a|!\"b, c"},
    {"comment without an end", "a, b (c, d", "a|!b (c, d"},
    {"comment only, without an end", "a, (c, d", "a|!(c, d"},
    {"literal without an end", "a, b@[c, d", "a|!b@[c, d"},
    {"bracket without an end", "a, <b@c, d", "a|!<b@c, d"},
    {"backslash last", "\"a\\", "!\"a\\"},
    {"quote pair at the end of a comment", "(a\\)", "!(a\\)"},
    {"injection", "a@b\r\nRCPT TO:<c@d>", "!a@b\r\nRCPT TO:<c@d>"},
    {"an address for a group", "a@b: c@d, e@f", "!a@b: c@d|e@f"},
    {"a colon behind brackets", "<a@b>: c@d, e@f", "!<a@b>: c@d|e@f"},
    {"a group without a name", ": c@d, e@f", "c@d|e@f"},
};

static void
trace(const char *text, size_t len, struct buf *out)
{
	struct address_parser p;
	struct address a;
	enum address_event ev;

	address_start(&p, text, len);
	while ((ev = address_next(&p, &a)) != ADDRESS_END) {
		size_t n = a.end - a.start;

		if (out->len > 0)
			buf_addc(out, '|');
		buf_adds(out, ev == ADDRESS_BAD ? "!" : a.mailbox);
		if (ev == ADDRESS_ONE && strlen(a.mailbox) == n &&
		    memcmp(a.mailbox, text + a.start, n) == 0)
			continue;
		if (ev == ADDRESS_ONE)
			buf_addc(out, '=');
		buf_add(out, text + a.start, n);
	}
}

static void
list_table(void)
{
	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
		struct buf out = BUF_INIT(4096);
		size_t len = strlen(lists[i].input);
		char *copy = malloc(len + (len == 0));

		memcpy(copy, lists[i].input, len);
		trace(copy, len, &out);
		is(buf_str(&out), lists[i].expected, lists[i].name);
		buf_free(&out);
		free(copy);
	}
}

static const struct {
	const char *address;
	bool expected;
} valid[] = {
    {"a@b", true},
    {"a.b+c=d@e-f.example", true},
    {"!#$%&'*+-/=?^_`{|}~@b", true},
    {"-a@b", true},
    {"a..b@c", true},
    {"a.@c", true},
    {"\"a,\\\"b\\\\\"@c", true},
    {"\"@\"@c", true},
    {"a@1.2.3.4", true},
    {"a@[1.2.3.4]", true},
    {"a@[IPv6:2001:db8::1]", true},
    {"\xe6\xa1\x88@\xe4\xbe\x8b.jp", true},
    {X60 X10 "@b", true},
    {"a@" X60 "." X60 "." X60 "." X60, true},
    {X60 X10 "x@" X60 "." X60 "." X60 "." X60 "." X10, false},
    {"a@" X60 "." X60 "." X60 "." X60 "." X10 X10, false},
    {"a@" X60 "xxx.b", true},
    {"a@" X60 "xxxx.b", false},
    {"", false},
    {"a", false},
    {"a@", false},
    {"@b", false},
    {"<a@b>", false},
    {".a@b", false},
    {"a b@c", false},
    {"a@b c", false},
    {"a@b@c", false},
    {"a@b>", false},
    {"a@b\n", false},
    {"a\r\n@b", false},
    {"a@b\x7f", false},
    {"\"a b\"@c", false},
    {"\"a\tb\"@c", false},
    {"\"a@c", false},
    {"\"a\\\"@c", false},
    {"\"a\\", false},
    {"\"", false},
    {"\"a\\\xc3\xb6\"@c", false},
    {"\"\"@c", false},
    {"\"a\"b@c", false},
    {"a(b)@c", false},
    {"a,b@c", false},
    {"a@b.", false},
    {"a@.b", false},
    {"a@[1.2.3.4", false},
    {"a@[1.2.3.4]x", false},
    {"a@[>]", false},
    {"\xc0\xaf@b", false},
    {"\xed\xa0\x80@b", false},
    {"\xf4\x90\x80\x80@b", false},
    {"a@\xc3", false},
    {"a\xc2\x80@b", false},
};

static const struct {
	const char *mailbox, *domain, *expected;
} qualified[] = {
    {"root", "x.example", "root@x.example"},
    {"root@y", "x.example", "root@y"},
    {"\"a,b\"", "x", "\"a,b\"@x"},
    {"", "x", NULL},
    {"root", "", NULL},
    {"root", "x y", NULL},
    {"root", "x\r\ny", NULL},
    {"ro ot", "x", NULL},
    {"root@", "x", NULL},
    {X60 X60 X60 X60 X60 X10 "12345678", "x", X60 X60 X60 X60 X60 X10 "12345678@x"},
    {X60 X60 X60 X60 X60 X10 "123456789", "x", NULL},
    {X60 X60 X60 X60 X60 X60, "x", NULL},
};

static const struct {
	const char *a, *b;
	bool expected;
} equal[] = {
    {"a@b", "a@b", true},
    {"a@b.EXAMPLE", "a@B.example", true},
    {"A@b", "a@b", false},
    {"a@b", "ab@b", false},
    {"a@b", "a@bc", false},
    {"a", "a", true},
    {"a", "a@b", false},
    {"\"x@A\"@b", "\"x@a\"@b", false},
    {"\"x@A\"@B", "\"x@A\"@b", true},
};

static void
grammar(void)
{
	for (size_t i = 0; i < sizeof(valid) / sizeof(*valid); i++)
		ok(address_valid(valid[i].address) == valid[i].expected, "valid row %zu", i);
	for (size_t i = 0; i < sizeof(qualified) / sizeof(*qualified); i++) {
		char dst[ADDRESS_MAX + 1];
		int rc = address_qualify(dst, qualified[i].mailbox, qualified[i].domain);

		if (qualified[i].expected == NULL)
			ok(rc == -1, "qualify row %zu fails", i);
		else
			is(rc == 0 ? dst : "failed", qualified[i].expected, "qualify");
	}
	for (size_t i = 0; i < sizeof(equal) / sizeof(*equal); i++) {
		const char *a = equal[i].a, *b = equal[i].b;

		ok(address_equal(a, b) == equal[i].expected, "equal row %zu", i);
		ok((address_compare(a, b) < 0) == (address_compare(b, a) > 0), "and its order");
	}
	ok(address_utf8("\xc3\xb6@b") && !address_utf8("o@b"), "utf8");
}

/* Lengths around the maximum, and members of a size that must not take quadratic time. */
static void
limits(void)
{
	struct buf text = BUF_INIT(1 << 24), out = BUF_INIT(1 << 24);

	buf_addf(&text, "%s, a", X60 X60 X60 X60 X60 X10 X10);
	trace(text.data, text.len, &out);
	is(buf_str(&out), X60 X60 X60 X60 X60 X10 X10 "|a", "as long as may be");
	buf_clear(&text);
	buf_clear(&out);
	buf_addf(&text, "%s, a", X60 X60 X60 X60 X60 X10 X10 "x");
	trace(text.data, text.len, &out);
	is(buf_str(&out), "!" X60 X60 X60 X60 X60 X10 X10 "x|a", "one more");

	for (int i = 0; i < 2; i++) {
		buf_clear(&text);
		buf_clear(&out);
		for (int k = 0; k < ADDRESS_NEST + i; k++)
			buf_addc(&text, '(');
		for (int k = 0; k < ADDRESS_NEST + i; k++)
			buf_addc(&text, ')');
		buf_adds(&text, "a");
		trace(text.data, text.len, &out);
		ok((strcmp(buf_str(&out), "a") == 0) == (i == 0), "%d comments nested",
		    ADDRESS_NEST + i);
	}
	for (const char *c = "(\"[<@,:;\\a. >"; *c != '\0'; c++) {
		buf_clear(&text);
		buf_clear(&out);
		for (int i = 0; i < 1000000; i++)
			buf_addc(&text, *c);
		trace(text.data, text.len, &out);
		ok(out.error == 0, "a million '%c'", *c);
	}
	buf_free(&text);
	buf_free(&out);
}

/* What the parser promises of any text. */
static bool
holds(const char *text, size_t len)
{
	struct address_parser p;
	struct address a;
	enum address_event ev;
	size_t rounds = 0, last = 0;

	address_start(&p, text, len);
	while ((ev = address_next(&p, &a)) != ADDRESS_END) {
		char full[ADDRESS_MAX + 1];

		if (rounds++ > len || a.start > a.end || a.end > len || a.start < last)
			return false;
		last = a.end;
		if (ev == ADDRESS_BAD) {
			if (a.mailbox[0] != '\0')
				return false;
			continue;
		}
		if (a.start == a.end)
			return false;
		if (strchr(a.mailbox, '@') != NULL ? !address_valid(a.mailbox)
						   : address_local(a.mailbox) != strlen(a.mailbox))
			return false;
		if (strlen(a.mailbox) < 300 &&
		    (address_qualify(full, a.mailbox, "x") != 0 || !address_equal(full, full)))
			return false;
	}
	return address_next(&p, &a) == ADDRESS_END;
}

static void
random_text(void)
{
	static const char alphabet[] = "ab.@<>(),;:\"[]\\ \r\n\t\xc3\xb6-=";
	size_t wrong = 0;

	srand(1);
	for (int round = 0; round < 200000; round++) {
		size_t len = (size_t)rand() % 40;
		char *text = malloc(len + (len == 0));

		for (size_t i = 0; i < len; i++)
			text[i] = round % 4 == 0 ? (char)rand()
						 : alphabet[(size_t)rand() % sizeof(alphabet)];
		if (!holds(text, len) && wrong++ < 10)
			tap_quote("text", text, len);
		free(text);
	}
	is_int((long long)wrong, 0, "random text");
}

/* Mailboxes formatted as a list with all kinds of names are read back as they were. */
static void
test_identity(void)
{
	static const char *const names[] = {"", "Some One", "O'Neil, \"Bob\" (x)", "a@b <c@d>, e;",
	    "\303\234ml\303\244ut", "John Q. Public", ":;<>@[]\\"};
	static const char letters[] = "abcXYZ019.!#$%&'*+-/=?^_`{|}~";
	bool good = true;

	srandom(7);
	for (int round = 0; round < 5000 && good; round++) {
		struct buf list = BUF_INIT(1 << 20), wanted = BUF_INIT(1 << 20),
			   got = BUF_INIT(1 << 20);
		for (long n = random() % 6; n >= 0; n--) {
			char local[20], box[64];
			size_t len = 1 + (size_t)random() % 15;
			for (size_t i = 0; i < len; i++)
				local[i] = letters[(size_t)random() % (sizeof(letters) - 1)];
			local[len] = '\0';
			snprintf(box, sizeof(box), "%sx@d%ld.example",
			    local[0] == '.' ? "dot" : local, random() % 9);
			const char *name = names[(size_t)random() % 7];
			if (*name != '\0') {
				submission_phrase(&list, name);
				buf_addf(&list, " <%s>", box);
			} else
				buf_adds(&list, box);
			buf_adds(&list, n > 0 ? ",\r\n\t" : "");
			buf_addf(&wanted, "%s\n", box);
		}
		struct address_parser p;
		struct address a;
		address_start(&p, list.data, list.len);
		while (address_next(&p, &a) == ADDRESS_ONE)
			buf_addf(&got, "%s\n", a.mailbox);
		good = strcmp(buf_str(&got), buf_str(&wanted)) == 0;
		if (!good)
			printf("# %s\n# got %s\n", buf_str(&list), buf_str(&got));
		buf_free(&list);
		buf_free(&wanted);
		buf_free(&got);
	}
	ok(good, "parse(format(list)) is the list");
}

int
main(void)
{
	test_identity();
	list_table();
	grammar();
	limits();
	random_text();
	return done();
}
