/* SPDX-License-Identifier: ISC */
/*
 * drain: the least work that delivers a spool of small messages, for delivery to be measured
 * against. One process, one connection; the next MAIL, RCPT and DATA ride with the dot.
 *
 *	drain [-t | -T] [-r N] PORT DIR    each file of DIR/new/, in wire form -> 127.0.0.1, then it
 *	                                   is removed
 *
 * -t: by STARTTLS, -T: TLS at once; whose the certificate is does not matter. -r: to so many. The
 * first reply that is no yes ends it: no retry, no log, no schedule.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#define QUIT "QUIT\r\n"
#define MESSAGE_MAX (64 * 1024)
#define ENVELOPE_MAX 8192
#define RECIPIENTS_MAX 100

static enum { CLEAR, STARTTLS, TLS } mode;
static int recipients = 1;
static char envelope[ENVELOPE_MAX];

struct wire {
	int fd;
	SSL *tls; /* NULL: in the clear */
	char in[4096];
	size_t at, len; /* what of `in` is not looked at yet, and its end */
};

static void
say(struct wire *w, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n =
		    w->tls != NULL ? SSL_write(w->tls, data, (int)len) : write(w->fd, data, len);
		if (n <= 0)
			err(EX_IOERR, "write");
		data += n;
		len -= (size_t)n;
	}
}

static char
next_octet(struct wire *w)
{
	if (w->at == w->len) {
		ssize_t n = w->tls != NULL ? SSL_read(w->tls, w->in, sizeof(w->in))
					   : read(w->fd, w->in, sizeof(w->in));
		if (n <= 0)
			err(EX_IOERR, "read");
		w->at = 0;
		w->len = (size_t)n;
	}
	return w->in[w->at++];
}

/* One reply, of any number of lines, that says yes. */
static void
yes(struct wire *w)
{
	char start[4], c;

	do {
		for (size_t i = 0; i < sizeof(start); i++)
			start[i] = next_octet(w);
		do
			c = next_octet(w);
		while (c != '\n');
	} while (start[3] == '-');
	if (start[0] != '2' && start[0] != '3')
		errx(EX_UNAVAILABLE, "refused with %.3s", start);
}

static void
ask(struct wire *w, const char *command)
{
	say(w, command, strlen(command));
	yes(w);
}

static void
hello(struct wire *w)
{
	ask(w, "EHLO client.example\r\n");
}

static void
start_tls(struct wire *w)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	SSL *tls = context != NULL ? SSL_new(context) : NULL;

	if (tls == NULL || SSL_set_fd(tls, w->fd) != 1 || SSL_connect(tls) != 1)
		errx(EX_PROTOCOL, "TLS");
	w->tls = tls;
}

static void
open_wire(struct wire *w, const char *port)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
	    .sin_port = htons((in_port_t)atoi(port)),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	*w = (struct wire){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
	if (w->fd == -1 || connect(w->fd, (struct sockaddr *)&to, sizeof(to)) == -1 ||
	    setsockopt(w->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int)) == -1)
		err(EX_UNAVAILABLE, "port %s", port);
	if (mode == TLS)
		start_tls(w);
	yes(w);
	hello(w);
	if (mode != STARTTLS)
		return;
	ask(w, "STARTTLS\r\n");
	start_tls(w);
	hello(w);
}

static void
write_envelope(void)
{
	char *p = stpcpy(envelope, "MAIL FROM:<s@client.example>\r\n");

	for (int i = 0; i < recipients; i++)
		p += sprintf(p, "RCPT TO:<r%d@example.net>\r\n", i);
	strcpy(p, "DATA\r\n");
}

/* The name of the next file, or NULL. */
static const char *
next_name(DIR *dir)
{
	struct dirent *d;

	while ((d = readdir(dir)) != NULL)
		if (d->d_name[0] != '.')
			return d->d_name;
	return NULL;
}

static size_t
load(int dir, const char *name, char dst[MESSAGE_MAX])
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd != -1 ? read(fd, dst, MESSAGE_MAX) : -1;

	if (n == -1 || n == MESSAGE_MAX)
		err(EX_IOERR, "%s", name);
	close(fd);
	return (size_t)n;
}

static void
deliver(struct wire *w, DIR *dir)
{
	static char out[MESSAGE_MAX + ENVELOPE_MAX + 8];
	const char *next = next_name(dir);
	char name[NAME_MAX + 1];

	if (next != NULL)
		say(w, envelope, strlen(envelope));
	while (next != NULL) {
		size_t len = load(dirfd(dir), strcpy(name, next), out);
		next = next_name(dir);
		strcpy(out + len, ".\r\n");
		strcat(out + len, next != NULL ? envelope : QUIT);
		for (int i = 0; i < 2 + recipients; i++)
			yes(w);
		say(w, out, len + strlen(out + len));
		yes(w);
		if (unlinkat(dirfd(dir), name, 0) == -1)
			err(EX_IOERR, "%s", name);
	}
}

int
main(int argc, char **argv)
{
	struct wire w;
	DIR *dir;
	int c;

	while ((c = getopt(argc, argv, "tTr:")) != -1)
		if (c == 't' || c == 'T')
			mode = c == 't' ? STARTTLS : TLS;
		else if (c == 'r')
			recipients = atoi(optarg);
		else
			exit(EX_USAGE);
	if (argc - optind != 2 || recipients < 1 || recipients > RECIPIENTS_MAX)
		errx(EX_USAGE, "usage: drain [-t | -T] [-r N] PORT DIR");
	if (chdir(argv[optind + 1]) == -1 || (dir = opendir("new")) == NULL)
		err(EX_NOINPUT, "%s", argv[optind + 1]);
	write_envelope();
	open_wire(&w, argv[optind]);
	deliver(&w, dir);
	return EX_OK;
}
