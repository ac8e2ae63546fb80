/* SPDX-License-Identifier: ISC */
/*
 * become: from root to a user, for good.
 */
#ifndef SYS_BECOME_H
#define SYS_BECOME_H

#include <sys/types.h>

/*
 * Real, effective and saved uid become `uid`, the gids that of its entry in /etc/passwd (65534
 * where it has none), with no other groups: a spool is its owner's alone, so no group is needed for it.
 * Then it is checked that there is no way back. Not dumpable afterwards. 0, or -1 with errno: the
 * process must then exit, it may be half way.
 */
int become(uid_t uid);

/*
 * Give up what is more than the uid itself, also for programs that are run from now on: all
 * capabilities, and what a set-id file would give. 0, or -1 with errno: the process must then exit.
 */
int become_powerless(void);

/* The uid of a name in /etc/passwd; `otherwise` when it is not there. */
uid_t become_uid(const char *name, uid_t otherwise);

#endif
