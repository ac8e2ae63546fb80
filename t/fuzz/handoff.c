/* SPDX-License-Identifier: ISC */
/*
 * handoff: what comes over the channel between flush and smtp, of which neither trusts the other
 * wholly. A message that is taken has clean texts, numbers within their bounds, and is what it is
 * when it is sent on.
 */
#include "sys/handoff.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fuzz.h"

static bool
is_text(const char *text, size_t size)
{
	size_t len = strnlen(text, size);

	return len < size && fuzz_is_clean(text, len);
}

static void
check_outcome(const struct outcome *o)
{
	CHECK(o->status.class == 2 || o->status.class == 4 || o->status.class == 5);
	CHECK(o->status.subject <= 999 && o->status.detail <= 999);
	CHECK((unsigned)o->scope <= SCOPE_DESTINATION && (unsigned)o->stage <= STAGE_QUIT);
	CHECK(is_text(o->text, sizeof(o->text)));
}

static void
check_message(const union handoff_message *m)
{
	switch ((enum handoff_type)m->type) {
	case HANDOFF_SETTINGS:
		for (const char *name = NULL;
		     (name = handoff_setting(&m->settings, name)) != NULL;) {
			size_t left = sizeof(m->settings.text) - (size_t)(name - m->settings.text);
			size_t len = strnlen(name, left);
			CHECK(len > 0 && len < left);
			CHECK(strnlen(name + len + 1, left - len - 1) < left - len - 1);
		}
		break;
	case HANDOFF_JOB:
		CHECK(m->job.nrcpt >= 1 && m->job.nrcpt <= HANDOFF_RCPTS);
		for (uint32_t i = 0; i < m->job.nrcpt; i++)
			CHECK(m->job.rcpt[i] < ENVELOPE_RCPT_MAX);
		CHECK(m->job.watched <= 1);
		CHECK(is_text(m->job.destination, sizeof(m->job.destination)));
		break;
	case HANDOFF_RESULT:
		check_outcome(&m->result.outcome);
		CHECK(m->result.rcpt < ENVELOPE_RCPT_MAX);
		CHECK(is_text(m->result.relay, sizeof(m->result.relay)));
		CHECK(is_text(m->result.tls, sizeof(m->result.tls)));
		break;
	case HANDOFF_PASSED:
		check_outcome(&m->passed.why);
		break;
	case HANDOFF_PROBE:
		CHECK(is_text(m->probe.from, sizeof(m->probe.from)));
		CHECK(is_text(m->probe.to, sizeof(m->probe.to)));
		break;
	case HANDOFF_STEP:
		CHECK((unsigned)m->step.step.kind < PROBE_KINDS);
		CHECK(is_text(m->step.step.text, sizeof(m->step.step.text)));
		break;
	case HANDOFF_SAID:
		CHECK(is_text(m->said.text, sizeof(m->said.text)));
		break;
	case HANDOFF_READY:
	case HANDOFF_DONE:
	case HANDOFF_BEGUN:
	case HANDOFF_CHANNEL:
	case HANDOFF_PING:
	case HANDOFF_IDLE:
		break;
	}
	CHECK(handoff_len(m) > 0); /* there is such a type */
}

static void
check_again(int pair[2], const union handoff_message *m, int fd)
{
	static union handoff_message again;
	size_t len = handoff_len(m);
	int other = -1;

	CHECK(len > 0 && handoff_send(pair[0], m, fd) == 0);
	CHECK(handoff_receive(pair[1], &again, &other) == 1);
	CHECK(handoff_len(&again) == len);
	CHECK(memcmp(&again, m, len) == 0);
	check_message(&again);
	CHECK((other != -1) == (fd != -1));
	if (other != -1)
		close(other);
}

/* As pass_send() does it, but for any octets. */
static void
say(int sock, const char *data, size_t len, int fd)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct iovec iov = {.iov_base = (char *)data, .iov_len = len};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

	if (fd != -1) {
		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control.room);
		control.head = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(int)),
		    .cmsg_level = SOL_SOCKET,
		    .cmsg_type = SCM_RIGHTS};
		memcpy(CMSG_DATA(&control.head), &fd, sizeof(fd));
	}
	CHECK(sendmsg(sock, &msg, 0) == (ssize_t)len);
}

static int
open_null(void)
{
	static int fd = -1;

	if (fd == -1)
		fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	CHECK(fd != -1);
	return fd;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static union handoff_message m;
	static int pair[2] = {-1, -1};
	struct fuzz f = fuzz_start(data, size);
	bool passes = fuzz_choose(&f, 2) != 0;
	struct buf b = BUF_INIT(FUZZ_MAX);
	size_t whole;
	int fd = -1, r;

	if (pair[0] == -1)
		CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
	/* of messages of one length, as many octets as there are, and zeroes to make it up */
	buf_add(&b, f.data, f.len);
	memset(&m, 0, sizeof(m));
	memcpy(&m, f.data, f.len < sizeof(m) ? f.len : sizeof(m));
	for (whole = handoff_len(&m); b.len < whole && b.error == 0;)
		buf_addc(&b, '\0');
	if (b.len == 0 || b.len > 2 * sizeof(m)) {
		buf_free(&b);
		return 0;
	}
	say(pair[0], b.data, b.len, passes ? open_null() : -1);
	r = handoff_receive(pair[1], &m, &fd);
	if (r == 1) {
		check_message(&m);
		check_again(pair, &m, fd);
	} else {
		CHECK(r == -1 && errno == EBADMSG && fd == -1);
	}
	if (fd != -1)
		close(fd);
	buf_free(&b);
	return 0;
}
