/* SPDX-License-Identifier: ISC */
/*
 * notify: what a service manager is told, by the protocol of sd_notify(3) and without its library:
 * datagrams of lines NAME=VALUE to the socket that NOTIFY_SOCKET names, by a path or, after an @,
 * in the abstract space. Without a manager all of it does nothing, and nothing here ever fails.
 */
#ifndef SYS_NOTIFY_H
#define SYS_NOTIFY_H

#include <stdint.h>

/*
 * Take NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID out of the environment, so that no program that
 * is started speaks for us, and connect: what comes later needs no path.
 */
void notify_begin(void);

/* One datagram. */
void notify_send(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* RELOADING=1 with the time, which Type=notify-reload wants. */
void notify_reloading(void);

/* Milliseconds between two WATCHDOG=1: half of what the manager waits; 0: it does not. */
int64_t notify_watchdog(void);

/* Close, in a process that is not the service any more. */
void notify_end(void);

#endif
