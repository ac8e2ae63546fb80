/* SPDX-License-Identifier: ISC */
#include "spool/scan.h"

#include <bsd/string.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mail/queue_id.h"
#include "mail/status.h"

int
scan_open(struct scan *s, struct spool *sp, enum spool_state state)
{
	int fd = openat(
	    sp->fd, spool_state_name(state), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	memset(s, 0, sizeof(*s));
	if (fd == -1 && errno == ENOENT)
		return 0;
	if (fd == -1 || (s->dir = fdopendir(fd)) == NULL) {
		spool_fail(sp, "open", spool_state_name(state));
		if (fd != -1)
			close(fd);
		return -1;
	}
	return 0;
}

static void
note_junk(struct scan *s, const char *name)
{
	if (s->junk++ == 0)
		text_clean(s->example, sizeof(s->example), name, strlen(name));
}

int
scan_next(struct scan *s, struct scan_entry *entry)
{
	struct dirent *d;
	struct stat st;

	while (s->dir != NULL && (errno = 0, d = readdir(s->dir)) != NULL) {
		if (d->d_name[0] == '.')
			continue;
		if (!queue_id_valid(d->d_name)) {
			note_junk(s, d->d_name);
			continue;
		}
		if (fstatat(dirfd(s->dir), d->d_name, &st, AT_SYMLINK_NOFOLLOW) == -1)
			continue;
		strlcpy(entry->name, d->d_name, sizeof(entry->name));
		entry->due = st.st_mtim.tv_sec;
		entry->size = (uint64_t)st.st_size;
		return 1;
	}
	return s->dir == NULL || errno == 0 ? 0 : -1;
}

void
scan_close(struct scan *s)
{
	if (s->dir != NULL)
		closedir(s->dir);
	s->dir = NULL;
}
