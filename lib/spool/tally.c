/* SPDX-License-Identifier: ISC */
#include "spool/tally.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define TRIES 3 /* at a file that may just be written */

/* Ours and nobody else's, as a spool file has to be. */
static int
open_file(const struct spool *sp, int flags)
{
	struct stat st;
	int fd = openat(sp->fd, TALLY_FILE, flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);

	if (fd == -1)
		return -1;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == sp->owner &&
	    st.st_nlink == 1 && (st.st_mode & 022) == 0)
		return fd;
	close(fd);
	return -1;
}

/* 1: it is whole; 0: it is not, or not now; -1: there is none. */
static int
read_once(struct counts *c, const struct spool *sp)
{
	char text[COUNTS_MAX];
	int fd = open_file(sp, O_RDONLY);
	ssize_t n = fd != -1 ? pread(fd, text, sizeof(text), 0) : -1;

	if (fd == -1)
		return -1;
	close(fd);
	return n > 0 && counts_parse(c, text, (size_t)n) == 0;
}

int
tally_read(struct counts *c, struct spool *sp)
{
	const struct timespec pause = {.tv_nsec = 2000000};
	int r = 0;

	memset(c, 0, sizeof(*c));
	/* A counter that falls to zero and comes back is counted twice by those who watch it. */
	for (int i = 0; i < TRIES && (r = read_once(c, sp)) == 0; i++)
		nanosleep(&pause, NULL);
	return r == 1 ? 0 : -1;
}

void
tally_begin(struct tally *t, struct spool *sp)
{
	memset(t, 0, sizeof(*t));
	tally_read(&t->counts, sp);
}

/* In one write; what a longer one left behind the end is not read. */
static void
write_down(const struct counts *c, struct spool *sp)
{
	struct buf b = BUF_INIT(COUNTS_MAX);
	int fd;

	counts_print(&b, c);
	if (b.error == 0 && (fd = open_file(sp, O_RDWR | O_CREAT)) != -1) {
		if (pwrite(fd, b.data, b.len, 0) == (ssize_t)b.len &&
		    ftruncate(fd, (off_t)b.len) == -1)
			unlinkat(sp->fd, TALLY_FILE, 0);
		close(fd);
	}
	buf_free(&b);
}

void
tally_write(struct tally *t, struct spool *sp, int64_t now)
{
	if (tally_wait(t, now, 1) > 0)
		return;
	t->written = now;
	tally_end(t, sp);
}

int64_t
tally_wait(const struct tally *t, int64_t now, int64_t ms)
{
	int64_t left = t->written + TALLY_EVERY - now;

	if (!t->changed)
		return ms;
	return left < 0 ? 0 : left < ms ? left : ms;
}

void
tally_end(struct tally *t, struct spool *sp)
{
	if (t->changed)
		write_down(&t->counts, sp);
	t->changed = false;
}
