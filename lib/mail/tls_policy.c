/* SPDX-License-Identifier: ISC */
#include "mail/tls_policy.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

#define BLANKS " \t"
#define WORD(text) text,

struct rule {
	char pattern[HOST_LEN]; /* "": every name; with a dot in front: every name below it */
	enum tls_policy policy;
};

/* Letters, digits and what stands in host names and in address literals. */
static bool
name_ok(const char *name, size_t len)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-_.:[]";

	return len > 0 && len < HOST_LEN && strspn(name, allowed) >= len && name[0] != '.' &&
	       name[len - 1] != '.';
}

static const char *
take_pattern(char pattern[HOST_LEN], const char **p)
{
	size_t len = strcspn(*p, "=," BLANKS), star = 0;
	const char *name = *p;

	*p += len;
	pattern[0] = '\0';
	if (len == 1 && *name == '*')
		return NULL;
	if (len > 2 && name[0] == '*' && name[1] == '.')
		star = 1;
	if (!name_ok(name + 2 * star, len - 2 * star))
		return "not a name, *.name or *";
	memcpy(pattern, name + star, len - star);
	pattern[len - star] = '\0';
	return NULL;
}

static const char *
take_policy(enum tls_policy *policy, const char **p)
{
	static const char *const words[] = {TLS_POLICY_WORDS(WORD, WORD)};
	size_t len = strcspn(*p, "," BLANKS);

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strlen(words[i]) != len || strncmp(*p, words[i], len) != 0)
			continue;
		*policy = (enum tls_policy)i;
		*p += len;
		return NULL;
	}
	return "no policy: auto, none, may, encrypt, verify or dane";
}

/* The rule at *p, and the comma behind it. NULL, or what is wrong. */
static const char *
take_rule(struct rule *r, const char **p)
{
	const char *why;

	*p += strspn(*p, BLANKS);
	if ((why = take_pattern(r->pattern, p)) != NULL)
		return why;
	*p += strspn(*p, BLANKS);
	if (**p != '=')
		return "not a rule such as example.org = verify";
	++*p;
	*p += strspn(*p, BLANKS);
	if ((why = take_policy(&r->policy, p)) != NULL)
		return why;
	*p += strspn(*p, BLANKS);
	if (**p == '\0')
		return NULL;
	if (**p != ',')
		return "a comma stands between rules";
	++*p;
	return r->pattern[0] == '\0' ? "a rule behind the one for all is never used" : NULL;
}

int
tls_policies_check(const char *rules, const char **why)
{
	struct rule r;

	while (*rules != '\0')
		if ((*why = take_rule(&r, &rules)) != NULL)
			return -1;
	return 0;
}

static bool
matches(const char *pattern, const char *name)
{
	size_t n = strlen(pattern), len = strlen(name);

	if (pattern[0] == '.')
		return len > n && strcasecmp(name + len - n, pattern) == 0;
	return n == 0 || strcasecmp(name, pattern) == 0;
}

enum tls_policy
tls_policies_find(const char *rules, const char *name, enum tls_policy otherwise)
{
	struct rule r;

	while (*rules != '\0' && take_rule(&r, &rules) == NULL)
		if (matches(r.pattern, name))
			return r.policy;
	return otherwise;
}
