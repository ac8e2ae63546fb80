/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys/poke.h"
#include "tap.h"

static char dir[] = "/tmp/pillarbox-poke.XXXXXX";
static int folder;
static const struct poke new = {.type = POKE_NEW};

static void
nobody(void)
{
	char name[200];
	int sock;

	ok(poke_send(folder, POKE_SOCKET, &new, -1) == -1 && errno == ENOENT, "no socket: ENOENT");
	sock = poke_listen(folder, POKE_SOCKET);
	ok(sock > 2, "listen");
	close(sock);
	ok(poke_send(folder, POKE_SOCKET, &new, -1) == -1 && errno == ECONNREFUSED,
	    "a dead flusher's: ECONNREFUSED");
	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	ok(poke_send(-1, name, &new, -1) == -1 && errno == ENAMETOOLONG, "a long path");
	ok(poke_listen(-1, name) == -1 && errno == ENAMETOOLONG, "to listen on, too");
	name[108] = '\0';
	ok(poke_send(-1, name, &new, -1) == -1 && errno == ENAMETOOLONG, "108 octets");
	name[107] = '\0';
	ok(poke_send(-1, name, &new, -1) == -1 && errno == ENOENT, "107 octets fit");
	ok(poke_send(-1, "", &new, -1) == -1 && errno == ENOENT, "no name");
}

static void
listening(int sock)
{
	struct stat st;

	ok(fstatat(folder, POKE_SOCKET, &st, 0) == 0 && S_ISSOCK(st.st_mode), "a socket is there");
	is_int(st.st_mode & 0777, 0600, "for us alone");
	ok((fcntl(sock, F_GETFL) & O_NONBLOCK) != 0, "it does not block");
	is_int(fcntl(sock, F_GETFD), FD_CLOEXEC, "and closes on exec");
}

static void
taking(int sock)
{
	struct poke p, one = {.type = POKE_ONE, .id = queue_id_make(1764000000000000, 5)};
	int fd = 99, ends[2];
	unsigned uid = 99;
	char c = 0;

	is_int(poke_take(sock, &p, &fd, &uid), 0, "none");
	is_int(fd, -1, "no descriptor");
	is_int(poke_send(folder, POKE_SOCKET, &new, -1), 0, "send");
	is_int(poke_send(folder, POKE_SOCKET, &one, -1), 0, "another");
	ok(poke_take(sock, &p, &fd, &uid) == 1 && p.type == POKE_NEW, "take the first");
	ok(fd == -1 && uid == getuid(), "from us, without a descriptor");
	ok(poke_take(sock, &p, &fd, &uid) == 1 && p.type == POKE_ONE, "take the second");
	is(p.id.s, one.id.s, "its queue ID");

	if (pipe2(ends, O_CLOEXEC) == -1)
		return;
	one.type = POKE_ALL;
	is_int(poke_send(folder, POKE_SOCKET, &one, ends[1]), 0, "send with a pipe");
	close(ends[1]);
	ok(poke_take(sock, &p, &fd, &uid) == 1 && p.type == POKE_ALL, "take it");
	ok(fcntl(fd, F_GETFD) == FD_CLOEXEC && (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0,
	    "its descriptor closes on exec and does not block");
	ok(write(fd, "x", 1) == 1 && read(ends[0], &c, 1) == 1 && c == 'x', "it is the pipe's");
	close(fd);
	is_int(read(ends[0], &c, 1), 0, "its end is seen");
	close(ends[0]);
	ok(access(POKE_SOCKET, F_OK) == 0, "the working directory is the socket's");
}

static void
raw(const void *data, size_t len)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX, .sun_path = POKE_SOCKET};
	int sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (sendto(sock, data, len, 0, (struct sockaddr *)&to, sizeof(to)) == -1)
		ok(false, "sendto: %s", strerror(errno));
	close(sock);
}

static void
junk(int sock)
{
	struct poke p = {.type = POKE_LOOK + 1}, all = {.type = POKE_ALL};
	char big[sizeof(p) + 1] = {0};
	int fd, in = open("/dev/null", O_WRONLY | O_CLOEXEC), ends[2], before;
	unsigned uid;

	before = dup(in); /* the lowest free descriptor tells whether one was left open */
	close(before);
	raw("", 0);
	raw("x", 1);
	raw(big, sizeof(big));
	raw(&p, sizeof(p));
	p.type = POKE_ONE;
	raw(&p, sizeof(p));
	memset(p.id.s, '0', sizeof(p.id.s));
	raw(&p, sizeof(p));
	memcpy(p.id.s, "../../../etc", 13);
	raw(&p, sizeof(p));
	poke_send(folder, POKE_SOCKET, &all, in);
	if (pipe2(ends, O_CLOEXEC) == -1)
		return;
	poke_send(folder, POKE_SOCKET, &all, ends[0]);
	poke_send(folder, POKE_SOCKET, &all, folder);
	close(ends[0]);
	close(ends[1]);
	poke_send(folder, POKE_SOCKET, &new, -1);
	ok(poke_take(sock, &p, &fd, &uid) == 1 && p.type == POKE_NEW,
	    "junk is dropped, and so are descriptors that are no pipe to write to");
	is_int(poke_take(sock, &p, &fd, &uid), 0, "that was all");
	fd = dup(in);
	is_int(fd, before, "nothing was left open");
	close(fd);
	close(in);
}

static void
flood(int sock)
{
	struct poke p;
	int sent = 0, taken = 0, fd, status;
	unsigned uid;
	pid_t pid;

	while (sent < 100000 && poke_send(folder, POKE_SOCKET, &new, -1) == 0)
		sent++;
	is_int(errno, EAGAIN, "a full socket says EAGAIN");
	ok(poke_press(POKE_SOCKET, &new, -1, 20) == -1 && errno == EAGAIN, "also to who presses");
	pid = fork();
	if (pid == 0)
		_exit(poke_press(POKE_SOCKET, &new, -1, 20000) == 0 ? 0 : 1);
	for (int i = 0; i < 2000 && taken < sent + 1; i++)
		if (poke_take(sock, &p, &fd, &uid) == 1)
			taken++;
		else
			poll(NULL, 0, 10);
	is_int(taken, sent + 1, "it keeps what it has, and hears of who pressed");
	waitpid(pid, &status, 0);
	is_int(status, 0, "who knows of it");
}

/* Another user, when we can become one. */
static void
others(int sock)
{
	struct poke p;
	unsigned uid = 0;
	int fd, status;
	pid_t pid;

	if (geteuid() != 0)
		return;
	pid = fork();
	if (pid == 0)
		_exit(setuid(65534) == 0 && poke_send(-1, POKE_SOCKET, &new, -1) == -1 &&
			      (errno == EACCES || errno == EPERM)
			  ? 0
			  : 1);
	waitpid(pid, &status, 0);
	is_int(status, 0, "others cannot send");
	chmod(".", 0711);
	chmod(POKE_SOCKET, 0666);
	pid = fork();
	if (pid == 0)
		_exit(setuid(65534) == 0 && poke_send(-1, POKE_SOCKET, &new, -1) == 0 ? 0 : 1);
	waitpid(pid, &status, 0);
	is_int(status, 0, "they can where they may");
	is_int(poke_take(sock, &p, &fd, &uid), 1, "take theirs");
	is_int(uid, 65534, "with their uid");
}

int
main(void)
{
	int sock;

	if (mkdtemp(dir) == NULL)
		return 1;
	folder = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	umask(0);
	nobody();
	sock = poke_listen(folder, POKE_SOCKET);
	ok(sock != -1, "replace what a dead flusher left");
	listening(sock);
	taking(sock);
	junk(sock);
	flood(sock);
	others(sock);
	close(sock);
	unlink(POKE_SOCKET);
	rmdir(dir);
	return done();
}
