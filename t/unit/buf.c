/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "mail/buf.h"
#include "tap.h"

/* ASan would end the test where malloc is to fail. */
const char *__asan_default_options(void);

const char *
__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

static void
growing(void)
{
	struct buf b = BUF_INIT(1024 * 1024);
	size_t wrong = 0;

	is(buf_str(&b), "", "an empty buffer is the empty string");
	ok(b.data == NULL, "and has no memory");
	buf_add(&b, NULL, 0);
	ok(b.error == 0 && b.len == 0, "nothing can be added");
	buf_clear(&b);

	buf_adds(&b, "one ");
	buf_addc(&b, '2');
	buf_addf(&b, " %s %d", "three", 4);
	is(buf_str(&b), "one 2 three 4", "adds, addc, addf");
	buf_addf(&b, "%s", "");
	is_int((long long)b.len, 13, "an empty format adds nothing");
	buf_drop(&b, 4);
	is(buf_str(&b), "2 three 4", "drop");
	buf_drop(&b, b.len);
	is(buf_str(&b), "", "drop all");
	buf_add(&b, "a\0b", 3);
	is_mem(b.data, b.len, "a\0b", 3, "a NUL inside");

	buf_clear(&b);
	for (size_t i = 0; i < 100000; i++)
		buf_addc(&b, (char)(i % 251));
	for (size_t i = 0; i < b.len; i++)
		wrong += (unsigned char)b.data[i] != i % 251;
	ok(b.len == 100000 && wrong == 0, "100000 octets one by one");
	ok(b.data[b.len] == '\0', "terminated");
	buf_free(&b);
	ok(b.data == NULL && b.len == 0 && b.cap == 0, "free leaves an empty buffer");
	buf_adds(&b, "again");
	is(buf_str(&b), "again", "that can be used again");
	buf_wipe(&b);
	is(buf_str(&b), "", "wipe");
	buf_wipe(&b);
}

static void
limits(void)
{
	struct buf b = BUF_INIT(8);

	buf_adds(&b, "12345678");
	is_int(b.error, 0, "exactly the maximum");
	buf_adds(&b, "");
	is_int(b.error, 0, "and nothing more");
	buf_addc(&b, '9');
	is_int(b.error, EMSGSIZE, "one more");
	is(buf_str(&b), "12345678", "what was there stays");
	buf_drop(&b, 4);
	buf_addc(&b, '9');
	is(buf_str(&b), "5678", "the error is sticky");
	ok(buf_reserve(&b, 1) == NULL, "for reserve as well");
	buf_addf(&b, "%d", 1);
	is(buf_str(&b), "5678", "and for addf");
	buf_clear(&b);
	buf_adds(&b, "new");
	ok(b.error == 0 && strcmp(buf_str(&b), "new") == 0, "clear forgets it");
	buf_addf(&b, "%s", "too long");
	is_int(b.error, EMSGSIZE, "a format that does not fit");
	is(buf_str(&b), "new", "adds no part of it");
	buf_free(&b);
	is_int(b.error, 0, "free forgets the error");
	is_int((long long)b.max, 8, "but not the maximum");

	b = (struct buf)BUF_INIT(0);
	buf_addc(&b, 'x');
	is_int(b.error, EMSGSIZE, "a maximum of nothing");
	buf_free(&b);
}

static void
reserving(void)
{
	struct buf b = BUF_INIT(SIZE_MAX);
	char *p = buf_reserve(&b, 10);

	ok(p != NULL && b.len == 0, "reserve adds nothing");
	if (p != NULL)
		memcpy(p, "0123456789", 10);
	b.len += 4;
	is(buf_str(&b), "0123", "what was filled in is terminated");
	p = buf_reserve(&b, 0);
	ok(p == b.data + 4, "no room is behind the content too");
	ok(buf_reserve(&b, SIZE_MAX) == NULL && b.error == EMSGSIZE, "a length that wraps");
	buf_clear(&b);
	ok(buf_reserve(&b, SIZE_MAX / 2) == NULL && b.error == ENOMEM, "no memory");
	is(buf_str(&b), "", "the content is still there");
	buf_free(&b);
}

int
main(void)
{
	growing();
	limits();
	reserving();
	return done();
}
