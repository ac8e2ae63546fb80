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

static const struct {
	const char *line;
	unsigned mailmax, rcptmax, rcptdomainmax;
} limits[] = {
    {"LIMITS", 0, 0, 0},
    {"LIMITS MAILMAX=20 RCPTMAX=100 RCPTDOMAINMAX=1", 20, 100, 1},
    {"limits rcptmax=7", 0, 7, 0},
    {"LIMITS  RCPTMAX=007\tMAILMAX=999999 ", 999999, 7, 0},
    {"LIMITS RCPTMAX=0 MAILMAX= RCPTDOMAINMAX", 0, 0, 0},
    {"LIMITS RCPTMAX=1000000 MAILMAX=-1 RCPTDOMAINMAX=3x", 0, 0, 0},
    {"LIMITS RCPTMAX=99999999999999999999999999", 0, 0, 0},
    {"LIMITS RCPTMAXIMUM=5 XMAILMAX=5 RCPTMAX==5 =5 OTHER=1,2", 0, 0, 0},
    {"LIMITS RCPTMAX=5 RCPTMAX=6", 0, 6, 0},
    {"LIMITS=RCPTMAX=5", 0, 5, 0},
};

static void
test_limits(void)
{
	struct smtp_ehlo e;

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		smtp_ehlo_init(&e);
		smtp_ehlo_line(&e, limits[i].line, strlen(limits[i].line));
		is_int(e.mailmax, limits[i].mailmax, limits[i].line);
		is_int(e.rcptmax, limits[i].rcptmax, "… RCPTMAX");
		is_int(e.rcptdomainmax, limits[i].rcptdomainmax, "… RCPTDOMAINMAX");
	}
}

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
	test_limits();
	return done();
}
