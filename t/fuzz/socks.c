/* SPDX-License-Identifier: ISC */
/*
 * socks: a proxy's octets. It comes to an end, asks for no more than is its own, and the pieces in
 * which the octets come make no difference.
 */
#include "mail/socks.h"

#include "fuzz.h"

static void
play(struct socks *s, const struct fuzz *f, const struct socks_target *target, const char *user,
    unsigned seed, size_t *used, struct buf *said)
{
	uint32_t state = seed;

	*used = 0;
	socks_start(s, target, user, "password");
	while (!socks_over(s)) {
		size_t len, n;
		const unsigned char *out = socks_output(s, &len);

		if (out != NULL) {
			state = state * 1664525 + 1013904223;
			n = seed == 0 ? len : 1 + (state >> 8) % len;
			buf_add(said, out, n);
			socks_wrote(s, n);
			continue;
		}
		n = socks_wants(s);
		CHECK(n > 0 && n <= 512);
		if (*used == f->len)
			break;
		if (n > f->len - *used)
			n = f->len - *used;
		state = state * 1664525 + 1013904223;
		if (seed != 0)
			n = 1 + (state >> 8) % n;
		socks_input(s, (const unsigned char *)f->data + *used, n);
		*used += n;
	}
	CHECK(s->state != SOCKS_FAILED || socks_why(s) != NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz f = fuzz_start(data, size);
	unsigned way = fuzz_choose(&f, 256);
	struct socks_target target = {.name = (way & 1) != 0 ? "mail.example" : NULL,
	    .address = {192, 0, 2, 1},
	    .address_len = (way & 2) != 0 ? 16 : 4,
	    .port = 25};
	const char *user = (way & 4) != 0 ? "user" : "";
	struct buf a = BUF_INIT(FUZZ_MAX), b = BUF_INIT(FUZZ_MAX);
	static struct socks s, t;
	size_t used, again;

	play(&s, &f, &target, user, 0, &used, &a);
	play(&t, &f, &target, user, way + 1, &again, &b);
	CHECK(s.state == t.state && used == again && fuzz_same(&a, &b));
	CHECK(s.state != SOCKS_DONE || used >= 2 + 7);
	buf_free(&a);
	buf_free(&b);
	return 0;
}
