/* SPDX-License-Identifier: ISC */
/*
 * content: a message of a spool file that somebody else owns, on its way to a server. What is not
 * wire form is refused; what goes out cannot end its message early, and a server that takes the dots
 * off has what the file has. Lines are put before it, so that its pieces end anywhere in it.
 */
#include "net/content.h"

#include <err.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"

#define BEFORE 10 /* octets of the file before the message */

static int
file(const struct buf *text)
{
	static int fd = -1;

	if (fd == -1 && (fd = memfd_create("content", MFD_CLOEXEC)) == -1)
		err(1, "memfd_create");
	CHECK(ftruncate(fd, 0) == 0);
	CHECK(pwrite(fd, buf_str(text), text->len, BEFORE) == (ssize_t)text->len);
	return fd;
}

static bool
pump(const struct buf *text, bool bare, struct recode *plan, struct buf *out)
{
	const char *why = NULL;
	struct content c;
	int more;

	CHECK(text->error == 0);
	content_start(&c, file(text), BEFORE, text->len, false, plan);
	c.bare = bare;
	while ((more = content_read(&c, out, &why)) == 1)
		CHECK(out->error == 0 && out->len <= 2 * text->len + CONTENT_OUT);
	CHECK(more == 0 || why != NULL);
	return more == 0;
}

/* RFC 5321 4.5.2, the receiving end: what comes is dots and text, and this text. */
static void
check_dots(const struct buf *out, const struct buf *want)
{
	struct buf plain = BUF_INIT(FUZZ_MAX);

	CHECK(out->error == 0 && want->error == 0);
	CHECK(fuzz_is_wire(out->data, out->len));
	CHECK(out->len == 0 || memmem(out->data, out->len, "\r\n.\r\n", 5) == NULL);
	CHECK(out->len < 3 || memcmp(out->data, ".\r\n", 3) != 0);
	for (size_t i = 0; i < out->len; i++) {
		if (out->data[i] == '.' && (i == 0 || out->data[i - 1] == '\n'))
			CHECK(out->data[++i] == '.');
		buf_addc(&plain, out->data[i]);
	}
	CHECK(fuzz_same(&plain, want));
	buf_free(&plain);
}

static void
check_encoded(const struct buf *text)
{
	static struct recode r;
	struct buf out = BUF_INIT(FUZZ_MAX), want = BUF_INIT(FUZZ_MAX);

	recode_init(&r, RECODE_7BIT);
	recode_plan(&r, text->data, text->len);
	if (recode_planned(&r) && pump(text, false, &r, &out)) {
		recode_start(&r);
		recode_run(&r, text->data, text->len, &want);
		recode_end(&r, &want);
		check_dots(&out, &want);
	}
	buf_free(&out);
	buf_free(&want);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz f = fuzz_start(data, size);
	size_t lines = fuzz_choose(&f, 2) != 0 ? CONTENT_PIECE - 2 - fuzz_choose(&f, 64) : 0;
	struct buf text = BUF_INIT(FUZZ_MAX), out = BUF_INIT(FUZZ_MAX);

	while (text.len < lines && text.error == 0)
		buf_addc(&text, 'x');
	buf_adds(&text, lines > 0 ? "\r\n" : "");
	buf_add(&text, f.data, f.len);
	if (pump(&text, false, NULL, &out)) {
		check_dots(&out, &text);
		buf_clear(&out);
		CHECK(pump(&text, true, NULL, &out) && fuzz_same(&out, &text));
		check_encoded(&text);
	} else {
		CHECK(!fuzz_is_wire(text.data, text.len));
	}
	buf_free(&text);
	buf_free(&out);
	return 0;
}
