/* SPDX-License-Identifier: ISC */
/*
 * sink: a small SMTP server for tests and the demo. It takes every message, writes it down, and is
 * strict: what a client does wrong is recorded. A script tells it to answer otherwise.
 *
 *	sink [options]
 *	-4 -6          listen on 127.0.0.1 (default), on ::1, or with both on both
 *	-p PORT        0 or none: any free one
 *	-U PATH        listen on a Unix socket there, too
 *	-P FILE        the port is written there once connections are taken
 *	-d DIR         messages and records go there (store.h)
 *	-t  -T         offer STARTTLS; TLS from the first octet
 *	-c NAME        its name, also in the certificate (localhost, with the loopback addresses)
 *	-k FILE        key and certificate are kept there and used again; a chain may follow
 *	-C FILE        clients must show a certificate of this authority
 *	-m VERSION     the newest TLS to speak: 1.1 (with 1.0), 1.2
 *	-a USER:PASS   AUTH is offered under TLS, and wanted before MAIL
 *	-A MECHANISMS  to offer instead of "PLAIN LOGIN"
 *	-u             AUTH is offered without TLS too
 *	-l             LMTP: LHLO, and a reply for each recipient after the dot
 *	-x EXT,...     extensions not to offer
 *	-o EXT,...     offer them too: CHUNKING; REQUIRETLS (under TLS)
 *	-L LIMITS      offer "LIMITS MAILMAX=3 RCPTMAX=9 …" (RFC 9422), and hold clients to it
 *	-z OCTETS      limit on messages, announced by SIZE
 *	-s FILE        script;  -r RULE  one rule of it. Both may be repeated
 *	-n COUNT       end after so many messages, once all connections are closed
 *	-q             say nothing on stdout
 *	-e             end when the process that started it does
 *
 * The script's grammar, a rule a line; the first that fits acts, the first matter of ../README:
 *
 *	[count RANGE] [each RANGE] [conn RANGE] [after OCTETS] STAGE [PATTERN] ACTION [; ACTION]...
 *
 *	stages   connect greeting ehlo helo starttls tls challenge auth mail rcpt data body dot
 *	         rset noop vrfy quit other
 *	actions  reply TEXT, raw TEXT, repeat N TEXT, inject TEXT, pass, quiet, drop,
 *	         delay TIME, dribble TIME, stall, clear TEXT, close, cut, reset
 */
#include "sink.h"

#include <arpa/inet.h>
#include <bsd/stdlib.h>
#include <err.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

enum { TICK_MS = 20, PORT_TRIES = 50, PORT_LOW = 10000, PORT_HIGH = 32768 };

struct options {
	bool v4, v6, quiet;
	uint16_t port;
	const char *port_file, *path, *dir, *keep;
	unsigned long stop_after;
};

struct visitor {
	const struct sink *sink;
	int fd;
	unsigned conn;
};

static atomic_uint visitors;

static void
usage(void)
{
	fprintf(stderr, "usage: sink [-46tTluqe] [-p port] [-P portfile] [-U path] [-d dir] [-c "
			"name] [-k file]\n"
			"            [-C cafile] [-m version] [-a user:password] [-A mechanisms]\n"
			"            [-x ext,...] [-o ext,...] [-L limits] [-z octets]\n"
			"            [-s script] [-r rule] [-n count]\n");
	exit(EX_USAGE);
}

static unsigned
extension_list(char *list)
{
	unsigned bits = 0;
	char *rest = NULL;
	for (char *p = strtok_r(list, ", ", &rest); p; p = strtok_r(NULL, ", ", &rest)) {
		unsigned bit = esmtp_extension(p);
		if (bit == 0)
			errx(EX_USAGE, "%s: no such extension", p);
		bits |= bit;
	}
	return bits;
}

static void
account(struct sink *k, char *text)
{
	char *colon = strchr(text, ':');
	if (!colon)
		usage();
	*colon = '\0';
	k->user = text;
	k->password = colon + 1;
}

static void
die_with_parent(void)
{
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() == 1)
		exit(EX_UNAVAILABLE);
}

/* The options that are about the dialogue. false: not one of them. */
static bool
dialogue_option(int c, struct sink *k)
{
	switch (c) {
	case 't':
		return k->starttls = true;
	case 'T':
		return k->implicit = true;
	case 'l':
		return k->lmtp = true;
	case 'u':
		return k->auth_in_clear = true;
	case 'c':
		k->name = optarg;
		return true;
	case 'C':
		k->client_ca = optarg;
		return true;
	case 'm':
		if ((k->newest = tls_version(optarg)) == 0)
			usage();
		return true;
	case 'a':
		account(k, optarg);
		return true;
	case 'A':
		k->mechanisms = optarg;
		return true;
	case 'x':
		k->left_out |= extension_list(optarg);
		return true;
	case 'o':
		k->extra |= extension_list(optarg);
		return true;
	case 'L':
		k->limits = optarg;
		return true;
	case 'z':
		k->size_limit = strtoull(optarg, NULL, 10);
		return true;
	case 's':
		script_load(k->script, optarg);
		return true;
	case 'r':
		script_add(k->script, optarg, "-r");
		return true;
	default:
		return false;
	}
}

static void
parse_options(int argc, char **argv, struct options *o, struct sink *k)
{
	for (int c; (c = getopt(argc, argv, "46p:P:U:d:tTlc:k:C:m:a:A:ux:o:L:z:s:r:n:qe")) != -1;) {
		if (dialogue_option(c, k))
			continue;
		switch (c) {
		case '4':
			o->v4 = true;
			break;
		case '6':
			o->v6 = true;
			break;
		case 'p':
			o->port = (uint16_t)strtoul(optarg, NULL, 10);
			break;
		case 'P':
			o->port_file = optarg;
			break;
		case 'U':
			o->path = optarg;
			break;
		case 'd':
			o->dir = optarg;
			break;
		case 'k':
			o->keep = optarg;
			break;
		case 'n':
			o->stop_after = strtoul(optarg, NULL, 10);
			break;
		case 'q':
			o->quiet = true;
			break;
		case 'e':
			die_with_parent();
			break;
		default:
			usage();
		}
	}
	if (optind != argc)
		usage();
	o->v4 |= !o->v6;
}

/* A listening socket, or -1 with errno. *port 0 becomes the one it got. */
static int
listen_on(int family, uint16_t *port)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(*port)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(*port)};
	v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	v6.sin6_addr = in6addr_loopback;
	void *address = family == AF_INET ? (void *)&v4 : (void *)&v6;
	socklen_t length = family == AF_INET ? sizeof v4 : sizeof v6;
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
	if (family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &(int){1}, sizeof(int));
	if (bind(fd, address, length) < 0 || listen(fd, SOMAXCONN) < 0 ||
	    getsockname(fd, address, &length) < 0) {
		int saved = errno;
		close(fd);
		errno = saved;
		return -1;
	}
	*port = ntohs(family == AF_INET ? v4.sin_port : v6.sin6_port);
	return fd;
}

/* -1: none is wanted. */
static int
listen_at(const char *path)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int fd;
	if (!path)
		return -1;
	snprintf(un.sun_path, sizeof un.sun_path, "%s", path);
	unlink(path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&un, sizeof un) < 0 || chmod(path, 0666) < 0 ||
	    listen(fd, SOMAXCONN) < 0)
		err(EX_UNAVAILABLE, "%s", path);
	return fd;
}

/*
 * One or two sockets, on the same port: if any will do, one that the kernel gives to nobody's
 * connections, so that it can be had again after a while without a sink.
 */
static void
listen_all(struct options *o, struct pollfd p[2])
{
	bool any = o->port == 0;
	for (int i = 0; i < PORT_TRIES; i++) {
		if (any)
			o->port = (uint16_t)(PORT_LOW + arc4random_uniform(PORT_HIGH - PORT_LOW));
		p[0].fd = o->v4 ? listen_on(AF_INET, &o->port) : -1;
		if (!o->v4 || p[0].fd >= 0) {
			p[1].fd = o->v6 ? listen_on(AF_INET6, &o->port) : -1;
			if (!o->v6 || p[1].fd >= 0)
				return;
			if (o->v4)
				close(p[0].fd);
		}
		if (!any || errno != EADDRINUSE)
			break;
	}
	err(EX_UNAVAILABLE, "port %u", o->port);
}

static void
write_port(const struct options *o)
{
	char tmp[4096];
	if (!o->quiet) {
		printf("listening on port %u\n", o->port);
		fflush(stdout);
	}
	if (!o->port_file)
		return;
	snprintf(tmp, sizeof tmp, "%s.tmp", o->port_file);
	FILE *f = fopen(tmp, "w");
	if (!f || fprintf(f, "%u\n", o->port) < 0 || fclose(f) != 0 ||
	    rename(tmp, o->port_file) < 0)
		err(EX_CANTCREAT, "%s", o->port_file);
}

static void *
visit(void *arg)
{
	struct visitor *v = arg;
	session_run(v->sink, v->fd, v->conn);
	free(v);
	visitors--;
	return NULL;
}

static void
welcome(const struct sink *k, int fd)
{
	pthread_t thread;
	struct visitor *v = malloc(sizeof *v);
	if (!v)
		err(EX_OSERR, NULL);
	*v = (struct visitor){k, fd, store_connection(k->store)};
	visitors++;
	if (pthread_create(&thread, NULL, visit, v) != 0)
		errx(EX_OSERR, "no more threads");
	pthread_detach(thread);
}

static void
serve(const struct sink *k, const struct options *o, struct pollfd p[3])
{
	for (;;) {
		int timeout = o->stop_after > 0 ? TICK_MS : -1;
		if (poll(p, 3, timeout) < 0 && errno != EINTR)
			err(EX_OSERR, "poll");
		for (int i = 0; i < 3; i++) {
			int fd = p[i].fd < 0 ? -1 : accept4(p[i].fd, NULL, NULL, SOCK_CLOEXEC);
			if (fd >= 0)
				welcome(k, fd);
		}
		if (o->stop_after > 0 && visitors == 0 && store_messages(k->store) >= o->stop_after)
			return;
	}
}

int
main(int argc, char **argv)
{
	static struct script script;
	char cert[4096];
	struct options o = {0};
	static struct sink k; /* static: still there for the leak check */
	k = (struct sink){.name = "localhost", .mechanisms = "PLAIN LOGIN", .script = &script};
	struct pollfd p[3] = {{.events = POLLIN}, {.events = POLLIN}, {.events = POLLIN}};
	parse_options(argc, argv, &o, &k);
	signal(SIGPIPE, SIG_IGN);
	k.store = store_open(o.dir, o.quiet);
	snprintf(cert, sizeof cert, "%s/cert.pem", o.dir ? o.dir : ".");
	if (k.starttls || k.implicit)
		k.ctx = tls_context(&k, o.keep, o.dir ? cert : NULL);
	p[2].fd = listen_at(o.path);
	listen_all(&o, p);
	write_port(&o);
	serve(&k, &o, p);
	return 0;
}
