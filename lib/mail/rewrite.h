/* SPDX-License-Identifier: ISC */
/*
 * rewrite: rules that put one address in the place of another, for relays that accept few senders.
 * The text of [rewrite] envelope_from, header_from and reply_to. Pure; nothing is allocated.
 *
 *	rules        = rule *("," rule)            blanks around each piece are nothing
 *	rule         = [pattern "="] replacement   without a pattern: for every address
 *	pattern      = user@domain | user@* | *@domain | *@*.domain | *@* | *
 *	replacement  = user@domain | user@* | *@domain | *@* | *
 *
 * The first rule whose pattern matches is applied, once; there is none behind one that matches
 * everything. "*" stands for a whole local-part or domain: in a replacement for that of the address
 * ("root@* = *" leaves root as it is). *.domain is every domain below it, not itself. A local-part
 * with "=" or "*" in it is written in quotes, so that "root=me@example.org" is a mistake and not a
 * rule. Patterns match regardless of ASCII case, in the local-part too.
 *
 * A result may match another rule: whether a second pass changes nothing is up to the rules.
 */
#ifndef MAIL_REWRITE_H
#define MAIL_REWRITE_H

#include <stdbool.h>

#include "mail/address.h"

/* [rewrite] keep: where the From goes that was replaced. */
enum keep {
	KEEP_REPLY_TO,
	KEEP_X_ORIGINAL_FROM,
	KEEP_NONE,
};

/* Whether it is a list of rules, or empty. 0, or -1 with *why a constant string. */
int rewrite_check(const char *rules, const char **why);

/*
 * Apply them to an address in place. "" (the null reverse-path), a name without a domain, and what
 * would become longer than an address may be stay as they are; so the result is address_valid()
 * when the address was. Rules: NULL is none, what rewrite_check() refuses counts up to its mistake.
 */
void rewrite_apply(const char *rules, char address[ADDRESS_MAX + 1]);

/*
 * A list of patterns alone, pattern *("," pattern), or empty: whether it is one, as
 * rewrite_check(); and whether an address matches one of them, which "" never does.
 */
int rewrite_check_patterns(const char *patterns, const char **why);
bool rewrite_matches(const char *patterns, const char *address);

#endif
