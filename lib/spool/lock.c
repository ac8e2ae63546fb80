/* SPDX-License-Identifier: ISC */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "spool/spool.h"

/*
 * Open file description locks: smtp and a child inherit none of it through exec, and somebody
 * who only wants to know asks without taking it for an instant, which a starting flusher
 * would take for another flusher.
 */
int
spool_lock(struct spool *sp)
{
	struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int fd = openat(
	    sp->fd, SPOOL_LOCK, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);

	if (fd == -1)
		return spool_fail(sp, "open", SPOOL_LOCK);
	if (fcntl(fd, F_OFD_SETLK, &l) == -1) {
		bool taken = errno == EAGAIN || errno == EACCES;
		spool_fail(sp, "lock", SPOOL_LOCK);
		close(fd);
		if (taken)
			errno = EWOULDBLOCK;
		return -1;
	}
	return fd;
}

bool
spool_flusher_alive(struct spool *sp)
{
	struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int fd = openat(sp->fd, SPOOL_LOCK, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	bool alive = fd != -1 && fcntl(fd, F_OFD_GETLK, &l) == 0 && l.l_type != F_UNLCK;

	if (fd != -1)
		close(fd);
	return alive;
}

unsigned
spool_sweep(struct spool *sp, int64_t now)
{
	int fd = openat(
	    sp->fd, spool_state_name(SPOOL_TMP), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd != -1 ? fdopendir(fd) : NULL;
	struct dirent *d;
	struct stat st;
	unsigned swept = 0;

	if (dir == NULL) {
		if (fd != -1)
			close(fd);
		return 0;
	}
	while ((d = readdir(dir)) != NULL)
		if (d->d_name[0] != '.' && fstatat(fd, d->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    st.st_mtime < now - SPOOL_TMP_AGE && unlinkat(fd, d->d_name, 0) == 0)
			swept++;
	closedir(dir);
	return swept;
}
