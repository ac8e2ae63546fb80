/* SPDX-License-Identifier: ISC */
/*
 * tls_policy: the text of [tls] policies, which says what is demanded of TLS at some destinations.
 * Pure; nothing is allocated.
 *
 *	policies = rule *("," rule)        blanks around each piece are nothing
 *	rule     = pattern "=" policy
 *	pattern  = name | *.name | *       *.name is every name below it, not itself; * stands last
 *	policy   = auto | none | may | encrypt | verify | dane
 *
 * A name is that of a relay as it is configured, else the domain of the recipients. The first rule
 * whose pattern matches counts. Regardless of case.
 */
#ifndef MAIL_TLS_POLICY_H
#define MAIL_TLS_POLICY_H

#include "mail/route.h"

/* The words of enum tls_policy, in its order. */
#define TLS_POLICY_WORDS(first, more) \
	first("auto") more("none") more("may") more("encrypt") more("verify") more("dane")

/* Whether it is a list of rules, or empty. 0, or -1 with *why a constant string. */
int tls_policies_check(const char *rules, const char **why);

/*
 * The policy for a name: `otherwise` when no rule matches. Rules that tls_policies_check() refuses
 * count up to their mistake.
 */
enum tls_policy tls_policies_find(const char *rules, const char *name, enum tls_policy otherwise);

#endif
