/* SPDX-License-Identifier: ISC */
/*
 * registers: a system call of a traced process, changed while it is stopped at its begin or end. Each
 * returns -1 with errno where the process is gone.
 */
#ifndef PILLARBOX_T_REGISTERS_H
#define PILLARBOX_T_REGISTERS_H

#include <sys/types.h>

/* At the begin: this one is made in its place. */
int registers_call(pid_t pid, long nr);
/* Argument 0 or 2; at the end too, where the caller may rely on finding them as they were. */
int registers_argument(pid_t pid, int which, unsigned long value);
/* At the end: what it returns; -errno for a failure. */
int registers_result(pid_t pid, long value);

#endif
