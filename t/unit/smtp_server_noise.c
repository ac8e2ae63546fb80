/* SPDX-License-Identifier: ISC */
/*
 * The server against all short strings in DATA, and against noise.
 */
#include "server_play.h"

/* End of data and dots, against a definition that a reader can check. */
static void
model(struct buf *content, size_t *used, const char *data, size_t len)
{
	struct buf b = BUF_INIT(BIG);
	const char *end;

	buf_adds(&b, "\r\n");
	buf_add(&b, data, len);
	end = memmem(b.data, b.len, "\r\n.\r\n", 5);
	*used = end != NULL ? (size_t)(end - b.data) + 3 : 0;
	for (size_t i = 2; end != NULL && i < *used - 1; i++)
		if (!(b.data[i] == '.' && memcmp(b.data + i - 2, "\r\n", 2) == 0))
			buf_addc(content, b.data[i]);
	buf_free(&b);
}

static unsigned
try_data(const char *data, size_t len)
{
	struct buf want = BUF_INIT(BIG), shown = BUF_INIT(BIG);
	size_t used;
	struct play p;
	bool good;

	model(&want, &used, data, len);
	start(&p, &plain);
	push(&p, RCPT "DATA\r\n", strlen(RCPT "DATA\r\n"));
	buf_clear(&p.events);
	push(&p, data, used);
	buf_adds(&shown, want.len > 0 ? "data " : "");
	escape(&shown, want.data, want.len);
	buf_adds(&shown, want.len > 0 ? "\nend\n" : "end\n");
	good = used == 0 ? p.in_message : strcmp(buf_str(&p.events), buf_str(&shown)) == 0;
	if (used > 0) /* not an octet earlier */
		good = good && p.ended == 1;
	finish(&p);
	start(&p, &plain);
	push(&p, RCPT "DATA\r\n", strlen(RCPT "DATA\r\n"));
	push(&p, data, used > 0 ? used - 1 : len);
	good = good && p.ended == 0 && p.in_message;
	finish(&p);
	if (!good) {
		ok(false, "end of data");
		tap_quote("data", data, len);
	}
	buf_free(&want);
	buf_free(&shown);
	return !good;
}

/* All strings of seven octets of five kinds, and random longer ones. */
static void
test_end_of_data(void)
{
	static const char alphabet[] = {'\r', '\n', '.', 'x', '\0'};
	unsigned bad = 0;
	char s[64];

	for (unsigned i = 0; i < 78125 && bad == 0; i++) {
		for (unsigned k = 0, n = i; k < 7; k++, n /= 5)
			s[k] = alphabet[n % 5];
		bad += try_data(s, 7);
	}
	for (unsigned i = 0; i < 20000 && bad == 0; i++) {
		for (unsigned k = 0; k < sizeof(s); k++)
			s[k] = alphabet[rand() % 4];
		bad += try_data(s, sizeof(s));
	}
	ok(bad == 0, "end of data is CRLF.CRLF and nothing else; dots go behind CRLF only");
}

/* Noise: whatever comes, in whatever pieces, the same comes out, and it is SMTP. */

static const char *const words[] = {"EHLO c", "HELO c", "MAIL FROM:", "<a@x>", "RCPT TO:", "<b@x>",
    "DATA", "BDAT 5", "BDAT 3 LAST", "BDAT 0", " LAST", "RSET", "NOOP", "VRFY x", "HELP", "QUIT",
    "\r\n", "\r\n", "\r\n", "\r\n", "\n", "\r", ".", "..", " ", " SIZE=9", " BODY=8BITMIME",
    " SMTPUTF8", " NOTIFY=NEVER", " ORCPT=rfc822;x", " RET=FULL", "\r\n.\r\n", "\r\n.\r\n",
    "MAIL FROM:<a@x>\r\n", "RCPT TO:<b@x>\r\n", "DATA\r\n", "EHLO c\r\n", "\xc3\xbc", "\xff", "x",
    ":", "<", ">", "\"", "@", "hello\r\n"};

static void
noise(struct buf *b)
{
	size_t n = (size_t)rand() % 40;

	if (rand() % 8 != 0)
		buf_adds(b, rand() % 2 ? RCPT : HELLO);
	while (n-- > 0) {
		if (rand() % 20 == 0)
			buf_addc(b, (char)rand());
		else
			buf_adds(b, words[(size_t)rand() % (sizeof(words) / sizeof(words[0]))]);
	}
}

static void
test_noise(void)
{
	static const struct script refusing = {.size = 20,
	    .begin = NULL,
	    .answer = {"451 4.3.0 later", "554 5.6.0 never"},
	    .answers = 2};
	static const struct script early = {.size = 100, .begin = "451 4.3.0 not now"};
	const struct script *scripts[] = {&plain, &refusing, &early};
	unsigned bad = 0;

	for (unsigned i = 0; i < 30000 && bad == 0; i++) {
		const struct script *s = scripts[i % 3];
		struct buf in = BUF_INIT(BIG);
		struct play whole, parts;
		noise(&in);
		start(&whole, s);
		start(&parts, s);
		push(&whole, buf_str(&in), in.len);
		collect(&parts);
		for (size_t at = 0, n; at < in.len; at += n) {
			n = 1 + (size_t)rand() % (i % 2 ? 1 : 8);
			n = n < in.len - at ? n : in.len - at;
			push(&parts, in.data + at, n);
		}
		show_content(&whole);
		show_content(&parts);
		bad += whole.wrong != NULL || parts.wrong != NULL ||
		       strcmp(buf_str(&whole.replies), buf_str(&parts.replies)) != 0 ||
		       strcmp(buf_str(&whole.events), buf_str(&parts.events)) != 0 ||
		       !replies_are_smtp(&whole.replies);
		if (bad != 0) {
			tap_quote("noise", in.data, in.len);
			tap_quote("whole", buf_str(&whole.replies), whole.replies.len);
			tap_quote("parts", buf_str(&parts.replies), parts.replies.len);
			tap_quote("whole", buf_str(&whole.events), whole.events.len);
			tap_quote("parts", buf_str(&parts.events), parts.events.len);
			tap_quote("wrong", whole.wrong != NULL ? whole.wrong : "", 30);
		}
		finish(&whole);
		finish(&parts);
		buf_free(&in);
	}
	ok(bad == 0, "noise: the same in any pieces, and legal");
}

int
main(void)
{
	srand(1);
	test_end_of_data();
	test_noise();
	return done();
}
