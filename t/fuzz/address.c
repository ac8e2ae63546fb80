/* SPDX-License-Identifier: ISC */
/*
 * address: the members of a list stand in their order and inside the text; each mailbox is what a
 * list of it alone has, and an envelope may have it.
 */
#include "mail/address.h"

#include "fuzz.h"

/* quotes: it may have some that it need not have. */
static void
check_again(const char *mailbox, bool quotes)
{
	struct address_parser p;
	struct address a;

	address_start(&p, mailbox, strlen(mailbox));
	CHECK(address_next(&p, &a) == ADDRESS_ONE);
	CHECK(quotes ? strlen(a.mailbox) <= strlen(mailbox) : strcmp(a.mailbox, mailbox) == 0);
	CHECK(address_next(&p, &a) == ADDRESS_END);
}

static void
check_mailbox(const char *mailbox, bool quotes)
{
	char full[ADDRESS_MAX + 1];
	bool whole = address_valid(mailbox);

	CHECK(whole || strchr(mailbox, '@') == NULL);
	CHECK(strlen(mailbox) <= ADDRESS_MAX && fuzz_is_clean(mailbox, strlen(mailbox)));
	check_again(mailbox, quotes);
	if (address_qualify(full, mailbox, "example.org") == 0) {
		CHECK(address_valid(full));
		CHECK(!whole || strcmp(full, mailbox) == 0);
		CHECK(strncmp(full, mailbox, strlen(mailbox)) == 0);
	}
	CHECK(!whole || (address_equal(mailbox, mailbox) && address_local(mailbox) > 0));
}

static void
check_list(const char *text, size_t len)
{
	struct address_parser p;
	struct address a;
	enum address_event ev;
	size_t before = 0, members = 0;

	address_start(&p, text, len);
	while ((ev = address_next(&p, &a)) != ADDRESS_END) {
		CHECK(before <= a.start && a.start <= a.end && a.end <= len);
		CHECK(++members <= len + 1);
		before = a.end;
		if (ev == ADDRESS_ONE)
			check_mailbox(a.mailbox, false);
		else
			CHECK(a.mailbox[0] == '\0');
	}
}

/* Two strings: the order is one, and agrees with what is equal. */
static void
check_pair(const char *a, const char *b)
{
	int order = address_compare(a, b);

	CHECK((order == 0) == address_equal(a, b));
	CHECK((order < 0) == (address_compare(b, a) > 0));
	CHECK(address_equal(a, b) == address_equal(b, a));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz f = fuzz_start(data, size);
	char *a, *b;

	check_list(f.data, f.len);
	a = fuzz_line(&f);
	b = fuzz_line(&f);
	check_pair(a, b);
	if (address_valid(a))
		check_mailbox(a, true);
	CHECK(!address_valid(a) || strcspn(a, " \t\r\n\x7f") == strlen(a));
	free(a);
	free(b);
	return 0;
}
