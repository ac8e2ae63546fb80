/* SPDX-License-Identifier: ISC */
/*
 * host: what this machine and this user are called, without asking the network.
 */
#ifndef SYS_HOST_H
#define SYS_HOST_H

#include "mail/route.h"

/*
 * The machine's name: `set` when it is one; else gethostname(), completed from /etc/hosts when it
 * has no dot. Always something: "localhost" at worst. Here and below a name is letters, digits and
 * ".-_[]:", and what is none counts as missing.
 */
void host_name(char dst[HOST_LEN], const char *set);

/*
 * The domain for bare addresses: `set`; else the first line of /etc/mailname; else host_name(). 0, or
 * -1 with errno where that file cannot be read just now, and dst need not be the right one.
 */
int host_domain(char dst[HOST_LEN], const char *set, const char *hostname);

/*
 * Where this person's spool is when there is none for the machine: $XDG_STATE_HOME/pillarbox or
 * ~/.local/state/pillarbox, into dst[PATH_MAX]; NULL when neither variable is an absolute path.
 */
const char *host_state(char *dst);

/*
 * Login and full name of a uid, from /etc/passwd or, when it is not there, from getent(1) (LDAP …);
 * "uid1000" and "" when there is none (a random uid in a container). The environment is not asked:
 * USER may name somebody else. An "&" in GECOS stands for the login; what follows a comma is cut.
 * A login that no address can have counts as none, and one with a domain loses it.
 */
struct host_user {
	char login[USER_LEN];
	char full_name[USER_LEN];
};
void host_user(struct host_user *u, unsigned uid);

#endif
