/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sys/handoff.h"
#include "tap.h"

static int pair[2];
static union handoff_message got;
static int gotfd;

static int
receive(void)
{
	memset(&got, 0xee, sizeof(got));
	gotfd = 12345;
	errno = 0;
	return handoff_receive(pair[1], &got, &gotfd);
}

static int
open_descriptors(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) != -1;
	return n;
}

static void
setting(const char *name, const char *value, union handoff_message *m)
{
	*m = (union handoff_message){.settings = {.type = HANDOFF_SETTINGS}};
	snprintf(m->settings.text, sizeof(m->settings.text), "%s=%s", name, value);
	*strchr(m->settings.text, '=') = '\0';
}

static union handoff_message
job(void)
{
	return (union handoff_message){.job = {.type = HANDOFF_JOB,
					   .job = 7,
					   .destination = "example.org",
					   .nrcpt = 3,
					   .rcpt = {4, 5, 6}}};
}

static union handoff_message
result(void)
{
	return (union handoff_message){.result = {.type = HANDOFF_RESULT,
					   .job = 7,
					   .rcpt = 4,
					   .outcome = {.status = {4, 4, 1},
					       .scope = SCOPE_DESTINATION,
					       .stage = STAGE_CONNECT,
					       .text = "connect: refused"},
					   .relay = "mx.example[192.0.2.1]:25",
					   .tls = "plain",
					   .waited = 1,
					   .connected = 2,
					   .sent = 3}};
}

static void
each_type(void)
{
	union handoff_message m;
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	setting("relay.password", "p\xc3\xa4ss=w", &m);
	is_int(handoff_send(pair[0], &m, -1), 0, "send SETTINGS");
	is_int(receive(), 1, "receive it");
	is(got.settings.text, "relay.password", "its name");
	is(got.settings.text + strlen(got.settings.text) + 1, "p\xc3\xa4ss=w", "its value");
	is_int(gotfd, -1, "no descriptor");
	setting("mail.domain", "", &m);
	handoff_send(pair[0], &m, -1);
	ok(receive() == 1 && got.settings.text[12] == '\0', "an empty value");

	m = (union handoff_message){.type = HANDOFF_READY};
	is_int(handoff_send(pair[0], &m, -1), 0, "send READY");
	ok(receive() == 1 && got.type == HANDOFF_READY, "receive it");

	m = job();
	is_int(handoff_send(pair[0], &m, fd), 0, "send JOB");
	is_int(receive(), 1, "receive it");
	ok(got.job.job == 7 && got.job.nrcpt == 3 && got.job.rcpt[2] == 6, "its numbers");
	is_int(got.job.rcpt[3], 0, "and nothing of the message before");
	is(got.job.destination, "example.org", "its destination");
	ok(gotfd > 2 && fcntl(gotfd, F_GETFD) == FD_CLOEXEC, "its descriptor, close-on-exec");
	close(gotfd);

	m = result();
	is_int(handoff_send(pair[0], &m, -1), 0, "send RESULT");
	is_int(receive(), 1, "receive it");
	ok(memcmp(&got.result, &m.result, sizeof(m.result)) == 0, "unchanged");

	m = (union handoff_message){.done = {.type = HANDOFF_DONE, .job = 9}};
	is_int(handoff_send(pair[0], &m, -1), 0, "send DONE");
	ok(receive() == 1 && got.type == HANDOFF_DONE && got.done.job == 9, "receive it");
	close(fd);
}

static void
refused_by_sender(void)
{
	union handoff_message m = {.type = 99};

	ok(handoff_send(pair[0], &m, -1) == -1 && errno == EINVAL, "unknown type");
	m = job();
	ok(handoff_send(pair[0], &m, -1) == -1 && errno == EINVAL, "a job without its file");
	m.job.nrcpt = HANDOFF_RCPTS + 1;
	ok(handoff_send(pair[0], &m, 0) == -1 && errno == EINVAL, "too many recipients");
	m.job.nrcpt = 0;
	ok(handoff_send(pair[0], &m, 0) == -1 && errno == EINVAL, "none");
	m = result();
	ok(handoff_send(pair[0], &m, 0) == -1 && errno == EINVAL, "a descriptor with a result");
	m = (union handoff_message){.settings = {.type = HANDOFF_SETTINGS}};
	memset(m.settings.text, 'x', sizeof(m.settings.text));
	ok(handoff_send(pair[0], &m, -1) == -1 && errno == EINVAL, "a setting without its end");
	m.settings.text[sizeof(m.settings.text) - 1] = '\0';
	ok(handoff_send(pair[0], &m, -1) == -1 && errno == EINVAL, "a name up to the end");
	m.settings.text[5] = '\0';
	ok(handoff_send(pair[0], &m, -1) == -1 && errno == EINVAL, "no empty name behind a value");
	m.settings.text[sizeof(m.settings.text) - 1] = 'x';
	ok(handoff_send(pair[0], &m, -1) == -1 && errno == EINVAL, "a value without its end");
}

/* Octets as a peer may make them up, with nfd descriptors. */
static void
raw(const void *data, size_t len, int nfd)
{
	int fds[8] = {0};
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(fds))];
	} control = {0};
	struct iovec iov = {.iov_base = (void *)data, .iov_len = len};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

	if (nfd > 0) {
		msg.msg_control = control.room;
		msg.msg_controllen = CMSG_SPACE((size_t)nfd * sizeof(int));
		struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN((size_t)nfd * sizeof(int));
		memcpy(CMSG_DATA(c), fds, (size_t)nfd * sizeof(int));
	}
	if (sendmsg(pair[0], &msg, 0) == -1)
		ok(false, "sendmsg: %s", strerror(errno));
}

static void
refused(const void *data, size_t len, int nfd, const char *what)
{
	int before = open_descriptors(), r;

	raw(data, len, nfd);
	r = receive();
	ok(r == -1 && errno == EBADMSG && gotfd == -1, "%s", what);
	is_int(open_descriptors(), before, "  and nothing is left open");
}

static void
refused_by_receiver(void)
{
	static char big[sizeof(union handoff_message) + 1];
	const size_t head = offsetof(struct handoff_job, rcpt);
	union handoff_message m = {.type = 99};

	refused(&m, sizeof(m.type), 0, "unknown type");
	m.type = 0;
	refused(&m, sizeof(m), 0, "type 0");
	m.type = HANDOFF_READY;
	refused(&m, 1, 0, "part of a type");
	refused(&m, sizeof(m), 0, "READY that is too long");
	refused(&m, sizeof(m.type), 1, "READY with a descriptor");
	m.type = HANDOFF_DONE;
	refused(&m, sizeof(m.type), 0, "half of DONE");
	memcpy(big, &m.type, sizeof(m.type));
	refused(big, sizeof(big), 0, "longer than any message");
	refused("", 0, 1, "nothing but a descriptor");

	m = job();
	refused(&m, head + 3 * sizeof(uint32_t), 0, "a job without its file");
	refused(&m, head + 3 * sizeof(uint32_t), 2, "a job with two files");
	refused(&m, head + 3 * sizeof(uint32_t), 8, "a job with eight");
	refused(&m, head + 2 * sizeof(uint32_t), 1, "fewer recipients than it says");
	refused(&m, head + 4 * sizeof(uint32_t), 1, "more recipients than it says");
	m.job.nrcpt = 0;
	refused(&m, head, 1, "no recipient");
	m.job.nrcpt = HANDOFF_RCPTS + 1;
	refused(&m, sizeof(m.job), 1, "too many recipients");
	m.job.nrcpt = 0x40000000;
	refused(&m, head, 1, "a number of recipients that overflows");
	m = job();
	m.job.rcpt[1] = ENVELOPE_RCPT_MAX;
	refused(&m, head + 3 * sizeof(uint32_t), 1, "a recipient that cannot be");
	m = job();
	memset(m.job.destination, 'x', HOST_LEN);
	refused(&m, head + 3 * sizeof(uint32_t), 1, "a destination without its end");
	m = job();
	m.job.watched = 2;
	refused(&m, head + 3 * sizeof(uint32_t), 1, "watched more than once");
}

static void
said(void)
{
	union handoff_message m = {.said = {.type = HANDOFF_SAID, .text = "[1] >>> NOOP\033[31m"}};

	is_int(handoff_send(pair[0], &m, -1), 0, "send SAID");
	is_int(receive(), 1, "receive it");
	is(got.said.text, "[1] >>> NOOP?[31m", "cleaned");
	memset(m.said.text, 'x', sizeof(m.said.text));
	refused(&m, sizeof(m.said), 0, "a line without its end");
	refused(&m, sizeof(m.said) - 1, 0, "half of a line");
}

static void
refused_settings(void)
{
	const size_t head = offsetof(struct handoff_settings, text);
	union handoff_message m;

	setting("a.b", "value", &m);
	refused(&m, head + 9, 0, "a value without its end");
	refused(&m, head + 10, 0, "no empty name at the end");
	refused(&m, head + 3, 0, "a name without its end");
	refused(&m, head + 4, 0, "no value");
	refused(&m, head, 0, "nothing");
	refused(&m, head + 12, 0, "more behind the empty name");
	setting("", "value", &m);
	refused(&m, head + 8, 0, "no name");
	refused(&m, head + 1, 0, "no setting");
	setting("a.b", "val\nue", &m);
	refused(&m, head + 12, 0, "a line end in a value");
}

/* Values from none to the longest, which fill messages in every way. */
static void
packed(void)
{
	static char value[SECRET_LEN + 1];
	struct handoff_packer p;
	size_t taken = 0, messages = 0;
	bool good = true;

	memset(value, 'v', sizeof(value) - 1);
	handoff_settings_begin(&p, pair[0]);
	for (size_t i = 0; i < SECRET_LEN; i += 211)
		good = good && handoff_settings_add(&p, "a", "b", value + SECRET_LEN - i) == 0;
	good = good && handoff_settings_add(&p, "a", "b", value + 1) == 0;
	ok(good && handoff_settings_end(&p) == 0, "values of all lengths are sent");
	for (size_t i = 0; i < sizeof(p.m.settings.text); i++)
		good = good && p.m.settings.text[i] == '\0';
	ok(good, "and none stays behind");
	while (good && receive() == 1 && got.type == HANDOFF_SETTINGS && messages++ < SECRET_LEN)
		for (const char *name = NULL; (name = handoff_setting(&got.settings, name)) != NULL;
		     taken++)
			good =
			    good && strcmp(name, "a.b") == 0 &&
			    (strlen(name + 4) == taken * 211 || strlen(name + 4) == SECRET_LEN - 1);
	ok(good, "received as they were, in their order");
	is_int((long long)taken, SECRET_LEN / 211 + 2, "all of them");
	ok(messages > 1 && messages < taken, "several in a message");
	is_int((long long)got.type, HANDOFF_READY, "then READY");
	value[200] = '\0';
	ok(handoff_settings_add(&p, value, "key", value + 1) == 0, "a long name");
	value[200] = 'v';
	ok(handoff_settings_add(&p, "relay.of-a-name", "key", value) == 0, "the longest value");
	ok(handoff_settings_add(&p, value, "key", "") == 0, "a name as long");
	ok(handoff_settings_add(&p, value, "key", value) == -1 && errno == EMSGSIZE,
	    "both are more than a message holds");
	ok(handoff_settings_end(&p) == 0, "what went before is sent");
	while (receive() == 1 && got.type == HANDOFF_SETTINGS)
		;
}

static void
refused_results(void)
{
	union handoff_message m = result();

	refused(&m, sizeof(m.result) - 1, 0, "a short result");
	refused(&m, sizeof(m.result), 1, "a result with a descriptor");
	m.result.outcome.status.class = 3;
	refused(&m, sizeof(m.result), 0, "class 3");
	m.result.outcome.status.class = 0;
	refused(&m, sizeof(m.result), 0, "class 0");
	m = result();
	m.result.outcome.status.subject = 1000;
	refused(&m, sizeof(m.result), 0, "subject 1000");
	m = result();
	m.result.dsn = 2;
	refused(&m, sizeof(m.result), 0, "dsn 2");
	m = result();
	m.result.lmtp = 2;
	refused(&m, sizeof(m.result), 0, "lmtp 2");
	m = result();
	m.result.outcome.status.detail = 1000;
	refused(&m, sizeof(m.result), 0, "detail 1000");
	m = result();
	m.result.outcome.scope = SCOPE_DESTINATION + 1;
	refused(&m, sizeof(m.result), 0, "a scope that is none");
	m = result();
	m.result.outcome.stage = STAGE_QUIT + 1;
	refused(&m, sizeof(m.result), 0, "a stage that is none");
	m = result();
	m.result.rcpt = ENVELOPE_RCPT_MAX;
	refused(&m, sizeof(m.result), 0, "a recipient that cannot be");
	m = result();
	memset(m.result.outcome.text, 'x', OUTCOME_TEXT);
	refused(&m, sizeof(m.result), 0, "a text without its end");
	m = result();
	memset(m.result.relay, 'x', sizeof(m.result.relay));
	refused(&m, sizeof(m.result), 0, "a relay without its end");
	m = result();
	memset(m.result.tls, 'x', sizeof(m.result.tls));
	refused(&m, sizeof(m.result), 0, "a protection without its end");

	m = result();
	strcpy(m.result.outcome.text, "a\033[2J\r\nb\xff");
	strcpy(m.result.relay, "x\ny");
	strcpy(m.result.tls, "\177");
	raw(&m, sizeof(m.result), 0);
	is_int(receive(), 1, "foul texts are taken");
	is(got.result.outcome.text, "a?[2J b?", "and cleaned");
	is(got.result.relay, "x?y", "the relay");
	is(got.result.tls, "?", "the protection");
}

static void
ends(void)
{
	union handoff_message m = result();
	int n = 0;

	fcntl(pair[0], F_SETFL, O_NONBLOCK);
	while (handoff_send(pair[0], &m, -1) == 0 && n < 100000)
		n++;
	ok(errno == EAGAIN && n > 0, "a full channel says so, after %d results", n);
	close(pair[0]);
	for (; n > 0 && receive() == 1; n--)
		;
	is_int(n, 0, "what was sent arrives");
	is_int(receive(), 0, "end of file");
	is_int(gotfd, -1, "without a descriptor");
	ok(handoff_send(pair[1], &m, -1) == -1 && errno == EPIPE, "EPIPE, and no signal");
	close(pair[1]);
}

int
main(void)
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == -1)
		return 1;
	each_type();
	refused_by_sender();
	refused_by_receiver();
	said();
	refused_settings();
	packed();
	refused_results();
	ends();
	return done();
}
