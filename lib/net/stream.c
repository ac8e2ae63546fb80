/* SPDX-License-Identifier: ISC */
#include "net/stream.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/sendfile.h>
#include <unistd.h>

#define UNSENT (256 * 1024) /* octets that the kernel holds back at most */

/* The result of a system call, with what stream_wants() and stream_why() need. */
static ssize_t
noted(struct stream *s, ssize_t n, short wants)
{
	if (n >= 0)
		return n;
	if (errno == EWOULDBLOCK || errno == EINTR || errno == EINPROGRESS || errno == EALREADY)
		errno = EAGAIN;
	if (errno == EAGAIN)
		s->wants = wants;
	s->error = errno;
	return -1;
}

/* The same of one of tls.h. */
static ssize_t
tls_noted(struct stream *s, ssize_t n)
{
	return noted(s, n, tls_wants(s->tls));
}

int
stream_connect(struct stream *s, const struct inet *to, const struct inet *from)
{
	int on = 1, unsent = UNSENT;

	*s = (struct stream){.wants = POLLOUT};
	s->fd = socket(to->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s->fd == -1)
		return (int)noted(s, -1, 0);
	/* Commands are gathered here already: waiting for more gains nothing. */
	setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	/* Else a slow server hides behind megabytes in the kernel, and takes minutes to be
	 * writable. */
	setsockopt(s->fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof(unsent));
	/* The port is chosen with the connection: not only one of each is there for all of them. */
	setsockopt(s->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
	if (from != NULL && noted(s, bind(s->fd, &from->any, from->len), 0) == -1)
		return -1;
	if (noted(s, connect(s->fd, &to->any, to->len), POLLOUT) == 0)
		return 0;
	/* of a Unix socket it means that too many wait there already */
	return errno == EAGAIN && !inet_is_path(to) ? 0 : -1;
}

int
stream_connected(struct stream *s)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &len) == -1)
		return (int)noted(s, -1, POLLOUT);
	errno = error;
	return error == 0 ? 0 : (int)noted(s, -1, POLLOUT);
}

int
stream_local(const struct stream *s, struct inet *local)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);

	memset(&ss, 0, sizeof(ss));
	if (getsockname(s->fd, (struct sockaddr *)&ss, &len) == -1)
		return -1;
	return inet_set(local, (struct sockaddr *)&ss) ? 0 : -1;
}

int
stream_secure(struct stream *s, struct tls_context *ctx, const struct tls_peer *peer)
{
	s->tls = tls_new(ctx, s->fd, peer);
	s->wants = POLLOUT;
	return s->tls != NULL ? 0 : -1;
}

int
stream_handshake(struct stream *s)
{
	return (int)tls_noted(s, tls_handshake(s->tls));
}

ssize_t
stream_read(struct stream *s, void *data, size_t len)
{
	if (s->tls != NULL)
		return tls_noted(s, tls_read(s->tls, data, len));
	return noted(s, recv(s->fd, data, len, 0), POLLIN);
}

bool
stream_pending(const struct stream *s)
{
	return s->tls != NULL && tls_pending(s->tls);
}

ssize_t
stream_write(struct stream *s, const void *data, size_t len)
{
	if (s->tls != NULL)
		return tls_noted(s, tls_write(s->tls, data, len));
	return noted(s, send(s->fd, data, len, MSG_NOSIGNAL), POLLOUT);
}

ssize_t
stream_sendfile(struct stream *s, int file, uint64_t at, size_t len)
{
	off_t offset = (off_t)at;

	return noted(s, sendfile(s->fd, file, &offset, len), POLLOUT);
}

short
stream_wants(const struct stream *s)
{
	return s->wants;
}

const char *
stream_why(const struct stream *s)
{
	if (s->error == EPROTO && s->tls != NULL)
		return tls_why(s->tls);
	return strerror(s->error);
}

void
stream_close(struct stream *s)
{
	tls_free(s->tls);
	if (s->fd != -1)
		close(s->fd);
	*s = (struct stream){.fd = -1};
}
