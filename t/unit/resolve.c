/* SPDX-License-Identifier: ISC */
/* The answers to MX queries, hand-made: good ones, and what a hostile server would send. */
#include "net/resolve.h"

#include <stdlib.h>

#include "mail/buf.h"
#include "tap.h"

/* Pieces of a packet. The question is for "x.test", whose name is at offset 12. */
#define HEAD(flags, answers) "\x12\x34" flags "\x00\x01\x00" answers "\x00\x00\x00\x00"
#define QUESTION "\1x\4test\0\x00\x0f\x00\x01"
#define OK "\x81\x80"
#define RR "\xc0\x0c\x00\x0f\x00\x01\x00\x00\x00\x3c\x00"

static const struct {
	const char *what;
	const char *packet;
	size_t len;
	enum mx_verdict verdict;
	const char *list;
} cases[] = {
#define CASE(what, packet, verdict, list)                       \
	{                                                       \
		what, packet, sizeof(packet) - 1, verdict, list \
	}
    CASE("one", HEAD(OK, "\1") QUESTION RR "\7\x00\x0a\2mx\xc0\x0c", MX_FOUND, "10 mx.x.test\n"),
    CASE("two, sorted",
	HEAD(OK, "\2") QUESTION RR "\6\x01\x00\1b\xc0\x0c" RR "\6\x00\x05\1a\xc0\x0c", MX_FOUND,
	"5 a.x.test\n256 b.x.test\n"),
    CASE("the domain itself", HEAD(OK, "\1") QUESTION RR "\4\x00\x00\xc0\x0c", MX_FOUND,
	"0 x.test\n"),
    CASE("behind a CNAME",
	HEAD(OK, "\2") QUESTION "\xc0\x0c\x00\x05\x00\x01\x00\x00\x00\x3c\x00\4\1y\xc0\x0e"
				"\1y\xc0\x0e\x00\x0f\x00\x01\x00\x00\x00\x3c\x00\4\x00\x01\xc0\x0c",
	MX_FOUND, "1 x.test\n"),
    CASE("no data", HEAD(OK, "\0") QUESTION, MX_IMPLICIT, ""),
    CASE("a CNAME alone",
	HEAD(OK, "\1") QUESTION "\xc0\x0c\x00\x05\x00\x01\x00\x00\x00\x3c\x00\4\1y\xc0\x0e",
	MX_IMPLICIT, ""),
    CASE("null MX", HEAD(OK, "\1") QUESTION RR "\3\x00\x00\0", MX_NULL, ""),
    CASE("null MX and another",
	HEAD(OK, "\2") QUESTION RR "\3\x00\x00\0" RR "\6\x00\x05\1a\xc0\x0c", MX_FOUND,
	"5 a.x.test\n"),
    CASE("NXDOMAIN", HEAD("\x81\x83", "\0") QUESTION, MX_NXDOMAIN, ""),
    CASE("SERVFAIL", HEAD("\x81\x82", "\0") QUESTION, MX_TROUBLE, ""),
    CASE("REFUSED", HEAD("\x81\x85", "\0") QUESTION, MX_TROUBLE, ""),
    CASE("cut (TC)", HEAD("\x83\x80", "\0") QUESTION, MX_TROUBLE, ""),
    CASE("a query, not an answer", HEAD("\x01\x00", "\0") QUESTION, MX_TROUBLE, ""),
    CASE("an address for a name",
	HEAD(OK, "\1") QUESTION RR "\xd\x00\x05\3"
				   "192\1\x30\1\x32\1\x31\0",
	MX_UNUSABLE, ""),
    CASE("a name with a space", HEAD(OK, "\1") QUESTION RR "\x8\x00\x05\3a b\xc0\x0c", MX_UNUSABLE,
	""),
    CASE("a name with a line end", HEAD(OK, "\1") QUESTION RR "\x8\x00\x05\3a\r\n\xc0\x0c",
	MX_UNUSABLE, ""),
    CASE("a name that points at itself", HEAD(OK, "\1") QUESTION RR "\4\x00\x05\xc0\x26",
	MX_UNUSABLE, ""),
    CASE("names that point at each other",
	HEAD(OK, "\2") QUESTION RR "\4\x00\x05\xc0\x36" RR "\4\x00\x05\xc0\x26", MX_UNUSABLE, ""),
    CASE("a pointer beyond the end", HEAD(OK, "\1") QUESTION RR "\4\x00\x05\xc3\xff", MX_UNUSABLE,
	""),
    CASE("data of one octet", HEAD(OK, "\1") QUESTION RR "\1\x00", MX_UNUSABLE, ""),
    CASE("data beyond the end", HEAD(OK, "\1") QUESTION RR "\xff\x00\x05\xc0\x0c", MX_TROUBLE, ""),
    CASE("more answers promised", HEAD(OK, "\5") QUESTION RR "\4\x00\x05\xc0\x0c", MX_TROUBLE, ""),
    CASE("a head alone", HEAD(OK, "\0"), MX_TROUBLE, ""),
    CASE("nothing", "", MX_TROUBLE, ""),
#undef CASE
};

/* A port or a weight is said where there is one, which only SRV records have. */
static void
print_list(struct buf *out, const struct mx_list *list)
{
	buf_clear(out);
	for (size_t i = 0; i < list->n; i++) {
		buf_addf(out, "%u %s", list->mx[i].preference, list->mx[i].host);
		if (list->mx[i].port != 0 || list->mx[i].weight != 0)
			buf_addf(out, " port %u weight %u", list->mx[i].port, list->mx[i].weight);
		buf_addc(out, '\n');
	}
}

/* In memory of its own, so that ASan sees a read beyond it. */
static enum mx_verdict
parse(struct mx_list *list, const char *packet, size_t len)
{
	unsigned char *copy = malloc(len > 0 ? len : 1);
	enum mx_verdict verdict;

	memcpy(copy, packet, len);
	verdict = resolve_parse_mx(list, copy, len);
	free(copy);
	return verdict;
}

static void
test_table(void)
{
	struct buf out = BUF_INIT(65536);
	static struct mx_list list;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		is_int(
		    parse(&list, cases[i].packet, cases[i].len), cases[i].verdict, cases[i].what);
		print_list(&out, &list);
		is(buf_str(&out), cases[i].list, cases[i].what);
	}
	buf_free(&out);
}

/* Every beginning of a good packet is trouble, and every octet of it may be anything. */
static void
test_spoiled(void)
{
	static struct mx_list list;
	unsigned cut = 0, bad = 0;
	const char *good = cases[3].packet;
	size_t len = cases[3].len;

	for (size_t n = 0; n < len; n++)
		cut += parse(&list, good, n) == MX_TROUBLE;
	is_int(cut, (long long)len, "cut anywhere");
	for (size_t n = 0; n < len; n++)
		for (int c = 0; c < 256; c++) {
			char packet[256];

			memcpy(packet, good, len);
			packet[n] = (char)c;
			parse(&list, packet, len);
			bad += list.n > RESOLVE_HOSTS;
		}
	is_int(bad, 0, "any octet changed");
}

static void
test_bounds(void)
{
	struct buf packet = BUF_INIT(65536);
	static struct mx_list list;
	unsigned order[2] = {0, 0};

	buf_add(&packet, HEAD(OK, "\x64"), 12);
	buf_add(&packet, QUESTION, sizeof(QUESTION) - 1);
	for (int i = 99; i >= 0; i--) {
		char rr[] = RR "\6\x00\0\1a\xc0\x0c";

		rr[13] = (char)i;
		buf_add(&packet, rr, sizeof(rr) - 1);
	}
	is_int(parse(&list, packet.data, packet.len), MX_FOUND, "a hundred exchangers");
	is_int((long long)list.n, RESOLVE_HOSTS, "some are kept");
	is_int(list.mx[0].preference, 0, "the best first");
	is_int(list.mx[RESOLVE_HOSTS - 1].preference, RESOLVE_HOSTS - 1, "the worst not at all");
	buf_free(&packet);

	for (int i = 0; i < 200; i++) {
		list.n = 3;
		for (unsigned k = 0; k < 3; k++)
			list.mx[k] = (struct mx){
			    .preference = k > 0 ? 10 : 5, .host = {(char)('a' + k), '\0'}};
		resolve_shuffle_mx(&list);
		if (list.mx[0].host[0] != 'a')
			break;
		order[list.mx[1].host[0] == 'b']++;
	}
	ok(order[0] > 20 && order[1] > 20 && order[0] + order[1] == 200, "equals are shuffled");
}

#define SRV "\xc0\x0c\0\x21\0\1\0\0\0\x3c\0"

static const struct {
	const char *what, *packet;
	size_t len;
	enum mx_verdict verdict;
	const char *list;
} services[] = {
#define CASE(what, packet, verdict, list)                       \
	{                                                       \
		what, packet, sizeof(packet) - 1, verdict, list \
	}
    CASE("by priority",
	HEAD(OK, "\2") QUESTION SRV "\x9\0\x14\0\5\2\x4b\1b\0" SRV "\x9\0\x0a\0\0\1\xd1\1a\0",
	MX_FOUND, "10 0 465 a\n20 5 587 b\n"),
    CASE("not there", HEAD(OK, "\1") QUESTION SRV "\7\0\0\0\0\0\0\0", MX_NULL, ""),
    CASE("port 0", HEAD(OK, "\1") QUESTION SRV "\x9\0\0\0\0\0\0\1a\0", MX_UNUSABLE, ""),
    CASE("no target", HEAD(OK, "\1") QUESTION SRV "\6\0\0\0\0\0\x19", MX_UNUSABLE, ""),
    CASE("no records", HEAD(OK, "\0") QUESTION, MX_IMPLICIT, ""),
    CASE("data beyond the end", HEAD(OK, "\1") QUESTION SRV "\x9\0\0\0\0\2\x4b", MX_TROUBLE, ""),
    CASE("nothing", "", MX_TROUBLE, ""),
#undef CASE
};

static void
test_services(void)
{
	static struct mx_list list;
	unsigned first[3] = {0, 0, 0};

	for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++) {
		struct buf out = BUF_INIT(4096);
		unsigned char *copy = malloc(services[i].len + 1);

		memcpy(copy, services[i].packet, services[i].len);
		copy = realloc(copy, services[i].len > 0 ? services[i].len : 1);
		is_int(resolve_parse_srv(&list, copy, services[i].len), services[i].verdict,
		    services[i].what);
		for (size_t k = 0; k < list.n; k++)
			buf_addf(&out, "%u %u %u %s\n", list.mx[k].preference, list.mx[k].weight,
			    list.mx[k].port, list.mx[k].host);
		is(buf_str(&out), services[i].list, services[i].what);
		buf_free(&out);
		free(copy);
	}
	for (int i = 0; i < 400; i++) {
		list.n = 4;
		for (unsigned k = 0; k < 4; k++)
			list.mx[k] = (struct mx){.preference = k > 2 ? 10 : 5,
			    .weight = (uint16_t)(k * 10),
			    .host = {(char)('a' + k), '\0'}};
		resolve_order_srv(&list);
		if (list.mx[3].host[0] != 'd')
			break;
		first[list.mx[0].host[0] - 'a']++;
	}
	is_int(first[0], 0, "without weight: never before those with it");
	ok(first[1] > 60 && first[2] > first[1] && first[1] + first[2] == 400,
	    "more weight: more often (%u, %u)", first[1], first[2]);
}

static void
test_literal(void)
{
	struct lookup l = {.type = LOOKUP_HOST, .name = "2001:db8::1", .port = 25};
	char text[INET_TEXT];

	ok(resolve_literal(&l) && l.naddress == 1, "an IPv6 address is its own answer");
	inet_print_literal(text, &l.address[0]);
	is(text, "[IPv6:2001:db8::1]", "and as a literal");
	is_int(inet_port(&l.address[0]), 25, "with its port");
	strcpy(l.name, "192.0.2.1");
	ok(resolve_literal(&l), "so is an IPv4 address");
	inet_print_literal(text, &l.address[0]);
	is(text, "[192.0.2.1]", "and as a literal");
	strcpy(l.name, "mx.example");
	ok(!resolve_literal(&l), "a name is not");
}

int
main(void)
{
	test_table();
	test_spoiled();
	test_bounds();
	test_services();
	test_literal();
	return done();
}
