/* SPDX-License-Identifier: ISC */
#include "sys/pass.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union control {
	struct cmsghdr align;
	char room[CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(struct ucred))];
};

int
pass_send(int sock, const struct sockaddr_un *to, const void *data, size_t len, int fd)
{
	struct iovec iov = {.iov_base = (void *)data, .iov_len = len};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	union control control;
	ssize_t n;

	if (to != NULL) {
		msg.msg_name = (void *)to;
		msg.msg_namelen = sizeof(*to);
	}
	if (fd != -1) {
		memset(&control, 0, sizeof(control));
		msg.msg_control = control.room;
		msg.msg_controllen = CMSG_SPACE(sizeof(int));
		struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	}
	do
		n = sendmsg(sock, &msg, MSG_NOSIGNAL);
	while (n == -1 && errno == EINTR);
	return n == -1 ? -1 : 0;
}

/* Take the descriptors out of a control message: the first into *fd, more are closed. How many. */
static size_t
take_rights(const struct cmsghdr *c, int *fd)
{
	size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

	for (size_t i = 0; i < n; i++) {
		int got;
		memcpy(&got, CMSG_DATA(c) + i * sizeof(int), sizeof(got));
		if (*fd == -1)
			*fd = got;
		else
			close(got);
	}
	return n;
}

static bool
take_control(struct msghdr *msg, int *fd, uid_t *uid)
{
	size_t rights = 0;
	bool known = false;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c != NULL; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level != SOL_SOCKET)
			continue;
		if (c->cmsg_type == SCM_RIGHTS)
			rights += take_rights(c, fd);
		if (c->cmsg_type == SCM_CREDENTIALS && uid != NULL) {
			struct ucred cred;
			memcpy(&cred, CMSG_DATA(c), sizeof(cred));
			*uid = cred.uid;
			known = true;
		}
	}
	return rights <= 1 && (known || uid == NULL);
}

ssize_t
pass_receive(int sock, void *data, size_t size, int *fd, uid_t *uid)
{
	union control control;
	struct iovec iov = {.iov_base = data, .iov_len = size};
	struct msghdr msg = {.msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = control.room,
	    .msg_controllen = sizeof(control.room)};
	ssize_t n;
	bool good;

	*fd = -1;
	do
		n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
	while (n == -1 && errno == EINTR);
	if (n == -1)
		return -1;
	if (n == 0 && msg.msg_controllen == 0)
		return 0;
	good = take_control(&msg, fd, uid);
	if (good && (msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0)
		return n;
	if (*fd != -1)
		close(*fd);
	*fd = -1;
	errno = EBADMSG;
	return -1;
}
