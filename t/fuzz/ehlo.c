/* SPDX-License-Identifier: ISC */
/*
 * ehlo: what a server offers. Its list of mechanisms is words without blanks around them, and what
 * is not offered has no value.
 */
#include "mail/smtp_ehlo.h"

#include "fuzz.h"

static void
check(const struct smtp_ehlo *e)
{
	size_t len = strnlen(e->auth, sizeof(e->auth));

	CHECK(len < sizeof(e->auth));
	CHECK(len == 0 || (e->auth[0] != ' ' && e->auth[len - 1] != ' '));
	CHECK(strstr(e->auth, "  ") == NULL && strchr(e->auth, '\t') == NULL);
	CHECK(len == 0 || (e->has & SMTP_AUTH) != 0);
	CHECK(e->size < UINT64_C(1000000000000000000));
	CHECK(e->size == 0 || (e->has & SMTP_SIZE) != 0);
	CHECK(e->mailmax + e->rcptmax + e->rcptdomainmax == 0 || (e->has & SMTP_LIMITS) != 0);
	CHECK(e->mailmax <= 999999 && e->rcptmax <= 999999 && e->rcptdomainmax <= 999999);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz f = fuzz_start(data, size);
	struct smtp_ehlo e;

	smtp_ehlo_init(&e);
	while (f.len > 0) {
		const char *lf = memchr(f.data, '\n', f.len);
		size_t n = lf != NULL ? (size_t)(lf - f.data) : f.len;
		struct fuzz_pieces p = fuzz_pieces(f.data, n, 0);
		unsigned before = e.has;

		if (!fuzz_piece(&p))
			p.len = 0;
		smtp_ehlo_line(&e, p.piece != NULL ? p.piece : "", p.len);
		CHECK((e.has & before) == before);
		check(&e);
		free(p.piece);
		f.data += n + (lf != NULL);
		f.len -= n + (lf != NULL);
	}
	return 0;
}
