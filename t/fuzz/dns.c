/* SPDX-License-Identifier: ISC */
/*
 * dns: answers to the queries for MX, SRV, TLSA and A. Raw ones, and such as are put together of the
 * input: the head right, records with the lengths that they have, so that what is in them is read.
 */
#include "fuzz.h"
#include "net/resolve_impl.h"
#include "net/tlsa.h"

/* The question's name; records point at it. */
static const char head[] = "\x12\x34\x81\xa0\0\x01\0\0\0\0\0\0"
			   "\x01"
			   "a\x07"
			   "example\0\0\x0f\0\x01";

static const unsigned types[] = {ns_t_mx, ns_t_srv, ns_t_cname, 52, ns_t_a, ns_t_soa};

/*
 * Records: an octet for type and owner, an octet for how many octets of data, those. The data of MX
 * and CNAME ends with a name of the input's, "a.example" or a pointer.
 */
static void
build(struct fuzz *f, struct buf *out)
{
	unsigned flags = fuzz_choose(f, 256), records = 0;

	buf_add(out, head, sizeof(head) - 1);
	CHECK(out->error == 0);
	out->data[3] = (char)((flags & 1) != 0 ? 0xa0 : (flags >> 1) & 0x0f);
	while (f->len >= 2) {
		unsigned kind = fuzz_choose(f, 256), len = fuzz_choose(f, 48);
		unsigned type = types[kind % (sizeof(types) / sizeof(types[0]))];
		size_t n = len < f->len ? len : f->len, end = (kind & 64) != 0 ? 2 : 0;

		if ((kind & 128) != 0)
			buf_adds(out, "\x02mx");
		buf_add(out, "\xc0\x0c\0", 3);
		buf_addc(out, (char)type);
		buf_add(out, "\0\x01\0\0\0\x3c\0", 7);
		buf_addc(out, (char)(n + end));
		buf_add(out, f->data, n);
		buf_add(out, "\xc0\x0c", end);
		f->data += n;
		f->len -= n;
		records++;
	}
	out->data[7] = (char)records;
}

static void
check_list(const struct mx_list *list, enum mx_verdict verdict)
{
	CHECK(list->n <= RESOLVE_HOSTS && (list->n > 0) == (verdict == MX_FOUND));
	for (size_t i = 0; i < list->n; i++) {
		CHECK(strnlen(list->mx[i].host, HOST_LEN) < HOST_LEN);
		CHECK(resolve_name_ok(list->mx[i].host));
		CHECK(i == 0 || list->mx[i - 1].preference <= list->mx[i].preference);
	}
}

/* What is shuffled stays in order, and has the same hosts. */
static void
check_shuffled(const struct mx_list *list, void (*shuffle)(struct mx_list *))
{
	struct mx_list other = *list;

	shuffle(&other);
	check_list(&other, other.n > 0 ? MX_FOUND : MX_IMPLICIT);
	CHECK(other.n == list->n);
	for (size_t i = 0; i < list->n; i++) {
		size_t there = 0, here = 0;

		for (size_t j = 0; j < list->n; j++) {
			here += memcmp(&list->mx[j], &list->mx[i], sizeof(list->mx[0])) == 0;
			there += memcmp(&other.mx[j], &list->mx[i], sizeof(list->mx[0])) == 0;
		}
		CHECK(here == there);
	}
}

static void
check_tlsa(const unsigned char *packet, size_t len)
{
	struct tlsa_set set = {0};
	enum proof proof = resolve_parse_tlsa(&set, packet, len);
	size_t at = 0, records = 0;
	struct tlsa r;

	for (; tlsa_next(&set, &at, &r); records++) {
		CHECK(r.data >= set.octets && r.len > 0 && r.data + r.len <= set.octets + set.len);
		CHECK(r.usage >= 2 && r.usage <= 3 && r.selector <= 1 && r.matching <= 2);
		CHECK(r.matching == 0 || r.len == (r.matching == 1 ? 32 : 64));
	}
	CHECK(at == set.len && set.len <= TLSA_OCTETS);
	CHECK(records == 0 || set.state == TLSA_USABLE);
	CHECK(proof != PROOF_MISSING || set.state == TLSA_NONE);
}

static void
check_alias(const unsigned char *packet, size_t len)
{
	char name[HOST_LEN] = "a.example";

	resolve_parse_alias(name, packet, len);
	CHECK(strnlen(name, HOST_LEN) < HOST_LEN && resolve_name_ok(name));
}

static void
check(const unsigned char *packet, size_t len)
{
	static struct mx_list mx, srv, again;
	enum mx_verdict verdict;

	verdict = resolve_parse_mx(&mx, packet, len);
	check_list(&mx, verdict);
	check_shuffled(&mx, resolve_shuffle_mx);
	CHECK(resolve_parse_mx(&again, packet, len) == verdict && again.n == mx.n);
	verdict = resolve_parse_srv(&srv, packet, len);
	check_list(&srv, verdict);
	check_shuffled(&srv, resolve_order_srv);
	check_tlsa(packet, len);
	check_alias(packet, len);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz f = fuzz_start(data, size);
	struct buf b = BUF_INIT(FUZZ_MAX);
	struct fuzz_pieces p;

	if (fuzz_choose(&f, 2) != 0) {
		build(&f, &b);
		f = (struct fuzz){b.data, b.len};
	}
	p = fuzz_pieces(f.data, f.len, 0);
	if (fuzz_piece(&p))
		check((const unsigned char *)p.piece, p.len);
	free(p.piece);
	buf_free(&b);
	return 0;
}
