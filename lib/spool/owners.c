/* SPDX-License-Identifier: ISC */
#include "spool/owners.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "spool/spool.h"

/* "1000" or "1000.0123456789abcdef": what else lies there is none of ours. */
static bool
looks_like_spool(const char *name)
{
	size_t n = strspn(name, "0123456789"), suffix;

	if (n == 0 || n > 10 || name[n] == '\0')
		return n > 0 && n <= 10;
	suffix = strspn(name + n + 1, "abcdefghijklmnopqrstuvwxyz0123456789");
	return name[n] == '.' && suffix == SPOOL_SUFFIX_LEN && name[n + 1 + suffix] == '\0';
}

int
spool_owners(
    const char *queue_dir, int (*each)(void *arg, const char *name, uid_t owner), void *arg)
{
	DIR *dir = opendir(queue_dir);
	struct dirent *d;
	struct stat st;
	int r = 0;

	if (dir == NULL)
		return -1;
	while (r == 0 && (d = readdir(dir)) != NULL)
		if (looks_like_spool(d->d_name) &&
		    fstatat(dirfd(dir), d->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISDIR(st.st_mode))
			r = each(arg, d->d_name, st.st_uid);
	closedir(dir);
	return r;
}
