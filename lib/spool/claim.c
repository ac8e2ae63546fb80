/* SPDX-License-Identifier: ISC */
#include "spool/claim.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "mail/journal.h"

#define HEAD_FIRST 4096 /* octets read at first: the head and more of nearly every message */

static ssize_t
pread_all(int fd, char *dst, size_t size, uint64_t at)
{
	size_t got = 0;

	while (got < size) {
		ssize_t n = pread(fd, dst + got, size - got, (off_t)(at + got));
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		if (n == 0)
			break;
		got += (size_t)n;
	}
	return (ssize_t)got;
}

static enum claim_result
damaged(struct claim *c, const char *why)
{
	c->why = why;
	return CLAIM_DAMAGED;
}

static enum claim_result
failed(struct claim *c, const char *act)
{
	spool_fail(c->spool, act, c->id.s);
	return CLAIM_ERROR;
}

/* What an owner could have put there in place of a spool file, and what root must not trust. */
static const char *
unfit(const struct claim *c)
{
	if (!S_ISREG(c->st.st_mode))
		return "not a regular file";
	if (c->st.st_uid != c->spool->owner)
		return "belongs to somebody else";
	if (c->st.st_nlink != 1)
		return "has more than one link";
	if ((c->st.st_mode & 022) != 0)
		return "writable by others";
	return NULL;
}

/* Somebody else works on it: smtp of a flusher that died, or a person who steers. */
static bool
locked(int fd)
{
	struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	return fcntl(fd, F_OFD_GETLK, &l) == 0 && l.l_type != F_UNLCK;
}

/*
 * Between the opening and the lock somebody who had it may have moved or removed the file: then it is
 * not this one that is there. What he appended counts.
 */
static enum claim_result
still_there(struct claim *c)
{
	if (claim_gone(c))
		return CLAIM_GONE;
	return fstat(c->fd, &c->st) == 0 ? CLAIM_OK : failed(c, "stat");
}

static enum claim_result
lock(struct claim *c, enum claim_mode mode)
{
	struct flock l = {.l_type = mode == CLAIM_STEER ? F_WRLCK : F_RDLCK, .l_whence = SEEK_SET};
	bool taken = locked(c->fd);

	c->active = taken;
	if (mode == CLAIM_LOOK)
		return CLAIM_OK;
	if (taken)
		return CLAIM_BUSY;
	if (fcntl(c->fd, F_OFD_SETLK, &l) == 0)
		return still_there(c);
	return errno == EAGAIN || errno == EACCES ? CLAIM_BUSY : failed(c, "lock");
}

static enum claim_result
open_file(struct claim *c, const char *name, enum claim_mode mode)
{
	int dir = spool_dir(c->spool, c->state), access = mode == CLAIM_STEER ? O_RDWR : O_RDONLY;
	const char *why;

	if (dir == -1)
		return CLAIM_ERROR;
	c->fd = openat(dir, name, access | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (c->fd == -1) {
		if (errno == ENOENT)
			return CLAIM_GONE;
		if (errno == ELOOP)
			return damaged(c, "a symbolic link");
		if (errno == EISDIR)
			return damaged(c, "not a regular file");
		return errno == EACCES ? damaged(c, "not readable") : failed(c, "open");
	}
	if (fstat(c->fd, &c->st) == -1)
		return failed(c, "stat");
	if (c->st.st_nlink == 0) /* removed since it was opened */
		return CLAIM_GONE;
	return (why = unfit(c)) == NULL ? CLAIM_OK : damaged(c, why);
}

/* The next octets of the file behind those that `b` has: `want`, or what there is. How many, or -1. */
static ssize_t
read_more(const struct claim *c, struct buf *b, size_t want)
{
	uint64_t left = (uint64_t)c->st.st_size > b->len ? (uint64_t)c->st.st_size - b->len : 0;
	ssize_t n;
	char *at;

	if (want > b->max - b->len)
		want = b->max - b->len;
	if (want > left)
		want = (size_t)left;
	if (want == 0)
		return 0;
	if ((at = buf_reserve(b, want)) == NULL) {
		errno = b->error;
		return -1;
	}
	if ((n = pread_all(c->fd, at, want, b->len)) > 0)
		b->len += (size_t)n;
	return n;
}

/* Read more and more into `b` until the head is whole. */
static enum claim_result
read_head(struct claim *c, struct buf *b)
{
	const char *why = "the head is not whole";
	size_t want = HEAD_FIRST;
	long head = 0;
	ssize_t n;

	for (; head == 0; want *= 4) {
		if ((n = read_more(c, b, want)) == -1)
			return failed(c, "read");
		if (n == 0)
			break;
		head = envelope_parse(&c->envelope, b->data, b->len, &why);
		if (head == 0)
			envelope_free(&c->envelope);
	}
	if (head == -1 && why == NULL)
		return failed(c, "read");
	if (head <= 0)
		return damaged(c, why);
	c->message = (uint64_t)head;
	return CLAIM_OK;
}

/* What lies behind the message, most often in `b` already: what was read of the file from its start. */
static enum claim_result
read_journal(struct claim *c, const struct buf *b)
{
	uint64_t end = c->message + c->envelope.size, size = (uint64_t)c->st.st_size;
	char *at;
	ssize_t n;

	if (end > size)
		return damaged(c, "shorter than its head says");
	if (size - end > CLAIM_JOURNAL_MAX)
		return damaged(c, "the journal is too large");
	if (size == end)
		return CLAIM_OK;
	if (size <= b->len) {
		buf_add(&c->journal, b->data + end, (size_t)(size - end));
	} else if ((at = buf_reserve(&c->journal, (size_t)(size - end))) != NULL) {
		if ((n = pread_all(c->fd, at, (size_t)(size - end), end)) == -1)
			return failed(c, "read");
		c->journal.len += (size_t)n;
	}
	if (c->journal.error != 0) {
		errno = c->journal.error;
		return failed(c, "read");
	}
	journal_fold(&c->envelope, c->journal.data, c->journal.len);
	return CLAIM_OK;
}

static enum claim_result
read_file(struct claim *c)
{
	struct buf b = BUF_INIT(ENVELOPE_HEAD_MAX);
	enum claim_result r = read_head(c, &b);

	if (r == CLAIM_OK)
		r = read_journal(c, &b);
	buf_free(&b);
	return r;
}

enum claim_result
claim_open(struct claim *c, struct spool *sp, enum spool_state state, const char *name,
    enum claim_mode mode)
{
	enum claim_result r;

	memset(c, 0, sizeof(*c));
	c->spool = sp;
	c->state = state;
	c->fd = -1;
	c->journal = (struct buf)BUF_INIT(CLAIM_JOURNAL_MAX);
	if (!queue_id_valid(name))
		return damaged(c, "the name is not a queue ID");
	memcpy(c->id.s, name, sizeof(c->id.s));
	if ((r = open_file(c, name, mode)) != CLAIM_OK || (r = lock(c, mode)) != CLAIM_OK ||
	    (r = read_file(c)) != CLAIM_OK)
		return r;
	if (strcmp(c->envelope.id.s, name) != 0)
		return damaged(c, "the name is not the ID inside");
	return CLAIM_OK;
}

void
claim_close(struct claim *c)
{
	int saved = errno;

	if (c->fd != -1)
		close(c->fd);
	c->fd = -1;
	envelope_free(&c->envelope);
	buf_free(&c->journal);
	errno = saved;
}

size_t
claim_pending(const struct claim *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->envelope.nrcpt; i++)
		if (c->envelope.rcpt[i].status.class == 0 || c->envelope.rcpt[i].status.class == 4)
			n++;
	return n;
}

/* The claimed file once more, to be written; it must still be the same. */
static int
open_for_append(struct claim *c)
{
	struct stat st;
	int dir = spool_dir(c->spool, c->state), fd;

	if (dir == -1)
		return -1;
	fd = openat(dir, c->id.s, O_RDWR | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd == -1)
		return -1;
	if (fstat(fd, &st) == -1 || st.st_ino != c->st.st_ino || st.st_dev != c->st.st_dev) {
		close(fd);
		errno = ESTALE;
		return -1;
	}
	return fd;
}

bool
claim_gone(const struct claim *c)
{
	int dir = spool_dir(c->spool, c->state);
	struct stat st;

	if (dir == -1)
		return false;
	if (fstatat(dir, c->id.s, &st, AT_SYMLINK_NOFOLLOW) == -1)
		return errno == ENOENT;
	return st.st_ino != c->st.st_ino || st.st_dev != c->st.st_dev;
}

/*
 * A power cut or a full disk may have left a line without its end. 1: so it is; -1: who can tell, and
 * what were appended might become a part of it.
 */
static int
torn(int fd, const struct claim *c)
{
	uint64_t end = c->message + c->envelope.size;
	char last = '\n';
	struct stat st;
	ssize_t n = 1;

	if (fstat(fd, &st) == -1)
		return -1;
	if ((uint64_t)st.st_size > end)
		n = pread_all(fd, &last, 1, (uint64_t)st.st_size - 1);
	if (n == 0)
		errno = EIO;
	return n == 1 ? last != '\n' : -1;
}

static int
write_once(int fd, const struct buf *b, bool sync)
{
	ssize_t n = write(fd, b->data, b->len);

	if (n == -1)
		return -1;
	if ((size_t)n != b->len) {
		errno = ENOSPC;
		return -1;
	}
	return sync ? fdatasync(fd) : 0;
}

int
claim_append(struct claim *c, const struct buf *lines, bool sync)
{
	struct buf b = BUF_INIT(lines->len + 1);
	int fd = open_for_append(c), half, r = -1;

	if (fd == -1)
		return spool_fail(c->spool, "append to", c->id.s);
	if ((half = torn(fd, c)) == 1)
		buf_addc(&b, '\n');
	buf_add(&b, lines->data, lines->len);
	if (b.error != 0)
		errno = b.error;
	else if (half != -1)
		r = write_once(fd, &b, sync);
	if (r == -1)
		spool_fail(c->spool, "append to", c->id.s);
	close(fd);
	buf_free(&b);
	return r;
}

static int
move_to(struct claim *c, int64_t when, long nanoseconds)
{
	const struct timespec t[2] = {
	    {.tv_nsec = UTIME_OMIT}, {.tv_sec = (time_t)when, .tv_nsec = nanoseconds}};

	if (futimens(c->fd, t) == -1)
		return spool_fail(c->spool, "set the time of", c->id.s);
	return c->state == SPOOL_CUR ? 0 : claim_move(c, SPOOL_CUR);
}

int
claim_defer(struct claim *c, int64_t when)
{
	return move_to(c, when, 0);
}

int
claim_set_aside(struct claim *c, int64_t when)
{
	return move_to(c, when, SPOOL_ASIDE);
}

int
claim_move(struct claim *c, enum spool_state state)
{
	if (spool_rename(c->spool, c->id.s, c->state, state) == -1)
		return -1;
	c->state = state;
	return 0;
}

int
claim_remove(struct claim *c)
{
	int dir = spool_dir(c->spool, c->state);

	if (dir == -1)
		return -1;
	return unlinkat(dir, c->id.s, 0) == 0 || errno == ENOENT
		   ? 0
		   : spool_fail(c->spool, "remove", c->id.s);
}

ssize_t
claim_read(const struct claim *c, char *dst, size_t size, uint64_t offset)
{
	uint64_t left = offset < c->envelope.size ? c->envelope.size - offset : 0;

	return pread_all(c->fd, dst, size < left ? size : (size_t)left, c->message + offset);
}
