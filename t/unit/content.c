/* SPDX-License-Identifier: ISC */
/* The content of a message from a file: checked, stuffed, or raw; whole, and cut at every place. */
#include "net/content.h"

#include <stdlib.h>
#include <unistd.h>

#include "tap.h"

static const struct {
	const char *what, *text, *wanted; /* wanted NULL: refused */
	bool raw;
} cases[] = {
    {"empty", "", "", false},
    {"a line", "a\r\n", "a\r\n", false},
    {"an empty line", "\r\n", "\r\n", false},
    {"dots", ".\r\na.b\r\n..\r\n.c\r\n", "..\r\na.b\r\n...\r\n..c\r\n", false},
    {"raw", "a\r\n\r\nb.\r\n", "a\r\n\r\nb.\r\n", true},
    {"no line end", "a\r\nb", NULL, false},
    {"no line end, raw", "a\r\nb", NULL, true},
    {"LF at the end, raw", "a\r\nb\n", NULL, true},
    {"CR at the end", "a\r\nb\r", NULL, false},
    {"bare LF", "a\n.\r\nb\r\n", NULL, false},
    {"bare LF first", "\na\r\n", NULL, false},
    {"LF behind CRLF", "a\r\n\nb\r\n", NULL, false},
    {"bare CR", "a\rb\r\n", NULL, false},
    {"CR CR LF", "a\r\r\n", NULL, false},
    {"CR first", "\ra\r\n", NULL, false},
    {"NUL", NULL, NULL, false},
};

static int
file_of(const char *text, size_t before, size_t len)
{
	char path[] = "/tmp/content-test-XXXXXX";
	int fd = mkstemp(path);

	if (fd == -1 || pwrite(fd, text, len, (off_t)before) != (ssize_t)len)
		perror(path);
	unlink(path);
	return fd;
}

/* Whether it went; *out has what came. */
static bool
pump(int fd, size_t at, size_t size, bool raw, struct buf *out)
{
	struct content c;
	const char *why = "";
	int more;

	buf_clear(out);
	content_start(&c, fd, at, size, raw, NULL);
	while ((more = content_read(&c, out, &why)) == 1)
		;
	return more == 0;
}

static void
test_table(void)
{
	struct buf out = BUF_INIT(1 << 20);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *text = cases[i].text != NULL ? cases[i].text : "a\0b\r\n";
		size_t len = cases[i].text != NULL ? strlen(text) : 5;
		int fd = file_of(text, 100, len);
		bool went = pump(fd, 100, len, cases[i].raw, &out);

		is_int(went, cases[i].wanted != NULL, cases[i].what);
		if (cases[i].wanted != NULL)
			is(buf_str(&out), cases[i].wanted, cases[i].what);
		close(fd);
	}
	buf_free(&out);
}

/* The same across the edge of two pieces. */
static void
test_edges(void)
{
	struct buf out = BUF_INIT(1 << 20);
	static char text[CONTENT_PIECE + 64];
	unsigned same = 0, refused = 0, all = 0;

	for (size_t i = 2; i < sizeof(cases) / sizeof(cases[0]) - 1; i++) {
		size_t len = strlen(cases[i].text);

		for (size_t cut = 0; cut <= len; cut++, all++) {
			size_t lead = CONTENT_PIECE - cut;
			int fd;

			memset(text, 'x', lead);
			memcpy(text + lead - 2, "\r\n", 2);
			memcpy(text + lead, cases[i].text, len);
			fd = file_of(text, 0, lead + len);
			if (!pump(fd, 0, lead + len, cases[i].raw, &out))
				refused += cases[i].wanted == NULL;
			else if (cases[i].wanted != NULL)
				same += out.len == lead + strlen(cases[i].wanted) &&
					strcmp(buf_str(&out) + lead, cases[i].wanted) == 0;
			close(fd);
		}
	}
	is_int(same + refused, all, "wherever a piece ends");
	buf_free(&out);
}

/* For BDAT: octet for octet, but no other octets than in DATA. */
static void
test_bare(void)
{
	static const char good[] = ".\r\na.b\r\n..\r\n.c\r\n", bad[] = "a\n.\r\nb\r\n";
	struct buf out = BUF_INIT(1 << 20);
	struct content c;
	const char *why = NULL;
	int fd = file_of(good, 0, strlen(good));

	content_start(&c, fd, 0, strlen(good), false, NULL);
	c.bare = true;
	is_int(content_read(&c, &out, &why), 0, "bare: one piece");
	is(buf_str(&out), good, "dots stay as they are");
	close(fd);
	fd = file_of(bad, 0, strlen(bad));
	content_start(&c, fd, 0, strlen(bad), false, NULL);
	c.bare = true;
	is_int(content_read(&c, &out, &why), -1, "a bare LF is refused all the same");
	is(why, "bare CR or LF in the message", "… and said why");
	close(fd);
	buf_free(&out);
}

static void
test_skip(void)
{
	struct buf out = BUF_INIT(1 << 20);
	static char text[100000];
	struct content c;
	const char *why = "";
	int fd;

	memset(text, 'x', sizeof(text));
	memcpy(text + sizeof(text) - 2, "\r\n", 2);
	fd = file_of(text, 0, sizeof(text));
	content_start(&c, fd, 0, sizeof(text), false, NULL);
	is_int((long long)content_skippable(&c), 0, "what must be looked at is not skipped");
	content_start(&c, fd, 0, sizeof(text), true, NULL);
	is_int((long long)content_skippable(&c), (long long)(sizeof(text) - CONTENT_PIECE),
	    "all but the last piece is skipped");
	content_skip(&c, content_skippable(&c));
	is_int(content_read(&c, &out, &why), 0, "which is the last");
	is_int((long long)out.len, CONTENT_PIECE, "and whole");
	ok(!pump(fd, 0, sizeof(text) + 1, true, &out), "a file that is too short is refused");
	close(fd);
	ok(!pump(fd, 0, sizeof(text), true, &out), "so is one that cannot be read");
	buf_free(&out);
}

/* One part is encoded, the other has a dot to be stuffed. */
static void
test_encoded(void)
{
#define HEAD "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
	static const char text[] = HEAD "\r\nh\xc3\xa4lt es\r\n--b\r\n\r\n.dots\r\n--b--\r\n";
	static const char wanted[] = HEAD
	    "Content-Type: text/plain; charset=utf-8\r\n"
	    "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
	    "h=C3=A4lt es\r\n--b\r\n\r\n..dots\r\n--b--\r\n";
	struct buf out = BUF_INIT(1 << 20);
	struct recode r;
	struct content c;
	const char *why = "";
	int fd = file_of(text, 7, strlen(text));

	recode_init(&r, RECODE_7BIT);
	recode_plan(&r, text, strlen(text));
	ok(recode_planned(&r), "8-bit text must be encoded");
	content_start(&c, fd, 7, strlen(text), true, &r);
	is_int((long long)content_skippable(&c), 0, "so nothing of it is skipped");
	is_int(content_read(&c, &out, &why), 0, "all of it comes");
	is(buf_str(&out), wanted, "encoded and stuffed");
	close(fd);
	buf_free(&out);
}

int
main(void)
{
	test_table();
	test_edges();
	test_encoded();
	test_bare();
	test_skip();
	return done();
}
