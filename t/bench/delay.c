/* SPDX-License-Identifier: ISC */
/*
 * delay: a distant server, on a machine whose kernel has no way to make loopback slow.
 *
 *	delay MILLISECONDS PORT    connections to the port it prints go to PORT of 127.0.0.1
 *
 * Whatever one side sends reaches the other half a round trip of so many milliseconds later, in
 * order, at any rate: nothing is throttled or lost. The kernel's own handshake with us takes no
 * time, so a new connection reaches the server one round trip and a half after it was taken, which
 * is when the ACK of a handshake over that distance would. So a greeting comes after two round
 * trips, and a reply after one. It ends with the process that started it.
 */
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS_MAX 1200
#define CHUNK_MAX (64 * 1024)

/* What was read at once; of no length: the end. */
struct chunk {
	struct chunk *next;
	int64_t due;
	size_t len, at;
	char data[];
};

/* One direction. */
struct way {
	int from, to;
	struct chunk *first, **last;
	bool ended;   /* nothing more is read */
	bool over;    /* and all of it, or all that could be, was written */
	bool blocked; /* the receiver's window is full */
};

/* Its server is -1 until it opens. */
struct connection {
	struct connection *next;
	int64_t opens;
	int client, server;
	struct way out, back;
};

static struct {
	int listener;
	in_port_t port; /* in network order */
	int64_t half;   /* of a round trip, nanoseconds */
	struct connection *connections;
	size_t n;
} proxy;

static int64_t
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void
way_open(struct way *w, int from, int to)
{
	*w = (struct way){.from = from, .to = to};
	w->last = &w->first;
}

/* Read once. An error is an end. */
static void
way_read(struct way *w)
{
	static char data[CHUNK_MAX];
	ssize_t n = read(w->from, data, sizeof(data));
	struct chunk *c;

	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	w->ended = n <= 0;
	if (w->ended)
		n = 0;
	if ((c = malloc(sizeof(*c) + (size_t)n)) == NULL)
		err(EX_OSERR, NULL);
	*c = (struct chunk){.due = now() + proxy.half, .len = (size_t)n};
	memcpy(c->data, data, (size_t)n);
	*w->last = c;
	w->last = &c->next;
}

static void
way_drop(struct way *w)
{
	struct chunk *c = w->first;

	w->first = c->next;
	if (w->first == NULL)
		w->last = &w->first;
	free(c);
}

/* Write what is due. Who does not take it gets no more. */
static void
way_write(struct way *w, int64_t t)
{
	struct chunk *c;
	ssize_t n;

	w->blocked = false;
	while ((c = w->first) != NULL && c->due <= t) {
		if (c->len == 0)
			shutdown(w->to, SHUT_WR);
		n = send(w->to, c->data + c->at, c->len - c->at, MSG_DONTWAIT | MSG_NOSIGNAL);
		w->blocked = n == -1 && errno == EAGAIN;
		if (w->blocked)
			return;
		if (c->len == 0 || n == -1)
			w->over = true;
		c->at += n > 0 ? (size_t)n : c->len - c->at;
		if (c->at == c->len)
			way_drop(w);
	}
}

static void
way_close(struct way *w)
{
	while (w->first != NULL)
		way_drop(w);
}

static int
tcp_socket(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd == -1)
		err(EX_OSERR, "socket");
	return fd;
}

static struct sockaddr_in
loopback(in_port_t port)
{
	return (struct sockaddr_in){
	    .sin_family = AF_INET, .sin_port = port, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static void
welcome(void)
{
	struct connection *c = calloc(1, sizeof(*c));
	int fd = accept4(proxy.listener, NULL, NULL, SOCK_CLOEXEC);

	if (c == NULL || fd == -1)
		err(EX_OSERR, "accept");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	c->client = fd;
	c->server = -1;
	c->opens = now() + 3 * proxy.half;
	c->next = proxy.connections;
	proxy.connections = c;
	proxy.n++;
}

/* A server that refuses is seen by the client as one that hangs up. */
static void
reach_server(struct connection *c)
{
	struct sockaddr_in to = loopback(proxy.port);

	c->server = tcp_socket();
	setsockopt(c->server, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	way_open(&c->out, c->client, c->server);
	way_open(&c->back, c->server, c->client);
	if (connect(c->server, (struct sockaddr *)&to, sizeof(to)) == -1)
		c->out.over = c->back.over = true;
}

/* Let go of those that are over. */
static void
sweep(void)
{
	for (struct connection **p = &proxy.connections, *c; (c = *p) != NULL;) {
		if (!c->out.over || !c->back.over) {
			p = &c->next;
			continue;
		}
		*p = c->next;
		proxy.n--;
		way_close(&c->out);
		way_close(&c->back);
		close(c->client);
		close(c->server);
		free(c);
	}
}

static struct pollfd
wanted(int fd, const struct way *from, const struct way *to)
{
	return (struct pollfd){.fd = from->ended && !to->blocked ? -1 : fd,
	    .events = (short)((from->ended ? 0 : POLLIN) | (to->blocked ? POLLOUT : 0))};
}

static int64_t
sooner(int64_t when, const struct way *w)
{
	return w->first != NULL && !w->blocked && w->first->due < when ? w->first->due : when;
}

/* Fill in what to wait for, two entries a connection; until when. */
static int64_t
plan(struct pollfd *p)
{
	int64_t when = INT64_MAX;

	for (struct connection *c = proxy.connections; c != NULL; c = c->next, p += 2) {
		p[0] = p[1] = (struct pollfd){.fd = -1};
		if (c->server == -1) {
			when = c->opens < when ? c->opens : when;
			continue;
		}
		p[0] = wanted(c->client, &c->out, &c->back);
		p[1] = wanted(c->server, &c->back, &c->out);
		when = sooner(sooner(when, &c->out), &c->back);
	}
	return when;
}

static void
serve(struct connection *c, const struct pollfd *p, int64_t t)
{
	if (c->server == -1 && c->opens <= t)
		reach_server(c);
	if (c->server == -1)
		return;
	if (p[0].revents != 0 && !c->out.ended)
		way_read(&c->out);
	if (p[1].revents != 0 && !c->back.ended)
		way_read(&c->back);
	way_write(&c->out, t);
	way_write(&c->back, t);
}

static void
turn(void)
{
	static struct pollfd p[1 + 2 * CONNECTIONS_MAX];
	int64_t when = plan(p + 1), left = when - now(), t;
	struct timespec wait = {.tv_sec = left / 1000000000, .tv_nsec = left % 1000000000};
	size_t i = 1;

	if (left < 0)
		wait = (struct timespec){0};
	p[0] = (struct pollfd){
	    .fd = proxy.n < CONNECTIONS_MAX ? proxy.listener : -1, .events = POLLIN};
	if (ppoll(p, 1 + 2 * proxy.n, when == INT64_MAX ? NULL : &wait, NULL) == -1 &&
	    errno != EINTR)
		err(EX_OSERR, "ppoll");
	t = now();
	for (struct connection *c = proxy.connections; c != NULL; c = c->next, i += 2)
		serve(c, p + i, t);
	if (p[0].revents != 0)
		welcome();
	sweep();
}

static void
listen_anywhere(void)
{
	struct sockaddr_in at = loopback(0);
	socklen_t len = sizeof(at);

	proxy.listener = tcp_socket();
	if (bind(proxy.listener, (struct sockaddr *)&at, len) == -1 ||
	    listen(proxy.listener, SOMAXCONN) == -1 ||
	    getsockname(proxy.listener, (struct sockaddr *)&at, &len) == -1)
		err(EX_OSERR, "listen");
	printf("%u\n", ntohs(at.sin_port));
	fflush(stdout);
}

int
main(int argc, char **argv)
{
	if (argc != 3)
		errx(EX_USAGE, "usage: delay MILLISECONDS PORT");
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	prctl(PR_SET_TIMERSLACK, 1);
	proxy.half = atoi(argv[1]) * (int64_t)500000;
	proxy.port = htons((in_port_t)atoi(argv[2]));
	listen_anywhere();
	for (;;)
		turn();
}
