/* SPDX-License-Identifier: ISC */
/*
 * Mechanisms: which is chosen, what they say (with the vectors of their RFCs), and what a server
 * says that they do not take. SCRAM's -PLUS forms have no vectors: a model of the server stands
 * here.
 */
#include "mail/sasl.h"

#include <stdlib.h>

#include "net/crypto.h"
#include "tap.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define PLUS "SCRAM-SHA-256-PLUS SCRAM-SHA-256"

static const struct sasl_binding exporter = {"tls-exporter", "0123456789abcdef", 16}, none;

static const struct {
	const char *name, *offered, *set, *chosen;
	const struct sasl_binding *binding;
	const char *password;
} choices[] = {
    {"PLAIN before LOGIN", "LOGIN PLAIN", "", "PLAIN", NULL, "pw"},
    {"LOGIN before CRAM-MD5", "CRAM-MD5 LOGIN XOAUTH2", "", "LOGIN", NULL, "pw"},
    {"CRAM-MD5 before a token", "XOAUTH2 CRAM-MD5", "", "CRAM-MD5", NULL, "pw"},
    {"any case", "plain", "", "PLAIN", NULL, "pw"},
    {"blanks", "  \tGSSAPI\t LOGIN ", "", "LOGIN", NULL, "pw"},
    {"none fits", "GSSAPI NTLM", "", NULL, NULL, "pw"},
    {"no part of a word", "PLAINTEXT XLOGIN LOGIN-2 SCRAM-SHA-2", "", NULL, NULL, "pw"},
    {"empty", "", "", NULL, NULL, "pw"},
    {"SCRAM before PLAIN", "PLAIN SCRAM-SHA-1", "", "SCRAM-SHA-1", NULL, "pw"},
    {"SHA-256 before SHA-1", "SCRAM-SHA-1 SCRAM-SHA-256", "", "SCRAM-SHA-256", NULL, "pw"},
    {"bound before all", "PLAIN SCRAM-SHA-256 SCRAM-SHA-1-PLUS", "", "SCRAM-SHA-1-PLUS", &exporter,
	"pw"},
    {"not bound without TLS", PLUS, "", "SCRAM-SHA-256", NULL, "pw"},
    {"not bound with nothing to bind to", PLUS, "", "SCRAM-SHA-256", &none, "pw"},
    {"tokens last", "XOAUTH2 OAUTHBEARER PLAIN", "", "PLAIN", NULL, "pw"},
    {"a token where there is no other", "XOAUTH2 OAUTHBEARER", "", "OAUTHBEARER", NULL, "pw"},
    {"EXTERNAL not by itself", "EXTERNAL", "", NULL, NULL, ""},
    {"EXTERNAL when set", "PLAIN EXTERNAL", "EXTERNAL", "EXTERNAL", NULL, ""},
    {"no password, no PLAIN", "PLAIN", "PLAIN", NULL, NULL, ""},
    {"as set", "PLAIN XOAUTH2", "xoauth2", "XOAUTH2", NULL, "pw"},
    {"in the order set", "SCRAM-SHA-256 PLAIN LOGIN", "LOGIN, PLAIN", "LOGIN", NULL, "pw"},
    {"the next of those set", "PLAIN", "SCRAM-SHA-256,PLAIN", "PLAIN", NULL, "pw"},
    {"nothing but what is set", "PLAIN LOGIN", "SCRAM-SHA-256", NULL, NULL, "pw"},
    {"UTF-8 for SCRAM", "PLAIN SCRAM-SHA-256", "", "SCRAM-SHA-256", NULL, "p\xc3\xa4ssword"},
    {"Latin-1 not", "PLAIN SCRAM-SHA-256", "", "PLAIN", NULL, "p\xe4ssword"},
    {"nor a C1 control", "PLAIN SCRAM-SHA-256", "", "PLAIN", NULL, "p\xc2\x85ssword"},
};

static void
test_choice(void)
{
	for (size_t i = 0; i < COUNT(choices); i++) {
		struct sasl_account a = {"joe", choices[i].password, choices[i].set};
		struct sasl_facts f = {
		    .account = &a, .binding = choices[i].binding, .offered = choices[i].offered};
		const struct sasl_mechanism *m = sasl_choose(&f);

		is(m != NULL ? sasl_name(m) : "none",
		    choices[i].chosen != NULL ? choices[i].chosen : "none", choices[i].name);
	}
}

static const struct {
	const char *name, *offered, *set;
	int code;
	const char *next;
} others[] = {
    {"a password as it is fits any secret", "SCRAM-SHA-256 SCRAM-SHA-1 PLAIN", "", 535, "PLAIN"},
    {"else another proof", "SCRAM-SHA-256 SCRAM-SHA-1 CRAM-MD5", "", 535, "SCRAM-SHA-1"},
    {"no token for a password", "SCRAM-SHA-256 XOAUTH2", "", 535, "none"},
    {"a wrong password stays wrong", "PLAIN LOGIN CRAM-MD5", "", 535, "none"},
    {"a form that is not supported", "PLAIN LOGIN", "", 504, "LOGIN"},
    {"only what is set", "SCRAM-SHA-256 PLAIN LOGIN", "SCRAM-SHA-256 LOGIN", 535, "LOGIN"},
    {"nothing else is set", "SCRAM-SHA-256 PLAIN", "SCRAM-SHA-256", 535, "none"},
    {"another binding is no better", PLUS " SCRAM-SHA-1-PLUS", "", 535, "SCRAM-SHA-256"},
    {"where there is no other", "SCRAM-SHA-1-PLUS SCRAM-SHA-256-PLUS", "", 535, "SCRAM-SHA-1-PLUS"},
    {"a token stays refused", "OAUTHBEARER XOAUTH2", "", 535, "none"},
};

static void
test_another(void)
{
	for (size_t i = 0; i < COUNT(others); i++) {
		struct sasl_account a = {"joe", "pw", others[i].set};
		struct sasl_facts f = {
		    .account = &a, .binding = &exporter, .offered = others[i].offered};
		const struct sasl_mechanism *m = sasl_another(&f, sasl_choose(&f), others[i].code);

		is(m != NULL ? sasl_name(m) : "none", others[i].next, others[i].name);
	}
}

static void
test_lists(void)
{
	const char *why = "";

	is_int(sasl_check("", &why), 0, "an empty list");
	is_int(sasl_check("plain, SCRAM-SHA-256-PLUS XOAuth2", &why), 0, "names");
	is_int(sasl_check("PLAIN SCRAM", &why), -1, "no name");
	ok(strncmp(why, "not a list of SCRAM-SHA-256-PLUS, ", 34) == 0, "and why");
}

/* One exchange: what the server says, what the client answers; NULL: nothing that it would. */
struct turn {
	const char *challenge, *response;
	size_t len; /* of the response, where it has a NUL in it */
};

static const struct {
	const char *mechanism, *user, *password, *nonce;
	const struct sasl_binding *binding;
	const char *also; /* offered */
	bool proven;
	struct turn turn[4]; /* the first without a challenge: the initial response */
} talks[] = {
    {"PLAIN", "joe", "s3cret", "n", NULL, "", true, {{NULL, "\0joe\0s3cret", 11}, {"", NULL, 0}}},
    {"PLAIN", "joe", "s3cret", "n", NULL, "", true, {{"", "\0joe\0s3cret", 11}, {"", NULL, 0}}},
    {"LOGIN", "joe", "s3cret", "n", NULL, "", true,
	{{"Username:", "joe", 0}, {"Password:", "s3cret", 0}, {"More:", NULL, 0}}},
    /* RFC 2195 2 */
    {"CRAM-MD5", "tim", "tanstaaftanstaaf", "n", NULL, "", true,
	{{"<1896.697170952@postoffice.reston.mci.net>", "tim b913a602c7eda7a495b4e6e7334d3890", 0},
	    {"", NULL, 0}}},
    /* RFC 7628 4.1, 4.3 */
    {"OAUTHBEARER", "a=b,c@example.org", "t0ken", "n", NULL, "", true,
	{{NULL, "n,a=a=3Db=2Cc@example.org,\001auth=Bearer t0ken\001\001", 0},
	    {"{\"status\":\"invalid_token\"}", "\001", 0}, {"", NULL, 0}}},
    {"XOAUTH2", "joe@example.org", "t0ken", "n", NULL, "", true,
	{{NULL, "user=joe@example.org\001auth=Bearer t0ken\001\001", 0},
	    {"{\"status\":\"400\"}", "", 0}, {"", NULL, 0}}},
    {"EXTERNAL", "joe", "", "n", NULL, "", true, {{NULL, "joe", 0}, {"", NULL, 0}}},
    /* RFC 5802 5 */
    {"SCRAM-SHA-1", "user", "pencil", "fyko+d2lbbFgONRv9qkxdawL", NULL, "", true,
	{{NULL, "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL", 0},
	    {"r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
		"c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,"
		"p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
		0},
	    {"v=rmF9pqV8S7suAoZWja4dJRkFsKQ=", "", 0}, {"", NULL, 0}}},
    /* RFC 7677 3 */
    {"SCRAM-SHA-256", "user", "pencil", "rOprNGfwEbeRWgbNEkqO", NULL, "", true,
	{{NULL, "n,,n=user,r=rOprNGfwEbeRWgbNEkqO", 0},
	    {"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
	     "s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
		"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
		"p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
		0},
	    {"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", "", 0}, {"", NULL, 0}}},
    /* the header that protects the list: y, n, p */
    {"SCRAM-SHA-256", "u,=", "pw", "n", &exporter, "", false, {{NULL, "y,,n=u=2C=3D,r=n", 0}}},
    {"SCRAM-SHA-256", "u", "pw", "n", &exporter, "SCRAM-SHA-1-PLUS", false,
	{{NULL, "n,,n=u,r=n", 0}}},
    {"SCRAM-SHA-256", "u", "pw", "n", &none, "", false, {{NULL, "n,,n=u,r=n", 0}}},
    {"SCRAM-SHA-1-PLUS", "u", "pw", "n", &exporter, "", false,
	{{NULL, "p=tls-exporter,,n=u,r=n", 0}}},
    /* an error of the server's: it will say it again, but has proved nothing */
    {"SCRAM-SHA-1", "user", "pencil", "n", NULL, "", false,
	{{NULL, "n,,n=user,r=n", 0},
	    {"r=nx,s=QSXCR+Q6sek8bf92,i=4096", "c=biws,r=nx,p=HXJiClmZhn4f0vyjoIkOAQPhkrU=", 0},
	    {"e=invalid-proof", "", 0}}},
};

static bool
talk(size_t i, struct sasl *s, const struct turn *t)
{
	struct buf out = BUF_INIT(4096);
	int r = t->challenge == NULL ? sasl_initial(s, &out) - 1
				     : sasl_step(s, t->challenge, strlen(t->challenge), &out);
	size_t len = t->len > 0 || t->response == NULL ? t->len : strlen(t->response);

	if (t->response == NULL)
		ok(r == -1 && out.len == 0, "%s has no more to say", talks[i].mechanism);
	else if (ok(r == 0, "%s answers", talks[i].mechanism))
		is_mem(buf_str(&out), out.len, t->response, len, t->response);
	buf_wipe(&out);
	return r == 0;
}

static void
test_talks(void)
{
	for (size_t i = 0; i < COUNT(talks); i++) {
		struct sasl_account a = {talks[i].user, talks[i].password, talks[i].mechanism};
		char offered[64];
		struct sasl_facts f = {&a, &crypto_sasl, talks[i].binding, talks[i].nonce, offered};
		struct sasl s;

		snprintf(offered, sizeof(offered), "%s %s", talks[i].mechanism, talks[i].also);
		sasl_start(&s, sasl_choose(&f), &f, false);
		for (size_t j = 0; j < 4; j++) {
			const struct turn *t = &talks[i].turn[j];
			if ((t->challenge != NULL || t->response != NULL) && !talk(i, &s, t))
				break;
		}
		is_int(sasl_proven(&s), talks[i].proven, "whether success counts");
	}
}

/* What a server may not say. */
static const struct {
	const char *first, *final, *why;
} lies[] = {
    {"", NULL, "its first message is malformed"},
    {"r=nonce1", NULL, "its first message is malformed"},
    {"m=x,r=nonce1,s=c2FsdA==,i=4096", NULL, "its first message is malformed"},
    {"s=c2FsdA==,r=nonce1,i=4096", NULL, "its first message is malformed"},
    {"r=nonce1,s=c2FsdA==", NULL, "its first message is malformed"},
    {"e=other-error", NULL, "its first message is malformed"},
    {"r=nonce,s=c2FsdA==,i=4096", NULL, "its nonce does not begin with ours"},
    {"r=other,s=c2FsdA==,i=4096", NULL, "its nonce does not begin with ours"},
    {"r=,s=c2FsdA==,i=4096", NULL, "its nonce does not begin with ours"},
    {"r=nonce\x01,s=c2FsdA==,i=4096", NULL, "its nonce does not begin with ours"},
    {"r=nonce1,s=,i=4096", NULL, "its salt is malformed"},
    {"r=nonce1,s=c2Fsd,i=4096", NULL, "its salt is malformed"},
    {"r=nonce1,s=c2FsdA==,i=4095", NULL, "fewer than 4096"},
    {"r=nonce1,s=c2FsdA==,i=1", NULL, "fewer than 4096"},
    {"r=nonce1,s=c2FsdA==,i=", NULL, "fewer than 4096"},
    {"r=nonce1,s=c2FsdA==,i=-4096", NULL, "fewer than 4096"},
    {"r=nonce1,s=c2FsdA==,i=4294971392", NULL, "fewer than 4096"},
    {"r=nonce1,s=c2FsdA==,i=1000001", NULL, "more than 1000000"},
    {"r=nonce1,s=c2FsdA==,i=999999999", NULL, "more than 1000000"},
    {"r=nonce1,s=c2FsdA==,i=4096,t=later", "", "it does not know the password"},
    {"r=nonce1,s=c2FsdA==,i=4096", "v=", "it does not know the password"},
    {"r=nonce1,s=c2FsdA==,i=4096", "v=!", "it does not know the password"},
    {"r=nonce1,s=c2FsdA==,i=4096",
	"v=AAAAAAAAAAAAAAAAAAAAAAAAAAA=", "it does not know the password"},
    {"r=nonce1,s=c2FsdA==,i=4096", "r=nonce1,s=c2FsdA==,i=4096", "it does not know the password"},
};

static void
test_lies(void)
{
	static const struct sasl_account a = {"joe", "s3cret", ""};
	static const struct sasl_facts f = {&a, &crypto_sasl, NULL, "nonce", "SCRAM-SHA-1"};

	for (size_t i = 0; i < COUNT(lies); i++) {
		struct buf out = BUF_INIT(4096);
		struct sasl s;
		int r;

		sasl_start(&s, sasl_choose(&f), &f, false);
		sasl_initial(&s, &out);
		buf_clear(&out);
		r = sasl_step(&s, lies[i].first, strlen(lies[i].first), &out);
		if (lies[i].final != NULL) {
			is_int(r, 0, "its first message is good");
			buf_clear(&out);
			r = sasl_step(&s, lies[i].final, strlen(lies[i].final), &out);
		}
		ok(r == -1 && out.len == 0 && !sasl_proven(&s), "not taken: %s",
		    lies[i].final != NULL ? lies[i].final : lies[i].first);
		ok(s.why != NULL && strstr(s.why, lies[i].why) != NULL, "why: %s", lies[i].why);
		buf_wipe(&out);
	}
}

static void
test_nonces(void)
{
	static const struct sasl_account a = {"joe", "s3cret", ""};
	static const struct sasl_facts f = {&a, &crypto_sasl, NULL, "nonce", "SCRAM-SHA-1"};
	struct buf out = BUF_INIT(4096);
	struct sasl s;

	sasl_start(&s, sasl_choose(&f), &f, true);
	sasl_initial(&s, &out);
	is(buf_str(&out), "n,,n=joe,r=nonce+", "another nonce the second time");
	buf_wipe(&out);
}

/*
 * A model of the server's side: it knows the password, and checks the binding and the proof of a
 * final message. The signature that it says then, or "".
 */
static void
model(enum sasl_hash h, size_t len, const struct sasl_binding *bound, const char *first,
    const char *final, char signature[64])
{
	static const char salt[] = "salt";
	unsigned char salted[SASL_DIGEST], key[SASL_DIGEST], stored[SASL_DIGEST], sign[SASL_DIGEST];
	const char *proof = strstr(final, ",p=") + 3;
	struct buf talk = BUF_INIT(4096), wanted = BUF_INIT(512), text = BUF_INIT(512);

	buf_addf(&wanted, "p=%s,,", bound->name);
	buf_add(&wanted, bound->data, bound->len);
	buf_adds(&text, "c=");
	crypto_sasl.encode(&text, wanted.data, wanted.len);
	buf_addf(&talk, "n=joe,r=nonce,%s,%.*s", first, (int)(proof - 3 - final), final);
	crypto_sasl.stretch(
	    h, (struct sasl_octets){"s3cret", 6}, (struct sasl_octets){salt, 4}, 4096, salted);
	crypto_sasl.hmac(
	    h, (struct sasl_octets){salted, len}, (struct sasl_octets){"Client Key", 10}, key);
	crypto_sasl.hash(h, (struct sasl_octets){key, len}, stored);
	crypto_sasl.hmac(
	    h, (struct sasl_octets){stored, len}, (struct sasl_octets){talk.data, talk.len}, sign);
	for (size_t i = 0; i < len; i++)
		key[i] ^= sign[i];
	buf_clear(&wanted);
	crypto_sasl.encode(&wanted, key, len);
	signature[0] = '\0';
	if (strncmp(final, buf_str(&text), text.len) == 0 && strcmp(proof, buf_str(&wanted)) == 0) {
		crypto_sasl.hmac(h, (struct sasl_octets){salted, len},
		    (struct sasl_octets){"Server Key", 10}, key);
		crypto_sasl.hmac(h, (struct sasl_octets){key, len},
		    (struct sasl_octets){talk.data, talk.len}, sign);
		buf_clear(&wanted);
		crypto_sasl.encode(&wanted, sign, len);
		snprintf(signature, 64, "v=%s", buf_str(&wanted));
	}
	buf_free(&talk);
	buf_free(&wanted);
	buf_free(&text);
}

/* The same connection, and one with somebody in the middle: each side has another binding. */
static void
test_plus(enum sasl_hash h, size_t len, const char *name)
{
	static const struct sasl_account a = {"joe", "s3cret", ""};
	static const struct sasl_binding other = {"tls-exporter", "0123456789abcdeX", 16};
	static const char first[] = "r=nonceX,s=c2FsdA==,i=4096";
	struct sasl_facts f = {&a, &crypto_sasl, &exporter, "nonce", name};
	struct buf out = BUF_INIT(4096);
	struct sasl s;
	char signature[64];

	sasl_start(&s, sasl_choose(&f), &f, false);
	sasl_initial(&s, &out);
	is(buf_str(&out), "p=tls-exporter,,n=joe,r=nonce", name);
	buf_clear(&out);
	is_int(sasl_step(&s, first, strlen(first), &out), 0, "its proof");
	model(h, len, &other, first, buf_str(&out), signature);
	is(signature, "", "a man in the middle is seen");
	model(h, len, &exporter, first, buf_str(&out), signature);
	ok(signature[0] != '\0', "the server is content");
	buf_clear(&out);
	is_int(sasl_step(&s, signature, strlen(signature), &out), 0, "its signature is taken");
	ok(sasl_proven(&s), "and proves it");
	buf_wipe(&out);
}

/*
 * Challenges that are almost right, or not at all. No mechanism may take them for a proof, go on
 * for ever, or say more than a line holds.
 */
static void
test_noise(void)
{
	static const char *const seeds[] = {"r=nonce1,s=c2FsdA==,i=4096",
	    "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=", "e=other-error", "<1.2@mx.example>",
	    "{\"status\":\"400\"}", ""};
	static const char *const names[] = {"PLAIN", "LOGIN", "CRAM-MD5", "OAUTHBEARER", "XOAUTH2",
	    "EXTERNAL", "SCRAM-SHA-1", "SCRAM-SHA-256-PLUS"};
	struct buf out = BUF_INIT(65536);
	bool good = true;

	srand(1);
	for (int i = 0; i < 4000; i++) {
		const char *name = names[i % (int)COUNT(names)];
		struct sasl_account a = {"joe", "s3cret", name};
		struct sasl_facts f = {&a, &crypto_sasl, &exporter, "nonce", name};
		struct sasl s;
		int step = 0;

		sasl_start(&s, sasl_choose(&f), &f, false);
		sasl_initial(&s, &out);
		for (; step < 10; step++) {
			char challenge[64] = "";
			const char *seed = seeds[(size_t)(rand() >> 4) % COUNT(seeds)];
			size_t len = strlen(seed);

			memcpy(challenge, seed, len);
			if (len > 0 && rand() % 2 == 0)
				challenge[(size_t)rand() % len] = (char)rand();
			if (sasl_step(&s, challenge, len, &out) == -1)
				break;
		}
		good &= step <= 3 && out.len < 1024 && out.error == 0 && !s.proven;
		buf_clear(&out);
	}
	ok(good, "4000 exchanges of noise end");
	buf_wipe(&out);
}

int
main(void)
{
	test_choice();
	test_another();
	test_lists();
	test_talks();
	test_lies();
	test_nonces();
	test_noise();
	test_plus(SASL_SHA256, 32, "SCRAM-SHA-256-PLUS");
	test_plus(SASL_SHA1, 20, "SCRAM-SHA-1-PLUS");
	return done();
}
