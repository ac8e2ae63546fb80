/* SPDX-License-Identifier: ISC */
#include "mail/sasl.h"

#include <stdio.h>
#include <string.h>

#include "mail/sasl_impl.h"
#include "mail/utf8.h"

#define SEPARATORS " \t,"

/* RFC 4616: one response, without an authorization identity. */
static int
plain(struct sasl *s, struct sasl_octets challenge, struct buf *out)
{
	(void)challenge;
	if (s->step != 0)
		return -1;
	buf_addc(out, '\0');
	buf_adds(out, s->facts->account->user);
	buf_addc(out, '\0');
	buf_adds(out, s->facts->account->password);
	return 0;
}

/* What the challenges say differs between servers, their order does not. */
static int
login(struct sasl *s, struct sasl_octets challenge, struct buf *out)
{
	const struct sasl_account *a = s->facts->account;

	(void)challenge;
	if (s->step > 1)
		return -1;
	buf_adds(out, s->step == 0 ? a->user : a->password);
	return 0;
}

/* RFC 2195: the user and the challenge's keyed digest in hexadecimal. */
static int
cram_md5(struct sasl *s, struct sasl_octets challenge, struct buf *out)
{
	const struct sasl_account *a = s->facts->account;
	struct sasl_octets key = {a->password, strlen(a->password)};
	unsigned char digest[SASL_DIGEST];

	if (s->step != 0)
		return -1;
	if (s->facts->crypto->hmac(SASL_MD5, key, challenge, digest) == -1) {
		s->why = "no MD5 on this system";
		return -1;
	}
	buf_adds(out, a->user);
	buf_addc(out, ' ');
	for (size_t i = 0; i < sasl_digest_len(SASL_MD5); i++)
		buf_addf(out, "%02x", digest[i]);
	return 0;
}

/*
 * A token is refused by a challenge that says why; then comes the verdict, once that is answered
 * (RFC 7628 3.2.3).
 */
static int
oauthbearer(struct sasl *s, struct sasl_octets challenge, struct buf *out)
{
	const struct sasl_account *a = s->facts->account;

	(void)challenge;
	if (s->step > 1)
		return -1;
	if (s->step == 0) {
		buf_adds(out, "n,a=");
		sasl_add_name(out, a->user);
		buf_addf(out, ",\001auth=Bearer %s\001", a->password);
	}
	buf_addc(out, '\001');
	return 0;
}

/* Google's and Microsoft's, of which RFC 7628 came. An error is answered by nothing. */
static int
xoauth2(struct sasl *s, struct sasl_octets challenge, struct buf *out)
{
	const struct sasl_account *a = s->facts->account;

	(void)challenge;
	if (s->step > 1)
		return -1;
	if (s->step == 0)
		buf_addf(out, "user=%s\001auth=Bearer %s\001\001", a->user, a->password);
	return 0;
}

/* RFC 4422 A: as whom to act; who we are was said by TLS. */
static int
external(struct sasl *s, struct sasl_octets challenge, struct buf *out)
{
	(void)challenge;
	if (s->step != 0)
		return -1;
	buf_adds(out, s->facts->account->user);
	return 0;
}

/* The best first; the reasons are in sasl.h. */
static const struct sasl_mechanism mechanisms[] = {
    {"SCRAM-SHA-256-PLUS", SASL_PROOF, true, sasl_scram, true, true, SASL_SHA256},
    {"SCRAM-SHA-1-PLUS", SASL_PROOF, true, sasl_scram, true, true, SASL_SHA1},
    {"SCRAM-SHA-256", SASL_PROOF, true, sasl_scram, true, false, SASL_SHA256},
    {"SCRAM-SHA-1", SASL_PROOF, true, sasl_scram, true, false, SASL_SHA1},
    {"PLAIN", SASL_CLEAR, true, plain, false, false, 0},
    {"LOGIN", SASL_CLEAR, false, login, false, false, 0},
    {"CRAM-MD5", SASL_PROOF, false, cram_md5, false, false, 0},
    {"OAUTHBEARER", SASL_TOKEN, true, oauthbearer, false, false, 0},
    {"XOAUTH2", SASL_TOKEN, true, xoauth2, false, false, 0},
    {"EXTERNAL", SASL_OTHER, true, external, false, false, 0},
};

#define MECHANISMS (sizeof(mechanisms) / sizeof(mechanisms[0]))

/* Lists of names. */

static char
upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

static bool
same_word(struct sasl_octets word, const char *name)
{
	const char *w = word.at;

	if (strlen(name) != word.len)
		return false;
	for (size_t i = 0; i < word.len; i++)
		if (upper(w[i]) != name[i])
			return false;
	return true;
}

/* The next word of a list, which moves behind it; of length 0 at the end. */
static struct sasl_octets
next_word(const char **list)
{
	const char *start = *list + strspn(*list, SEPARATORS);
	size_t len = strcspn(start, SEPARATORS);

	*list = start + len;
	return (struct sasl_octets){start, len};
}

bool
sasl_lists(const char *list, const char *name)
{
	struct sasl_octets word;

	while ((word = next_word(&list)).len > 0)
		if (same_word(word, name))
			return true;
	return false;
}

static const struct sasl_mechanism *
find(struct sasl_octets word)
{
	for (size_t i = 0; i < MECHANISMS; i++)
		if (same_word(word, mechanisms[i].name))
			return &mechanisms[i];
	return NULL;
}

int
sasl_check(const char *list, const char **why)
{
	struct sasl_octets word;

	while ((word = next_word(&list)).len > 0)
		if (find(word) == NULL) {
			*why =
			    "not a list of SCRAM-SHA-256-PLUS, SCRAM-SHA-1-PLUS, SCRAM-SHA-256, "
			    "SCRAM-SHA-1, PLAIN, LOGIN, CRAM-MD5, OAUTHBEARER, XOAUTH2, EXTERNAL";
			return -1;
		}
	return 0;
}

/* The choice. */

/* The account's preference number i; NULL: there are no more. */
static const struct sasl_mechanism *
preference(const struct sasl_account *a, size_t i)
{
	const char *list = a->mechanisms;
	struct sasl_octets word = next_word(&list);

	if (word.len == 0)
		return i < MECHANISMS && mechanisms[i].kind != SASL_OTHER ? &mechanisms[i] : NULL;
	while (i-- > 0)
		word = next_word(&list);
	return find(word);
}

/* UTF-8 without control characters: see sasl.h. */
static bool
prepared(const char *s)
{
	size_t len = strlen(s), n;

	for (; len > 0; s += n, len -= n) {
		unsigned char c = (unsigned char)s[0];

		n = utf8_len(s, len);
		if (n == 0 || c < 0x20 || c == 0x7f || (c == 0xc2 && (unsigned char)s[1] < 0xa0))
			return false;
	}
	return true;
}

static bool
usable(const struct sasl_facts *f, const struct sasl_mechanism *m)
{
	const struct sasl_account *a = f->account;

	if (!sasl_lists(f->offered, m->name))
		return false;
	if (m->plus && (f->binding == NULL || f->binding->name == NULL))
		return false;
	if (m->scram && !(prepared(a->user) && prepared(a->password)))
		return false;
	return m->kind == SASL_OTHER || a->password[0] != '\0';
}

const struct sasl_mechanism *
sasl_choose(const struct sasl_facts *f)
{
	const struct sasl_mechanism *m;

	for (size_t i = 0; (m = preference(f->account, i)) != NULL; i++)
		if (usable(f, m))
			return m;
	return NULL;
}

static bool
takes_password(const struct sasl_mechanism *m)
{
	return m->kind == SASL_PROOF || m->kind == SASL_CLEAR;
}

const struct sasl_mechanism *
sasl_another(const struct sasl_facts *f, const struct sasl_mechanism *refused, int code)
{
	const struct sasl_mechanism *m, *found = NULL;

	if (!takes_password(refused) || (refused->kind == SASL_CLEAR && code == 535))
		return NULL;
	for (size_t i = 0; (m = preference(f->account, i)) != NULL; i++) {
		if (m == refused || !takes_password(m) || !usable(f, m))
			continue;
		if (m->kind == SASL_CLEAR)
			return m;
		/* What it did not like may have been the kind of binding. */
		if (found == NULL || (refused->plus && found->plus && !m->plus))
			found = m;
	}
	return found;
}

bool
sasl_offers_plus(const struct sasl_facts *f)
{
	for (size_t i = 0; i < MECHANISMS; i++)
		if (mechanisms[i].plus && sasl_lists(f->offered, mechanisms[i].name))
			return true;
	return false;
}

/* The exchange. */

const char *
sasl_name(const struct sasl_mechanism *m)
{
	return m->name;
}

size_t
sasl_digest_len(enum sasl_hash h)
{
	return h == SASL_MD5 ? 16 : h == SASL_SHA1 ? 20 : 32;
}

void
sasl_add_name(struct buf *out, const char *user)
{
	for (; *user != '\0'; user++)
		if (*user == ',')
			buf_adds(out, "=2C");
		else if (*user == '=')
			buf_adds(out, "=3D");
		else
			buf_addc(out, *user);
}

void
sasl_start(struct sasl *s, const struct sasl_mechanism *m, const struct sasl_facts *f, bool again)
{
	*s = (struct sasl){.mechanism = m, .facts = f};
	snprintf(s->nonce, sizeof(s->nonce), "%s%s", f->nonce, again ? "+" : "");
}

bool
sasl_initial(struct sasl *s, struct buf *out)
{
	return s->mechanism->initial && sasl_step(s, "", 0, out) == 0;
}

int
sasl_step(struct sasl *s, const char *challenge, size_t len, struct buf *out)
{
	if (s->mechanism->respond(s, (struct sasl_octets){challenge, len}, out) == -1)
		return -1;
	s->step++;
	return 0;
}

bool
sasl_proven(const struct sasl *s)
{
	return !s->mechanism->scram || s->proven;
}
