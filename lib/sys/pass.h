/* SPDX-License-Identifier: ISC */
/*
 * pass: one datagram over a Unix socket, with at most one descriptor beside it (SCM_RIGHTS). What
 * handoff and poke are made of.
 */
#ifndef SYS_PASS_H
#define SYS_PASS_H

#include <stddef.h>
#include <sys/types.h>
#include <sys/un.h>

/*
 * to: NULL on a connected socket. fd: -1, or a descriptor to go along. 0, or -1 with errno. A
 * datagram goes as a whole or not at all. Never raises SIGPIPE.
 */
int pass_send(int sock, const struct sockaddr_un *to, const void *data, size_t len, int fd);

/*
 * Receive into data[size]. Octets received (0: end of file, or an empty datagram), or -1 with
 * errno; EBADMSG for one that is longer than `size` or brings more than one descriptor, which are
 * closed. *fd: -1, or a descriptor that the caller closes. uid: NULL, or takes the sender's; the
 * socket has SO_PASSCRED then, and without credentials it is an EBADMSG.
 */
ssize_t pass_receive(int sock, void *data, size_t size, int *fd, uid_t *uid);

#endif
