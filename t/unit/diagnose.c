/* SPDX-License-Identifier: ISC */
#include "mail/diagnose.h"

#include <string.h>
#include <sysexits.h>

#include "tap.h"

#define GOOD(k)                                    \
	{                                          \
		.kind = (k), .status = {2, 0, 0} \
	}
#define TO_CONNECT GOOD(PROBE_HOP), GOOD(PROBE_HOST), GOOD(PROBE_CONNECT)
#define TO_EHLO TO_CONNECT, GOOD(PROBE_GREETING), GOOD(PROBE_EHLO)
#define TO_MAIL TO_EHLO, GOOD(PROBE_MAIL)
#define REPLY(k, c, s, d, t)                                                                \
	{                                                                                   \
		.kind = (k), .code = (c), .status = {(unsigned char)((c) / 100), (s), (d)}, \
		.text = (t)                                                                 \
	}
#define TROUBLE(k, c, s, d, t)                                        \
	{                                                             \
		.kind = (k), .status = {(c), (s), (d)}, .text = (t) \
	}
#define SILENCE(k)                                                                              \
	{                                                                                       \
		.kind = (k), .fault = PROBE_TIMEOUT, .status = {4, 4, 2}, .text = "no answer from x" \
	}
#define NO_CONNECTION(f, p)                                                        \
	{                                                                          \
		.kind = PROBE_CONNECT, .fault = (f), .port = (p), .status = {4, 4, 1} \
	}
#define PORT(p, c)                                                        \
	{                                                                 \
		.kind = PROBE_PORT, .port = (p), .status = {(c), 0, 0} \
	}

static const struct {
	const char *name, *kind;
	int status;
	struct probe_step steps[12]; /* to the first that is all zero but for its kind */
} cases[] = {
    {"all is well", "ok", EX_OK, {TO_MAIL, GOOD(PROBE_RCPT), GOOD(PROBE_RSET), GOOD(PROBE_QUIT)}},
    {"the second address works", "ok", EX_OK,
	{GOOD(PROBE_HOP), NO_CONNECTION(PROBE_TIMEOUT, 25), GOOD(PROBE_CONNECT), GOOD(PROBE_RCPT)}},
    {"HELO where EHLO is refused", "recipient", EX_NOUSER,
	{TO_CONNECT, REPLY(PROBE_EHLO, 502, 5, 1, "502 what?"), GOOD(PROBE_EHLO), GOOD(PROBE_MAIL),
	    REPLY(PROBE_RCPT, 550, 1, 1, "550 5.1.1 unknown")}},
    {"a farewell that fails", "ok", EX_OK,
	{TO_MAIL, GOOD(PROBE_RCPT), REPLY(PROBE_QUIT, 500, 5, 1, "500 what?")}},
    {"the settings", "config", EX_CONFIG, {TROUBLE(PROBE_HOP, 4, 3, 5, "relay.url: bad port")}},
    {"null MX", "null-mx", EX_NOHOST,
	{GOOD(PROBE_HOP), TROUBLE(PROBE_MX, 5, 1, 10, "Domain x does not accept mail (null MX)")}},
    {"NXDOMAIN", "no-domain", EX_NOHOST,
	{GOOD(PROBE_HOP), TROUBLE(PROBE_MX, 5, 1, 2, "type=MX: Host not found")}},
    {"a relay that has no address", "no-domain", EX_NOHOST,
	{GOOD(PROBE_HOP), TROUBLE(PROBE_HOST, 4, 4, 3, "type=A: Host not found")}},
    {"SERVFAIL", "dns", EX_NOHOST,
	{GOOD(PROBE_HOP), TROUBLE(PROBE_MX, 4, 4, 3, "type=MX: Host not found, try again")}},
    {"a relay that cannot be looked up", "dns", EX_NOHOST,
	{GOOD(PROBE_HOP), TROUBLE(PROBE_HOST, 4, 4, 3, "type=A: Host not found, try again")}},
    {"no answer from DNS", "dns", EX_NOHOST,
	{GOOD(PROBE_HOP), TROUBLE(PROBE_HOST, 4, 4, 3, "DNS look-up of x timed out")}},
    {"TLSA records that cannot be had", "dns", EX_NOHOST,
	{GOOD(PROBE_HOP), TROUBLE(PROBE_HOST, 4, 7, 5, "look-up of TLSA x failed")}},
    {"we are the exchanger", "loop", EX_UNAVAILABLE,
	{GOOD(PROBE_HOP), GOOD(PROBE_MX),
	    TROUBLE(PROBE_HOST, 5, 4, 6, "mail for x loops back to myself")}},
    {"no route", "no-route", EX_UNAVAILABLE,
	{GOOD(PROBE_HOP), NO_CONNECTION(PROBE_UNREACHABLE, 25)}},
    {"refused", "refused", EX_UNAVAILABLE, {GOOD(PROBE_HOP), NO_CONNECTION(PROBE_REFUSED, 587)}},
    {"port 25 blocked", "blocked", EX_UNAVAILABLE,
	{GOOD(PROBE_HOP), NO_CONNECTION(PROBE_TIMEOUT, 25), PORT(587, 2), PORT(465, 4)}},
    {"the host is down", "dropped", EX_UNAVAILABLE,
	{GOOD(PROBE_HOP), NO_CONNECTION(PROBE_TIMEOUT, 25), PORT(587, 4), PORT(465, 4)}},
    {"no other port was tried", "dropped", EX_UNAVAILABLE,
	{GOOD(PROBE_HOP), NO_CONNECTION(PROBE_TIMEOUT, 587)}},
    {"greeting 421", "throttled", EX_TEMPFAIL,
	{TO_CONNECT, REPLY(PROBE_GREETING, 421, 7, 0, "421 4.7.0 too many connections")}},
    {"greeting 554 with a list", "listed", EX_NOPERM,
	{TO_CONNECT, REPLY(PROBE_GREETING, 554, 7, 1, "554 see https://www.SpamHaus.org/x")}},
    {"greeting 554", "turned-away", EX_UNAVAILABLE,
	{TO_CONNECT, REPLY(PROBE_GREETING, 554, 3, 2, "554 5.3.2 not today")}},
    {"listed at RCPT", "listed", EX_NOPERM,
	{TO_MAIL, REPLY(PROBE_RCPT, 550, 7, 1, "550 5.7.1 blocked using zen dnsbl")}},
    {"no SMTP", "protocol", EX_PROTOCOL,
	{TO_CONNECT, TROUBLE(PROBE_GREETING, 4, 5, 0, "protocol error: x sent garbage")}},
    {"silence", "silent", EX_TEMPFAIL, {TO_CONNECT, SILENCE(PROBE_GREETING)}},
    {"silence at AUTH", "silent", EX_TEMPFAIL, {TO_EHLO, SILENCE(PROBE_AUTH)}},
    {"silence at MAIL", "silent", EX_TEMPFAIL, {TO_EHLO, SILENCE(PROBE_MAIL)}},
    {"silence at RCPT", "silent", EX_TEMPFAIL, {TO_MAIL, SILENCE(PROBE_RCPT)}},
    {"cut off at once", "protocol", EX_PROTOCOL,
	{TO_CONNECT, TROUBLE(PROBE_GREETING, 4, 4, 2, "lost connection with x")}},
    {"cut off at STARTTLS", "cut", EX_TEMPFAIL,
	{TO_EHLO, TROUBLE(PROBE_STARTTLS, 4, 4, 2, "lost connection with x")}},
    {"cut off at RCPT", "cut", EX_TEMPFAIL,
	{TO_MAIL, TROUBLE(PROBE_RCPT, 4, 4, 2, "lost connection with x")}},
    {"garbage at MAIL", "protocol", EX_PROTOCOL,
	{TO_EHLO, TROUBLE(PROBE_MAIL, 4, 5, 0, "protocol error: x sent garbage")}},
    {"no SMTPUTF8", "recipient", EX_NOUSER,
	{TO_MAIL, TROUBLE(PROBE_RCPT, 5, 6, 7, "the address needs SMTPUTF8")}},
    {"STARTTLS taken out", "no-starttls", EX_PROTOCOL,
	{TO_EHLO, TROUBLE(PROBE_STARTTLS, 4, 7, 4, "TLS is required but x offers no STARTTLS")}},
    {"text put in", "protocol", EX_PROTOCOL,
	{TO_EHLO, TROUBLE(PROBE_STARTTLS, 4, 7, 0, "x sent more …, which may be an attack")}},
    {"a foreign certificate", "certificate", EX_PROTOCOL,
	{TO_EHLO, TROUBLE(PROBE_TLS, 4, 7, 5, "TLS handshake with x: certificate verify failed")}},
    {"no common TLS", "tls", EX_PROTOCOL,
	{TO_EHLO, TROUBLE(PROBE_TLS, 4, 7, 5, "TLS handshake with x: unsupported protocol")}},
    {"535", "password", EX_NOPERM, {TO_EHLO, REPLY(PROBE_AUTH, 535, 7, 8, "535 no. Listed? No.")}},
    {"454 to AUTH", "later", EX_TEMPFAIL, {TO_EHLO, REPLY(PROBE_AUTH, 454, 7, 0, "454 down")}},
    {"no mechanism", "auth", EX_NOPERM,
	{TO_EHLO, TROUBLE(PROBE_AUTH, 4, 7, 4, "x offers no AUTH mechanism we have")}},
    {"sender refused", "sender", EX_NOPERM,
	{TO_EHLO, REPLY(PROBE_MAIL, 553, 1, 7, "553 5.1.7 sender not allowed")}},
    {"530", "relaying", EX_NOPERM, {TO_EHLO, REPLY(PROBE_MAIL, 530, 7, 0, "530 log in first")}},
    {"relaying denied", "relaying", EX_NOPERM,
	{TO_MAIL, REPLY(PROBE_RCPT, 554, 7, 1, "554 5.7.1 Relay access denied")}},
    {"no such user", "recipient", EX_NOUSER,
	{TO_MAIL, REPLY(PROBE_RCPT, 550, 1, 1, "550 5.1.1 unknown")}},
    {"greylisted", "later", EX_TEMPFAIL,
	{TO_MAIL, REPLY(PROBE_RCPT, 450, 2, 0, "450 4.2.0 greylisted")}},
    {"too fast", "throttled", EX_TEMPFAIL,
	{TO_MAIL, REPLY(PROBE_RCPT, 450, 7, 1, "450 4.7.1 slow down")}},
    {"421 in the middle", "throttled", EX_TEMPFAIL,
	{TO_EHLO, REPLY(PROBE_MAIL, 421, 3, 2, "421 bye")}},
    {"what came furthest counts", "recipient", EX_NOUSER,
	{GOOD(PROBE_HOP), NO_CONNECTION(PROBE_TIMEOUT, 25), GOOD(PROBE_CONNECT), GOOD(PROBE_MAIL),
	    REPLY(PROBE_RCPT, 550, 1, 1, "550 5.1.1 unknown"),
	    NO_CONNECTION(PROBE_REFUSED, 25)}},
    {"nothing at all", "nothing", EX_SOFTWARE, {{.kind = PROBE_HOP}}},
};

static size_t
count(const struct probe_step *steps)
{
	size_t n = 0;

	while (n < 12 && steps[n].status.class != 0)
		n++;
	return n;
}

int
main(void)
{
	struct diagnosis d;
	struct probe_step quit = GOOD(PROBE_QUIT);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		diagnose(&d, cases[i].steps, count(cases[i].steps), PROBE_RCPT);
		is(d.name, cases[i].kind, cases[i].name);
		is_int(d.status, cases[i].status, "its exit status");
		ok((d.remedy[0] != '\0') == (d.status != EX_OK), "a remedy where one is needed");
	}
	diagnose(&d, &quit, 1, PROBE_QUIT);
	is(d.name, "ok", "the way is all that was wanted");
	for (int k = 0; k < PROBE_KINDS; k++)
		ok(probe_name((enum probe_kind)k) != NULL, "step %d has a name", k);
	for (int s = STAGE_CONFIG; s <= STAGE_QUIT; s++)
		ok(probe_kind((enum stage)s) < PROBE_KINDS, "%s is told at a step",
		    stage_words((enum stage)s));
	return done();
}
