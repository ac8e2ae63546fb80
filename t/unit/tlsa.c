/* SPDX-License-Identifier: ISC */
/* TLSA records: which are of use, their bounds, and answers that a hostile server would send. */
#include "net/tlsa.h"

#include <stdlib.h>

#include "mail/buf.h"
#include "net/resolve.h"
#include "tap.h"

#define HEAD(flags, answers) "\x12\x34" flags "\x00\x01\x00" answers "\x00\x00\x00\x00"
#define QUESTION "\1x\4test\0\x00\x34\x00\x01"
#define SECURE "\x81\xa0"
#define OK "\x81\x80"
#define TLSA "\xc0\x0c\x00\x34\x00\x01\x00\x00\x00\x3c\x00"
#define SUM "0123456789abcdef0123456789abcdef" /* as long as a SHA-256 digest */

static const struct {
	const char *what;
	const char *packet;
	size_t len;
	enum proof proof;
	enum tlsa_state state;
	const char *list;
} cases[] = {
#define CASE(what, packet, proof, state, list)                       \
	{                                                            \
		what, packet, sizeof(packet) - 1, proof, state, list \
	}
    CASE("3 1 1", HEAD(SECURE, "\1") QUESTION TLSA "\x23\3\1\1" SUM, PROOF_SECURE, TLSA_USABLE,
	"3 1 1 32\n"),
    CASE("2 0 2", HEAD(SECURE, "\1") QUESTION TLSA "\x43\2\0\2" SUM SUM, PROOF_SECURE, TLSA_USABLE,
	"2 0 2 64\n"),
    CASE("3 0 0", HEAD(SECURE, "\1") QUESTION TLSA "\4\3\0\0x", PROOF_SECURE, TLSA_USABLE,
	"3 0 0 1\n"),
    CASE("two, one of use", HEAD(SECURE, "\2") QUESTION TLSA "\x23\1\1\1" SUM TLSA "\x23\2\1\1" SUM,
	PROOF_SECURE, TLSA_USABLE, "2 1 1 32\n"),
    CASE("PKIX-EE", HEAD(SECURE, "\1") QUESTION TLSA "\x23\1\1\1" SUM, PROOF_SECURE, TLSA_UNUSABLE,
	""),
    CASE("usage 4", HEAD(SECURE, "\1") QUESTION TLSA "\x23\4\1\1" SUM, PROOF_SECURE, TLSA_UNUSABLE,
	""),
    CASE("selector 2", HEAD(SECURE, "\1") QUESTION TLSA "\x23\3\2\1" SUM, PROOF_SECURE,
	TLSA_UNUSABLE, ""),
    CASE("matching type 3", HEAD(SECURE, "\1") QUESTION TLSA "\x23\3\1\3" SUM, PROOF_SECURE,
	TLSA_UNUSABLE, ""),
    CASE("a short digest", HEAD(SECURE, "\1") QUESTION TLSA "\4\3\1\1x", PROOF_SECURE,
	TLSA_UNUSABLE, ""),
    CASE("a long digest", HEAD(SECURE, "\1") QUESTION TLSA "\x24\3\1\1" SUM "x", PROOF_SECURE,
	TLSA_UNUSABLE, ""),
    CASE("an empty certificate", HEAD(SECURE, "\1") QUESTION TLSA "\3\3\0\0", PROOF_SECURE,
	TLSA_UNUSABLE, ""),
    CASE("data of two octets", HEAD(SECURE, "\1") QUESTION TLSA "\2\3\1", PROOF_SECURE,
	TLSA_UNUSABLE, ""),
    CASE("no data at all", HEAD(SECURE, "\1") QUESTION TLSA "\0", PROOF_SECURE, TLSA_UNUSABLE, ""),
    CASE("not validated", HEAD(OK, "\1") QUESTION TLSA "\x23\3\1\1" SUM, PROOF_MISSING, TLSA_NONE,
	""),
    CASE("none", HEAD(SECURE, "\0") QUESTION, PROOF_SECURE, TLSA_NONE, ""),
    CASE("no such name", HEAD("\x81\xa3", "\0") QUESTION, PROOF_SECURE, TLSA_NONE, ""),
    CASE("another type",
	HEAD(SECURE, "\1") QUESTION "\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00"
				    "\4\x7f\0\0\1",
	PROOF_SECURE, TLSA_NONE, ""),
    CASE("another class",
	HEAD(SECURE, "\1") QUESTION "\xc0\x0c\x00\x34\x00\x03\x00\x00\x00\x3c\x00"
				    "\x23\3\1\1" SUM,
	PROOF_SECURE, TLSA_NONE, ""),
    CASE("SERVFAIL", HEAD("\x81\x82", "\0") QUESTION, PROOF_NONE, TLSA_NONE, ""),
    CASE("REFUSED, validated", HEAD("\x81\xa5", "\0") QUESTION, PROOF_NONE, TLSA_NONE, ""),
    CASE("cut (TC)", HEAD("\x83\xa0", "\0") QUESTION, PROOF_NONE, TLSA_NONE, ""),
    CASE("a query, not an answer", HEAD("\x01\x20", "\0") QUESTION, PROOF_NONE, TLSA_NONE, ""),
    CASE("data beyond the end", HEAD(SECURE, "\1") QUESTION TLSA "\x23\3\1\1", PROOF_NONE,
	TLSA_NONE, ""),
    CASE("more answers promised", HEAD(SECURE, "\2") QUESTION TLSA "\x23\1\1\1" SUM, PROOF_NONE,
	TLSA_NONE, ""),
    CASE("nothing", "", PROOF_NONE, TLSA_NONE, ""),
#undef CASE
};

/* In memory of its own, so that ASan sees a read beyond it. */
static enum proof
parse(struct tlsa_set *set, const char *packet, size_t len)
{
	unsigned char *copy = malloc(len > 0 ? len : 1);
	enum proof proof;

	*set = (struct tlsa_set){0};
	memcpy(copy, packet, len);
	proof = resolve_parse_tlsa(set, copy, len);
	free(copy);
	return proof;
}

static void
print(struct buf *out, const struct tlsa_set *set)
{
	struct tlsa r;

	buf_clear(out);
	for (size_t at = 0; tlsa_next(set, &at, &r);)
		buf_addf(out, "%u %u %u %zu\n", r.usage, r.selector, r.matching, r.len);
}

static void
test_table(void)
{
	static struct tlsa_set set;
	struct buf out = BUF_INIT(65536);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		is_int(parse(&set, cases[i].packet, cases[i].len), cases[i].proof, cases[i].what);
		is_int(set.state, cases[i].state, "… of use");
		print(&out, &set);
		is(buf_str(&out), cases[i].list, "… which");
	}
	buf_free(&out);
}

/* Every beginning of a good packet is trouble, and every octet of it may be anything. */
static void
test_spoiled(void)
{
	static struct tlsa_set set;
	const char *good = cases[3].packet;
	size_t len = cases[3].len;
	unsigned cut = 0, bad = 0;

	for (size_t n = 0; n < len; n++)
		cut += parse(&set, good, n) == PROOF_NONE;
	is_int(cut, (long long)len, "cut anywhere");
	for (size_t n = 0; n < len; n++)
		for (int c = 0; c < 256; c++) {
			char packet[256];

			memcpy(packet, good, len);
			packet[n] = (char)c;
			parse(&set, packet, len);
			bad += set.len > TLSA_OCTETS;
		}
	is_int(bad, 0, "any octet changed");
}

/* Records without end, and of any length: what finds no room makes none of the others go. */
static void
test_bounds(void)
{
	static struct tlsa_set set;
	static unsigned char rdata[TLSA_OCTETS + 8] = {3, 0, 0};
	struct tlsa r;
	size_t n = 0;

	for (int i = 0; i < 1000; i++)
		tlsa_add(&set, rdata, 3 + (size_t)(i % 50));
	for (size_t at = 0; tlsa_next(&set, &at, &r);)
		n++;
	ok(set.state == TLSA_USABLE && set.len <= TLSA_OCTETS && n > 100, "a thousand");
	set = (struct tlsa_set){0};
	tlsa_add(&set, rdata, TLSA_OCTETS - 1);
	ok(set.state == TLSA_UNUSABLE && set.len == 0, "one that is too large");
	tlsa_add(&set, rdata, TLSA_OCTETS - 2);
	ok(set.state == TLSA_USABLE && set.len == TLSA_OCTETS, "the largest");
	tlsa_add(&set, rdata, 4);
	ok(set.len == TLSA_OCTETS, "no more room");
}

#define CNAME(owner, target) owner "\x00\x05\x00\x01\x00\x00\x00\x3c\x00" target

static const struct {
	const char *what, *packet;
	size_t len;
	enum proof proof;
	const char *name;
} aliases[] = {
#define CASE(what, packet, proof, name)                       \
	{                                                     \
		what, packet, sizeof(packet) - 1, proof, name \
	}
    CASE("no alias", HEAD(SECURE, "\0") QUESTION, PROOF_SECURE, "x.test"),
    CASE("an alias", HEAD(SECURE, "\1") QUESTION CNAME("\xc0\x0c", "\4\1y\xc0\x0e"), PROOF_SECURE,
	"y.test"),
    CASE("not validated", HEAD(OK, "\1") QUESTION CNAME("\xc0\x0c", "\4\1y\xc0\x0e"), PROOF_MISSING,
	"y.test"),
    CASE("of an alias, in disorder",
	HEAD(SECURE, "\2") QUESTION CNAME("\1Y\xc0\x0e", "\4\1z\xc0\x0e")
	    CNAME("\xc0\x0c", "\4\1y\xc0\x0e"),
	PROOF_SECURE, "z.test"),
    CASE("somebody else's", HEAD(SECURE, "\1") QUESTION CNAME("\1q\xc0\x0e", "\4\1y\xc0\x0e"),
	PROOF_SECURE, "x.test"),
    CASE("round in a circle", HEAD(SECURE, "\1") QUESTION CNAME("\xc0\x0c", "\2\xc0\x0c"),
	PROOF_NONE, "x.test"),
    CASE("to what is no host", HEAD(SECURE, "\1") QUESTION CNAME("\xc0\x0c", "\6\3a b\xc0\x0e"),
	PROOF_NONE, "x.test"),
    CASE("to itself by pointers", HEAD(SECURE, "\1") QUESTION CNAME("\xc0\x0c", "\2\xc0\x24"),
	PROOF_NONE, "x.test"),
#undef CASE
};

static void
test_aliases(void)
{
	for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++) {
		char name[HOST_LEN] = "x.test";

		is_int(resolve_parse_alias(
			   name, (const unsigned char *)aliases[i].packet, aliases[i].len),
		    aliases[i].proof, aliases[i].what);
		is(name, aliases[i].name, "… the name");
	}
}

int
main(void)
{
	test_table();
	test_spoiled();
	test_bounds();
	test_aliases();
	return done();
}
