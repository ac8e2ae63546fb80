/* SPDX-License-Identifier: ISC */
/* Contexts that cannot be had. */
#include "net/tls.h"

#include "tap.h"

static void
test_context(void)
{
	char why[TLS_TEXT] = "";
	struct tls_context *ctx;

	ok(tls_context_new("/nonexistent", why) == NULL, "a CA file that is not there");
	is(why, "CA certificates /nonexistent: No such file or directory", "and why");
	ok(tls_context_new("/dev/null", why) == NULL, "a CA file without certificates");
	ok(strncmp(why, "CA certificates /dev/null: ", 27) == 0, "and why");
	ctx = tls_context_new("", why);
	ok(ctx != NULL, "the system's");
	tls_context_free(ctx);
}

int
main(void)
{
	test_context();
	return done();
}
