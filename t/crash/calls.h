/* SPDX-License-Identifier: ISC */
/*
 * calls: what steps.c knows of single system calls.
 */
#ifndef PILLARBOX_T_CALLS_H
#define PILLARBOX_T_CALLS_H

#include <linux/types.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <linux/ptrace.h>

struct call {
	pid_t pid;
	long nr;
	uint64_t args[6];
};

/* What somebody outside the process can tell, now or after a crash. */
bool call_has_effect(const struct call *c);

/* Its name; "?" where no fault of it is known. */
const char *call_name(const struct call *c);

/* Errnos that it can fail with: the i-th, 0 behind the last. */
int call_errno(const struct call *c, unsigned i);
bool call_can_fail(const struct call *c, int error);

/* Whether it moves octets, more than one, that may as well go in part: no datagram, no packet. */
bool call_can_be_short(const struct call *c);

/* "ENOSPC"; NULL: not known. errno_number: 0: not known. */
const char *errno_name(int error);
int errno_number(const char *name);

#endif
