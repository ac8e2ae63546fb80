/* SPDX-License-Identifier: ISC */
/*
 * The upper bounds of a session as a whole, in a time of our own: net/session.h takes the clock as
 * an argument. The server is the other end of a connection, here.
 */
#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/session.h"
#include "tap.h"

#define START 1000000
#define MINUTE 60000

static unsigned asked; /* for mail */

static struct session_mail *
no_mail(void *owner)
{
	(void)owner;
	asked++;
	return NULL;
}

static int server;

static struct session *
connected(void)
{
	struct sockaddr_in in = {.sin_family = AF_INET};
	socklen_t len = sizeof(in);
	int sock = socket(AF_INET, SOCK_STREAM, 0);
	struct session_config config = {.hostname = "client.example",
	    .host = "127.0.0.1",
	    .policy = TLS_POLICY_NONE,
	    .connect_timeout = 30000,
	    .next = no_mail};
	struct session *s;

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (sock == -1 || bind(sock, (struct sockaddr *)&in, len) == -1 || listen(sock, 1) == -1 ||
	    getsockname(sock, (struct sockaddr *)&in, &len) == -1 ||
	    !inet_set(&config.address, (struct sockaddr *)&in) ||
	    (s = session_new(&config, START)) == NULL || (server = accept(sock, NULL, NULL)) == -1)
		err(1, "connection");
	close(sock);
	session_read(s, POLLOUT, START);
	return s;
}

/* The server says it, and the session hears it at that time. */
static void
say(struct session *s, const char *text, int64_t now)
{
	struct pollfd p = {.fd = session_fd(s), .events = POLLIN};

	if (write(server, text, strlen(text)) == -1 || poll(&p, 1, 5000) != 1)
		err(1, "server");
	session_read(s, POLLIN, now);
}

/* What the client wrote. */
static const char *
heard(void)
{
	static char text[1024];
	ssize_t n = recv(server, text, sizeof(text) - 1, MSG_DONTWAIT);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

/* A greeting that never ends, each line of it in time. */
static void
test_opening(void)
{
	struct session *s = connected();
	struct smtp_event ev = {0};
	int64_t now = START;

	for (int i = 0; i < 9; i++) {
		now += MINUTE;
		say(s, "220-wait\r\n", now);
		ok(now < session_deadline(s) && !session_event(s, &ev), "%d minutes of a greeting",
		    i + 1);
	}
	ok(session_deadline(s) <= START + SESSION_OPENING, "it has an end");
	session_read(s, 0, session_deadline(s));
	ok(session_event(s, &ev) && ev.type == SMTP_EVENT_CLOSED && ev.outcome.status.class == 4 &&
		ev.outcome.scope == SCOPE_DESTINATION,
	    "… and that is the destination's failure");
	ok(strstr(ev.outcome.text, "timed out") != NULL, "… which says so: %s", ev.outcome.text);
	session_free(s);
	close(server);
}

static void
test_life(void)
{
	struct session *s = connected();
	struct smtp_event ev = {0};
	int64_t old = START + SESSION_LIFE;

	say(s, "220 hello\r\n", START);
	session_write(s, START);
	is(heard(), "EHLO client.example\r\n", "EHLO");
	say(s, "250 PIPELINING\r\n", START);
	ok(session_event(s, &ev) && ev.type == SMTP_EVENT_READY, "ready");
	session_write(s, old - 1);
	ok(asked == 1 && strcmp(heard(), "") == 0, "it asks for mail");
	session_write(s, old);
	is_int(asked, 1, "after SESSION_LIFE no more");
	is(heard(), "QUIT\r\n", "… and says goodbye");
	session_free(s);
	close(server);
}

int
main(void)
{
	test_opening();
	test_life();
	return done();
}
