/* SPDX-License-Identifier: ISC */
#include "mail/socks.h"

#include "mail/buf.h"
#include "tap.h"

/* What the proxy sends, and what it gets: octets of both in hex, a blank between flights. */
static const struct {
	const char *what;
	const char *name, *user;
	const char *replies, *sent;
	const char *why; /* NULL: connected */
} cases[] = {
    {"a name", "mx.x", "", "0500 0500000100000000 0000", "050100 05010003046d782e780019", NULL},
    {"an address", NULL, "", "0500 05000001000000000000", "050100 05010001c00002010019", NULL},
    {"a login", "a", "me", "0502 0100 05000001000000000000",
	"050102 01026d65027077 0501000301610019", NULL},
    {"a login that was not wanted", "a", "me", "0500 05000001000000000000",
	"050102 0501000301610019", NULL},
    {"bound to IPv6", "a", "", "0500 05000004 00000000000000000000000000000000 0000",
	"050100 0501000301610019", NULL},
    {"bound to a name", "a", "", "0500 050000030378797a0000", "050100 0501000301610019", NULL},
    {"bound to nothing", "a", "", "0500 05000003000000", "050100 0501000301610019", NULL},
    {"refused", "a", "", "0500 0505000100", "050100 0501000301610019", "Connection refused"},
    {"an odd code", "a", "", "0500 05ff000100", "050100 0501000301610019", "unknown reply"},
    {"an odd address", "a", "", "0500 0500000200", "050100 0501000301610019", "unknown reply"},
    {"no method", "a", "", "05ff", "050100", "wants a user"},
    {"no method for a user", "a", "me", "05ff", "050102", "takes no password"},
    {"a login to nobody", "a", "", "0502", "050100", "wants a user"},
    {"a wrong password", "a", "me", "0502 0101", "050102 01026d65027077", "refused user"},
    {"SMTP", "a", "", "323230", "050100", "not a SOCKS5"},
    {"SOCKS4", "a", "", "0500 0400000100", "050100 0501000301610019", "not a SOCKS5"},
};

/* One octet, or -1 at a blank or the end. */
static int
octet(const char *hex)
{
	unsigned n;

	return sscanf(hex, "%2x", &n) == 1 && hex[0] != ' ' ? (int)n : -1;
}

static void
drain(struct socks *s, struct buf *sent)
{
	const unsigned char *out;
	size_t len;

	if (socks_output(s, &len) != NULL && sent->len > 0)
		buf_addc(sent, ' ');
	while ((out = socks_output(s, &len)) != NULL) {
		buf_addf(sent, "%02x", out[0]);
		socks_wrote(s, 1);
	}
}

static void
play(size_t i)
{
	struct socks_target target = {
	    .name = cases[i].name, .address = {192, 0, 2, 1}, .address_len = 4, .port = 25};
	struct buf sent = BUF_INIT(4096);
	const char *p = cases[i].replies;
	struct socks s;
	bool greedy = false;

	socks_start(&s, &target, cases[i].user, "pw");
	drain(&s, &sent);
	while (!socks_over(&s) && *p != '\0') {
		unsigned char c = (unsigned char)octet(p);

		if (*p == ' ') {
			p++;
			continue;
		}
		greedy |= socks_wants(&s) > strlen(p) / 2 + 1 && cases[i].why == NULL;
		socks_input(&s, &c, 1);
		p += 2;
		drain(&s, &sent);
	}
	is(buf_str(&sent), cases[i].sent, cases[i].what);
	ok(s.state == (cases[i].why == NULL ? SOCKS_DONE : SOCKS_FAILED), "… its end");
	ok(cases[i].why == NULL || strstr(socks_why(&s), cases[i].why) != NULL, "… why");
	ok(cases[i].why != NULL || *p == '\0', "… with the last octet");
	ok(!greedy && socks_wants(&s) == 0, "… and no octet of the server's");
	buf_free(&sent);
}

static void
test_lengths(void)
{
	static char name[SOCKS_FIELD + 2];
	struct socks_target target = {.name = name, .port = 25};
	struct socks s;

	memset(name, 'a', SOCKS_FIELD);
	socks_start(&s, &target, name, name);
	ok(!socks_over(&s), "the longest of all");
	socks_input(&s, (const unsigned char *)"\5\2", 2);
	is_int((long long)s.outlen, 3 + 2 * SOCKS_FIELD, "a login");
	socks_input(&s, (const unsigned char *)"\1\0", 2);
	is_int((long long)s.outlen, 4 + 1 + SOCKS_FIELD + 2, "a target");
	name[SOCKS_FIELD] = 'a';
	socks_start(&s, &target, "", "");
	ok(s.state == SOCKS_FAILED, "one more");
}

int
main(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		play(i);
	test_lengths();
	return done();
}
