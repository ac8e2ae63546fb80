/* SPDX-License-Identifier: ISC */
#include "sys/become.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NOGROUP 65534

/* Whether all three ids are what they should be and root cannot be had again. */
static int
verify(uid_t uid, gid_t gid)
{
	uid_t r, e, s;
	gid_t rg, eg, sg;

	if (getresuid(&r, &e, &s) == -1 || getresgid(&rg, &eg, &sg) == -1)
		return -1;
	if (r != uid || e != uid || s != uid || rg != gid || eg != gid || sg != gid ||
	    (uid != 0 && (setuid(0) == 0 || seteuid(0) == 0))) {
		errno = EPERM;
		return -1;
	}
	return 0;
}

/*
 * From /etc/passwd by ourselves: in a static program getpwuid() loads shared objects of whatever
 * version is there, and crashes in them.
 */
static bool
find(bool (*fits)(const struct passwd *pw, const void *key), const void *key, struct passwd *found)
{
	FILE *file = fopen("/etc/passwd", "re");
	const struct passwd *pw = NULL;

	if (file == NULL)
		return false;
	while ((pw = fgetpwent(file)) != NULL && !fits(pw, key))
		;
	if (pw != NULL)
		*found = *pw;
	fclose(file);
	return pw != NULL;
}

static bool
has_uid(const struct passwd *pw, const void *uid)
{
	return pw->pw_uid == *(const uid_t *)uid;
}

static bool
has_name(const struct passwd *pw, const void *name)
{
	return strcmp(pw->pw_name, name) == 0;
}

int
become(uid_t uid)
{
	struct passwd pw;
	gid_t gid = find(has_uid, &uid, &pw) ? pw.pw_gid : NOGROUP;

	if (uid == (uid_t)-1) {
		errno = EINVAL;
		return -1;
	}
	if (setgroups(0, NULL) == -1 || setresgid(gid, gid, gid) == -1 ||
	    setresuid(uid, uid, uid) == -1 || verify(uid, gid) == -1)
		return -1;
	return prctl(PR_SET_DUMPABLE, 0);
}

int
become_powerless(void)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {0}, left[2];

	/* Without no_new_privs root's next exec would have all of the bounding set again. */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		return -1;
	for (unsigned long cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		prctl(PR_CAPBSET_DROP, cap, 0, 0, 0); /* EPERM for those who had none */
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (syscall(SYS_capset, &head, none) == -1 || syscall(SYS_capget, &head, left) == -1)
		return -1;
	if (memcmp(left, none, sizeof(none)) == 0)
		return 0;
	errno = EPERM;
	return -1;
}

uid_t
become_uid(const char *name, uid_t otherwise)
{
	struct passwd pw;

	return find(has_name, name, &pw) ? pw.pw_uid : otherwise;
}
