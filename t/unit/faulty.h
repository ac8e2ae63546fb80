/* SPDX-License-Identifier: ISC */
/*
 * faulty: system calls of libc in whose place ours come, which fail, are interrupted or do half when
 * their turn comes. For one file of a test, before all other headers; nothing is synced in truth.
 *
 *	turn     in so many calls from now on; 0: never
 *	fault    an errno, HALF or NONE: what happens then
 *	fails    the call that it happened to
 */
#ifndef FAULTY_H
#define FAULTY_H

#undef _FORTIFY_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define HALF (-1) /* instead of an errno: half of what is to be written or read */
#define NONE (-2) /* nothing of it */

static int turn;          /* so many calls from now on; 0: never */
static int fault;         /* what happens then */
static const char *fails; /* the call that it happened to */

/* Whether it is this call's turn; errno is set. */
static bool
its_turn(const char *name, bool moves_data)
{
	if (turn == 0 || --turn > 0)
		return false;
	fails = name;
	if ((fault < 0 || fault == EINTR) && !moves_data)
		return false;
	errno = fault;
	return true;
}

static void *
next(const char *name)
{
	void *p = dlsym(RTLD_NEXT, name);

	if (p == NULL)
		abort();
	return p;
}

/* A call of libc's, before which it may be its turn to fail. */
#define CALL(type, name, parameters, arguments, failed)                       \
	type name parameters                                                  \
	{                                                                     \
		static type(*real) parameters;                                \
		if (its_turn(#name, false))                                   \
			return failed;                                        \
		real = real != NULL ? real : (type(*) parameters)next(#name); \
		return real arguments;                                        \
	}
#define DATA(name, parameters, arguments)                                        \
	ssize_t name parameters                                                  \
	{                                                                        \
		static ssize_t(*real) parameters;                                \
		bool mine = its_turn(#name, true);                               \
		if (mine && fault > 0)                                           \
			return -1;                                               \
		if (mine && fault == NONE)                                       \
			return 0;                                                \
		size = mine && size > 1 ? size / 2 : size;                       \
		real = real != NULL ? real : (ssize_t(*) parameters)next(#name); \
		return real arguments;                                           \
	}

CALL(int, stat, (const char *restrict path, struct stat *restrict st), (path, st), -1)
CALL(int, lstat, (const char *restrict path, struct stat *restrict st), (path, st), -1)
CALL(int, fstat, (int fd, struct stat *st), (fd, st), -1)
CALL(int, fstatat, (int fd, const char *restrict path, struct stat *restrict st, int flags),
    (fd, path, st, flags), -1)
CALL(int, mkdir, (const char *path, mode_t mode), (path, mode), -1)
CALL(int, mkdirat, (int fd, const char *path, mode_t mode), (fd, path, mode), -1)
CALL(int, chmod, (const char *path, mode_t mode), (path, mode), -1)
CALL(int, fchmod, (int fd, mode_t mode), (fd, mode), -1)
CALL(int, unlinkat, (int fd, const char *path, int flags), (fd, path, flags), -1)
CALL(int, renameat, (int a, const char *from, int b, const char *to), (a, from, b, to), -1)
CALL(int, faccessat, (int fd, const char *path, int mode, int flags), (fd, path, mode, flags), -1)
CALL(int, futimens, (int fd, const struct timespec t[2]), (fd, t), -1)
CALL(int, ftruncate, (int fd, off_t size), (fd, size), -1)
CALL(DIR *, opendir, (const char *path), (path), NULL)
CALL(DIR *, fdopendir, (int fd), (fd), NULL)
CALL(struct dirent *, readdir, (DIR * dir), (dir), NULL)
DATA(write, (int fd, const void *from, size_t size), (fd, from, size))
DATA(pread, (int fd, void *to, size_t size, off_t at), (fd, to, size, at))
DATA(pwrite, (int fd, const void *from, size_t size, off_t at), (fd, from, size, at))

int
fsync(int fd)
{
	(void)fd;
	return its_turn("fsync", false) ? -1 : 0;
}

int
fdatasync(int fd)
{
	(void)fd;
	return its_turn("fdatasync", false) ? -1 : 0;
}

/* A close that fails closes. */
int
close(int fd)
{
	static int (*real)(int);
	bool mine = its_turn("close", false);
	int r;

	real = real != NULL ? real : (int (*)(int))next("close");
	r = real(fd);
	if (mine)
		errno = fault;
	return mine ? -1 : r;
}

static int
open_at(const char *name, int dir, const char *path, int flags, mode_t mode)
{
	static int (*real)(int, const char *, int, ...);

	if (its_turn(name, false))
		return -1;
	real = real != NULL ? real : (int (*)(int, const char *, int, ...))next("openat");
	return real(dir, path, flags, mode);
}

/* The mode is read whether it is there or not: as libc itself has it. */
#define MODE(flags)                                             \
	va_list ap;                                             \
	mode_t mode;                                            \
	va_start(ap, flags);                                    \
	mode = (flags & O_CREAT) != 0 ? va_arg(ap, mode_t) : 0; \
	va_end(ap)

int
open(const char *path, int flags, ...)
{
	MODE(flags);
	return open_at("open", AT_FDCWD, path, flags, mode);
}

int
openat(int dir, const char *path, int flags, ...)
{
	MODE(flags);
	return open_at("openat", dir, path, flags, mode);
}

int __openat_2(int dir, const char *path, int flags);
int
__openat_2(int dir, const char *path, int flags)
{
	return open_at("openat", dir, path, flags, 0);
}

int
fcntl(int fd, int command, ...)
{
	static int (*real)(int, int, ...);
	va_list ap;
	void *argument;

	va_start(ap, command);
	argument = va_arg(ap, void *);
	va_end(ap);
	if (its_turn("fcntl", false))
		return -1;
	real = real != NULL ? real : (int (*)(int, int, ...))next("fcntl");
	return real(fd, command, argument);
}

/* renameat2() only. */
long
syscall(long number, ...)
{
	static long (*real)(long, ...);
	va_list ap;
	long a[5];

	va_start(ap, number);
	for (int i = 0; i < 5; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	if (its_turn("renameat2", false))
		return -1;
	real = real != NULL ? real : (long (*)(long, ...))next("syscall");
	return real(number, a[0], a[1], a[2], a[3], a[4]);
}

/* How many are open. */
static int
descriptors(void)
{
	int n = 0;

	for (int fd = 0; fd < 64; fd++)
		n += fcntl(fd, F_GETFD) != -1;
	return n;
}

#endif
