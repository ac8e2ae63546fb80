/* SPDX-License-Identifier: ISC */
#include "mail/journal.h"

#include <stdlib.h>

#include "tap.h"

static const struct {
	const char *name, *journal;
	const char *want; /* "class attempts reported warned copied text" of recipient 1 of 2 */
} cases[] = {
    {"nothing happened", "", "0 0 0 0 0 "},
    {"deferred once", "@10 1 4.4.1 connect: refused\n", "4 1 0 0 0 connect: refused"},
    {"deferred twice", "@10 1 4.4.1 a\n@20 1 4.2.0 b\n", "4 2 0 0 0 b"},
    {"somebody else", "@10 0 4.4.1 a\n", "0 0 0 0 0 "},
    {"delivered", "@10 1 4.4.1 a\n@20 1 2.0.0 250 ok\n", "2 1 0 0 0 250 ok"},
    {"delivered is final", "@20 1 2.0.0 250 ok\n@30 1 5.1.1 no\n", "2 0 0 0 0 250 ok"},
    {"failed", "@20 1 5.1.1 550 no\n", "5 0 0 0 0 550 no"},
    {"failed and told", "@20 1 5.1.1 550 no\n@21 1 told 0QK3ZP7V2M9Y\n", "5 0 1 0 0 550 no"},
    {"warned", "@10 1 4.4.1 a\n@11 1 warned 0QK3ZP7V2M9Y\n@20 1 4.4.2 b\n", "4 2 0 1 0 b"},
    {"copied", "@10 1 5.1.1 a\n@11 1 copied 0QK3ZP7V2M9Y\n", "5 0 0 0 1 a"},
    {"copied from the start", "@9 1 copied 0QK3ZP7V2M9Y\n@10 1 4.4.1 a\n", "4 1 0 0 1 a"},
    {"a torn line is ignored", "@10 1 4.4.1 a\n@20 1 2.0.0 250 o", "4 1 0 0 0 a"},
    {"a torn line that was closed off", "@10 1 4.4.1 a\n@20 1\n@30 1 4.4.2 b\n", "4 2 0 0 0 b"},
    {"an unknown word is ignored", "@10 1 4.4.1 a\n@20 1 frobbed x\n", "4 1 0 0 0 a"},
    {"a recipient that is not there", "@10 7 5.1.1 a\n", "0 0 0 0 0 "},
    {"a huge number", "@99999999999999999999999 1 5.1.1 a\n", "0 0 0 0 0 "},
    {"not tried, its destination is out", "@10 1 waits 4.4.1 connect: refused\n",
	"4 0 0 0 0 connect: refused"},
    {"tried, then out", "@10 1 4.4.1 a\n@20 1 waits 4.4.3 b\n", "4 1 0 0 0 b"},
    {"nothing waits once it is delivered", "@10 1 2.0.0 a\n@20 1 waits 4.4.3 b\n",
	"2 0 0 0 0 a"},
    {"nor waits with another status", "@10 1 waits 5.1.1 a\n@10 1 waits 2.0.0 a\n",
	"0 0 0 0 0 "},
    {"nor without", "@10 1 waits \n@10 1 waits x\n@10 1 waits 4.4.1\n", "0 0 0 0 0 "},
    {"released", "@10 1 5.1.1 no\n@11 1 told x\n@12 1 released by uid 0\n", "4 1 0 0 0 no"},
    {"released, then tried", "@10 1 5.1.1 no\n@12 1 released x\n@13 1 2.0.0 ok\n", "2 1 0 0 0 ok"},
    {"what was delivered stays so", "@10 1 2.0.0 ok\n@12 1 released x\n", "2 0 0 0 0 ok"},
    {"junk", "hello\n\n@\n@ \n@1\n@1 \n@1 1\n@1 1 \n@x 1 5.0.0 a\n", "0 0 0 0 0 "},
    {"an empty text", "@10 1 5.0.0 \n", "5 0 0 0 0 "},
};

static void
test_fold(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct recipient rcpt[2] = {0};
		struct envelope e = {.rcpt = rcpt, .nrcpt = 2};
		size_t len = strlen(cases[i].journal);
		char *copy = malloc(len + 1), got[256];

		memcpy(copy, cases[i].journal, len);
		journal_fold(&e, copy, len);
		snprintf(got, sizeof(got), "%d %u %d %d %d %.*s", rcpt[1].status.class,
		    rcpt[1].attempts, rcpt[1].reported, rcpt[1].warned, rcpt[1].copied,
		    (int)rcpt[1].textlen, rcpt[1].text != NULL ? rcpt[1].text : "");
		is(got, cases[i].want, cases[i].name);
		free(copy);
	}
}

static void
test_add(void)
{
	struct outcome o = {.status = STATUS(4, 4, 1)};
	struct buf b = BUF_INIT(4096);

	strcpy(o.text, "evil\n@99 0 2.0.0 faked\r\n\033[31m");
	journal_add(&b, 1764000060, 3, &o);
	ok(strchr(b.data, '\n') == b.data + b.len - 1, "a text cannot begin a line of its own");
	ok(memchr(b.data, '\033', b.len) == NULL, "nor hold an escape");
	ok(strncmp(b.data, "@1764000060 3 4.4.1 evil", 24) == 0, "the line's form");
	buf_clear(&b);
	strcpy(o.text, "connect: refused");
	journal_add_waits(&b, 6, 1, &o);
	is(buf_str(&b), "@6 1 waits 4.4.1 connect: refused\n", "waits");
	buf_clear(&b);
	journal_add_age(&b, &(struct retry_age){.used = 63, .at = 1764000060});
	is(buf_str(&b), "@1764000060 0 age 63\n", "age");
	buf_clear(&b);
	journal_add_word(&b, 5, 0, JOURNAL_TOLD, "0QK3ZP7V2M9Y");
	is(buf_str(&b), "@5 0 told 0QK3ZP7V2M9Y\n", "told");
	buf_clear(&b);
	journal_add_word(&b, 5, 0, JOURNAL_WARNED, "0QK3ZP7V2M9Y");
	journal_add_word(&b, 5, 0, JOURNAL_COPIED, "a\nb");
	is(buf_str(&b), "@5 0 warned 0QK3ZP7V2M9Y\n@5 0 copied a?b\n", "warned, copied");
	buf_free(&b);
}

static const struct {
	const char *name, *journal;
	int64_t used, at;
} ages[] = {
    {"from its arrival on", "@10 0 4.4.1 a\n", 0, 7},
    {"noted", "@10 0 age 63\n@11 0 4.4.1 a\n", 63, 10},
    {"noted twice: the last counts", "@10 0 age 63\n@90 0 age 5\n", 5, 90},
    {"no number", "@10 0 age -1\n@10 0 age \n@10 0 age 1x\n@10 0 age 1 2\n", 0, 7},
    {"torn", "@10 0 age 63", 0, 7},
};

static void
test_ages(void)
{
	for (size_t i = 0; i < sizeof(ages) / sizeof(ages[0]); i++) {
		struct recipient rcpt[2] = {0};
		struct envelope e = {.rcpt = rcpt, .nrcpt = 2, .age = {.at = 7}};

		journal_fold(&e, ages[i].journal, strlen(ages[i].journal));
		ok(e.age.used == ages[i].used && e.age.at == ages[i].at, "age: %s", ages[i].name);
	}
}

/* Whatever octets: no crash, no read outside (ASan sees it), and it ends. */
static void
test_noise(void)
{
	unsigned seed = 1;

	for (int i = 0; i < 20000; i++) {
		struct recipient rcpt[2] = {0};
		struct envelope e = {.rcpt = rcpt, .nrcpt = 2};
		size_t len = (size_t)(rand_r(&seed) % 40);
		char *noise = malloc(len + 1);
		for (size_t j = 0; j < len; j++)
			noise[j] = "@0123456 .\nx"[rand_r(&seed) % 12];
		journal_fold(&e, noise, len);
		free(noise);
	}
	ok(true, "noise is survived");
}

int
main(void)
{
	test_fold();
	test_add();
	test_ages();
	test_noise();
	return done();
}
