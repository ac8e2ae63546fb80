/* SPDX-License-Identifier: ISC */
/*
 * A server that answers STARTTLS and then says nothing: the handshake has a deadline of its own,
 * and what is over then is the TLS, so that mail which may go in plain can. The clock is ours.
 */
#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/session.h"
#include "tap.h"

struct play {
	struct session *session;
	int64_t now;
	int server;
	bool closed;
	struct outcome outcome;
};

static void
drain(struct play *p)
{
	struct smtp_event ev;

	while (session_event(p->session, &ev))
		if (ev.type == SMTP_EVENT_CLOSED) {
			p->closed = true;
			p->outcome = ev.outcome;
		}
}

static void
turn(struct play *p, int patience)
{
	struct pollfd fd = {.fd = session_fd(p->session), .events = session_wants(p->session)};

	poll(&fd, 1, patience);
	session_read(p->session, fd.revents, p->now);
	drain(p);
	session_write(p->session, p->now);
	drain(p);
}

/* Until the server has heard something that begins with this. */
static bool
hears(struct play *p, const char *want)
{
	char data[4096];

	for (int i = 0; i < 1000 && !p->closed; i++) {
		ssize_t n;

		turn(p, 10);
		n = recv(p->server, data, sizeof(data), MSG_DONTWAIT);
		if (n > 0)
			return (size_t)n >= strlen(want) && memcmp(data, want, strlen(want)) == 0;
	}
	return false;
}

static void
says(const struct play *p, const char *text)
{
	if (send(p->server, text, strlen(text), 0) == -1)
		err(1, "send");
}

static struct session_mail *
no_mail(void *owner)
{
	(void)owner;
	return NULL;
}

static int
listen_here(struct inet *to)
{
	struct sockaddr_in in = {.sin_family = AF_INET};
	socklen_t len = sizeof(in);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd == -1 || bind(fd, (struct sockaddr *)&in, len) == -1 || listen(fd, 1) == -1 ||
	    getsockname(fd, (struct sockaddr *)&in, &len) == -1)
		err(1, "listen");
	inet_set(to, (struct sockaddr *)&in);
	return fd;
}

int
main(void)
{
	static const struct tls_settings settings = {"", "", "", "", ""};
	char why[TLS_TEXT];
	struct session_config config = {
	    .hostname = "client.example",
	    .host = "mx.example",
	    .policy = TLS_POLICY_MAY,
	    .connect_timeout = 1000,
	    .next = no_mail,
	};
	struct play p = {.now = 1000};
	int fd = listen_here(&config.address);

	signal(SIGPIPE, SIG_IGN);
	config.tls = tls_context_new(&settings, why);
	p.session = session_new(&config, p.now);
	p.server = accept(fd, NULL, NULL);
	says(&p, "220 mx.example\r\n");
	ok(hears(&p, "EHLO "), "EHLO");
	says(&p, "250-mx.example\r\n250 STARTTLS\r\n");
	ok(hears(&p, "STARTTLS\r\n"), "STARTTLS");
	says(&p, "220 go\r\n");
	ok(hears(&p, "\x16\x03"), "a ClientHello");
	p.now += SESSION_HANDSHAKE - 1;
	turn(&p, 0);
	ok(!p.closed, "it waits for an answer");
	p.now++;
	is_int(session_deadline(p.session), p.now, "and not for ever");
	turn(&p, 0);
	ok(p.closed, "then it is over");
	is_int(p.outcome.stage, STAGE_TLS, "… by a failure of TLS");
	ok(strstr(p.outcome.text, "TLS handshake with mx.example[127.0.0.1]:") != NULL &&
		strstr(p.outcome.text, "timed out") != NULL,
	    "… %s", p.outcome.text);
	session_free(p.session);
	tls_context_free(config.tls);
	close(p.server);
	close(fd);
	return done();
}
