/* SPDX-License-Identifier: ISC */
/*
 * SCRAM (RFC 5802, with SHA-256 RFC 7677): both sides show that they know the password, neither
 * says it.
 *
 *	C: gs2-header client-first-bare       n,,n=user,r=NONCE
 *	S: server-first                       r=NONCE+MORE,s=SALT,i=ROUNDS
 *	C: without-proof "," proof            c=BINDING,r=NONCE+MORE,p=PROOF
 *	S: server-final                       v=SIGNATURE, or e=ERROR
 *	C:                                    (nothing; then comes the verdict)
 *
 * Rounds: with fewer than ROUNDS_MIN, which RFC 5802 and 7677 ask of servers, somebody who plays
 * the server would find the password behind the proof too soon. ROUNDS_MAX take about half a second,
 * in which nothing else moves in this process.
 */
#include <string.h>

#include "mail/sasl_impl.h"

#define ROUNDS_MIN 4096U
#define ROUNDS_MAX 1000000U
#define MESSAGE_MAX (32U * 1024)

/* The first message of the server, cut into pieces. */
struct server_first {
	struct sasl_octets nonce, salt; /* in base64 */
	unsigned rounds;
};

static struct sasl_octets
text(const char *s)
{
	return (struct sasl_octets){s, strlen(s)};
}

static struct sasl_octets
content(const struct buf *b)
{
	return (struct sasl_octets){buf_str(b), b->len};
}

/*
 * What keeps a man in the middle from taking the -PLUS out of the list: "p" binds; "y" says that we
 * could have, so that a server which offered it knows; "n" that we cannot, or that it did offer it.
 */
static void
add_gs2_header(const struct sasl *s, struct buf *out)
{
	const struct sasl_binding *b = s->facts->binding;

	if (s->mechanism->plus)
		buf_addf(out, "p=%s,,", b->name);
	else if (b != NULL && b->name != NULL && !sasl_offers_plus(s->facts))
		buf_adds(out, "y,,");
	else
		buf_adds(out, "n,,");
}

static void
add_client_first_bare(const struct sasl *s, struct buf *out)
{
	buf_adds(out, "n=");
	sasl_add_name(out, s->facts->account->user);
	buf_addf(out, ",r=%s", s->nonce);
}

static void
add_without_proof(const struct sasl *s, const struct server_first *f, struct buf *out)
{
	struct buf binding = BUF_INIT(512);

	add_gs2_header(s, &binding);
	if (s->mechanism->plus)
		buf_add(&binding, s->facts->binding->data, s->facts->binding->len);
	buf_adds(out, "c=");
	s->facts->crypto->encode(out, buf_str(&binding), binding.len);
	buf_adds(out, ",r=");
	buf_add(out, f->nonce.at, f->nonce.len);
	if (binding.error != 0)
		out->error = binding.error;
	buf_free(&binding);
}

/* "NAME=value" at the front of *rest, which moves behind it and its comma. */
static bool
attribute(struct sasl_octets *rest, char name, struct sasl_octets *value)
{
	const char *p = rest->at, *comma;

	if (rest->len < 2 || p[0] != name || p[1] != '=')
		return false;
	comma = memchr(p, ',', rest->len);
	value->at = p + 2;
	value->len = (comma != NULL ? (size_t)(comma - p) : rest->len) - 2;
	rest->at = comma != NULL ? comma + 1 : p + rest->len;
	rest->len -= value->len + 2 + (comma != NULL);
	return true;
}

/* Ours and something behind it, printable. */
static bool
good_nonce(const struct sasl *s, struct sasl_octets nonce)
{
	size_t ours = strlen(s->nonce);
	const char *p = nonce.at;

	for (size_t i = 0; i < nonce.len; i++)
		if (p[i] <= ' ' || p[i] > '~')
			return false;
	return nonce.len > ours && memcmp(p, s->nonce, ours) == 0;
}

/* Decimal digits; anything else, or what is far too large, is 0. */
static unsigned
number(struct sasl_octets digits)
{
	const char *p = digits.at;
	unsigned n = 0;

	if (digits.len > 9)
		return 0;
	for (size_t i = 0; i < digits.len; i++) {
		if (p[i] < '0' || p[i] > '9')
			return 0;
		n = n * 10 + (unsigned)(p[i] - '0');
	}
	return n;
}

/* NULL, or what is wrong. An "m" in front, or anything else, is an extension that must be known. */
static const char *
parse_first(const struct sasl *s, struct sasl_octets message, struct server_first *f)
{
	struct sasl_octets rounds;

	if (!attribute(&message, 'r', &f->nonce) || !attribute(&message, 's', &f->salt) ||
	    !attribute(&message, 'i', &rounds))
		return "its first message is malformed";
	if (!good_nonce(s, f->nonce))
		return "its nonce does not begin with ours, which may be an attack";
	f->rounds = number(rounds);
	if (f->rounds < ROUNDS_MIN)
		return "it wants fewer than 4096 rounds, which would make the password easy to "
		       "find";
	if (f->rounds > ROUNDS_MAX)
		return "it wants more than 1000000 rounds";
	return NULL;
}

/* Turn keys and the whole conversation into our proof and the signature that we expect. */
static int
sign(struct sasl *s, struct sasl_octets salted, struct sasl_octets talk, unsigned char *proof)
{
	const struct sasl_crypto *c = s->facts->crypto;
	enum sasl_hash h = s->mechanism->hash;
	unsigned char key[SASL_DIGEST], stored[SASL_DIGEST], signature[SASL_DIGEST];
	size_t len = sasl_digest_len(h);
	int r = -1;

	if (c->hmac(h, salted, text("Client Key"), proof) == 0 &&
	    c->hash(h, (struct sasl_octets){proof, len}, stored) == 0 &&
	    c->hmac(h, (struct sasl_octets){stored, len}, talk, signature) == 0 &&
	    c->hmac(h, salted, text("Server Key"), key) == 0 &&
	    c->hmac(h, (struct sasl_octets){key, len}, talk, s->signature) == 0)
		r = 0;
	for (size_t i = 0; i < len && r == 0; i++)
		proof[i] ^= signature[i];
	explicit_bzero(key, sizeof(key));
	explicit_bzero(stored, sizeof(stored));
	explicit_bzero(signature, sizeof(signature));
	return r;
}

/* RFC 5802 3, up to the proof. */
static int
prove(struct sasl *s, struct sasl_octets salt, unsigned rounds, struct sasl_octets talk,
    unsigned char *proof)
{
	enum sasl_hash h = s->mechanism->hash;
	unsigned char salted[SASL_DIGEST];
	int r =
	    s->facts->crypto->stretch(h, text(s->facts->account->password), salt, rounds, salted);

	if (r == 0)
		r = sign(s, (struct sasl_octets){salted, sasl_digest_len(h)}, talk, proof);
	explicit_bzero(salted, sizeof(salted));
	return r;
}

static int
client_final(struct sasl *s, struct sasl_octets challenge, struct buf *out)
{
	struct buf talk = BUF_INIT(MESSAGE_MAX), salt = BUF_INIT(MESSAGE_MAX);
	unsigned char proof[SASL_DIGEST] = {0};
	struct server_first f;
	int r = -1;

	if ((s->why = parse_first(s, challenge, &f)) != NULL)
		return -1;
	add_client_first_bare(s, &talk);
	buf_addc(&talk, ',');
	buf_add(&talk, challenge.at, challenge.len);
	buf_addc(&talk, ',');
	add_without_proof(s, &f, &talk);
	if (s->facts->crypto->decode(&salt, f.salt.at, f.salt.len) == -1 || salt.len == 0)
		s->why = "its salt is malformed";
	else if (talk.error != 0 || prove(s, content(&salt), f.rounds, content(&talk), proof) == -1)
		s->why = "out of memory";
	else {
		add_without_proof(s, &f, out);
		buf_adds(out, ",p=");
		s->facts->crypto->encode(out, proof, sasl_digest_len(s->mechanism->hash));
		r = 0;
	}
	explicit_bzero(proof, sizeof(proof));
	buf_free(&talk);
	buf_free(&salt);
	return r;
}

/* An error is for the server to say again, in its reply; what counts is that it proved nothing. */
static int
check_server_final(struct sasl *s, struct sasl_octets challenge)
{
	size_t len = sasl_digest_len(s->mechanism->hash);
	struct buf signature = BUF_INIT(MESSAGE_MAX);
	struct sasl_octets value;

	if (attribute(&challenge, 'e', &value))
		return 0;
	if (attribute(&challenge, 'v', &value) &&
	    s->facts->crypto->decode(&signature, value.at, value.len) == 0)
		s->proven = signature.len == len &&
			    s->facts->crypto->same(buf_str(&signature), s->signature, len);
	buf_free(&signature);
	if (!s->proven)
		s->why = "it does not know the password itself, which may be an attack";
	return s->proven ? 0 : -1;
}

int
sasl_scram(struct sasl *s, struct sasl_octets challenge, struct buf *out)
{
	switch (s->step) {
	case 0:
		add_gs2_header(s, out);
		add_client_first_bare(s, out);
		return 0;
	case 1:
		return client_final(s, challenge, out);
	case 2:
		return check_server_final(s, challenge);
	default:
		return -1;
	}
}
