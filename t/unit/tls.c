/* SPDX-License-Identifier: ISC */
/* Contexts that cannot be had, and why. */
#include "net/tls.h"

#include "tap.h"

static const struct {
	struct tls_settings settings;
	const char *why; /* the beginning of it; "": none */
} cases[] = {
    {{"", "", "", "", ""}, ""},
    {{"/nonexistent", "", "", "", ""}, "CA certificates /nonexistent: No such file or directory"},
    {{"/dev/null", "", "", "", ""}, "CA certificates /dev/null: "},
    {{"", "/nonexistent", "", "", ""}, "CA certificates /nonexistent: No such file or directory"},
    {{"", "/dev/null", "", "", ""}, "CA certificates /dev/null: Not a directory"},
    {{"", "/", "", "", ""}, ""},
    {{"", "", "abcd", "", ""}, "fingerprint: not a SHA-256 digest"},
    {{"", "", "", "/nonexistent", ""}, "client certificate /nonexistent: No such file"},
    {{"", "", "", "/dev/null", ""}, "client certificate /dev/null: nothing of that kind in it"},
    {{"", "", "", "", "/nonexistent"}, "client key /nonexistent: a client certificate belongs to"},
};

int
main(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char why[TLS_TEXT] = "";
		struct tls_context *ctx = tls_context_new(&cases[i].settings, why);

		ok((ctx != NULL) == (cases[i].why[0] == '\0'), "case %zu: %s", i, cases[i].why);
		is_mem(why, strnlen(why, strlen(cases[i].why)), cases[i].why, strlen(cases[i].why),
		    "… why");
		tls_context_free(ctx);
	}
	return done();
}
