/* SPDX-License-Identifier: ISC */
#include "calls.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ERRNOS 7

/*
 * Those of the manual pages that a machine in trouble brings about, not those of a mistake in the
 * call. What is written here is of effect.
 */
static const struct row {
	long nr;
	const char *name;
	bool effect;
	int errors[ERRNOS];
} rows[] = {
#define CALL(name) SYS_##name, #name, false
#define EFFECT(name) SYS_##name, #name, true
    /* Files. */
    {CALL(read), {EIO, EINTR}},
    {CALL(pread64), {EIO, EINTR}},
    {EFFECT(write), {ENOSPC, EDQUOT, EIO, EINTR}},
    {EFFECT(writev), {ENOSPC, EDQUOT, EIO, EINTR}},
    {EFFECT(pwrite64), {ENOSPC, EDQUOT, EIO, EINTR}},
    {EFFECT(fsync), {ENOSPC, EDQUOT, EIO, EROFS}},
    {EFFECT(fdatasync), {ENOSPC, EDQUOT, EIO, EROFS}},
    {EFFECT(sync_file_range), {ENOSPC, EIO, ENOMEM}},
    {EFFECT(ftruncate), {EIO, EINTR, EROFS}},
    {CALL(openat), {EACCES, EIO, EMFILE, ENFILE, ENOMEM, EINTR}},
    {CALL(close), {EIO, EINTR, ENOSPC, EDQUOT}},
    {CALL(newfstatat), {EIO, ENOMEM}}, /* of a descriptor, mostly */
    {CALL(fstat), {EIO, ENOMEM}},
    {CALL(getdents64), {EIO, ENOMEM}},
    {CALL(readlinkat), {EACCES, EIO, ENOMEM}},
    {CALL(faccessat), {EACCES, EIO, ENOMEM, EROFS}},
    {CALL(faccessat2), {EACCES, EIO, ENOMEM, EROFS}},
    {CALL(chdir), {EACCES, EIO, ENOMEM}},
    {CALL(fchdir), {EACCES, EIO}},
    {CALL(fchmod), {EIO, EROFS}},
    {EFFECT(renameat), {ENOSPC, EDQUOT, EIO, EROFS, EACCES, ENOMEM}},
    {EFFECT(renameat2), {ENOSPC, EDQUOT, EIO, EROFS, EACCES, ENOMEM}},
    {EFFECT(linkat), {ENOSPC, EDQUOT, EIO, EROFS, EACCES, ENOMEM}},
    {EFFECT(unlinkat), {EIO, EROFS, EACCES, ENOMEM}},
    {EFFECT(mkdirat), {ENOSPC, EDQUOT, EIO, EROFS, EACCES, ENOMEM}},
    {EFFECT(utimensat), {EIO, EROFS, EACCES}},
    {EFFECT(flock), {EINTR, ENOLCK}},
    {EFFECT(fcntl), {EINTR, ENOLCK, EMFILE}},
    {CALL(dup3), {EINTR}},
    /* Sockets, pipes and the like. */
    {CALL(socket), {EMFILE, ENFILE, ENOMEM, ENOBUFS, EACCES}},
    {CALL(socketpair), {EMFILE, ENFILE, ENOMEM}},
    {EFFECT(bind), {ENOMEM, EACCES, EROFS, EIO}},
    {CALL(listen), {EADDRINUSE}},
    {EFFECT(connect), {EACCES, EINTR, ECONNREFUSED, EAGAIN, ENOMEM}},
    {CALL(accept4), {EMFILE, ENFILE, ENOMEM, EINTR, ECONNABORTED}},
    {EFFECT(sendto), {ENOMEM, ENOBUFS, EINTR}},
    {EFFECT(sendmsg), {ENOMEM, ENOBUFS, EINTR, ETOOMANYREFS}},
    {CALL(recvfrom), {ENOMEM, EINTR}},
    {EFFECT(recvmsg), {ENOMEM, EINTR}},
    {CALL(getsockopt), {ENOMEM, ENOBUFS}},
    {CALL(setsockopt), {ENOMEM, ENOBUFS}},
    {CALL(pipe2), {EMFILE, ENFILE}},
    {CALL(eventfd2), {EMFILE, ENFILE, ENOMEM}},
    {CALL(signalfd4), {EMFILE, ENFILE, ENOMEM}},
    {CALL(timerfd_create), {EMFILE, ENFILE, ENOMEM}},
    {CALL(epoll_create1), {EMFILE, ENFILE, ENOMEM}},
    {CALL(epoll_ctl), {ENOMEM, ENOSPC}},
    {CALL(ppoll), {ENOMEM, EINTR}},
    /* Memory and processes. */
    {CALL(mmap), {ENOMEM}},
    {CALL(mprotect), {ENOMEM}},
    {CALL(mremap), {ENOMEM}},
    {CALL(brk), {ENOMEM}},
    {CALL(getrandom), {EINTR, ENOSYS}},
    {EFFECT(clone), {EAGAIN, ENOMEM}},
    {CALL(clone3), {EAGAIN, ENOMEM}},
    {EFFECT(execve), {ENOMEM, EACCES, EIO, EMFILE, ENFILE}},
    {CALL(execveat), {ENOMEM, EACCES, EIO, EMFILE, ENFILE}},
    {CALL(wait4), {EINTR}},
    {CALL(setresuid), {EAGAIN, ENOMEM}},
    {CALL(setgroups), {ENOMEM}},
    {CALL(seccomp), {ENOMEM}},
    {CALL(landlock_create_ruleset), {ENOMEM, EMFILE}},
    {CALL(landlock_add_rule), {ENOMEM}},
    {EFFECT(exit_group), {0}},
#ifdef SYS_mkdir /* gone from later architectures */
    {CALL(open), {EACCES, EIO, EMFILE, ENFILE, ENOMEM, EINTR}},
    {CALL(stat), {EACCES, EIO, ENOMEM}},
    {CALL(lstat), {EACCES, EIO, ENOMEM}},
    {CALL(access), {EACCES, EIO, ENOMEM}},
    {CALL(readlink), {EACCES, EIO, ENOMEM}},
    {CALL(chmod), {EIO, EROFS}},
    {EFFECT(mkdir), {ENOSPC, EDQUOT, EIO, EROFS, EACCES, ENOMEM}},
    {EFFECT(rename), {ENOSPC, EDQUOT, EIO, EROFS, EACCES, ENOMEM}},
    {EFFECT(link), {ENOSPC, EDQUOT, EIO, EROFS, EACCES, ENOMEM}},
    {EFFECT(unlink), {EIO, EROFS, EACCES, ENOMEM}},
    {EFFECT(fork), {EAGAIN, ENOMEM}},
    {EFFECT(vfork), {EAGAIN, ENOMEM}},
    {CALL(dup2), {EINTR}},
    {CALL(pipe), {EMFILE, ENFILE}},
    {CALL(poll), {ENOMEM, EINTR}},
#endif
#undef CALL
#undef EFFECT
};

static const struct row *
row(const struct call *c)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].nr == c->nr)
			return &rows[i];
	return NULL;
}

bool
call_has_effect(const struct call *c)
{
	const struct row *r = row(c);

	if (c->nr == SYS_openat)
		return (c->args[2] & O_CREAT) != 0;
	return r != NULL && r->effect;
}

const char *
call_name(const struct call *c)
{
	const struct row *r = row(c);

	return r != NULL ? r->name : "?";
}

int
call_errno(const struct call *c, unsigned i)
{
	const struct row *r = row(c);

	return r != NULL && i < ERRNOS ? r->errors[i] : 0;
}

bool
call_can_fail(const struct call *c, int error)
{
	for (unsigned i = 0; call_errno(c, i) != 0; i++)
		if (call_errno(c, i) == error)
			return true;
	return false;
}

/* A descriptor of another process; what it is, is asked by a copy. */
static bool
is_stream(pid_t pid, int fd)
{
	int process = (int)syscall(SYS_pidfd_open, pid, 0), type = 0, copy;
	socklen_t len = sizeof(type);
	struct stat st;
	bool yes = false;

	if (process == -1) /* a thread; ours write to counters only, which go whole */
		return false;
	copy = (int)syscall(SYS_pidfd_getfd, process, fd, 0);
	close(process);
	if (copy == -1 || fstat(copy, &st) == -1)
		yes = false;
	else if (S_ISSOCK(st.st_mode))
		yes =
		    getsockopt(copy, SOL_SOCKET, SO_TYPE, &type, &len) == 0 && type == SOCK_STREAM;
	else
		yes = S_ISREG(st.st_mode) || S_ISFIFO(st.st_mode);
	if (copy != -1)
		close(copy);
	return yes;
}

bool
call_can_be_short(const struct call *c)
{
	switch (c->nr) {
	case SYS_read:
	case SYS_write:
	case SYS_pread64:
	case SYS_pwrite64:
	case SYS_recvfrom:
	case SYS_sendto:
		return c->args[2] > 1 && is_stream(c->pid, (int)c->args[0]);
	default:
		return false;
	}
}

static const struct {
	const char *name;
	int number;
} errnos[] = {
#define ERRNO(name) #name, name
    {ERRNO(EACCES)},
    {ERRNO(EADDRINUSE)},
    {ERRNO(EAGAIN)},
    {ERRNO(ECONNABORTED)},
    {ERRNO(ECONNREFUSED)},
    {ERRNO(EDQUOT)},
    {ERRNO(EINTR)},
    {ERRNO(EIO)},
    {ERRNO(EMFILE)},
    {ERRNO(ENFILE)},
    {ERRNO(ENOBUFS)},
    {ERRNO(ENOLCK)},
    {ERRNO(ENOMEM)},
    {ERRNO(ENOSPC)},
    {ERRNO(ENOSYS)},
    {ERRNO(EROFS)},
    {ERRNO(ETOOMANYREFS)},
};

const char *
errno_name(int error)
{
	for (size_t i = 0; i < sizeof(errnos) / sizeof(errnos[0]); i++)
		if (errnos[i].number == error)
			return errnos[i].name;
	return NULL;
}

int
errno_number(const char *name)
{
	for (size_t i = 0; i < sizeof(errnos) / sizeof(errnos[0]); i++)
		if (strcmp(errnos[i].name, name) == 0)
			return errnos[i].number;
	return 0;
}
