/* SPDX-License-Identifier: ISC */
/*
 * sandbox_calls: what sandbox.c wants to know of the architecture: its name, and a number for every
 * system call of sandbox.def. -1: it has none of that name.
 */
#ifndef SYS_SANDBOX_CALLS_H
#define SYS_SANDBOX_CALLS_H

#include <endian.h>
#include <linux/audit.h>
#include <stdint.h>
#include <sys/syscall.h>

#define FILES 1U
#define WIRE 2U
#define BOTH (FILES | WIRE)

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_SANITIZER 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define WITH_SANITIZER 1
#endif

/*
 * FILTERS: whether calls are filtered, on these architectures alone. Numbers from X32_BIT on are
 * another ABI's of the same machine.
 */
#if defined(WITH_SANITIZER)
#define FILTERS 0
#elif defined(__x86_64__) && !defined(__ILP32__)
#define FILTERS 1
#define ARCHITECTURE AUDIT_ARCH_X86_64
#define X32_BIT 0x40000000U
#elif defined(__aarch64__) && !defined(__ILP32__) && __BYTE_ORDER == __LITTLE_ENDIAN
#define FILTERS 1
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#define X32_BIT 0xffffffffU
#else
#define FILTERS 0
#endif

/* Newer than some headers; their numbers are the same everywhere. */
#ifndef __NR_clone3
#define __NR_clone3 435
#endif
#ifndef __NR_close_range
#define __NR_close_range 436
#endif
#ifndef __NR_openat2
#define __NR_openat2 437
#endif
#ifndef __NR_faccessat2
#define __NR_faccessat2 439
#endif
#ifndef __NR_epoll_pwait2
#define __NR_epoll_pwait2 441
#endif
#ifndef __NR_futex_waitv
#define __NR_futex_waitv 449
#endif
#ifndef __NR_fchmodat2
#define __NR_fchmodat2 452
#endif
#ifndef __NR_map_shadow_stack
#define __NR_map_shadow_stack 453
#endif
#ifndef __NR_futex_wake
#define __NR_futex_wake 454
#endif
#ifndef __NR_futex_wait
#define __NR_futex_wait 455
#endif
#ifndef __NR_futex_requeue
#define __NR_futex_requeue 456
#endif
#ifndef __NR_mseal
#define __NR_mseal 462
#endif

/* Of x86 alone. */
#ifndef __NR_stat
#define __NR_stat -1
#endif
#ifndef __NR_lstat
#define __NR_lstat -1
#endif
#ifndef __NR_arch_prctl
#define __NR_arch_prctl -1
#endif
#ifndef __NR_alarm
#define __NR_alarm -1
#endif
#ifndef __NR_time
#define __NR_time -1
#endif
#ifndef __NR_getpgrp
#define __NR_getpgrp -1
#endif
#ifndef __NR_dup2
#define __NR_dup2 -1
#endif
#ifndef __NR_poll
#define __NR_poll -1
#endif
#ifndef __NR_select
#define __NR_select -1
#endif
#ifndef __NR_pipe
#define __NR_pipe -1
#endif
#ifndef __NR_access
#define __NR_access -1
#endif
#ifndef __NR_readlink
#define __NR_readlink -1
#endif
#ifndef __NR_open
#define __NR_open -1
#endif
#ifndef __NR_rename
#define __NR_rename -1
#endif
#ifndef __NR_link
#define __NR_link -1
#endif
#ifndef __NR_unlink
#define __NR_unlink -1
#endif
#ifndef __NR_mkdir
#define __NR_mkdir -1
#endif
#ifndef __NR_epoll_wait
#define __NR_epoll_wait -1
#endif

#endif
