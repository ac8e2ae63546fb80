/* SPDX-License-Identifier: ISC */
#include "mail/rewrite.h"

#include <string.h>
#include <strings.h>

static const char no_rule[] = "not a rule such as root@* = cron@example.org";

/* "" is any; a domain that begins with a dot is every one below it. */
struct side {
	char local[ADDRESS_MAX + 1];
	char domain[ADDRESS_MAX + 1];
};

struct rule {
	struct side pattern, replacement;
};

static void
skip_blanks(const char **p)
{
	*p += strspn(*p, " \t");
}

/* local@domain. Whether it is an address; dst is touched in any case. */
static bool
join(char dst[ADDRESS_MAX + 1], const char *local, const char *domain)
{
	size_t n = strlen(local), len = strlen(domain);

	if (n + 1 + len > ADDRESS_MAX)
		return false;
	memcpy(dst, local, n);
	dst[n] = '@';
	memcpy(dst + n + 1, domain, len + 1);
	return address_valid(dst);
}

/* A local-part as the address parser would have it: in quotes only where they must be. */
static void
copy_local(char dst[ADDRESS_MAX + 1], const char *s, size_t n)
{
	if (s[0] == '"' && address_local(s + 1) == n - 2 && s[n - 2] != '.' &&
	    memmem(s, n, "..", 2) == NULL) {
		s++;
		n -= 2;
	}
	memcpy(dst, s, n);
	dst[n] = '\0';
}

static const char *
take_local(char local[ADDRESS_MAX + 1], const char **p)
{
	const char *s = *p;
	size_t n = address_local(s);

	local[0] = '\0';
	if (*s == '*' && strchr("@=, \t", s[1]) != NULL) {
		++*p;
		return NULL;
	}
	if (n == 0 || n > ADDRESS_MAX)
		return no_rule;
	if (*s != '"' && (memchr(s, '=', n) != NULL || memchr(s, '*', n) != NULL))
		return "a local-part with = or * in it is written in quotes; a pattern has an @";
	copy_local(local, s, n);
	*p += n;
	return NULL;
}

static const char *
take_domain(char domain[ADDRESS_MAX + 1], const char **p)
{
	size_t n = strcspn(*p, "=, \t"), star = **p == '*';

	if (n - star > ADDRESS_MAX || n == 0)
		return no_rule;
	memcpy(domain, *p + star, n - star);
	domain[n - star] = '\0';
	if (star == 1 && n > 1 && domain[0] != '.')
		return "* stands for a whole domain, or for what is in front of its dot";
	if (star == 0 && domain[0] == '.')
		return "a domain begins with a dot";
	*p += n;
	return NULL;
}

static const char *
take_side(struct side *side, const char **p)
{
	const char *why = take_local(side->local, p), *domain = "x";
	char probe[ADDRESS_MAX + 1];

	side->domain[0] = '\0';
	if (why != NULL)
		return why;
	if (**p == '@') {
		++*p;
		why = take_domain(side->domain, p);
	} else if (side->local[0] != '\0') {
		why = no_rule;
	}
	if (why != NULL)
		return why;
	if (side->domain[0] != '\0')
		domain = side->domain + (side->domain[0] == '.');
	if (!join(probe, side->local[0] != '\0' ? side->local : "x", domain))
		return "not an address";
	return NULL;
}

/* One rule, up to its comma or the end. NULL, or what is wrong with it. */
static const char *
take_rule(struct rule *r, const char **p)
{
	const char *why;

	r->pattern.local[0] = r->pattern.domain[0] = '\0';
	skip_blanks(p);
	if ((why = take_side(&r->replacement, p)) != NULL)
		return why;
	skip_blanks(p);
	if (**p == '=') {
		++*p;
		skip_blanks(p);
		r->pattern = r->replacement;
		if ((why = take_side(&r->replacement, p)) != NULL)
			return why;
		skip_blanks(p);
	}
	if (**p != ',' && **p != '\0')
		return no_rule;
	return r->replacement.domain[0] == '.' ? "*.domain is a pattern, no replacement" : NULL;
}

static bool
matches_all(const struct side *pattern)
{
	return pattern->local[0] == '\0' && pattern->domain[0] == '\0';
}

static bool
domain_matches(const char *pattern, const char *domain)
{
	size_t n = strlen(pattern), len = strlen(domain);

	if (*pattern == '.')
		return len > n && strcasecmp(domain + len - n, pattern) == 0;
	return *pattern == '\0' || strcasecmp(domain, pattern) == 0;
}

static bool
matches(const struct side *pattern, const char *local, const char *domain)
{
	return (pattern->local[0] == '\0' || strcasecmp(pattern->local, local) == 0) &&
	       domain_matches(pattern->domain, domain);
}

/* One pattern of a list, up to its comma or the end. NULL, or what is wrong with it. */
static const char *
take_pattern(struct side *pattern, const char **p)
{
	const char *why;

	skip_blanks(p);
	why = take_side(pattern, p);
	skip_blanks(p);
	if (why == no_rule || (why == NULL && **p != ',' && **p != '\0'))
		return "not a pattern such as user@domain, *@domain or user@*";
	return why;
}

int
rewrite_check_patterns(const char *patterns, const char **why)
{
	struct side pattern;

	skip_blanks(&patterns);
	if (*patterns == '\0')
		return 0;
	while ((*why = take_pattern(&pattern, &patterns)) == NULL)
		if (*patterns++ == '\0')
			return 0;
	return -1;
}

bool
rewrite_matches(const char *patterns, const char *address)
{
	size_t at = address_local(address);
	char local[ADDRESS_MAX + 1];
	struct side pattern;

	if (at == 0 || at > ADDRESS_MAX || address[at] != '@')
		return false;
	copy_local(local, address, at);
	while (take_pattern(&pattern, &patterns) == NULL) {
		if (matches(&pattern, local, address + at + 1))
			return true;
		if (*patterns++ == '\0')
			break;
	}
	return false;
}

int
rewrite_check(const char *rules, const char **why)
{
	struct rule r;

	skip_blanks(&rules);
	if (*rules == '\0')
		return 0;
	while ((*why = take_rule(&r, &rules)) == NULL) {
		if (*rules++ == '\0')
			return 0;
		if (matches_all(&r.pattern)) {
			*why = "a rule behind one that matches everything";
			break;
		}
	}
	return -1;
}

void
rewrite_apply(const char *rules, char address[ADDRESS_MAX + 1])
{
	size_t at = address_local(address);
	char local[ADDRESS_MAX + 1], result[ADDRESS_MAX + 1];
	const char *domain = address + at + 1;
	struct rule r;

	if (rules == NULL || at == 0 || at > ADDRESS_MAX || address[at] != '@')
		return;
	copy_local(local, address, at);
	while (take_rule(&r, &rules) == NULL) {
		const struct side *to = &r.replacement;

		if (matches(&r.pattern, local, domain)) {
			if (join(result, to->local[0] != '\0' ? to->local : local,
				to->domain[0] != '\0' ? to->domain : domain))
				memcpy(address, result, strlen(result) + 1);
			return;
		}
		if (*rules++ == '\0')
			return;
	}
}
