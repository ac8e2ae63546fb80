/* SPDX-License-Identifier: ISC */
#include "sys/poke.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "sys/pass.h"

#define MARK_LEN 48      /* two numbers and a colon */
#define MALFORMED_MAX 64 /* pokes that are none, dropped by one call */

/* Go where `name` is short enough, and make an address of it. */
static int
address(struct sockaddr_un *to, int dirfd, const char *name)
{
	size_t len = strlen(name);

	*to = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (len == 0 || len >= sizeof(to->sun_path)) {
		errno = len == 0 ? ENOENT : ENAMETOOLONG;
		return -1;
	}
	memcpy(to->sun_path, name, len);
	return dirfd == -1 ? 0 : fchdir(dirfd);
}

static int
datagram_socket(void)
{
	return socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

static int
patient_socket(unsigned ms)
{
	const struct timeval t = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
	int sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (sock != -1)
		setsockopt(sock, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t));
	return sock;
}

static void
close_keeping_errno(int fd)
{
	int error = errno;

	close(fd);
	errno = error;
}

static int
send_from(int sock, const struct sockaddr_un *to, const struct poke *p, int fd)
{
	int r;

	if (sock == -1)
		return -1;
	r = pass_send(sock, to, p, sizeof(*p), fd);
	close_keeping_errno(sock);
	return r;
}

int
poke_send(int dirfd, const char *name, const struct poke *p, int fd)
{
	struct sockaddr_un to;

	return address(&to, dirfd, name) == 0 ? send_from(datagram_socket(), &to, p, fd) : -1;
}

int
poke_press(const char *name, const struct poke *p, int fd, unsigned ms)
{
	struct sockaddr_un to;

	if (poke_send(-1, name, p, fd) == 0)
		return 0;
	if (errno != EAGAIN || address(&to, -1, name) == -1)
		return -1;
	return send_from(patient_socket(ms), &to, p, fd);
}

bool
poke_heard(int dirfd, const char *name)
{
	struct sockaddr_un to;
	int sock, r;

	if (address(&to, dirfd, name) == -1 || (sock = datagram_socket()) == -1)
		return false;
	r = connect(sock, (const struct sockaddr *)&to, sizeof(to));
	close(sock);
	return r == 0;
}

static int
mark_name(char dst[PATH_MAX], const char *name)
{
	int n = snprintf(dst, PATH_MAX, "%s.serves", name);

	if (n > 0 && n < PATH_MAX)
		return 0;
	errno = ENAMETOOLONG;
	return -1;
}

static void
mark_text(char dst[MARK_LEN], dev_t dev, ino_t ino)
{
	snprintf(dst, MARK_LEN, "%ju:%ju", (uintmax_t)dev, (uintmax_t)ino);
}

int
poke_mark(const char *name, dev_t dev, ino_t ino)
{
	char mark[PATH_MAX], text[MARK_LEN];

	if (mark_name(mark, name) == -1)
		return -1;
	mark_text(text, dev, ino);
	unlink(mark);
	return symlink(text, mark);
}

void
poke_unmark(const char *name)
{
	char mark[PATH_MAX];

	if (mark_name(mark, name) == 0)
		unlink(mark);
}

bool
poke_serves(const char *name, dev_t dev, ino_t ino)
{
	char mark[PATH_MAX], text[MARK_LEN], there[MARK_LEN];
	ssize_t n;

	if (mark_name(mark, name) == -1 || (n = readlink(mark, there, sizeof(there) - 1)) == -1)
		return true;
	there[n] = '\0';
	mark_text(text, dev, ino);
	return strcmp(text, there) == 0;
}

/* Only we can send before the caller says otherwise: the mode is right from the first moment. */
static int
bind_private(int sock, const struct sockaddr_un *to)
{
	mode_t mask = umask(0177);
	int r = bind(sock, (const struct sockaddr *)to, sizeof(*to));

	umask(mask);
	return r;
}

int
poke_listen(int dirfd, const char *name)
{
	const int on = 1;
	struct sockaddr_un to;
	int sock;

	if (address(&to, dirfd, name) == -1 || (sock = datagram_socket()) == -1)
		return -1;
	if (setsockopt(sock, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) == -1 ||
	    (unlink(name) == -1 && errno != ENOENT) || bind_private(sock, &to) == -1) {
		close_keeping_errno(sock);
		return -1;
	}
	return sock;
}

/* The sender may be anybody: what it passes is the write end of a pipe, or it is not used. */
static bool
answer_pipe(int fd)
{
	struct stat st;
	int flags = fcntl(fd, F_GETFL);

	return flags != -1 && (flags & O_ACCMODE) != O_RDONLY && fstat(fd, &st) == 0 &&
	       S_ISFIFO(st.st_mode) && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0;
}

static bool
well_formed(const struct poke *p, ssize_t len, int fd)
{
	if (len != (ssize_t)sizeof(*p) || p->type > POKE_LOOK)
		return false;
	if (p->type == POKE_ONE && (p->id.s[QUEUE_ID_LEN] != '\0' || !queue_id_valid(p->id.s)))
		return false;
	return fd == -1 || answer_pipe(fd);
}

int
poke_take(int sock, struct poke *p, int *fd, unsigned *uid)
{
	for (int i = 0; i < MALFORMED_MAX; i++) {
		uid_t sender;
		ssize_t n = pass_receive(sock, p, sizeof(*p), fd, &sender);
		if (n == -1 && errno != EBADMSG)
			return errno == EAGAIN ? 0 : -1;
		if (n != -1 && well_formed(p, n, *fd)) {
			*uid = sender;
			return 1;
		}
		if (*fd != -1)
			close(*fd);
	}
	*fd = -1;
	return 0;
}
