/* SPDX-License-Identifier: ISC */
/*
 * sandbox: what a process gives up, for good, once it has what it needs.
 *
 *	Landlock       files below the places named only; TCP to the ports named only (ABI 4);
 *	               no signal to, and no abstract Unix socket of, other processes (ABI 6)
 *	seccomp        the system calls of sandbox.def only (x86_64 and aarch64)
 *	capabilities   none, no_new_privs, and lower limits
 *
 * Each counts where the kernel has it; what it lacks, sandbox_lacks() says. Both Landlock and
 * seccomp are a thread's and its future threads' and children's: enter before there is another one.
 * A file named is that inode: one that is renamed into its place is another, but below a directory.
 *
 * seccomp is left out of builds with sanitizers, which make other calls. On OpenBSD it is unveil(2)
 * and pledge(2).
 */
#ifndef SYS_SANDBOX_H
#define SYS_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum sandbox_calls {
	SANDBOX_FILES, /* files and Unix sockets; no network, no other program, no thread */
	SANDBOX_WIRE,  /* the network, reading, threads; no other program */
};

enum sandbox_access {
	SANDBOX_READ,  /* a file, or all below a directory; not to be executed */
	SANDBOX_SPOOL, /* read, written, made, moved and removed, sockets too */
};

struct sandbox {
	enum sandbox_calls calls;
	int ruleset; /* Landlock's; -1: none */
	int abi;
};

/*
 * Begin one. any_port: TCP ports are not restricted. An own descriptor is open until
 * sandbox_enter().
 */
void sandbox_begin(struct sandbox *b, enum sandbox_calls calls, bool any_port);

/* What is to stay in reach; "", or a path that is not there, is passed over. Links are followed. */
void sandbox_allow(struct sandbox *b, const char *path, enum sandbox_access access);
void sandbox_allow_fd(struct sandbox *b, int fd, enum sandbox_access access);

/* TCP connections to a port; 0: addresses to come from may be chosen. */
void sandbox_port(struct sandbox *b, uint16_t port);

/*
 * No way back from here. A call that is not in the list fails with EPERM, or with `deadly` ends the
 * process by SIGSYS; one that is newer than this list fails with ENOSYS.
 */
void sandbox_enter(struct sandbox *b, bool deadly);

/*
 * Of a root that goes on as such: keep what it needs to be other users, to signal them and to read
 * what is theirs; no more is to be had by executing something.
 */
void sandbox_supervisor(void);

/* What this kernel cannot do: "Landlock, seccomp", or "". */
#define SANDBOX_TEXT 64
void sandbox_lacks(char dst[SANDBOX_TEXT]);

#endif
