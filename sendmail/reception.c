/* SPDX-License-Identifier: ISC */
#include "reception.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "clerk.h"
#include "parcel.h"
#include "sys/clock.h"
#include "sys/log.h"
#include "sys/program.h"

#define ROUND 32            /* connections accepted before others have their turn */
#define BETWEEN_LINES 60000 /* milliseconds between two lines about somebody who is turned away */

struct guest {
	pid_t pid;
	uid_t uid;
};

struct reception {
	int fd;    /* -1 once it is stopped */
	int spare; /* a descriptor to give up when there is no other */
	struct guest *guests;
	size_t n, room;
	int64_t said; /* milliseconds; when somebody was turned away in the log */
	char path[PATH_MAX], program[PATH_MAX];
};

static int
open_spare(void)
{
	return open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* Only after chmod() can anybody connect, whatever the umask is. */
static int
listen_at(const char *path)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int sock, error;

	if (strlen(path) >= sizeof(at.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(at.sun_path, path, strlen(path));
	sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (sock == -1)
		return -1;
	if ((unlink(path) == 0 || errno == ENOENT) &&
	    bind(sock, (const struct sockaddr *)&at, sizeof(at)) == 0 && chmod(path, 0666) == 0 &&
	    listen(sock, SOMAXCONN) == 0)
		return sock;
	error = errno;
	close(sock);
	errno = error;
	return -1;
}

struct reception *
reception_open(const struct settings *s)
{
	struct reception *r;

	errno = 0;
	if (s->queue_post_socket[0] == '\0' || (r = calloc(1, sizeof(*r))) == NULL)
		return NULL;
	r->said = -BETWEEN_LINES;
	r->spare = open_spare();
	snprintf(r->path, sizeof(r->path), "%s", s->queue_post_socket);
	if (program_path(r->program, sizeof(r->program), PROGRAM_SENDMAIL) == 0 &&
	    (r->fd = listen_at(r->path)) != -1)
		return r;
	close(r->spare);
	free(r);
	return NULL;
}

int
reception_fd(const struct reception *r)
{
	return r != NULL ? r->fd : -1;
}

static size_t
count_of(const struct reception *r, uid_t uid)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n; i++)
		n += r->guests[i].uid == uid;
	return n;
}

/* NULL, or why there is no place for one more. */
static const char *
turned_away(const struct reception *r, const struct settings *s, uid_t uid)
{
	if (count_of(r, uid) >= s->queue_owner_posts)
		return "too many posts of this user at the same time (queue.owner_posts)";
	if (r->n >= s->queue_posts)
		return "too many posts at the same time (queue.posts)";
	return NULL;
}

static bool
make_room(struct reception *r)
{
	size_t room = r->room > 0 ? 2 * r->room : 16;
	struct guest *more;

	if (r->n < r->room)
		return true;
	if ((more = realloc(r->guests, room * sizeof(*more))) == NULL)
		return false;
	r->guests = more;
	r->room = room;
	return true;
}

static void
say_busy(struct reception *r, int conn, uid_t uid, const char *why)
{
	int64_t now = clock_monotonic();

	parcel_answer(conn, PARCEL_BUSY, EX_TEMPFAIL, why);
	if (now - r->said < BETWEEN_LINES)
		return;
	r->said = now;
	log_warn("uid %u is turned away from %s: %s", (unsigned)uid, r->path, why);
}

static void
receive(struct reception *r, const struct settings *s, int conn)
{
	struct clerk clerk = {.conn = conn, .settings = s, .program = r->program};
	struct ucred peer;
	socklen_t len = sizeof(peer);
	const char *why;
	pid_t pid;

	if (getsockopt(conn, SOL_SOCKET, SO_PEERCRED, &peer, &len) == -1 || len != sizeof(peer))
		return;
	if ((why = turned_away(r, s, peer.uid)) == NULL && !make_room(r))
		why = "out of memory";
	if (why == NULL) {
		clerk.uid = peer.uid;
		if ((pid = fork()) == 0)
			_exit(clerk_serve(&clerk));
		if (pid != -1) {
			r->guests[r->n++] = (struct guest){.pid = pid, .uid = peer.uid};
			return;
		}
		why = strerror(errno);
	}
	say_busy(r, conn, peer.uid, why);
}

/* No descriptor is left: without one of them the listening socket would be ready for ever. */
static void
turn_one_away(struct reception *r)
{
	int conn;

	close(r->spare);
	if ((conn = accept4(r->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) != -1) {
		parcel_answer(conn, PARCEL_BUSY, EX_TEMPFAIL, "too many open files");
		close(conn);
	} else
		poll(NULL, 0, 10);
	r->spare = open_spare();
}

void
reception_take(struct reception *r, const struct settings *s)
{
	for (int i = 0; i < ROUND && r->fd != -1; i++) {
		int conn = accept4(r->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (conn == -1 && (errno == EINTR || errno == ECONNABORTED))
			continue;
		if (conn == -1) {
			if (errno != EAGAIN)
				turn_one_away(r);
			return;
		}
		receive(r, s, conn);
		close(conn);
	}
}

bool
reception_ended(struct reception *r, pid_t pid, int status)
{
	size_t i = 0;

	while (r != NULL && i < r->n && r->guests[i].pid != pid)
		i++;
	if (r == NULL || i == r->n)
		return false;
	if (WIFEXITED(status))
		log_info("uid %u posted through %s: status %d", (unsigned)r->guests[i].uid, r->path,
		    WEXITSTATUS(status));
	else
		log_warn("a post of uid %u through %s ended with signal %d",
		    (unsigned)r->guests[i].uid, r->path, WTERMSIG(status));
	r->guests[i] = r->guests[--r->n];
	return true;
}

void
reception_stop(struct reception *r)
{
	if (r == NULL)
		return;
	if (r->fd != -1) {
		unlink(r->path);
		close(r->fd);
	}
	r->fd = -1;
	for (size_t i = 0; i < r->n; i++)
		kill(r->guests[i].pid, SIGTERM);
}

/* As far as they have ended. */
static void
reap(struct reception *r)
{
	for (size_t i = r->n; i > 0; i--) {
		pid_t pid = r->guests[i - 1].pid;
		int status;
		if (waitpid(pid, &status, WNOHANG) == pid)
			reception_ended(r, pid, status);
	}
}

void
reception_close(struct reception *r)
{
	int64_t end = clock_monotonic() + RECEPTION_GOODBYE;

	if (r == NULL)
		return;
	for (reap(r); r->n > 0 && clock_monotonic() < end; reap(r))
		poll(NULL, 0, 5);
	for (size_t i = 0; i < r->n; i++)
		kill(r->guests[i].pid, SIGKILL);
	close(r->spare);
	free(r->guests);
	free(r);
}

void
reception_leave(const struct reception *r)
{
	if (r == NULL)
		return;
	if (r->fd != -1)
		close(r->fd);
	if (r->spare != -1)
		close(r->spare);
}
