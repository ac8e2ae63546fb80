/* SPDX-License-Identifier: ISC */
/*
 * The upper bounds of a session as a whole, in a time of our own: net/session.h takes the clock as
 * an argument. The server is the other end of a connection, here; of one that has no time of its own.
 */
#include <err.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "net/session.h"
#include "tap.h"

#define START 1000000
#define MINUTE 60000

static char top[] = "/tmp/pillarbox-session-XXXXXX";

static unsigned asked; /* for mail */

static struct session_mail *
no_mail(void *owner)
{
	(void)owner;
	asked++;
	return NULL;
}

/* One that is more than what a connection holds, and then none. */
static struct session_mail *
large_mail(void *owner)
{
	static struct recipient r = {.address = (char *)"r@x.example"};
	static struct envelope e = {
	    .from = (char *)"s@x.example", .size = 64U * 1024 * 1024, .rcpt = &r, .nrcpt = 1};
	static struct session_mail mail = {
	    .transaction = {.envelope = &e, .nrcpt = 1}, .trusted = true};

	if (asked++ > 0)
		return NULL;
	mail.transaction.owner = owner;
	if ((mail.fd = memfd_create("mail", MFD_CLOEXEC)) == -1 ||
	    ftruncate(mail.fd, (off_t)e.size) == -1)
		err(1, "memfd");
	return &mail;
}

static int server;

static struct session *
connected(struct session_mail *(*next)(void *owner))
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int sock = socket(AF_UNIX, SOCK_STREAM, 0);
	struct session_config config = {.hostname = "client.example",
	    .host = "server.example",
	    .policy = TLS_POLICY_NONE,
	    .connect_timeout = 30000,
	    .next = next};
	struct session *s;

	snprintf(at.sun_path, sizeof(at.sun_path), "%s/socket", top);
	inet_set_path(&config.address, at.sun_path);
	if (sock == -1 || bind(sock, (struct sockaddr *)&at, sizeof(at)) == -1 ||
	    listen(sock, 1) == -1 || (s = session_new(&config, START)) == NULL ||
	    (server = accept(sock, NULL, NULL)) == -1 || unlink(at.sun_path) == -1)
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
	struct session *s = connected(no_mail);
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
	struct session *s = connected(no_mail);
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

/* Where a message is on its way. */
static void
begin_message(struct session *s)
{
	static const char *const replies[] = {
	    "250 hello\r\n", "250 ok\r\n", "250 ok\r\n", "354 go on\r\n"};
	struct smtp_event ev;

	say(s, "220 hello\r\n", START);
	for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
		session_write(s, START);
		say(s, replies[i], START);
		while (session_event(s, &ev))
			;
	}
	session_write(s, START);
}

/* A server that takes a little of it every minute, so that something moves. */
static void
test_rate(void)
{
	static char some[48 * 1024];
	struct session *s;
	struct smtp_event ev = {0};
	int64_t now = START, taken = 0;

	asked = 0;
	s = connected(large_mail);
	begin_message(s);
	while (!session_event(s, &ev) && now < START + 100 * 60 * MINUTE) {
		ssize_t n = recv(server, some, sizeof(some), MSG_DONTWAIT);

		taken += n > 0 ? n : 0;
		now += MINUTE;
		session_read(s, 0, now);
		session_write(s, now);
	}
	ok(ev.type == SMTP_EVENT_RCPT && ev.outcome.status.class == 4 &&
		strstr(ev.outcome.text, "takes less than 1024 octets a second") != NULL,
	    "a server that drips is given up: %s", ev.outcome.text);
	ok(now >= START + SESSION_GRACE && taken > 0, "… after %lld minutes and %lld octets",
	    (long long)(now - START) / MINUTE, (long long)taken);
	session_free(s);
	close(server);
}

int
main(void)
{
	if (mkdtemp(top) == NULL)
		err(1, "%s", top);
	test_opening();
	test_life();
	test_rate();
	rmdir(top);
	return done();
}
