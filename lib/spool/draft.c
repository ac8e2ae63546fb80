/* SPDX-License-Identifier: ISC */
#include "spool/draft.h"

#include <bsd/stdlib.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Tries to find an ID that tmp/ does not have; two posts within four microseconds share 512. */
#define TRIES 16

#define AHEAD (1024 * 1024) /* octets that the disk is given at a time before the end */

static int
pwrite_all(int fd, const char *data, size_t len, off_t at)
{
	while (len > 0) {
		ssize_t n = pwrite(fd, data, len, at);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0) {
			errno = n == 0 ? EIO : errno;
			return -1;
		}
		data += n;
		len -= (size_t)n;
		at += n;
	}
	return 0;
}

int
draft_open_as(struct draft *d, struct spool *sp, struct queue_id id)
{
	int dir = spool_dir(sp, SPOOL_TMP);

	*d = (struct draft){.spool = sp,
	    .id = id,
	    .fd = -1,
	    .into = SPOOL_NEW,
	    .out = BUF_INIT(ENVELOPE_HEAD_MAX),
	    .lines = BUF_INIT(ENVELOPE_HEAD_MAX)};
	if (dir == -1)
		return -1;
	d->fd = openat(dir, id.s, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (d->fd == -1)
		return spool_fail(sp, "create tmp", id.s);
	d->made = true;
	return 0;
}

/* One call; arc4random() would set up a generator for a single number. */
static uint32_t
random_number(void)
{
	uint32_t n;

	return getentropy(&n, sizeof(n)) == 0 ? n : arc4random();
}

int
draft_open(struct draft *d, struct spool *sp, uint64_t now)
{
	for (int i = 0; i < TRIES; i++) {
		if (draft_open_as(d, sp, queue_id_make(now, random_number())) == 0)
			return 0;
		if (errno != EEXIST)
			break;
	}
	return -1;
}

/*
 * Have the disk begin with what is there, while the rest of a large message is being read. Without
 * one of the WAIT flags no error is taken from fsync(), which alone says what came to the disk.
 */
static void
start_writing(struct draft *d)
{
	if (d->written - d->started < AHEAD)
		return;
	sync_file_range(
	    d->fd, (off_t)d->started, (off_t)(d->written - d->started), SYNC_FILE_RANGE_WRITE);
	d->started = d->written;
}

static int
put(struct draft *d, const char *data, size_t len)
{
	if (spool_write(d->fd, data, len) == -1)
		return spool_fail(d->spool, "write tmp", d->id.s);
	d->written += len;
	start_writing(d);
	return 0;
}

static int
flush_out(struct draft *d)
{
	if (put(d, d->out.data, d->out.len) == -1)
		return -1;
	d->head_out = true;
	buf_clear(&d->out);
	return 0;
}

static int
check_buffer(struct draft *d)
{
	if (d->out.error == 0)
		return 0;
	errno = d->out.error;
	return spool_fail(d->spool, "buffer tmp", d->id.s);
}

int
draft_head(struct draft *d, const struct envelope *e)
{
	envelope_print(&d->out, e);
	d->head = d->out.len;
	return check_buffer(d);
}

int
draft_write(struct draft *d, const char *data, size_t len)
{
	if (len == 0)
		return 0;
	if (d->out.len > 0 && d->out.len + len > DRAFT_BUFFER && flush_out(d) == -1)
		return -1;
	if (len < DRAFT_BUFFER) {
		buf_add(&d->out, data, len);
		return check_buffer(d);
	}
	return put(d, data, len);
}

uint64_t
draft_size(const struct draft *d)
{
	return d->written + d->out.len - d->head;
}

/* Fill in what was not known at the head's time: in the buffer while it is there, else in place. */
static int
seal(struct draft *d, struct envelope *e)
{
	char line[256] = "";
	size_t offset, len;

	e->size = draft_size(d);
	if (e->size > ENVELOPE_SIZE_MAX) {
		errno = EFBIG;
		return spool_fail(d->spool, "write tmp", d->id.s);
	}
	if (envelope_seal(d->head_out ? line : d->out.data, e, &offset, &len) == -1)
		return spool_fail(d->spool, "buffer tmp", d->id.s);
	if (!d->head_out)
		return 0;
	if (pwrite_all(d->fd, line + offset, len, (off_t)offset) == -1)
		return spool_fail(d->spool, "write tmp", d->id.s);
	return 0;
}

ssize_t
draft_read(struct draft *d, char *dst, size_t size, uint64_t offset)
{
	ssize_t n;

	if (d->out.len > 0 && flush_out(d) == -1)
		return -1;
	while ((n = pread(d->fd, dst, size, (off_t)(d->head + offset))) == -1 && errno == EINTR)
		;
	return n != -1 ? n : spool_fail(d->spool, "read tmp", d->id.s);
}

int
draft_again(struct draft *d, struct draft *old)
{
	struct buf lines = d->lines;
	enum spool_state into = d->into;
	int r;

	*old = (struct draft){.spool = d->spool, .fd = -1};
	if (unlinkat(spool_dir(d->spool, SPOOL_TMP), d->id.s, 0) == -1)
		return spool_fail(d->spool, "remove tmp", d->id.s);
	*old = *d;
	old->made = false; /* the name goes to the new one, and so does the journal */
	old->lines = (struct buf)BUF_INIT(0);
	r = draft_open_as(d, old->spool, old->id);
	d->lines = lines;
	d->into = into;
	return r;
}

int
draft_journal(struct draft *d, const struct buf *lines)
{
	buf_add(&d->lines, lines->data, lines->len);
	if (d->lines.error == 0)
		return 0;
	errno = d->lines.error;
	return spool_fail(d->spool, "buffer tmp", d->id.s);
}

/*
 * What a crash leaves at each line is said on its right. A failed fsync is final: the kernel may
 * have dropped the pages and a second one would lie.
 */
int
draft_commit(struct draft *d, struct envelope *e)
{
	struct spool *sp = d->spool;
	int dir = spool_dir(sp, d->into), fd;

	if (dir == -1)
		return -1;
	if (seal(d, e) == -1 || draft_write(d, d->lines.data, d->lines.len) == -1 ||
	    flush_out(d) == -1) /* a part in tmp/: swept */
		return -1;
	if (fsync(d->fd) == -1) /* the whole in tmp/: swept */
		return spool_fail(sp, "sync tmp", d->id.s);
	fd = d->fd;
	d->fd = -1;
	if (close(fd) == -1)
		return spool_fail(sp, "close tmp", d->id.s);
	if (spool_rename(sp, d->id.s, SPOOL_TMP, d->into) == -1)
		return -1;
	if (fsync(dir) == -1) { /* queued, perhaps: the caller was not told yes */
		int e2 = errno;
		unlinkat(dir, d->id.s, 0); /* it will retry, and must not get two */
		errno = e2;
		return spool_fail(sp, "sync", spool_state_name(d->into));
	}
	d->made = false; /* queued */
	buf_free(&d->out);
	buf_free(&d->lines);
	return 0;
}

void
draft_abandon(struct draft *d)
{
	int saved = errno;

	if (d->fd != -1)
		close(d->fd);
	d->fd = -1;
	if (d->made)
		unlinkat(d->spool->state[SPOOL_TMP], d->id.s, 0);
	d->made = false;
	buf_free(&d->out);
	buf_free(&d->lines);
	errno = saved;
}
