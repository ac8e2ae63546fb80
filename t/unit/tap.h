/* SPDX-License-Identifier: ISC */
/*
 * tap: what a unit test needs to speak TAP to prove(1). A test is one .c file:
 *
 *	int main(void) { ok(1 + 1 == 2, "sums"); is(got, "wanted", "text"); return done(); }
 *
 * done() prints the plan, so a test that crashes has none and fails.
 */
#ifndef TAP_H
#define TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static int tap_count, tap_failed;

__attribute__((format(printf, 2, 3), unused)) static bool
ok(bool good, const char *fmt, ...)
{
	va_list ap;

	printf("%sok %d - ", good ? "" : "not ", ++tap_count);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	if (!good)
		tap_failed++;
	return good;
}

static void
tap_quote(const char *label, const char *s, size_t len)
{
	printf("# %s: \"", label);
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];
		if (c < 0x20 || c >= 0x7f || c == '"' || c == '\\')
			printf("\\x%02x", c);
		else
			putchar(c);
	}
	puts("\"");
}

__attribute__((unused)) static bool
is_mem(const char *got, size_t gotlen, const char *want, size_t wantlen, const char *what)
{
	bool good = gotlen == wantlen && memcmp(got, want, gotlen) == 0;

	ok(good, "%s", what);
	if (!good) {
		tap_quote("got   ", got, gotlen);
		tap_quote("wanted", want, wantlen);
	}
	return good;
}

__attribute__((unused)) static bool
is(const char *got, const char *want, const char *what)
{
	if (got == NULL)
		got = "(null)";
	return is_mem(got, strlen(got), want, strlen(want), what);
}

__attribute__((unused)) static bool
is_int(long long got, long long want, const char *what)
{
	bool good = ok(got == want, "%s", what);

	if (!good)
		printf("# got %lld, wanted %lld\n", got, want);
	return good;
}

__attribute__((unused)) static int
done(void)
{
	printf("1..%d\n", tap_count);
	return tap_failed ? 1 : 0;
}

#endif
