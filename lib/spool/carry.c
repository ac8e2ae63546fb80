/* SPDX-License-Identifier: ISC */
#include "spool/carry.h"

#include <bsd/string.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PIECE (64 * 1024)

int
carry_open(struct spool *sp, int fd, const char *path)
{
	*sp = (struct spool){.fd = fd, .owner = geteuid(), .flat = true};
	for (int i = 0; i < SPOOL_STATES; i++)
		sp->state[i] = -1;
	strlcpy(sp->path, path, sizeof(sp->path));
	return (sp->state[SPOOL_CUR] = fcntl(fd, F_DUPFD_CLOEXEC, 0)) == -1 ? -1 : 0;
}

/* The ID is the second line of the head, and of fixed width. */
static void
rename_inside(const struct claim *c, char *head, size_t len, struct queue_id id)
{
	char line[QUEUE_ID_LEN + 6];
	char *at;

	snprintf(line, sizeof(line), "\nid %s\n", c->id.s);
	if ((at = memmem(head, len, line, strlen(line))) != NULL)
		memcpy(at + strlen("\nid "), id.s, QUEUE_ID_LEN);
}

static int
copy(const struct claim *c, int fd, struct queue_id id)
{
	const struct timespec t[2] = {{.tv_nsec = UTIME_OMIT}, c->st.st_mtim};
	char piece[PIECE];
	off_t at = 0;
	ssize_t n;

	for (; at < c->st.st_size; at += n) {
		if ((n = pread(c->fd, piece, sizeof(piece), at)) <= 0) {
			errno = n == 0 ? EIO : errno;
			return -1;
		}
		if (at == 0)
			rename_inside(c, piece, (size_t)n, id);
		if (spool_write(fd, piece, (size_t)n) == -1)
			return -1;
	}
	return futimens(fd, t) == -1 ? -1 : fsync(fd);
}

/* What a crash left in tmp/ under this name is nobody's. */
static int
write_copy(const struct claim *c, struct spool *to, struct queue_id id)
{
	int tmp = spool_dir(to, SPOOL_TMP), fd, r;

	if (tmp == -1)
		return -1;
	unlinkat(tmp, id.s, 0);
	fd = openat(tmp, id.s, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd == -1)
		return spool_fail(to, "create tmp", id.s);
	r = copy(c, fd, id);
	if (r == -1)
		spool_fail(to, "write tmp", id.s);
	close(fd);
	return r;
}

int
carry_copy(const struct claim *c, struct spool *to, enum spool_state state, struct queue_id id)
{
	int dir = spool_dir(to, state), saved;

	if (dir == -1)
		return -1;
	if (write_copy(c, to, id) == 0 && spool_rename(to, id.s, SPOOL_TMP, state) == 0)
		return fsync(dir) == 0 ? 0 : spool_fail(to, "sync", spool_state_name(state));
	saved = errno;
	if (to->state[SPOOL_TMP] != -1)
		unlinkat(to->state[SPOOL_TMP], id.s, 0);
	errno = saved;
	return -1;
}

static bool
equal(int a, int b)
{
	char x[PIECE / 4], y[PIECE / 4];
	off_t at = 0;
	ssize_t n, m;

	do {
		n = pread(a, x, sizeof(x), at);
		m = pread(b, y, sizeof(y), at);
		if (n == -1 || n != m || memcmp(x, y, (size_t)n) != 0)
			return false;
		at += n;
	} while (n > 0);
	return true;
}

int
carry_same(const struct claim *c, struct spool *to, enum spool_state state)
{
	int dir = spool_dir(to, state), fd, same;

	if (dir == -1)
		return -1;
	fd = openat(dir, c->id.s, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd == -1)
		return errno == ENOENT ? -1 : 0;
	same = equal(c->fd, fd);
	close(fd);
	return same;
}
