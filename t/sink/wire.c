/* SPDX-License-Identifier: ISC */
#include "wire.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { LINGER_MS = 2000 };

void
wire_open(struct wire *w, int fd)
{
	memset(w, 0, offsetof(struct wire, in));
	w->fd = fd;
	fcntl(fd, F_SETFL, O_NONBLOCK);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
}

void
wire_sleep(unsigned ms)
{
	struct timespec t = {ms / 1000, (long)(ms % 1000) * 1000000};
	nanosleep(&t, NULL);
}

/* Wait until the socket is ready for what the last call wanted. false: not in that time. */
static bool
ready(struct wire *w, short events, int ms)
{
	struct pollfd p = {.fd = w->fd, .events = events};
	return poll(&p, 1, ms) == 1;
}

/* For SSL_*: the poll events that a result asks for, 0 when it is the end. */
static short
wanted(struct wire *w, int result)
{
	switch (SSL_get_error(w->ssl, result)) {
	case SSL_ERROR_WANT_READ:
		return POLLIN;
	case SSL_ERROR_WANT_WRITE:
		return POLLOUT;
	default:
		return 0;
	}
}

/* Fill the empty buffer. false: end of the connection, or nothing came within ms. */
static bool
fill(struct wire *w, int ms)
{
	while (!w->dead) {
		short events = POLLIN;
		ssize_t n;
		if (w->ssl) {
			n = SSL_read(w->ssl, w->in, sizeof w->in);
			if (n <= 0)
				events = wanted(w, (int)n);
		} else {
			n = recv(w->fd, w->in, sizeof w->in, MSG_DONTWAIT);
			if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
				events = 0;
		}
		if (n > 0) {
			w->at = 0;
			w->have = (size_t)n;
			return true;
		}
		if (events == 0)
			w->dead =
			    ms != 0; /* who only asks does not end it: a reply may still go out */
		if (events == 0 || !ready(w, events, ms))
			return false;
	}
	return false;
}

int
wire_get(struct wire *w)
{
	if (w->at == w->have && !fill(w, -1))
		return -1;
	return w->in[w->at++];
}

bool
wire_waiting(struct wire *w)
{
	return w->at < w->have || fill(w, 0);
}

static void
put(struct wire *w, const unsigned char *p, size_t length)
{
	while (length > 0 && !w->dead) {
		ssize_t n;
		short events = POLLOUT;
		if (w->ssl) {
			n = SSL_write(w->ssl, p, (int)length);
			if (n <= 0)
				events = wanted(w, (int)n);
		} else {
			n = send(w->fd, p, length, MSG_NOSIGNAL);
			if (n < 0 && errno != EAGAIN && errno != EINTR)
				events = 0;
		}
		if (n > 0) {
			p += n;
			length -= (size_t)n;
		} else if (events == 0) {
			w->dead = true;
		} else {
			ready(w, events, -1);
		}
	}
}

void
wire_put(struct wire *w, const void *data, size_t length)
{
	const unsigned char *p = data;
	if (w->dribble == 0) {
		put(w, p, length);
		return;
	}
	for (size_t i = 0; i < length && !w->dead; i++) {
		put(w, p + i, 1);
		wire_sleep(w->dribble);
	}
}

void
wire_clear(struct wire *w, const void *data, size_t length)
{
	SSL_free(w->ssl);
	w->ssl = NULL;
	wire_put(w, data, length);
}

int
wire_tls(struct wire *w, SSL_CTX *ctx)
{
	if (w->dead || !(w->ssl = SSL_new(ctx)))
		return -1;
	w->at = w->have =
	    0; /* what came behind STARTTLS is not to be read as if it came under TLS */
	SSL_set_fd(w->ssl, w->fd);
	for (;;) {
		int n = SSL_accept(w->ssl);
		if (n == 1)
			return 0;
		short events = wanted(w, n);
		if (events == 0) {
			w->dead = true;
			return -1;
		}
		ready(w, events, -1);
	}
}

void
wire_stall(struct wire *w, unsigned ms)
{
	if (!w->dead)
		ready(w, POLLRDHUP, ms == 0 ? -1 : (int)ms);
}

void
wire_wait(struct wire *w)
{
	if (!w->dead)
		ready(w, POLLIN | POLLRDHUP, -1);
}

/*
 * A close() with octets unread becomes an RST that may overtake the last reply, so say that we are
 * done and take what still comes.
 */
void
wire_close(struct wire *w)
{
	char rest[4096];
	if (w->fd < 0)
		return;
	if (w->ssl && !w->dead)
		SSL_shutdown(w->ssl);
	SSL_free(w->ssl);
	w->ssl = NULL;
	shutdown(w->fd, SHUT_WR);
	while (ready(w, POLLIN, LINGER_MS) && recv(w->fd, rest, sizeof rest, MSG_DONTWAIT) > 0)
		continue;
	close(w->fd);
	w->fd = -1;
	w->dead = true;
}

void
wire_reset(struct wire *w)
{
	if (w->fd < 0)
		return;
	SSL_free(w->ssl);
	w->ssl = NULL;
	setsockopt(w->fd, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger));
	close(w->fd);
	w->fd = -1;
	w->dead = true;
}
