/* SPDX-License-Identifier: ISC */
/*
 * poke: "there is something to do", said to a running flusher over a datagram socket.
 *
 * The socket of an owner's flusher is POKE_SOCKET in the owner's spool directory (mode 0700, so
 * nobody else reaches it); that of the system flusher is the setting queue.socket. Directories
 * are given by descriptor and entered with fchdir(), since a socket's path has room for 107
 * octets only: the working directory is changed and stays so.
 *
 * A request may carry the write end of a pipe. The flusher writes a line to it for each
 * recipient that was attempted ("ID 2.0.0 <address> text"), "done" at the end, and closes it; an
 * end of file without "done" means that the flusher went away. Who wants to watch gets the dialogue
 * besides, lines that begin with the number of a session: "[3] >>> QUIT". Of a message that was on its
 * way already when it was asked for there is none.
 */
#ifndef SYS_POKE_H
#define SYS_POKE_H

#include <stdbool.h>

#include <sys/types.h>

#include "mail/queue_id.h"

#define POKE_SOCKET "socket"

enum poke_type {
	POKE_NEW,   /* new mail was committed */
	POKE_ALL,   /* try everything that is queued now, due or not */
	POKE_ONE,   /* try this message now */
	POKE_LEAVE, /* make room for a service: finish what is on the wire and go */
	POKE_LOOK,  /* what had to wait may be due earlier now, or be there again */
};

struct poke {
	uint32_t type;
	struct queue_id id; /* POKE_ONE */
	uint8_t watch;      /* POKE_ALL, POKE_ONE: with the dialogue */
};

/*
 * Send to the socket `name` in directory `dirfd` (-1: name is a path). fd: a descriptor to pass, or
 * -1. 0: delivered. -1 with errno: ENOENT or ECONNREFUSED when nobody listens; ENAMETOOLONG for
 * more than 107 octets; EAGAIN: somebody listens, and has more pokes waiting than fit (for
 * POKE_NEW to an owner's flusher as good as delivered).
 */
int poke_send(int dirfd, const char *name, const struct poke *p, int fd);

/* The same by path; for up to `ms` milliseconds it waits for room, of which many kernels give ten pokes'. */
int poke_press(const char *name, const struct poke *p, int fd, unsigned ms);

/* Whether somebody listens there; nothing is sent. */
bool poke_heard(int dirfd, const char *name);

/*
 * Listen as `name` in `dirfd`, replacing what a dead flusher left: the caller holds the lock. The
 * socket has mode 0600; who wants more senders changes it. Returns a non-blocking descriptor, or
 * -1 with errno.
 */
int poke_listen(int dirfd, const char *name);

/*
 * Take one. 1, 0 when there is none, -1 with errno. *fd: -1 or a descriptor to close, which is the
 * write end of a pipe and does not block; *uid: the sender's. Datagrams that are no pokes are
 * dropped.
 */
int poke_take(int sock, struct poke *p, int *fd, unsigned *uid);

/*
 * Which queue directory the system flusher of this socket serves: a symbolic link beside it,
 * NAME.serves, with the directory's device and inode. The socket alone does not tell: a container may
 * share it and have a queue of its own that nobody outside looks into. 0, or -1 with errno.
 */
int poke_mark(const char *name, dev_t dev, ino_t ino);
void poke_unmark(const char *name);

/* Whether it serves that directory, as far as is said. */
bool poke_serves(const char *name, dev_t dev, ino_t ino);

#endif
