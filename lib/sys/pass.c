/* SPDX-License-Identifier: ISC */
#include "sys/pass.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union control {
	struct cmsghdr align;
	char room[CMSG_SPACE(PASS_MAX * sizeof(int)) + CMSG_SPACE(sizeof(struct ucred))];
};

static void
add_rights(struct msghdr *msg, union control *control, const int *fds, size_t n)
{
	struct cmsghdr *c;

	memset(control, 0, sizeof(*control));
	msg->msg_control = control->room;
	msg->msg_controllen = CMSG_SPACE(n * sizeof(*fds));
	c = CMSG_FIRSTHDR(msg);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(n * sizeof(*fds));
	memcpy(CMSG_DATA(c), fds, n * sizeof(*fds));
}

static int
send_with(int sock, const struct sockaddr_un *to, const void *data, size_t len, const int *fds,
    size_t nfds)
{
	struct iovec iov = {.iov_base = (void *)data, .iov_len = len};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	union control control;
	ssize_t n;

	assert(nfds <= PASS_MAX);
	if (to != NULL) {
		msg.msg_name = (void *)to;
		msg.msg_namelen = sizeof(*to);
	}
	if (nfds > 0)
		add_rights(&msg, &control, fds, nfds);
	do
		n = sendmsg(sock, &msg, MSG_NOSIGNAL);
	while (n == -1 && errno == EINTR);
	return n == -1 ? -1 : 0;
}

int
pass_send(int sock, const struct sockaddr_un *to, const void *data, size_t len, int fd)
{
	return send_with(sock, to, data, len, &fd, fd != -1);
}

int
pass_send_all(int sock, const void *data, size_t len, const int *fds, size_t n)
{
	return send_with(sock, NULL, data, len, fds, n);
}

/* What came beside a datagram. */
struct beside {
	int fd[PASS_MAX];
	size_t n;  /* descriptors that came; those beyond fd[] are closed */
	uid_t uid; /* the sender's, … */
	bool known;
};

static void
close_all(struct beside *b)
{
	for (size_t i = 0; i < b->n && i < PASS_MAX; i++)
		close(b->fd[i]);
}

static void
take_rights(const struct cmsghdr *c, struct beside *b)
{
	size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

	for (size_t i = 0; i < n; i++, b->n++) {
		int got;
		memcpy(&got, CMSG_DATA(c) + i * sizeof(got), sizeof(got));
		if (b->n < PASS_MAX)
			b->fd[b->n] = got;
		else
			close(got);
	}
}

static void
take_control(struct msghdr *msg, struct beside *b)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c != NULL; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level != SOL_SOCKET)
			continue;
		if (c->cmsg_type == SCM_RIGHTS)
			take_rights(c, b);
		if (c->cmsg_type == SCM_CREDENTIALS) {
			struct ucred cred;
			memcpy(&cred, CMSG_DATA(c), sizeof(cred));
			b->uid = cred.uid;
			b->known = true;
		}
	}
}

/* As pass_receive(); what is beside an end of file is nothing. */
static ssize_t
receive(int sock, void *data, size_t size, struct beside *b)
{
	union control control;
	struct iovec iov = {.iov_base = data, .iov_len = size};
	struct msghdr msg = {.msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = control.room,
	    .msg_controllen = sizeof(control.room)};
	ssize_t n;

	*b = (struct beside){0};
	do
		n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
	while (n == -1 && errno == EINTR);
	if (n == -1)
		return -1;
	take_control(&msg, b);
	if ((msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0)
		return n;
	close_all(b);
	errno = EBADMSG;
	return -1;
}

ssize_t
pass_receive(int sock, void *data, size_t size, int *fd, uid_t *uid)
{
	struct beside b;
	ssize_t n = receive(sock, data, size, &b);

	*fd = -1;
	if (n == -1 || (n == 0 && b.n == 0 && !b.known))
		return n;
	if (b.n > 1 || (uid != NULL && !b.known)) {
		close_all(&b);
		errno = EBADMSG;
		return -1;
	}
	if (b.n == 1)
		*fd = b.fd[0];
	if (uid != NULL)
		*uid = b.uid;
	return n;
}

ssize_t
pass_receive_all(int sock, void *data, size_t size, int *fds, size_t n)
{
	struct beside b;
	ssize_t len = receive(sock, data, size, &b);

	for (size_t i = 0; i < n; i++)
		fds[i] = -1;
	if (len == -1 || (len == 0 && b.n == 0))
		return len;
	if (b.n != n) {
		close_all(&b);
		errno = EBADMSG;
		return -1;
	}
	for (size_t i = 0; i < n; i++)
		fds[i] = b.fd[i];
	return len;
}
