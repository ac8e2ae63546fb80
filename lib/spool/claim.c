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

static enum claim_result
lock(struct claim *c, enum claim_mode mode)
{
	struct flock l = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
	bool taken = locked(c->fd);

	c->active = taken;
	if (mode == CLAIM_LOOK)
		return CLAIM_OK;
	if (taken)
		return CLAIM_BUSY;
	if (fcntl(c->fd, F_OFD_SETLK, &l) == 0)
		return CLAIM_OK;
	return errno == EAGAIN || errno == EACCES ? CLAIM_BUSY : failed(c, "lock");
}

static enum claim_result
open_file(struct claim *c, const char *name)
{
	int dir = spool_dir(c->spool, c->state);
	const char *why;

	if (dir == -1)
		return CLAIM_ERROR;
	c->fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (c->fd == -1) {
		if (errno == ENOENT)
			return CLAIM_GONE;
		if (errno == ELOOP)
			return damaged(c, "a symbolic link");
		return errno == EACCES ? damaged(c, "not readable") : failed(c, "open");
	}
	if (fstat(c->fd, &c->st) == -1)
		return failed(c, "stat");
	return (why = unfit(c)) == NULL ? CLAIM_OK : damaged(c, why);
}

/* Read more and more until the head is whole. */
static enum claim_result
read_head(struct claim *c)
{
	struct buf b = BUF_INIT(ENVELOPE_HEAD_MAX);
	const char *why = "the head is not whole";
	enum claim_result r = CLAIM_DAMAGED;
	size_t want = HEAD_FIRST;
	long head = 0;

	for (; head == 0; want *= 4) {
		char *at = buf_reserve(&b, want < b.max - b.len ? want : b.max - b.len);
		ssize_t n = at != NULL ? pread_all(c->fd, at,
					     want < b.max - b.len ? want : b.max - b.len, b.len)
				       : 0;
		if (n == -1) {
			r = failed(c, "read");
			break;
		}
		if (n == 0)
			break;
		b.len += (size_t)n;
		head = envelope_parse(&c->envelope, b.data, b.len, &why);
		if (head == 0)
			envelope_free(&c->envelope);
	}
	if (head > 0) {
		c->message = (uint64_t)head;
		r = CLAIM_OK;
	}
	buf_free(&b);
	return r == CLAIM_DAMAGED ? damaged(c, why) : r;
}

static enum claim_result
read_journal(struct claim *c)
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
	if ((at = buf_reserve(&c->journal, (size_t)(size - end))) == NULL ||
	    (n = pread_all(c->fd, at, (size_t)(size - end), end)) == -1)
		return failed(c, "read");
	c->journal.len += (size_t)n;
	journal_fold(&c->envelope, c->journal.data, c->journal.len);
	return CLAIM_OK;
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
	if ((r = open_file(c, name)) != CLAIM_OK || (r = lock(c, mode)) != CLAIM_OK ||
	    (r = read_head(c)) != CLAIM_OK || (r = read_journal(c)) != CLAIM_OK)
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

/* A power cut or a full disk may have left a line without its end. */
static bool
torn(int fd, const struct claim *c)
{
	uint64_t end = c->message + c->envelope.size;
	struct stat st;
	char last;

	return fstat(fd, &st) == 0 && (uint64_t)st.st_size > end &&
	       pread_all(fd, &last, 1, (uint64_t)st.st_size - 1) == 1 && last != '\n';
}

int
claim_append(struct claim *c, const struct buf *lines, bool sync)
{
	struct buf b = BUF_INIT(lines->len + 1);
	int fd, r = -1;
	ssize_t n;

	if ((fd = open_for_append(c)) == -1)
		return spool_fail(c->spool, "append to", c->id.s);
	if (torn(fd, c))
		buf_addc(&b, '\n');
	buf_add(&b, lines->data, lines->len);
	if (b.error != 0)
		errno = b.error;
	else if ((n = write(fd, b.data, b.len)) != -1 && (size_t)n != b.len)
		errno = ENOSPC;
	else if (n != -1 && (!sync || fdatasync(fd) == 0))
		r = 0;
	if (r == -1)
		spool_fail(c->spool, "append to", c->id.s);
	close(fd);
	buf_free(&b);
	return r;
}

int
claim_defer(struct claim *c, int64_t when)
{
	struct timespec t[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = (time_t)when}};

	if (futimens(c->fd, t) == -1)
		return spool_fail(c->spool, "set the time of", c->id.s);
	return c->state == SPOOL_CUR ? 0 : claim_move(c, SPOOL_CUR);
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
