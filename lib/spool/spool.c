/* SPDX-License-Identifier: ISC */
#include "spool/spool.h"

#include <bsd/stdlib.h>
#include <bsd/string.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NOREPLACE 1U /* RENAME_NOREPLACE, which not every C library declares, nor renameat2() */

#define NOT_OURS "is no directory of its owner that can be read"

static const char *const state_names[SPOOL_STATES] = {"tmp", "new", "cur", "hold", "failed"};

const char *
spool_state_name(enum spool_state state)
{
	return state_names[state];
}

int
spool_fail(struct spool *sp, const char *act, const char *name)
{
	int e = errno;

	snprintf(sp->error, sizeof(sp->error), "cannot %s %.700s%s%s: %s (uid %u)", act, sp->path,
	    *name != '\0' ? "/" : "", name, strerror(e), (unsigned)geteuid());
	errno = e;
	return -1;
}

/* What strerror() would not make plain. Returns -1 with errno EPERM. */
static int
refuse(struct spool *sp, const char *path, const char *why)
{
	snprintf(
	    sp->error, sizeof(sp->error), "%.700s %s (uid %u)", path, why, (unsigned)geteuid());
	errno = EPERM;
	return -1;
}

static void
reset(struct spool *sp)
{
	sp->fd = -1;
	sp->owner = geteuid(); /* we open no other's */
	sp->flat = false;
	sp->queue_dev = 0;
	sp->queue_ino = 0;
	/* Not the whole of the texts: it is done for every message that is posted. */
	sp->path[0] = sp->error[0] = sp->notice[0] = '\0';
	for (int i = 0; i < SPOOL_STATES; i++)
		sp->state[i] = -1;
}

/* sp->path = dir/name */
static int
set_path(struct spool *sp, const char *dir, const char *name)
{
	int n = snprintf(sp->path, sizeof(sp->path), "%s%s%s", dir, *name != '\0' ? "/" : "", name);

	if (n >= 0 && (size_t)n < sizeof(sp->path))
		return 0;
	errno = ENAMETOOLONG;
	return -1;
}

/*
 * Open sp->path as our directory. 1: it is, sp->fd is set; 0: it is not there; -1: EPERM when it
 * is somebody else's or not a directory, so that another name has to do; or errno.
 * One of ours that others may read was made by hand: it is closed to them. One that others may
 * write to may hold what they put there: refused.
 */
static int
open_owned(struct spool *sp)
{
	int fd = open(sp->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd == -1) {
		if (errno == ENOENT)
			return 0;
		/* A directory of somebody else's is not readable, a link or a file is no directory.
		 */
		if (errno == EACCES || errno == ENOTDIR || errno == ELOOP)
			errno = EPERM;
		return -1;
	}
	if (fstat(fd, &st) == -1) {
		int e = errno;

		close(fd);
		errno = e;
		return -1;
	}
	if (st.st_uid != sp->owner) {
		close(fd);
		errno = EPERM;
		return -1;
	}
	if ((st.st_mode & 022) != 0 || ((st.st_mode & 077) != 0 && fchmod(fd, 0700) == -1)) {
		close(fd);
		refuse(
		    sp, sp->path, "is open to others: chmod 700 it when nothing in it is foreign");
		errno = EACCES;
		return -1;
	}
	sp->fd = fd;
	return 1;
}

static int
sync_dir(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), r, e;

	if (fd == -1)
		return -1;
	r = fsync(fd);
	e = errno;
	close(fd);
	errno = e;
	return r;
}

/* The name of a directory that was just made comes to the disk, too. */
static int
sync_parent(const char *path)
{
	char parent[PATH_MAX];
	char *slash;

	if (strlcpy(parent, path, sizeof(parent)) >= sizeof(parent)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if ((slash = strrchr(parent, '/')) == NULL)
		return sync_dir(".");
	slash[slash == parent] = '\0';
	return sync_dir(parent);
}

/* While there is room for it: a flusher that cannot lock could not make any by delivering. */
static int
make_lock(const struct spool *sp)
{
	int fd = openat(
	    sp->fd, SPOOL_LOCK, O_RDONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);

	if (fd == -1)
		return -1;
	close(fd);
	return 0;
}

/*
 * Make sp->path with its states. The states come first to the disk, then the name of the
 * whole: a power cut leaves no half of it that would look complete.
 */
static int
make_owned(struct spool *sp)
{
	if (mkdir(sp->path, 0700) == -1 && errno != EEXIST)
		return -1;
	if (open_owned(sp) != 1)
		return -1;
	for (int i = 0; i < SPOOL_STATES; i++)
		if (mkdirat(sp->fd, state_names[i], 0700) == -1 && errno != EEXIST)
			return -1;
	return make_lock(sp) == 0 && fsync(sp->fd) == 0 && sync_parent(sp->path) == 0 ? 0 : -1;
}

/* Whether `name` is "<uid>" or "<uid>.<16 letters and digits>". */
static bool
spool_name(const char *name, uid_t uid)
{
	char prefix[16];
	size_t n = (size_t)snprintf(prefix, sizeof(prefix), "%u.", (unsigned)uid);

	return strncmp(name, prefix, n) == 0 && strlen(name + n) == SPOOL_SUFFIX_LEN &&
	       strspn(name + n, "abcdefghijklmnopqrstuvwxyz0123456789") == SPOOL_SUFFIX_LEN;
}

/* The name <queue_dir>/<uid> is taken by somebody else: look for one of ours. As open_owned(). */
static int
find_other(struct spool *sp, const char *queue_dir)
{
	DIR *dir = opendir(queue_dir);
	struct dirent *d;
	int found = 0;

	if (dir == NULL)
		return -1;
	while (found == 0 && (d = readdir(dir)) != NULL)
		if (spool_name(d->d_name, sp->owner) && set_path(sp, queue_dir, d->d_name) == 0 &&
		    (found = open_owned(sp)) == -1)
			found = 0;
	closedir(dir);
	return found;
}

static int
make_other(struct spool *sp, const char *queue_dir)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	char name[32];
	int n = snprintf(name, sizeof(name), "%u.", (unsigned)sp->owner);

	for (int i = 0; i < SPOOL_SUFFIX_LEN; i++)
		name[n + i] = letters[arc4random_uniform(sizeof(letters) - 1)];
	name[n + SPOOL_SUFFIX_LEN] = '\0';
	return set_path(sp, queue_dir, name) == 0 ? make_owned(sp) : -1;
}

static int
open_squatted(struct spool *sp, const char *queue_dir, unsigned flags)
{
	struct stat st;
	int r;

	/* Ours all the same, and not to be had now: nobody would look into a second one afterwards. */
	if (lstat(sp->path, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == sp->owner)
		return refuse(sp, sp->path, "cannot be opened by its owner: chmod 700 it");
	if (lstat(sp->path, &st) == 0)
		snprintf(sp->notice, sizeof(sp->notice), "%.700s, of uid %u, is not our directory",
		    sp->path, (unsigned)st.st_uid);
	if ((r = find_other(sp, queue_dir)) != 0)
		return r == 1 ? 0 : -1;
	if (!(flags & SPOOL_CREATE)) {
		errno = ENOENT;
		return -1;
	}
	return make_other(sp, queue_dir);
}

/* A directory where anybody else could take our entry away is no place for mail. */
static int
check_queue_dir(struct spool *sp, const char *queue_dir, unsigned flags)
{
	struct stat st;

	if (stat(queue_dir, &st) == -1) {
		if (errno != ENOENT || sp->owner != 0 || !(flags & SPOOL_CREATE))
			return -1;
		if ((mkdir(queue_dir, 01777) == -1 && errno != EEXIST) ||
		    chmod(queue_dir, 01777) == -1 || stat(queue_dir, &st) == -1 ||
		    sync_parent(queue_dir) == -1)
			return -1;
	}
	if (!S_ISDIR(st.st_mode)) {
		errno = ENOTDIR;
		return -1;
	}
	sp->queue_dev = st.st_dev;
	sp->queue_ino = st.st_ino;
	if (!(st.st_mode & S_ISVTX) && (st.st_uid != sp->owner || (st.st_mode & 022) != 0))
		return refuse(sp, queue_dir,
		    "is neither sticky nor yours alone, so others could remove mail: "
		    "chmod 1777 it or set queue.dir");
	return 0;
}

static int
open_below(struct spool *sp, const char *queue_dir, unsigned flags)
{
	char uid[16];

	snprintf(uid, sizeof(uid), "%u", (unsigned)sp->owner);
	if (check_queue_dir(sp, queue_dir, flags) == -1) {
		set_path(sp, queue_dir, "");
		return -1;
	}
	if (set_path(sp, queue_dir, uid) == -1)
		return -1;
	switch (open_owned(sp)) {
	case 1:
		return 0;
	case 0:
		if (!(flags & SPOOL_CREATE)) {
			errno = ENOENT;
			return -1;
		}
		if (make_owned(sp) == 0)
			return 0;
		return errno == EPERM ? open_squatted(sp, queue_dir, flags) : -1;
	default:
		return errno == EPERM ? open_squatted(sp, queue_dir, flags) : -1;
	}
}

/* Make each missing directory of a path, for ~/.local/state/pillarbox. */
static int
make_path(const char *path)
{
	char part[PATH_MAX];

	if (strlcpy(part, path, sizeof(part)) >= sizeof(part)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	for (char *p = part + 1; (p = strchr(p, '/')) != NULL; *p++ = '/') {
		*p = '\0';
		if (mkdir(part, 0700) == 0 ? sync_parent(part) == -1
					   : errno != EEXIST && errno != EROFS && errno != EACCES)
			return -1;
	}
	return 0;
}

static int
open_home(struct spool *sp, const char *home_state, unsigned flags)
{
	int r;

	if (set_path(sp, home_state, "") == -1)
		return -1;
	if ((r = open_owned(sp)) != 0)
		return r == 1 ? 0 : -1;
	if (!(flags & SPOOL_CREATE)) {
		errno = ENOENT;
		return -1;
	}
	return make_path(sp->path) == 0 ? make_owned(sp) : -1;
}

/* Not inlined: every post would page in the room that this takes on the stack. */
__attribute__((noinline)) static int
open_home_instead(struct spool *sp, const char *home_state, unsigned flags)
{
	struct spool home;

	reset(&home);
	if (open_home(&home, home_state, flags) == 0) {
		*sp = home;
		return 0;
	}
	spool_close(&home);
	return -1;
}

int
spool_open(struct spool *sp, const char *queue_dir, const char *home_state, unsigned flags)
{
	int e;

	reset(sp);
	if (open_below(sp, queue_dir, flags) == 0)
		return 0;
	e = errno;
	if (sp->error[0] == '\0')
		spool_fail(sp, "open spool", "");
	if (home_state != NULL && (e == ENOENT || e == EACCES || e == EROFS || e == ENOTDIR) &&
	    open_home_instead(sp, home_state, flags) == 0)
		return 0;
	spool_close(sp);
	errno = e;
	return -1;
}

int
spool_open_named(struct spool *sp, const char *queue_dir, const char *name)
{
	reset(sp);
	if (set_path(sp, queue_dir, name) == -1)
		return -1;
	switch (open_owned(sp)) {
	case 1:
		return 0;
	case 0:
		errno = ENOENT;
		break;
	default:
		if (errno == EPERM)
			return refuse(sp, sp->path, NOT_OURS);
	}
	return sp->error[0] != '\0' ? -1 : spool_fail(sp, "open spool", "");
}

void
spool_close(struct spool *sp)
{
	for (int i = 0; i < SPOOL_STATES; i++)
		if (sp->state[i] != -1)
			close(sp->state[i]);
	if (sp->fd != -1)
		close(sp->fd);
	sp->fd = -1;
	for (int i = 0; i < SPOOL_STATES; i++)
		sp->state[i] = -1;
}

bool
spool_unwritable(int error)
{
	return error == EROFS || error == EACCES || error == EPERM || error == ENOENT ||
	       error == ENOTDIR || error == ELOOP;
}

int
spool_writable(struct spool *sp)
{
	return faccessat(sp->fd, ".", W_OK, 0) == 0 ? 0 : spool_fail(sp, "write to", "");
}

int
spool_dir(struct spool *sp, enum spool_state state)
{
	const char *name = state_names[state];
	int fd = sp->state[state];

	if (fd != -1)
		return fd;
	fd = openat(sp->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	/* Another process may make it at the same moment. */
	if (fd == -1 && errno == ENOENT && (mkdirat(sp->fd, name, 0700) == 0 || errno == EEXIST) &&
	    fsync(sp->fd) == 0)
		fd = openat(sp->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1)
		return spool_fail(sp, "open", name);
	return sp->state[state] = fd;
}

/*
 * A file system without RENAME_NOREPLACE gets a look and a plain rename: nobody else makes this
 * name meanwhile, since whoever moves a message holds it, in tmp/ or by its lock.
 */
int
spool_rename(struct spool *sp, const char *id, enum spool_state from, enum spool_state to)
{
	int a = spool_dir(sp, from), b = spool_dir(sp, to);

	if (a == -1 || b == -1)
		return -1;
	if (syscall(SYS_renameat2, a, id, b, id, NOREPLACE) == 0)
		return 0;
	if (errno == EINVAL || errno == ENOSYS) {
		if (faccessat(b, id, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			errno = EEXIST;
		else if (errno == ENOENT && renameat(a, id, b, id) == 0)
			return 0;
	}
	return spool_fail(sp, "move into", state_names[to]);
}

int
spool_write(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0) {
			errno = n == 0 ? EIO : errno;
			return -1;
		}
		data += n;
		len -= (size_t)n;
	}
	return 0;
}
