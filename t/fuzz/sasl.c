/* SPDX-License-Identifier: ISC */
/*
 * sasl: a server's list of mechanisms (the first line) and its challenges (the others) into the
 * client's side. In a challenge "$" stands for the client's nonce, "&" for the signature of a server
 * that knows the password, so that the end of SCRAM is reached. Only such a server is believed, no
 * challenge brings SCRAM to say the password, and nothing goes on for ever.
 */
#include "mail/sasl.h"

#include "fuzz.h"
#include "mail/sasl_impl.h"
#include "net/crypto.h"

#define NONCE "fyko+d2lbbFgONRv9qkxdawL"
#define PASSWORD "secret-password"

static const struct sasl_account accounts[] = {
    {"user", PASSWORD, ""},
    {"a,b=c", PASSWORD, "SCRAM-SHA-256-PLUS SCRAM-SHA-1-PLUS SCRAM-SHA-256 SCRAM-SHA-1"},
    {"user", PASSWORD, "CRAM-MD5,LOGIN,PLAIN"},
    {"user", PASSWORD, "XOAUTH2 OAUTHBEARER EXTERNAL"},
    {"us\xffr", PASSWORD, ""},
    {"user", "", ""},
};

static const struct sasl_binding binding = {"tls-exporter", "binding", 7};

/* The rounds are for those who guess passwords; one is as good for us. */
static int
stretch(enum sasl_hash h, struct sasl_octets password, struct sasl_octets salt, unsigned rounds,
    unsigned char out[SASL_DIGEST])
{
	CHECK(rounds >= 4096 && rounds <= 1000000);
	return crypto_sasl.stretch(h, password, salt, 1, out);
}

static void
expand(const struct sasl *s, const char *line, struct buf *out)
{
	for (; *line != '\0'; line++)
		if (*line == '$')
			buf_adds(out, s->nonce);
		else if (*line == '&')
			crypto_sasl.encode(out, s->signature, sasl_digest_len(s->mechanism->hash));
		else
			buf_addc(out, *line);
}

static bool
is_proof(const struct sasl *s, const struct buf *challenge)
{
	struct buf want = BUF_INIT(256);
	bool same;

	buf_adds(&want, "v=");
	crypto_sasl.encode(&want, s->signature, sasl_digest_len(s->mechanism->hash));
	CHECK(want.error == 0);
	same = challenge->len >= want.len && memcmp(challenge->data, want.data, want.len) == 0;
	buf_free(&want);
	return same;
}

static bool
says_password(const struct buf *b)
{
	return b->len > 0 && memmem(b->data, b->len, PASSWORD, strlen(PASSWORD)) != NULL;
}

static void
exchange(const struct sasl_facts *facts, const struct sasl_mechanism *m, bool again, struct fuzz *f)
{
	struct buf out = BUF_INIT(FUZZ_MAX), challenge = BUF_INIT(FUZZ_MAX);
	unsigned answers = 0;
	struct sasl s;

	sasl_start(&s, m, facts, again);
	CHECK(sasl_initial(&s, &out) == m->initial);
	while (f->len > 0) {
		char *line = fuzz_line(f);
		bool before = m->scram && s.proven;
		int r;

		buf_clear(&challenge);
		buf_clear(&out);
		expand(&s, line, &challenge);
		free(line);
		r = sasl_step(&s, buf_str(&challenge), challenge.len, &out);
		CHECK(out.error == 0);
		CHECK(!m->scram || !says_password(&out) || says_password(&challenge));
		CHECK(!m->scram || before || !s.proven || is_proof(&s, &challenge));
		if (r == -1)
			break;
		CHECK(++answers <= 3);
	}
	CHECK(!m->scram || sasl_proven(&s) == s.proven);
	buf_free(&out);
	buf_free(&challenge);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz f = fuzz_start(data, size);
	const struct sasl_account *a =
	    &accounts[fuzz_choose(&f, sizeof(accounts) / sizeof(accounts[0]))];
	unsigned way = fuzz_choose(&f, 8);
	struct sasl_crypto crypto = crypto_sasl;
	char *offered = fuzz_line(&f);
	struct sasl_facts facts = {.account = a,
	    .crypto = &crypto,
	    .binding = (way & 1) != 0 ? &binding : NULL,
	    .nonce = NONCE,
	    .offered = offered};
	const struct sasl_mechanism *m, *other;
	const char *why;

	crypto.stretch = stretch;
	(void)sasl_check(offered, &why);
	m = sasl_choose(&facts);
	if (m != NULL) {
		CHECK(sasl_lists(offered, sasl_name(m)));
		CHECK(a->mechanisms[0] == '\0' || sasl_lists(a->mechanisms, sasl_name(m)));
		CHECK(!m->plus || facts.binding != NULL);
		other = sasl_another(&facts, m, (way & 4) != 0 ? 535 : 534);
		CHECK(other != m && (other == NULL || sasl_lists(offered, sasl_name(other))));
		exchange(&facts, other != NULL && (way & 2) != 0 ? other : m, (way & 2) != 0, &f);
	}
	free(offered);
	return 0;
}
