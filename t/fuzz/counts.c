/* SPDX-License-Identifier: ISC */
/*
 * counts: the text that mailq -m reads from a spool. What is taken prints as it was; what was changed
 * is not taken. An input is what stands before the last line, which is made for it.
 */
#include "mail/counts.h"

#include "fuzz.h"
#include "mail/hash.h"

static void
check(struct counts *c)
{
	struct buf out = BUF_INIT(COUNTS_MAX), again = BUF_INIT(COUNTS_MAX);
	struct counts d;

	CHECK(c->ndestinations <= COUNTS_DESTINATIONS);
	for (unsigned i = 0; i < c->ndestinations; i++)
		CHECK(strnlen(c->destination[i].name, HOST_LEN) < HOST_LEN);
	counts_print(&out, c);
	CHECK(out.error == 0 && counts_parse(&d, out.data, out.len) == 0);
	counts_print(&again, &d);
	CHECK(fuzz_same(&out, &again));
	counts_add(c, "x.example", STATUS(2, 0, 0), false, 1790000000);
	counts_add(c, ":name", STATUS(5, 1, 1), true, 1790000000);
	CHECK(c->ndestinations >= 1 && c->ndestinations <= COUNTS_DESTINATIONS);
	buf_free(&out);
	buf_free(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz f = fuzz_start(data, size);
	struct buf b = BUF_INIT(FUZZ_MAX);
	bool whole = fuzz_choose(&f, 8) != 0;
	static struct counts c;
	char *text = fuzz_string(&f);

	buf_adds(&b, text);
	if (whole)
		buf_addf(&b, "end %08x\n", hash_text(text));
	if (counts_parse(&c, buf_str(&b), b.len) == 0) {
		check(&c);
		((char *)strstr(b.data, "\nend "))[-1] ^= 1;
		CHECK(counts_parse(&c, b.data, b.len) == -1 && c.since == 0);
	}
	free(text);
	buf_free(&b);
	return 0;
}
