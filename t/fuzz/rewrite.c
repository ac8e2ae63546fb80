/* SPDX-License-Identifier: ISC */
/*
 * rewrite: rules (the first line) and an address (the second). What comes out of an address that is
 * one is one, also of rules that are refused; patterns match the same as rules.
 */
#include "mail/rewrite.h"

#include "fuzz.h"

static void
check(const char *rules, const char *address)
{
	char once[ADDRESS_MAX + 1], *all;
	const char *why = NULL;
	bool good = rewrite_check(rules, &why) == 0;

	CHECK(good || why != NULL);
	if (strlen(address) > ADDRESS_MAX)
		return;
	memcpy(once, address, strlen(address) + 1);
	rewrite_apply(rules, once);
	CHECK(strlen(once) <= ADDRESS_MAX);
	CHECK(!address_valid(address) || address_valid(once));
	CHECK(address[0] != '\0' || once[0] == '\0');
	if (!good || !address_valid(address))
		return;
	/* rules behind one that matches everything are refused, so ours counts where none does */
	CHECK(asprintf(&all, "%s%s*=other@example.org", rules, rules[0] != '\0' ? "," : "") > 0);
	if (rewrite_check(all, &why) == 0) {
		char other[ADDRESS_MAX + 1];

		memcpy(other, address, strlen(address) + 1);
		rewrite_apply(all, other);
		CHECK(strcmp(other, once) == 0 || strcmp(other, "other@example.org") == 0);
		CHECK(strcmp(other, once) == 0 || strcmp(once, address) == 0);
	}
	free(all);
}

/* A list of patterns is rules that keep: it matches what the rule "pattern=…" changes. */
static void
check_patterns(const char *patterns, const char *address)
{
	const char *why = NULL;
	bool good = rewrite_check_patterns(patterns, &why) == 0;
	bool matches = rewrite_matches(patterns, address);

	CHECK(good || why != NULL);
	CHECK(!matches || address[0] != '\0');
	if (good && address_valid(address) && strchr(patterns, ',') == NULL &&
	    strchr(patterns, '"') == NULL && strchr(patterns, '=') == NULL) {
		char once[ADDRESS_MAX + 1], *rule;

		memcpy(once, address, strlen(address) + 1);
		CHECK(asprintf(&rule, "%s=changed@example.net", patterns) > 0);
		if (rewrite_check(rule, &why) == 0 && strcmp(address, "changed@example.net") != 0) {
			rewrite_apply(rule, once);
			CHECK(matches == (strcmp(once, address) != 0));
		}
		free(rule);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz f = fuzz_start(data, size);
	char *rules = fuzz_line(&f), *address = fuzz_line(&f);

	check(rules, address);
	check_patterns(rules, address);
	free(rules);
	free(address);
	return 0;
}
