/* SPDX-License-Identifier: ISC */
#include "mail/envelope.h"

#include <bsd/string.h>
#include <errno.h>
#include <stdlib.h>

#include "tap.h"

#define HEAD(middle, rcpt)                                                                       \
	"pillarbox 1\nid 0QK3ZP7V2M9X\narrived 1764000000.123456\nuid 1000\nsize 000000001234\n" \
	"body 7BIT    \ndots 1\n" middle rcpt "\n"

static const struct {
	const char *name, *head, *why; /* why NULL: good */
} cases[] = {
    {"plain", HEAD("from <a@b>\n", "rcpt <c@d>\n"), NULL},
    {"null sender", HEAD("from <>\n", "rcpt <c@d>\n"), NULL},
    {"DSN parameters",
	HEAD("envid QQ+3D1\nret HDRS\nfrom <a@b>\n",
	    "rcpt <c@d> NOTIFY=FAILURE,DELAY ORCPT=rfc822;c@d\nrcpt <e@f> NOTIFY=NEVER\n"),
	NULL},
    {"a quoted local-part with >", HEAD("from <\"a>b\"@c>\n", "rcpt <\"x>\"@d>\n"), NULL},
    {"REQUIRETLS", HEAD("requiretls\nfrom <a@b>\n", "rcpt <c@d>\n"), NULL},
    {"no recipient", HEAD("from <a@b>\n", ""), "no recipient"},
    {"no sender", HEAD("", "rcpt <c@d>\n"), "bad or missing from"},
    {"two senders", HEAD("from <a@b>\nfrom <a@b>\n", "rcpt <c@d>\n"), "bad or missing rcpt"},
    {"empty recipient", HEAD("from <a@b>\n", "rcpt <>\n"), "bad or missing rcpt"},
    {"recipient without domain", HEAD("from <a@b>\n", "rcpt <root>\n"), "bad or missing rcpt"},
    {"space in an address", HEAD("from <a b@c>\n", "rcpt <c@d>\n"), "bad or missing from"},
    {"CR in an address", HEAD("from <a\r@c>\n", "rcpt <c@d>\n"), "bad or missing from"},
    {"junk behind an address", HEAD("from <a@b> x\n", "rcpt <c@d>\n"), "bad or missing from"},
    {"unknown NOTIFY", HEAD("from <a@b>\n", "rcpt <c@d> NOTIFY=SOON\n"), "bad or missing rcpt"},
    {"unknown field", HEAD("from <a@b>\n", "rcpt <c@d>\nfoo bar\n"), "unknown field"},
    {"fields out of order", HEAD("from <a@b>\nret FULL\n", "rcpt <c@d>\n"), "bad or missing rcpt"},
    {"another version", "pillarbox 2\nid 0QK3ZP7V2M9X\n", "not a spool file"},
    {"not a spool file", "From: me\n\nhello\n", "not a spool file"},
    {"short size",
	"pillarbox 1\nid 0QK3ZP7V2M9X\narrived 1.000000\nuid 0\nsize 12\nbody 7BIT    \ndots 0\n"
	"from <>\nrcpt <c@d>\n\n",
	"bad or missing size"},
    {"a huge uid",
	"pillarbox 1\nid 0QK3ZP7V2M9X\narrived 1.000000\nuid 99999999999\nsize 000000000012\n\n",
	"bad or missing uid"},
    {"an id that is none", "pillarbox 1\nid ../../../../x\n\n", "bad or missing id"},
};

static void
test_cases(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t len = strlen(cases[i].head);
		struct buf out = BUF_INIT(1 << 20);
		char *copy = malloc(len);
		struct envelope e;
		const char *why;
		long n;

		memcpy(copy, cases[i].head, len);
		n = envelope_parse(&e, copy, len, &why);
		if (cases[i].why != NULL) {
			ok(n == -1 && strcmp(why, cases[i].why) == 0, "%s: refused: %s",
			    cases[i].name, why);
		} else {
			is_int(n, (long long)len, cases[i].name);
			envelope_print(&out, &e);
			is(buf_str(&out), cases[i].head, "printed as it was parsed");
		}
		envelope_free(&e);
		buf_free(&out);
		free(copy);
	}
}

/* Every prefix asks for more, or is refused; none is taken for a head. */
static void
test_prefixes(void)
{
	const char *head = cases[2].head;
	bool good = true;

	for (size_t len = 0; len < strlen(head); len++) {
		char *copy = malloc(len + 1);
		struct envelope e;
		const char *why;
		memcpy(copy, head, len);
		good &= envelope_parse(&e, copy, len, &why) == 0;
		envelope_free(&e);
		free(copy);
	}
	ok(good, "every prefix of a head asks for more");
}

static void
test_values(void)
{
	struct envelope e;
	const char *why;

	envelope_parse(&e, cases[2].head, strlen(cases[2].head), &why);
	is(e.id.s, "0QK3ZP7V2M9X", "id");
	is_int((long long)e.arrived, 1764000000123456, "arrived");
	is_int(e.uid, 1000, "uid");
	is_int((long long)e.size, 1234, "size");
	ok(e.body == BODY_7BIT && e.dots && e.ret == RET_HDRS, "body, dots, ret");
	is(e.envid, "QQ+3D1", "envid");
	is_int((long long)e.nrcpt, 2, "recipients");
	is(e.rcpt[0].orcpt, "rfc822;c@d", "orcpt");
	is_int(e.rcpt[0].notify, NOTIFY_FAILURE | NOTIFY_DELAY, "notify");
	is_int(e.rcpt[1].notify, NOTIFY_NEVER, "never");
	envelope_free(&e);
}

static void
test_seal(void)
{
	struct envelope e = {.id = {"0QK3ZP7V2M9X"}, .arrived = 1, .from = strdup("")}, back;
	struct buf out = BUF_INIT(1 << 20);
	size_t offset, len;
	const char *why;

	envelope_add(&e, "a@b");
	envelope_print(&out, &e);
	e.size = 987654321;
	e.body = BODY_SMTPUTF8;
	e.dots = true;
	envelope_seal(out.data, &e, &offset, &len);
	ok(offset + len < out.len, "the seal lies in the head");
	envelope_parse(&back, out.data, out.len, &why);
	ok(back.size == e.size && back.body == e.body && back.dots, "sealed values are read back");
	envelope_free(&back);
	envelope_free(&e);
	buf_free(&out);
}

static void
test_limits(void)
{
	struct envelope e = {.from = strdup("")};
	bool good = true;

	for (unsigned i = 0; i < ENVELOPE_RCPT_MAX; i++)
		good &= envelope_add(&e, "a@b") == 0;
	ok(good, "as many recipients as allowed");
	ok(envelope_add(&e, "a@b") == -1 && errno == E2BIG, "and not one more");
	envelope_free(&e);
}

/* Rows: which of a, b, c, d are kept, and what there is then. */
static void
test_keep(void)
{
	static const struct {
		const char *name, *rest;
		uint32_t which[4];
		size_t n;
		int error;
	} rows[] = {
	    {"all are kept", "abcd", {0, 1, 2, 3}, 4, 0},
	    {"some, in another order", "dab", {3, 0, 1}, 3, 0},
	    {"one", "c", {2}, 1, 0},
	    {"none", "", {0}, 0, 0},
	    {"one that is not there", "a", {0, 4, 1}, 3, EINVAL},
	    {"one twice", "ba", {1, 0, 1, 2}, 4, EINVAL},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct envelope e = {.from = strdup("s@x")};
		char rest[16] = "";
		bool good = true;

		for (size_t k = 0; k < 4; k++)
			good &= envelope_add(&e, (const char *[]){"a", "b", "c", "d"}[k]) == 0;
		errno = 0;
		good &= envelope_keep(&e, rows[i].which, rows[i].n) == (rows[i].error == 0 ? 0 : -1);
		good &= errno == rows[i].error;
		for (size_t k = 0; k < e.nrcpt; k++)
			strlcat(rest, e.rcpt[k].address, sizeof(rest));
		for (unsigned k = 0; k < 8; k++)
			good &= envelope_add(&e, "more") == 0;
		ok(good && strcmp(rest, rows[i].rest) == 0, "%s", rows[i].name);
		envelope_free(&e);
	}
}

int
main(void)
{
	test_keep();
	test_cases();
	test_prefixes();
	test_values();
	test_seal();
	test_limits();
	return done();
}
