/* SPDX-License-Identifier: ISC */
#include "remote.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include "complain.h"
#include "parcel.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "sys/host.h"
#include "sys/pass.h"

#define SEND_TIMEOUT 10     /* seconds for a connection, and for each packet */
#define TAKEN_TIMEOUT 30000 /* milliseconds until it is being posted */
#define BUSY_TIMEOUT 60000  /* milliseconds of coming again */
#define BUSY_PAUSE 100      /* milliseconds; up to twice as many */
#define HEAR_TRIES 100      /* without memory for it */
#define HEAR_PAUSE 10       /* milliseconds between them */
#define PLAIN "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"

struct remote {
	const struct settings *settings;
	struct parcel_head head;
	struct buf strings;
	size_t setting; /* which one comes next, in the order of settings_each() */
};

bool
remote_received(void)
{
	return secure_getenv(REMOTE_MARK) != NULL;
}

static void
add_word(struct remote *r, const char *word)
{
	buf_add(&r->strings, word, strlen(word) + 1);
	r->head.words++;
}

/* What was set here, and not only by default, also holds there. */
static int
add_setting(void *arg, const char *section, const char *key, const char *value)
{
	struct remote *r = arg;
	size_t i = r->setting++;

	if (i >= SETTINGS_COUNT || !parcel_carries(section, key) ||
	    strcmp(r->settings->source[i].name, "default") == 0)
		return 0;
	parcel_add_setting(&r->strings, section, key, value);
	r->head.settings++;
	return 0;
}

/*
 * Who the caller is called here, as far as the command line leaves it open: to the flusher the uid
 * may be another one's.
 */
static void
add_caller(struct remote *r, const struct options *o)
{
	const char *name = o->name != NULL ? o->name : getenv("NAME");
	struct host_user user;
	char login[32];

	host_user(&user, getuid());
	snprintf(login, sizeof(login), "uid%u", (unsigned)getuid());
	if (o->from == NULL && strcmp(user.login, login) != 0 &&
	    user.login[strspn(user.login, PLAIN)] == '\0') {
		add_word(r, "-f");
		add_word(r, user.login);
	}
	if (o->name == NULL && (name != NULL || user.full_name[0] != '\0')) {
		add_word(r, "-F");
		add_word(r, name != NULL ? name : user.full_name);
	}
}

static int
pack(struct remote *r, const struct options *o, char *const *words)
{
	memcpy(r->head.magic, PARCEL_MAGIC, sizeof(r->head.magic));
	settings_each(r->settings, add_setting, r);
	add_caller(r, o);
	for (; *words != NULL; words++)
		add_word(r, *words);
	r->head.octets = (uint32_t)r->strings.len;
	if (r->strings.error == 0 && parcel_head_valid(&r->head))
		return 0;
	errno = r->strings.error == ENOMEM ? ENOMEM : E2BIG;
	return -1;
}

/* A descriptor, or -1 with errno. Where too many wait it waits with them. */
static int
dial(const char *path)
{
	const struct timeval t = {.tv_sec = SEND_TIMEOUT};
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int sock, error;

	if (strlen(path) >= sizeof(to.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(to.sun_path, path, strlen(path));
	if ((sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0)) == -1)
		return -1;
	if (setsockopt(sock, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t)) == 0 &&
	    connect(sock, (const struct sockaddr *)&to, sizeof(to)) == 0)
		return sock;
	error = errno;
	close(sock);
	errno = error;
	return -1;
}

static void
hand_over(const struct remote *r, int sock)
{
	static const int fds[PARCEL_FDS] = {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO};
	size_t n;

	if (pass_send_all(sock, &r->head, sizeof(r->head), fds, PARCEL_FDS) == -1)
		return;
	for (size_t at = 0; at < r->strings.len; at += n) {
		n = r->strings.len - at < PARCEL_PIECE ? r->strings.len - at : PARCEL_PIECE;
		if (pass_send_all(sock, r->strings.data + at, n, NULL, 0) == -1)
			return;
	}
}

/* Once `deadline` is over it fails with ETIMEDOUT. */
static int
wait_until(int sock, int64_t deadline)
{
	struct pollfd p = {.fd = sock, .events = POLLIN};
	int64_t left = deadline - clock_monotonic();
	int n = poll(&p, 1, deadline == INT64_MAX ? -1 : left > 0 ? (int)left : 0);

	if (n == 0)
		errno = ETIMEDOUT;
	return n == 1 ? 0 : -1;
}

/*
 * The next answer, for which time is given until `deadline` (INT64_MAX: none). 0, or -1 with errno.
 * That there is no memory for a moment is no reason to miss it: the message may be queued by now.
 */
static int
hear(int sock, struct parcel_answer *a, int64_t deadline)
{
	int tries = 0, n;

	for (;;) {
		if (wait_until(sock, deadline) == 0 && (n = parcel_listen(sock, a)) != -1)
			break;
		if (errno != EINTR && (errno != ENOMEM || ++tries == HEAR_TRIES))
			return -1;
		if (errno == ENOMEM)
			poll(NULL, 0, HEAR_PAUSE);
	}
	if (n == 0)
		errno = ECONNRESET;
	return n == 1 ? 0 : -1;
}

/* Until it is BUSY or DONE. It may take as long as the input does, once it is being posted. */
static int
converse(const struct remote *r, int sock, struct parcel_answer *a)
{
	int64_t deadline = clock_monotonic() + TAKEN_TIMEOUT;

	if (hear(sock, a, deadline) == -1)
		return -1;
	if (a->kind == PARCEL_READY) {
		hand_over(r, sock); /* why it was not taken is in the answer */
		if (hear(sock, a, deadline) == -1)
			return -1;
	}
	return a->kind == PARCEL_TAKEN ? hear(sock, a, INT64_MAX) : 0;
}

/* One attempt: EX_OK and an answer, or a status of which was complained. */
static int
attempt(const struct remote *r, int sock, struct parcel_answer *a)
{
	if (converse(r, sock, a) == 0 && (a->kind == PARCEL_BUSY || a->kind == PARCEL_DONE))
		return EX_OK;
	return complain(EX_TEMPFAIL,
	    "%s: no word that the message is safe (%s); take it for not queued",
	    r->settings->queue_post_socket, strerror(errno));
}

static void
pause_a_little(void)
{
	static unsigned seed;

	if (seed == 0)
		seed = (unsigned)getpid();
	poll(NULL, 0, BUSY_PAUSE + rand_r(&seed) % BUSY_PAUSE);
}

/* Whether there is a service cannot be said: its mail is not to lie where nobody looks afterwards. */
static bool
busy_now(int error)
{
	return file_error_passes(error) || error == ENOBUFS;
}

static int
post_packed(const struct remote *r, char *why, size_t size)
{
	const char *path = r->settings->queue_post_socket;
	int64_t deadline = clock_monotonic() + BUSY_TIMEOUT;
	struct parcel_answer a = {.kind = PARCEL_BUSY};

	for (;;) {
		int sock = dial(path), status;
		if (sock == -1 && a.text[0] == '\0' && !busy_now(errno)) {
			snprintf(why, size, "cannot post through %s: %s", path, strerror(errno));
			return -1;
		}
		if (sock == -1)
			return complain(EX_TEMPFAIL, "%s: %s; the message was not queued", path,
			    strerror(errno));
		status = attempt(r, sock, &a);
		close(sock);
		if (status != EX_OK)
			return status;
		if (a.kind == PARCEL_DONE)
			break;
		if (clock_monotonic() >= deadline) {
			a.status = EX_TEMPFAIL;
			break;
		}
		pause_a_little();
	}
	return a.text[0] == '\0' ? a.status : complain(a.status, "%s: %s", path, a.text);
}

int
remote_post(
    const struct options *o, const struct settings *s, char *const *words, char *why, size_t size)
{
	struct remote r = {.settings = s, .strings = BUF_INIT(PARCEL_OCTETS)};
	int status;

	why[0] = '\0';
	if (s->queue_post_socket[0] == '\0')
		return -1;
	if (pack(&r, o, words) == -1)
		status = complain(errno == E2BIG ? EX_DATAERR : EX_OSERR,
		    "%s: the command line: %s", s->queue_post_socket, strerror(errno));
	else
		status = post_packed(&r, why, size);
	buf_free(&r.strings);
	return status;
}
