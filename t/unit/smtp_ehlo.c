/* SPDX-License-Identifier: ISC */
#include "mail/smtp_ehlo.h"

#include "tap.h"

static const struct {
	const char *name;
	const char *lines[4];
	unsigned has;
	uint64_t size;
	const char *auth;
} cases[] = {
    {"nothing", {NULL}, 0, 0, ""},
    {"keywords", {"PIPELINING", "8BITMIME", "SMTPUTF8"},
	SMTP_PIPELINING | SMTP_8BITMIME | SMTP_SMTPUTF8, 0, ""},
    {"any case", {"pipelining", "StartTLS", "Chunking"},
	SMTP_PIPELINING | SMTP_STARTTLS | SMTP_CHUNKING, 0, ""},
    {"unknown ones", {"VRFY", "PIPELINING2", "XSTARTTLS", ""}, 0, 0, ""},
    {"size", {"SIZE 10240000"}, SMTP_SIZE, 10240000, ""},
    {"size without limit", {"SIZE"}, SMTP_SIZE, 0, ""},
    {"size 0", {"SIZE 0"}, SMTP_SIZE, 0, ""},
    {"size is no number", {"SIZE 10k"}, SMTP_SIZE, 0, ""},
    {"negative size", {"SIZE -1"}, SMTP_SIZE, 0, ""},
    {"largest size", {"SIZE 999999999999999999"}, SMTP_SIZE, 999999999999999999ULL, ""},
    {"size too large", {"SIZE 1000000000000000000"}, SMTP_SIZE, 0, ""},
    {"size with more", {"SIZE 100 200"}, SMTP_SIZE, 100, ""},
    {"auth", {"AUTH PLAIN LOGIN"}, SMTP_AUTH, 0, "PLAIN LOGIN"},
    {"auth of old servers", {"AUTH=PLAIN LOGIN"}, SMTP_AUTH, 0, "PLAIN LOGIN"},
    {"auth, both forms", {"AUTH  LOGIN\tNTLM ", "AUTH=PLAIN"}, SMTP_AUTH, 0, "LOGIN NTLM PLAIN"},
    {"auth without mechanisms", {"AUTH"}, SMTP_AUTH, 0, ""},
};

int
main(void)
{
	struct smtp_ehlo e;
	char line[2 * SMTP_EHLO_AUTH];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		smtp_ehlo_init(&e);
		for (size_t j = 0; j < 4 && cases[i].lines[j] != NULL; j++)
			smtp_ehlo_line(&e, cases[i].lines[j], strlen(cases[i].lines[j]));
		is_int(e.has, cases[i].has, cases[i].name);
		is_int((long long)e.size, (long long)cases[i].size, "… size");
		is(e.auth, cases[i].auth, "… mechanisms");
	}

	memset(line, 'X', sizeof(line));
	memcpy(line, "AUTH PLAIN ", 11);
	memcpy(line + sizeof(line) - 6, " LOGIN", 6);
	smtp_ehlo_init(&e);
	smtp_ehlo_line(&e, line, sizeof(line));
	is(e.auth, "PLAIN LOGIN", "a mechanism that does not fit is left out");
	smtp_ehlo_init(&e);
	smtp_ehlo_line(&e, "AUTH PL\0IN LOGIN", 16);
	is(e.auth, "LOGIN", "… and one with a NUL");
	return done();
}
