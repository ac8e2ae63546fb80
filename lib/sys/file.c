/* SPDX-License-Identifier: ISC */
#include "sys/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_LINE_MAX (64 * 1024) /* octets of a file whose first line is wanted */

static int
refuse(int error, const char *text, const char **why)
{
	*why = text;
	errno = error;
	return -1;
}

static int
system_refuses(const char **why)
{
	int error = errno;

	return refuse(error, strerror(error), why);
}

bool
file_given(const char *path)
{
	struct stat st;

	return strncmp(path, FILE_GIVEN "/", sizeof(FILE_GIVEN)) == 0 &&
	       lstat(FILE_GIVEN, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == 0 &&
	       (st.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

bool
file_error_passes(int error)
{
	return error == EIO || error == EINTR || error == EMFILE || error == ENFILE ||
	       error == ENOMEM || error == EAGAIN || error == ESTALE;
}

static int
check(const struct stat *st, const struct buf *out, bool given, const char **why)
{
	if (!S_ISREG(st->st_mode))
		return refuse(EINVAL, "not a regular file", why);
	if (!given && st->st_uid != 0 && st->st_uid != getuid())
		return refuse(EPERM, "owner is neither root nor this user", why);
	if (!given && (st->st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return refuse(EACCES, "writable by others", why);
	if (st->st_size < 0 || (size_t)st->st_size > out->max - out->len)
		return refuse(EFBIG, "too large", why);
	return 0;
}

/* The size is known from fstat(): one read is enough, and what is appended meanwhile is not ours.
 */
static int
read_all(int fd, struct buf *out, size_t size, const char **why)
{
	char *room = buf_reserve(out, size);
	size_t have = 0;

	if (room == NULL)
		return refuse(ENOMEM, "out of memory", why);
	while (have < size) {
		ssize_t n = read(fd, room + have, size - have);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return system_refuses(why);
		if (n == 0)
			break;
		have += (size_t)n;
	}
	out->len += have;
	room[have] = '\0';
	return 0;
}

int
file_load(struct buf *out, const char *path, mode_t *mode, const char **why)
{
	struct stat st;
	int error, result = -1;
	/* A FIFO must not make us wait, nor a terminal become ours, before it is refused. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd == -1)
		return system_refuses(why);
	if (fstat(fd, &st) == -1)
		system_refuses(why);
	else if (check(&st, out, file_given(path), why) == 0)
		result = read_all(fd, out, (size_t)st.st_size, why);
	if (result == 0 && mode != NULL)
		*mode = st.st_mode & 07777;
	error = errno;
	close(fd);
	errno = error;
	return result;
}

static int
blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

int
file_first_line(char *dst, size_t size, const struct buf *content, const char **why)
{
	const char *data = buf_str(content), *end = memchr(data, '\n', content->len);
	size_t len = content->len;

	dst[0] = '\0';
	if (end != NULL)
		len = (size_t)(end - data);
	while (len > 0 && blank(data[len - 1]))
		len--;
	for (; len > 0 && blank(*data); len--)
		data++;
	if (len >= size)
		return refuse(EMSGSIZE, "line too long", why);
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)data[i] < 0x20 || data[i] == 0x7f)
			return refuse(EINVAL, "control character", why);
	memcpy(dst, data, len);
	dst[len] = '\0';
	return 0;
}

int
file_line(char *dst, size_t size, const char *path, mode_t *mode, const char **why)
{
	struct buf content = BUF_INIT(FILE_LINE_MAX);
	int result;

	dst[0] = '\0';
	result = file_load(&content, path, mode, why);
	if (result == 0)
		result = file_first_line(dst, size, &content, why);
	buf_wipe(&content);
	return result;
}
