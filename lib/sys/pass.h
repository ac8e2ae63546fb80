/* SPDX-License-Identifier: ISC */
/*
 * pass: one datagram over a Unix socket, with descriptors beside it (SCM_RIGHTS): at most one, or
 * exactly so many. What handoff, poke and parcel are made of.
 */
#ifndef SYS_PASS_H
#define SYS_PASS_H

#include <stddef.h>
#include <sys/types.h>
#include <sys/un.h>

#define PASS_MAX 3 /* descriptors beside a datagram */

/*
 * to: NULL on a connected socket. fd: -1, or a descriptor to go along. 0, or -1 with errno. A
 * datagram goes as a whole or not at all. Never raises SIGPIPE.
 */
int pass_send(int sock, const struct sockaddr_un *to, const void *data, size_t len, int fd);

/* The same on a connected socket with n descriptors, PASS_MAX at most. */
int pass_send_all(int sock, const void *data, size_t len, const int *fds, size_t n);

/*
 * Receive into data[size]. Octets received (0: end of file, or an empty datagram), or -1 with
 * errno; EBADMSG for one that is longer than `size` or brings more than one descriptor, which are
 * closed. *fd: -1, or a descriptor that the caller closes. uid: NULL, or takes the sender's; the
 * socket has SO_PASSCRED then, and without credentials it is an EBADMSG.
 */
ssize_t pass_receive(int sock, void *data, size_t size, int *fd, uid_t *uid);

/*
 * The same where exactly n descriptors belong to a datagram: else it is an EBADMSG, and those that
 * came are closed. After an end of file fds[] is -1 throughout.
 */
ssize_t pass_receive_all(int sock, void *data, size_t size, int *fds, size_t n);

#endif
