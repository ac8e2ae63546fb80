/* SPDX-License-Identifier: ISC */
/*
 * floor: the least work that makes a message durable, for posting to be measured against. Like
 * sendmail it is linked statically and started anew for every message.
 *
 *	floor        nothing: what fork and exec alone cost
 *	floor DIR    standard input -> DIR/tmp/NAME, fsync, rename to DIR/new/, fsync of that
 *
 * No checks of what is there, no header, no envelope: whatever we do more than this must be worth
 * its time.
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#define CHUNK (64 * 1024) /* octets read at a time, as sendmail does */

static void
copy(int from, int to)
{
	static char chunk[CHUNK];
	ssize_t n;

	while ((n = read(from, chunk, sizeof(chunk))) > 0)
		if (write(to, chunk, (size_t)n) != n)
			err(EX_IOERR, "write");
	if (n == -1)
		err(EX_IOERR, "read");
}

static int
open_dir(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd == -1)
		err(EX_CANTCREAT, "%s", name);
	return fd;
}

int
main(int argc, char **argv)
{
	char name[64];
	struct timespec t;
	int dir, new, fd;

	if (argc < 2)
		return EX_OK;
	dir = open_dir(AT_FDCWD, argv[1]);
	new = open_dir(dir, "new");
	clock_gettime(CLOCK_REALTIME, &t);
	snprintf(name, sizeof(name), "tmp/%lld.%09ld.%d", (long long)t.tv_sec, t.tv_nsec, getpid());
	if ((fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)) == -1)
		err(EX_CANTCREAT, "%s", name);
	copy(STDIN_FILENO, fd);
	if (fsync(fd) == -1 || close(fd) == -1 || renameat(dir, name, new, name + 4) == -1 ||
	    fsync(new) == -1)
		err(EX_IOERR, "%s", name);
	return EX_OK;
}
