/* SPDX-License-Identifier: ISC */
#include "mail/sasl.h"

#include <string.h>

/* A mechanism. `respond` gives the client's step-th response, or -1 when there is none. */
struct sasl_mechanism {
	const char *name;
	bool initial; /* the client speaks first */
	int (*respond)(const struct sasl *s, struct buf *out);
};

/* RFC 4616: one response, without an authorization identity. */
static int
plain(const struct sasl *s, struct buf *out)
{
	if (s->step != 0)
		return -1;
	buf_addc(out, '\0');
	buf_adds(out, s->account->user);
	buf_addc(out, '\0');
	buf_adds(out, s->account->password);
	return 0;
}

/* No RFC; what the challenges say differs between servers, their order does not. */
static int
login(const struct sasl *s, struct buf *out)
{
	if (s->step > 1)
		return -1;
	buf_adds(out, s->step == 0 ? s->account->user : s->account->password);
	return 0;
}

/* The best first. */
static const struct sasl_mechanism mechanisms[] = {
    {"PLAIN", true, plain},
    {"LOGIN", false, login},
};

static char
upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

static bool
same_word(const char *word, size_t len, const char *name)
{
	if (strlen(name) != len)
		return false;
	for (size_t i = 0; i < len; i++)
		if (upper(word[i]) != name[i])
			return false;
	return true;
}

static bool
lists(const char *offered, const char *name)
{
	const char *blank = " \t";

	for (const char *p = offered + strspn(offered, blank); *p != '\0'; p += strspn(p, blank)) {
		size_t len = strcspn(p, blank);

		if (same_word(p, len, name))
			return true;
		p += len;
	}
	return false;
}

const struct sasl_mechanism *
sasl_choose(const char *offered)
{
	for (size_t i = 0; i < sizeof(mechanisms) / sizeof(mechanisms[0]); i++)
		if (lists(offered, mechanisms[i].name))
			return &mechanisms[i];
	return NULL;
}

const char *
sasl_name(const struct sasl_mechanism *m)
{
	return m->name;
}

void
sasl_start(struct sasl *s, const struct sasl_mechanism *m, const struct sasl_account *a)
{
	*s = (struct sasl){.mechanism = m, .account = a};
}

bool
sasl_initial(struct sasl *s, struct buf *out)
{
	if (!s->mechanism->initial || s->mechanism->respond(s, out) == -1)
		return false;
	s->step++;
	return true;
}

int
sasl_step(struct sasl *s, const char *challenge, size_t len, struct buf *out)
{
	(void)challenge; /* neither mechanism depends on it */
	(void)len;
	if (s->mechanism->respond(s, out) == -1)
		return -1;
	s->step++;
	return 0;
}
