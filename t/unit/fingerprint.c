/* SPDX-License-Identifier: ISC */
/* Digests as people write them, and what is none. */
#include "mail/fingerprint.h"

#include "tap.h"

#define HALF "00112233445566778899aabbccddeeff"
#define OCTETS_16 "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF"
#define WHY "not a SHA-256 digest: 64 hexadecimal digits, colons allowed"

static const struct {
	const char *text;
	long long n; /* -1: refused */
	const char *why;
} cases[] = {
    {"", 0, ""},
    {" , ", 0, ""},
    {HALF HALF, 1, ""},
    {OCTETS_16 ":" OCTETS_16, 1, ""},
    {HALF HALF "," OCTETS_16 HALF, 2, ""},
    {"  " HALF HALF "\t" HALF HALF " , " HALF HALF ",", 3, ""},
    {HALF, -1, WHY},
    {HALF HALF "0", -1, WHY},
    {HALF HALF ":", -1, WHY},
    {":" HALF HALF, -1, WHY},
    {HALF "::" HALF, -1, WHY},
    {HALF " " HALF, -1, WHY},
    {HALF "0011223344556677889gaabbccddeeff", -1, WHY},
    {HALF "00112233445566778899aabbccddeef", -1, WHY},
    {"sha256:" HALF HALF, -1, WHY},
};

int
main(void)
{
	struct fingerprints set;
	char text[FINGERPRINT_TEXT], many[(FINGERPRINTS_MAX + 1) * 65 + 1] = "";
	unsigned char other[FINGERPRINT_OCTETS] = {0};
	const char *why = "";

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int rc = fingerprints_parse(&set, cases[i].text, &why);

		is_int(rc == 0 ? (long long)set.n : -1, cases[i].n, cases[i].text);
		is(rc == 0 ? "" : why, cases[i].why, "… why");
	}
	is_int(fingerprints_parse(&set, HALF HALF, &why), 0, "one");
	fingerprint_print(text, set.digest[0]);
	is(text, OCTETS_16 ":" OCTETS_16, "printed");
	ok(fingerprints_have(&set, set.digest[0]), "it has itself");
	ok(!fingerprints_have(&set, other), "and not another");
	for (int i = 0; i < FINGERPRINTS_MAX; i++)
		strcat(many, HALF HALF " ");
	is_int(fingerprints_parse(&set, many, &why), 0, "as many as there may be");
	strcat(many, HALF HALF);
	is_int(fingerprints_parse(&set, many, &why), -1, "one more");
	is(why, "too many fingerprints", "… why");
	return done();
}
