/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "mail/address.h"
#include "mail/alias.h"
#include "mail/envelope.h"
#include "tap.h"

/* Include files of all tests. */
static const struct {
	const char *path, *text;
} files[] = {
    {"/list", "# people\na@x, b@x\n\n  c@x # not a comment\r\nbob\n"},
    {"/one", "one@x"},
    {"/again", "again@x, :include:/again, :include:/one\n"},
    {"/empty", "# nobody\n"},
    {"/self", "self"},
    {"/mixed", "|/bin/x\n\n/file\nm@x"},
};

static unsigned reads;

static int
include(void *arg, const char *path, struct buf *text, const char **why)
{
	(void)arg;
	reads++;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (strcmp(files[i].path, path) == 0) {
			buf_adds(text, files[i].text);
			return 0;
		}
	if (strncmp(path, "/many/", 6) == 0) {
		buf_addf(text, "m%s@x", path + 6);
		return 0;
	}
	*why = "No such file or directory";
	return -1;
}

static const struct alias_place place = {
    .domain = "d.example", .hostname = "h.d.example", .include = include};

/* "address=origin" of each, with "|" between them; then " nobody N" where there are such. */
static void
print(struct buf *out, const struct alias_results *r)
{
	for (size_t i = 0; i < r->n; i++)
		buf_addf(
		    out, "%s%s=%zu", i > 0 ? "|" : "", r->result[i].address, r->result[i].origin);
	if (r->nobody > 0)
		buf_addf(out, " nobody %zu", r->nobody);
}

#define RCPT_MAX 8

/* The recipients are separated by spaces. */
static size_t
split(char *list, const char *rcpt[RCPT_MAX])
{
	size_t n = 0;

	for (char *s = strtok(list, " "); s != NULL && n < RCPT_MAX; s = strtok(NULL, " "))
		rcpt[n++] = s;
	return n;
}

static const struct {
	const char *name, *text, *rcpt, *expected, *errors;
} cases[] = {
    {"nothing", "", "a@b root@localhost", "a@b=0|root@localhost=1", ""},
    {"one", "root: a@x", "root@d.example", "a@x=0", ""},
    {"bare recipient", "root: a@x", "root", "a@x=0", ""},
    {"hostname", "root: a@x", "root@h.d.example", "a@x=0", ""},
    {"localhost", "root: a@x", "root@localhost", "a@x=0", ""},
    {"domain's case", "root: a@x", "root@D.Example", "a@x=0", ""},
    {"another domain", "root: a@x", "root@x root@sub.d.example", "root@x=0|root@sub.d.example=1",
	""},
    {"name's case", "Root: a@x", "ROOT@d.example", "a@x=0", ""},
    {"MAILER-DAEMON", "mailer-daemon: postmaster\nPOSTMASTER: root\nroot: a@x",
	"MAILER-DAEMON@d.example", "a@x=0", ""},
    {"several", "root: a@x, b@x,c@x", "root", "a@x=0|b@x=0|c@x=0", ""},
    {"order and origin", "a: a@x, b@x\nb: c@x", "z@y b@localhost a@localhost",
	"z@y=0|c@x=1|a@x=2|b@x=2", ""},
    {"each once", "a: a@x, b@x\nb: b@X, a@x, A@x", "b@x a b", "b@x=0|a@x=1|A@x=2", ""},
    {"breadth first", "r: a, b@x\na: c@x\n", "r", "b@x=0|c@x=0", ""},
    {"continued", "root: a@x,\n\tb@x\n  , c@x\n", "root", "a@x=0|b@x=0|c@x=0", ""},
    {"continued from nothing", "root:\n  a@x", "root", "a@x=0", ""},
    {"continued over comments", "root: a@x,\n# c\n\n  # d\n\t\n b@x\nx: y", "root", "a@x=0|b@x=0",
	""},
    {"comments", "# root: b@x\n  # c\nroot: a@x\n#", "root", "a@x=0", ""},
    {"CRLF", "root: a@x,\r\n b@x\r\n\r\n# c\r\nx: c@x\r\n", "root x", "a@x=0|b@x=0|c@x=1", ""},
    {"white space", "root \t:\ta@x \t", "root", "a@x=0", ""},
    {"no end of line", "x: y\nroot:a@x", "root", "a@x=0", ""},
    {"BOM", "\xef\xbb\xbfroot: a@x", "root", "a@x=0", ""},
    {"quoted name", "\"root\": a@x", "root", "a@x=0", ""},
    {"name that needs quotes", "\"a:b,c\": a@x", "\"a:b,c\"@localhost", "a@x=0", ""},
    {"recipient with needless quotes", "root: a@x", "\"root\"@localhost", "a@x=0", ""},
    {"UTF-8 name", "j\xc3\xb6rg: a@x", "j\xc3\xb6rg@d.example", "a@x=0", ""},
    {"quoted value", "root: \"a\"@x, \"b,c\"@x", "root", "a@x=0|\"b,c\"@x=0", ""},
    {"names and comments", "root: A B <a@x>, b@x (c, d)", "root", "a@x=0|b@x=0", ""},
    {"semicolons", "root: a@x; b@x;", "root", "a@x=0|b@x=0", ""},
    {"stray commas", "root: , a@x,,b@x,", "root", "a@x=0|b@x=0", ""},
    {"a bare value", "root: bob", "root", "bob@d.example=0", ""},
    {"a bare quoted value", "root: \"bob\"", "root", "bob@d.example=0", ""},
    {"chain", "a: b\nb: c@localhost\nc: D@d.example\nd: a@x", "a", "a@x=0", ""},
    {"itself", "root: root, a@x", "root@localhost", "root@d.example=0|a@x=0", ""},
    {"itself, complete", "root: root@d.example", "root", "root@d.example=0", ""},
    {"itself, other case", "root: Root@h.d.example", "root", "Root@h.d.example=0", ""},
    {"backslash", "root: \\root, \\bob\nbob: b@x", "root", "root@d.example=0|bob@d.example=0", ""},
    {"quoted backslash", "root: \"\\bob\"\nbob: b@x", "root", "bob@d.example=0", ""},
    {"backslash, complete", "root: \\bob@d.example\nbob: b@x", "root", "bob@d.example=0", ""},
    {"\\a: b, b: a", "a: \\a, b\nb: \\b, a", "a b", "a@d.example=0|b@d.example=0", ""},

    {"catch-all", "*: a@x\nroot: b@x", "www root bob@d.example c@y", "a@x=0|b@x=1|c@y=3", ""},
    {"default", "Default: a@x", "www@localhost default", "a@x=0", ""},
    {"catch-all to a name", "*: root\nroot: b@x", "www", "b@x=0", ""},
    {"catch-all to a name without entry", "*: bob", "www bob", "bob@d.example=0", ""},
    {"catch-all for bare values", "*: a@x\nr: bob", "r", "a@x=0", ""},
    {"… and for localhost", "*: a@x\nr: bob@localhost", "r", "a@x=0", ""},
    {"… not for complete ones", "*: a@x\nr: bob@d.example", "r", "bob@d.example=0", ""},
    {"catch-all to an address here", "*: bob@d.example", "www", "bob@d.example=0", ""},

    {"include", "l: :include:/list\nbob: b2@x", "l", "a@x=0|b@x=0|b2@x=0",
	"/list:4: l: not an address (a comment has a line of its own): c@x # not a comment\n"},
    {"include in quotes", "l: \":Include: /one\", z@x", "l", "z@x=0|one@x=0", ""},
    {"include of itself", "l: :include:/again", "l", "again@x=0|one@x=0", ""},
    {"include that names its name", "self: :include:/self", "self", "self@d.example=0", ""},
    {"include, empty", "l: :include:/empty", "l", " nobody 1",
	"/empty:1: l: no address\nf:1: l: leads to nobody\n"},
    {"include, missing", "l: a@x,\n\n\t:include:/none", "l", "a@x=0",
	"f:3: l: cannot read /none: No such file or directory\n"},
    {"include, relative", "l: a@x, :include:list", "l", "a@x=0",
	"f:1: l: an include file is named by its whole path: list\n"},
    {"include, mixed", "l: :include:/mixed", "l", "m@x=0",
	"/mixed:1: l: programs and files are not delivered to: |/bin/x\n"
	"/mixed:3: l: programs and files are not delivered to: /file\n"},

    {"/dev/null", "x: /dev/null\ny: x\nz: /dev/null, a@x", "x y z b@y", "a@x=2|b@y=3", ""},
    {"program", "l: |/bin/x, a@x", "l", "a@x=0",
	"f:1: l: programs and files are not delivered to: |/bin/x\n"},
    {"program with commas", "l: \"|/bin/x a, b\", |\"/bin/y a, b\", a@x", "l", "a@x=0",
	"f:1: l: programs and files are not delivered to: |/bin/x a, b\n"
	"f:1: l: programs and files are not delivered to: |\"/bin/y a, b\"\n"},
    {"only a program", "m: l\nl: |/bin/x", "m a@b", "a@b=1 nobody 1",
	"f:2: l: programs and files are not delivered to: |/bin/x\nf:1: m: leads to nobody\n"},
    {"file", "l: /var/mail/x,\"/a b\" , a@x", "l", "a@x=0",
	"f:1: l: programs and files are not delivered to: /var/mail/x\n"
	"f:1: l: programs and files are not delivered to: /a b\n"},
    {"an address with a slash", "l: /C=de/S=x/@gw", "l", "/C=de/S=x/@gw=0", ""},

    {"loop", "a: b\nb: a\n", "a", " nobody 1", "f:1: a: a loop: it leads to nobody\n"},
    {"loop, met twice", "a: b\nb: a\n", "a b", " nobody 2",
	"f:1: a: a loop: it leads to nobody\nf:2: b: a loop: it leads to nobody\n"},
    {"loop of three, and into it", "a: b\nb: c\nc: a\nd: a", "d", " nobody 1",
	"f:4: d: a loop: it leads to nobody\n"},
    {"loop with a way out", "a: b\nb: a, c@x\n", "a b", "c@x=0", ""},
    {"loop by catch-all", "*: a\na: nobody", "x", " nobody 1",
	"f:1: *: a loop: it leads to nobody\n"},
    {"loop by complete addresses", "a: b@d.example\nb: a@h.d.example", "a@localhost", " nobody 1",
	"f:1: a: a loop: it leads to nobody\n"},

    {"no colon", "root a@x\nx: b@x", "root x", "root=0|b@x=1", "f:1: no colon: root a@x\n"},
    {"no name", ": a@x", "root", "root=0", "f:1: no bare name before the colon: : a@x\n"},
    {"two names", "a b: a@x", "a", "a=0", "f:1: no bare name before the colon: a b: a@x\n"},
    {"a name with a domain", "a@x: b", "a@x", "a@x=0",
	"f:1: no bare name before the colon: a@x: b\n"},
    {"nothing to continue", "\n  root: a@x\n  b@x\nc: d@x", "c", "d@x=0",
	"f:2: begins with white space, but continues nothing:   root: a@x   b@x\n"},
    {"an entry that is indented", "a: b@x\n  c: d@x\n", "a", " nobody 1",
	"f:1: a: not an address: b@x   c: d@x\nf:1: a: leads to nobody\n"},
    {"… behind a bare name", "a: b\n  c: d@x\n", "a", " nobody 1",
	"f:1: a: not an address: b   c: d@x\nf:1: a: leads to nobody\n"},
    {"a comma forgotten", "a: b@x\n\n  c@x, d@x", "a", "d@x=0",
	"f:1: a: not an address: b@x    c@x\n"},
    {"a comment behind a value", "a: b@x, c@x # d", "a", "b@x=0",
	"f:1: a: not an address (a comment has a line of its own): c@x # d\n"},
    {"no value", "a:\nb: c@x", "a b", "c@x=1 nobody 1",
	"f:1: a: no address\nf:1: a: leads to nobody\n"},
    {"a quote without an end", "a: \"b, c@x\nd: e@x", "a d", "e@x=1 nobody 1",
	"f:1: a: not an address: \"b, c@x\nf:1: a: leads to nobody\n"},
    {"a quoted program without an end", "a: \"|b, c@x\nd: e@x", "a d", "e@x=1 nobody 1",
	"f:1: a: not a quoted value: \"|b, c@x\nf:1: a: leads to nobody\n"},
    {"two in a quoted backslash", "a: \"\\b, c\"", "a", "b@d.example=0",
	"f:1: a: not one address: \"\\b, c\"\n"},
    {"twice", "a: b@x\nB: c@x\nA: d@x", "a", "b@x=0",
	"f:3: a: is on line 1 already; this one does not count\n"},
    {"the line of a value", "a: b@x,\n# c\n\n  d@x, e f,\n  g h", "a", "b@x=0|d@x=0",
	"f:4: a: not an address: e f\nf:5: a: not an address: g h\n"},
    {"terminal controls", "a: \x1b]2Jb c\x7f, x@x", "a", "x@x=0",
	"f:1: a: not an address: ?]2Jb c?\n"},
};

static void
expansions(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf errors = BUF_INIT(4096), out = BUF_INIT(4096);
		struct alias_results results;
		struct aliases a;
		const char *rcpt[RCPT_MAX];
		char list[256];
		size_t n;

		snprintf(list, sizeof(list), "%s", cases[i].rcpt);
		n = split(list, rcpt);
		if (alias_parse(&a, cases[i].text, strlen(cases[i].text), "f", &errors) == -1 ||
		    alias_expand(&a, &place, rcpt, n, &results, &errors) == -1)
			ok(false, "%s: failed", cases[i].name);
		print(&out, &results);
		is(buf_str(&out), cases[i].expected, cases[i].name);
		is(buf_str(&errors), cases[i].errors, "… and its mistakes");
		alias_results_free(&results);
		alias_free(&a);
		buf_free(&errors);
		buf_free(&out);
	}
}

static const struct {
	const char *name, *text, *errors;
} checks[] = {
    {"nothing", "", ""},
    {"fine", "root: a@x, bob\nbob: \\bob\n*: root\nl: :include:/one\nn: /dev/null\n", ""},
    {"all kinds", "p: |x\nq: /x\na\nl: :include:/none\n",
	"f:3: no colon: a\n"
	"f:4: l: cannot read /none: No such file or directory\n"
	"f:1: p: programs and files are not delivered to: |x\n"
	"f:2: q: programs and files are not delivered to: /x\n"},
    {"a program is told once", "a: b\nb: c\nc: |x",
	"f:3: c: programs and files are not delivered to: |x\n"},
    {"loops", "a: b\nb: a\nc: a\nd: a, x@y\ne: e",
	"f:1: a: a loop: it leads to nobody\nf:2: b: a loop: it leads to nobody\n"
	"f:3: c: a loop: it leads to nobody\n"},
    {"no loop", "a: b\nb: a, c\nc: x@y", ""},
};

static void
checked(void)
{
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		struct buf errors = BUF_INIT(4096);
		size_t lines = 0;
		struct aliases a;

		if (alias_parse(&a, checks[i].text, strlen(checks[i].text), "f", &errors) == -1 ||
		    alias_check(&a, &place, &errors) == -1)
			ok(false, "%s: failed", checks[i].name);
		is(buf_str(&errors), checks[i].errors, checks[i].name);
		for (const char *s = buf_str(&errors); (s = strchr(s, '\n')) != NULL; s++)
			lines++;
		is_int((long long)a.mistakes, (long long)lines, "… and their number");
		alias_free(&a);
		buf_free(&errors);
	}
}

static void
places(void)
{
	static const struct alias_place nowhere = {0};
	const char *rcpt[] = {"root", "root@d.example"};
	struct buf out = BUF_INIT(1024), errors = BUF_INIT(1024);
	struct alias_results results;
	struct aliases a;

	ok(alias_local(&place, "a") && alias_local(&place, "a@LOCALHOST"), "local");
	ok(alias_local(&place, "\"a@b\"@d.example"), "local, quoted");
	ok(!alias_local(&place, "a@b") && !alias_local(&place, ""), "not local");
	ok(!alias_local(&place, "a@localhost.b") && !alias_local(&place, "a@[127.0.0.1]"),
	    "nor that");
	ok(!alias_local(&nowhere, "a@d.example") && alias_local(&nowhere, "a"), "no domain");
	alias_parse(&a, "root: a@x, bob, :include:/one", 29, "f", NULL);
	alias_expand(&a, &nowhere, rcpt, 2, &results, &errors);
	print(&out, &results);
	is(buf_str(&out), "a@x=0|root@d.example=1", "bare names without a domain");
	is(buf_str(&errors),
	    "f:1: root: not an address with the domain of this machine: bob\n"
	    "f:1: root: cannot read /one: include files are not read\n",
	    "… are told");
	alias_results_free(&results);
	alias_free(&a);
	buf_free(&out);
	buf_free(&errors);
}

/* Text made by a function, its first name expanded; returns errno, and results and mistakes. */
static int
run(const struct buf *text, const char *rcpt, size_t *n, size_t *nobody, size_t *mistakes)
{
	struct alias_results results;
	struct aliases a;
	int error = 0;

	if (alias_parse(&a, buf_str(text), text->len, "f", NULL) == -1 ||
	    alias_expand(&a, &place, &rcpt, 1, &results, NULL) == -1)
		error = errno;
	*n = results.n;
	*nobody = results.nobody;
	*mistakes = a.mistakes;
	alias_results_free(&results);
	alias_free(&a);
	return error;
}

static void
limits(void)
{
	struct buf text = BUF_INIT(16 * 1024 * 1024);
	size_t n, nobody, mistakes;

	for (unsigned depth = ALIAS_DEPTH; depth <= ALIAS_DEPTH + 1; depth++) {
		buf_clear(&text);
		for (unsigned i = 1; i < depth; i++)
			buf_addf(&text, "a%u: a%u\n", i, i + 1);
		buf_addf(&text, "a%u: x@y", depth);
		is_int(run(&text, "a1", &n, &nobody, &mistakes), 0, "depth");
		ok(n == (depth == ALIAS_DEPTH) && nobody == (depth != ALIAS_DEPTH), "%u names",
		    depth);
	}
	for (unsigned count = ALIAS_INCLUDES; count <= ALIAS_INCLUDES + 1; count++) {
		buf_clear(&text);
		buf_adds(&text, "l: ");
		for (unsigned i = 0; i < count; i++)
			buf_addf(&text, ":include:/many/%u, ", i);
		is_int(run(&text, "l", &n, &nobody, &mistakes), 0, "includes");
		ok(n == ALIAS_INCLUDES && mistakes == count - ALIAS_INCLUDES, "%u files", count);
	}
	for (unsigned count = ENVELOPE_RCPT_MAX; count <= ENVELOPE_RCPT_MAX + 1; count++) {
		buf_clear(&text);
		buf_adds(&text, "l: ");
		for (unsigned i = 0; i < count; i++)
			buf_addf(&text, "%u@x, ", i);
		is_int(run(&text, "l", &n, &nobody, &mistakes),
		    count > ENVELOPE_RCPT_MAX ? E2BIG : 0,
		    "as many results as an envelope has room for");
	}
	buf_clear(&text);
	buf_adds(&text, "l: ");
	for (unsigned i = 0; i < 150000; i++)
		buf_adds(&text, "a@x,");
	is_int(run(&text, "l", &n, &nobody, &mistakes), 0, "one address, often");
	is_int((long long)n, 1, "… is one result");
	buf_free(&text);
}

static void
full_errors(void)
{
	struct buf errors = BUF_INIT(30);
	struct aliases a;

	is_int(alias_parse(&a, "aaaa\nbbbb\ncccc\n", 15, "f", &errors), 0, "no room for mistakes");
	is(buf_str(&errors), "f:1: no colon: aaaa\n", "… whole lines");
	is_int((long long)a.mistakes, 3, "… all are counted");
	alias_free(&a);
	buf_free(&errors);
}

static double
seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Parse, expand every name as a recipient, check: processor time, which must grow with the text. */
static double
timed(const struct buf *text, unsigned names)
{
	const char **rcpt = calloc(names, sizeof(*rcpt));
	char(*name)[16] = calloc(names, sizeof(*name));
	struct alias_results results;
	struct aliases a;
	double start = seconds();

	for (unsigned i = 0; i < names; i++) {
		snprintf(name[i], sizeof(name[i]), "n%u", i);
		rcpt[i] = name[i];
	}
	if (alias_parse(&a, buf_str(text), text->len, "f", NULL) == -1 ||
	    alias_expand(&a, &place, rcpt, names, &results, NULL) == -1 ||
	    alias_check(&a, &place, NULL) == -1)
		ok(false, "failed: %s", strerror(errno));
	alias_results_free(&results);
	alias_free(&a);
	free(rcpt);
	free(name);
	return seconds() - start;
}

static void
add_entry(struct buf *text, unsigned shape, unsigned i, unsigned n)
{
	static const char *const lines[] = {
	    "n%u: u%u@x.example\n", /* names with an address each */
	    "n%u: n%u\n",           /* a chain that is a loop */
	    "n%u: n%u, n0, n1, n2, *\n",
	    "n0: u%u@x\n#%u\n", /* the same name again and again */
	    "n%u: \"|/x, n%u\n",
	};

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	buf_addf(text, lines[shape], i, (i + 1) % n);
#pragma GCC diagnostic pop
}

static void
linear(void)
{
	struct buf text = BUF_INIT(64 * 1024 * 1024);
	double small, large;

	for (unsigned shape = 0; shape < 5; shape++) {
		double took[2];
		for (unsigned k = 0; k < 2; k++) {
			unsigned n = k == 0 ? 5000 : 50000;
			buf_clear(&text);
			for (unsigned i = 0; i < n; i++)
				add_entry(&text, shape, i, n);
			took[k] = timed(&text, n);
		}
		small = took[0];
		large = took[1];
		ok(large < 0.5 || large < 40 * small, "50000 names, shape %u: %.3f s after %.3f s",
		    shape, large, small);
	}
	for (unsigned shape = 0; shape < 6; shape++) {
		static const char *const units[] = {"(", "\"", "/a@b;", ",", "<", "\\"};
		buf_clear(&text);
		buf_adds(&text, "n0: ");
		for (unsigned i = 0; i < 200000; i++)
			buf_adds(&text, units[shape]);
		large = timed(&text, 1);
		ok(large < 2, "200000 times %s: %.3f s", units[shape], large);
	}
	buf_free(&text);
}

/* Texts of pieces that mean something: whatever comes out is an address, whatever is told a line.
 */
static void
noise(void)
{
	static const char *const pieces[] = {"root", "a", "b", "*", "default", ":", ":", ",", ", ",
	    "\n", "\n", "\n ", "\r\n", "\t", "#", "\"", "\\", "|", "/", "/dev/null",
	    ":include:", ":include:/one", ":include:/again", "@", "@x", "a@x", "a@d.example", "<",
	    ">", "(", ")", ";", "[", "]", "\x80", "\xc3\xb6", "\x1b", "\x7f", ".", "-", "'", "=",
	    "\xef\xbb\xbf"};
	const char *rcpt[] = {"root@d.example", "a@localhost", "b", "z@h.d.example", "z@x"};
	unsigned seed = 1, bad = 0;

	for (unsigned round = 0; round < 40000 && bad == 0; round++) {
		struct buf text = BUF_INIT(4096), errors = BUF_INIT(65536);
		struct alias_results results;
		struct aliases a;

		for (unsigned i = 0; i < round % 60; i++) {
			seed = seed * 1103515245 + 12345;
			unsigned pick =
			    (seed >> 16) % (unsigned)(sizeof(pieces) / sizeof(pieces[0]) + 1);
			if (pick == sizeof(pieces) / sizeof(pieces[0]))
				buf_addc(&text, '\0');
			else
				buf_adds(&text, pieces[pick]);
		}
		if (alias_parse(&a, buf_str(&text), text.len, "f", &errors) == -1 ||
		    alias_expand(&a, &place, rcpt, 5, &results, &errors) == -1 ||
		    alias_check(&a, &place, &errors) == -1)
			bad++;
		for (size_t i = 0; i < results.n; i++) {
			const char *address = results.result[i].address;
			bad += !address_valid(address) && strcmp(address, "b") != 0;
			bad += results.result[i].origin >= 5;
		}
		for (size_t i = 0; i < errors.len; i++)
			bad += (unsigned char)errors.data[i] < 0x20 && errors.data[i] != '\n';
		bad += errors.len > 0 && errors.data[errors.len - 1] != '\n';
		if (bad > 0)
			tap_quote("text", buf_str(&text), text.len);
		alias_results_free(&results);
		alias_free(&a);
		buf_free(&text);
		buf_free(&errors);
	}
	is_int(bad, 0, "noise");
}

int
main(void)
{
	expansions();
	checked();
	places();
	limits();
	full_errors();
	linear();
	noise();
	return done();
}
