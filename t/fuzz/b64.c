/* SPDX-License-Identifier: ISC */
/*
 * b64: what is encoded decodes to what it was, the same however it is cut; refolded base64 says what
 * it said; and OpenSSL's decoder, the one of AUTH, agrees with its encoder.
 */
#include "mail/b64.h"

#include "decode.h"
#include "net/crypto.h"

static void
encode(const struct fuzz *f, bool again, bool crlf, unsigned seed, struct buf *out)
{
	struct b64 b = {0};

	for (size_t at = 0; at < f->len;) {
		const char *lf = memchr(f->data + at, '\n', f->len - at);
		size_t n = lf != NULL ? (size_t)(lf - f->data) - at : f->len - at;
		struct fuzz_pieces p = fuzz_pieces(f->data + at, n, seed);

		while (fuzz_piece(&p))
			if (again)
				b64_again(&b, p.piece, p.len, out);
			else
				b64_text(&b, p.piece, p.len, out);
		if (!again && lf != NULL)
			b64_line(&b, out);
		at += n + (lf != NULL);
	}
	b64_end(&b, crlf, out);
	CHECK(out->error == 0 && fuzz_is_wire(out->data, out->len));
	CHECK(fuzz_longest(out->data, out->len) <= 76);
}

/* What is meant: lines with CRLF; whether the end of the last counts is for b64_end() to say. */
static void
meant(const struct fuzz *f, bool crlf, struct buf *out)
{
	for (size_t i = 0; i < f->len; i++)
		if (f->data[i] != '\n')
			buf_addc(out, f->data[i]);
		else if (i + 1 < f->len || crlf)
			buf_adds(out, "\r\n");
}

static void
check_text(const struct fuzz *f, bool crlf, unsigned seed)
{
	struct buf out = BUF_INIT(FUZZ_MAX), other = BUF_INIT(FUZZ_MAX), want = BUF_INIT(FUZZ_MAX);

	encode(f, false, crlf, seed, &out);
	encode(f, false, crlf, seed == 0, &other);
	CHECK(fuzz_same(&out, &other));
	buf_clear(&other);
	decode_base64(out.data, out.len, &other);
	meant(f, crlf, &want);
	CHECK(fuzz_same(&other, &want));
	buf_free(&out);
	buf_free(&other);
	buf_free(&want);
}

static void
check_again(const struct fuzz *f, unsigned seed)
{
	struct buf out = BUF_INIT(FUZZ_MAX), other = BUF_INIT(FUZZ_MAX), want = BUF_INIT(FUZZ_MAX);

	encode(f, true, false, seed, &out);
	encode(f, true, false, seed == 0, &other);
	CHECK(fuzz_same(&out, &other));
	buf_clear(&other);
	decode_base64(f->data, f->len, &want);
	decode_base64(out.data, out.len, &other);
	CHECK(fuzz_same(&other, &want));
	buf_free(&out);
	buf_free(&other);
	buf_free(&want);
}

/* One line: what decodes is as long as what encodes to it; the last bits may differ (RFC 4648 3.5). */
static void
check_line(const struct fuzz *f)
{
	struct buf plain = BUF_INIT(FUZZ_MAX), line = BUF_INIT(FUZZ_MAX);

	if (crypto_sasl.decode(&plain, f->data, f->len) == 0) {
		crypto_sasl.encode(&line, plain.data, plain.len);
		CHECK(line.len == f->len);
		CHECK(f->len < 4 || memcmp(line.data, f->data, f->len - 4) == 0);
	}
	buf_clear(&plain);
	buf_clear(&line);
	crypto_sasl.encode(&line, f->data, f->len);
	CHECK(crypto_sasl.decode(&plain, buf_str(&line), line.len) == 0);
	CHECK(plain.len == f->len && memcmp(buf_str(&plain), f->data, f->len) == 0);
	buf_free(&plain);
	buf_free(&line);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz f = fuzz_start(data, size);
	unsigned seed = fuzz_choose(&f, 32);
	bool crlf = fuzz_choose(&f, 2) != 0;

	check_text(&f, crlf, seed);
	check_again(&f, seed);
	check_line(&f);
	return 0;
}
