/* SPDX-License-Identifier: ISC */
#include "mail/counts.h"

#include <stdlib.h>

#include "tap.h"

static const struct {
	const char *destination;
	struct status status;
	bool expired;
} results[] = {
    {"", STATUS(2, 0, 0), false},
    {"", STATUS(2, 1, 5), false},
    {":work", STATUS(2, 0, 0), false},
    {"example.org", STATUS(2, 0, 0), false},
    {"example.org", STATUS(4, 4, 1), false},
    {"example.org", STATUS(4, 4, 2), false},
    {"example.net", STATUS(4, 7, 0), false},
    {"example.net", STATUS(5, 1, 1), false},
    {"example.net", STATUS(5, 99, 1), false},
    {"example.net", STATUS(5, 4, 7), true},
};

static const char text[] = "pillarbox counts 1\n"
			   "since 100\n"
			   "sent 4\n"
			   "deferred 3\n"
			   "bounced 2\n"
			   "expired 1\n"
			   "failures 4 4 2\n"
			   "failures 4 7 1\n"
			   "failures 5 0 1\n"
			   "failures 5 1 1\n"
			   "failures 5 4 1\n"
			   "success 101 relay\n"
			   "success 102 relay.work\n"
			   "success 103 example.org\n";

static void
fill(struct counts *c)
{
	memset(c, 0, sizeof(*c));
	for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++)
		counts_add(c, results[i].destination, results[i].status, results[i].expired,
		    100 + (int64_t)i);
}

static void
test_text(void)
{
	struct buf b = BUF_INIT(COUNTS_MAX), again = BUF_INIT(COUNTS_MAX);
	static struct counts c, parsed;
	int taken = 0, changed = 0;

	fill(&c);
	counts_print(&b, &c);
	ok(strncmp(b.data, text, strlen(text)) == 0, "what was counted, as text");
	is(b.data + strlen(text) + 12, "\n", "and an end of fixed length");
	ok(counts_parse(&parsed, b.data, b.len) == 0, "it is read back");
	counts_print(&again, &parsed);
	is(again.data, b.data, "and is the same");
	buf_adds(&b, "success 999 left.over.from.a.longer.text\n");
	ok(counts_parse(&parsed, b.data, b.len) == 0 && parsed.ndestinations == 3,
	    "what stands behind the end does not count");
	for (size_t len = 0; len < again.len; len++)
		taken += counts_parse(&parsed, again.data, len) == 0;
	ok(taken == 0, "no part of it is taken for the whole");
	for (size_t i = 0; i + 1 < again.len; i++) {
		again.data[i] ^= 1;
		changed += counts_parse(&parsed, again.data, again.len) == 0;
		again.data[i] ^= 1;
	}
	ok(changed == 0, "no other octet goes unnoticed");
	ok(parsed.since == 0 && parsed.ndestinations == 0, "what is refused leaves nothing");
	buf_free(&b);
	buf_free(&again);
}

/* With a right end: only the parser stands between these and us. */
static void
test_hostile(void)
{
	static const struct {
		const char *name, *lines;
		bool good;
	} cases[] = {
	    {"no lines", "", true},
	    {"an unknown word", "frob 1\n", false},
	    {"no number", "sent \n", false},
	    {"a number and more", "sent 1 2\n", false},
	    {"a negative number", "sent -1\n", false},
	    {"a huge number", "sent 99999999999999999999\n", false},
	    {"another class", "failures 2 0 1\n", false},
	    {"another subject", "failures 4 8 1\n", false},
	    {"a name that is empty", "success 1 \n", false},
	    {"no name", "success 1\n", false},
	    {"an empty line", "\n", false},
	    {"another format", NULL, false},
	};
	static struct counts c;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf b = BUF_INIT(COUNTS_MAX);
		buf_adds(
		    &b, cases[i].lines != NULL ? "pillarbox counts 1\n" : "pillarbox counts 2\n");
		buf_adds(&b, cases[i].lines != NULL ? cases[i].lines : "");
		uint32_t h = 2166136261U;
		for (size_t j = 0; j < b.len; j++)
			h = (h ^ (unsigned char)b.data[j]) * 16777619U;
		buf_addf(&b, "end %08x\n", h);
		ok((counts_parse(&c, b.data, b.len) == 0) == cases[i].good, "%s", cases[i].name);
		buf_free(&b);
	}
}

static void
test_destinations(void)
{
	static struct counts c;
	struct buf b = BUF_INIT(COUNTS_MAX);
	char name[HOST_LEN];

	memset(&c, 0, sizeof(c));
	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "%0250d.org", i);
		counts_add(&c, name, STATUS(2, 0, 0), false, 1000 + i);
		counts_add(&c, "example.org", STATUS(2, 0, 0), false, 1000 + i);
	}
	ok(c.ndestinations == COUNTS_DESTINATIONS, "their number has a limit");
	int latest = 0, busy = 0;
	for (unsigned i = 0; i < c.ndestinations; i++) {
		latest += c.destination[i].success >= 2000 - COUNTS_DESTINATIONS;
		busy += strcmp(c.destination[i].name, "example.org") == 0;
	}
	ok(latest == COUNTS_DESTINATIONS, "the latest are kept");
	ok(busy == 1, "one that is used again is there once");
	counts_success(&c, "example.org", 5);
	counts_print(&b, &c);
	ok(b.error == 0, "as many as there can be fit into the text");
	ok(strstr(b.data, "success 1999 example.org\n") != NULL, "an older success is no news");
	buf_free(&b);
}

int
main(void)
{
	test_text();
	test_hostile();
	test_destinations();
	return done();
}
