/* SPDX-License-Identifier: ISC */
#include "registers.h"

#include <elf.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>

#if defined(__x86_64__)
#define NUMBER orig_rax
#define RESULT rax
#define ARGUMENT_0 rdi
#define ARGUMENT_2 rdx
#elif defined(__aarch64__)
#define RESULT regs[0]
#define ARGUMENT_0 regs[0]
#define ARGUMENT_2 regs[2]
#ifndef NT_ARM_SYSTEM_CALL
#define NT_ARM_SYSTEM_CALL 0x404
#endif
#else
#error "which registers hold a system call here?"
#endif

static int
take(pid_t pid, struct user_regs_struct *r)
{
	struct iovec v = {.iov_base = r, .iov_len = sizeof(*r)};

	return ptrace(PTRACE_GETREGSET, pid, (void *)NT_PRSTATUS, &v) == -1 ? -1 : 0;
}

static int
put(pid_t pid, struct user_regs_struct *r)
{
	struct iovec v = {.iov_base = r, .iov_len = sizeof(*r)};

	return ptrace(PTRACE_SETREGSET, pid, (void *)NT_PRSTATUS, &v) == -1 ? -1 : 0;
}

int
registers_call(pid_t pid, long nr)
{
#ifdef NUMBER
	struct user_regs_struct r;

	if (take(pid, &r) == -1)
		return -1;
	r.NUMBER = (unsigned long)nr;
	return put(pid, &r);
#else
	int number = (int)nr;
	struct iovec v = {.iov_base = &number, .iov_len = sizeof(number)};

	return ptrace(PTRACE_SETREGSET, pid, (void *)NT_ARM_SYSTEM_CALL, &v) == -1 ? -1 : 0;
#endif
}

int
registers_argument(pid_t pid, int which, unsigned long value)
{
	struct user_regs_struct r;

	if (take(pid, &r) == -1)
		return -1;
	if (which == 0)
		r.ARGUMENT_0 = value;
	else
		r.ARGUMENT_2 = value;
	return put(pid, &r);
}

int
registers_result(pid_t pid, long value)
{
	struct user_regs_struct r;

	if (take(pid, &r) == -1)
		return -1;
	r.RESULT = (unsigned long)value;
	return put(pid, &r);
}
