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
	const char *name = sp->flat && state == SPOOL_CUR ? "." : spool_state_name(state);
	int fd = openat(sp->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	memset(s, 0, sizeof(*s));
	if (fd == -1 && errno == ENOENT)
		return 0;
	if (fd == -1 || (s->dir = fdopendir(fd)) == NULL) {
		spool_fail(sp, "open", name);
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
scan_name(struct scan *s, char name[16])
{
	struct dirent *d;

	while (s->dir != NULL && (errno = 0, d = readdir(s->dir)) != NULL) {
		if (d->d_name[0] == '.')
			continue;
		if (queue_id_valid(d->d_name)) {
			strlcpy(name, d->d_name, 16);
			return 1;
		}
		note_junk(s, d->d_name);
	}
	return s->dir == NULL || errno == 0 ? 0 : -1;
}

int
scan_next(struct scan *s, struct scan_entry *entry)
{
	struct stat st;
	int r;

	while ((r = scan_name(s, entry->name)) == 1) {
		if (fstatat(dirfd(s->dir), entry->name, &st, AT_SYMLINK_NOFOLLOW) == -1)
			continue;
		entry->due = st.st_mtim.tv_sec;
		entry->aside = st.st_mtim.tv_nsec == SPOOL_ASIDE;
		entry->size = (uint64_t)st.st_size;
		break;
	}
	return r;
}

void
scan_close(struct scan *s)
{
	if (s->dir != NULL)
		closedir(s->dir);
	s->dir = NULL;
}
