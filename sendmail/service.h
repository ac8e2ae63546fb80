/* SPDX-License-Identifier: ISC */
/*
 * service: what a flusher that stays (flush -D, -d) does for those who look after it: a pidfile, the
 * word to whoever started it that it is ready or cannot be, a service manager's notifications
 * (sys/notify.h) and watchdog, and the interval of sendmail -q15m.
 */
#ifndef SERVICE_H
#define SERVICE_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#define SERVICE_PIDFILE "pillarbox.pid"
#define SERVICE_PATH (PATH_MAX + 16)
#define SERVICE_READY "ready" /* the last line for the starter; those before say what is wrong */

struct service {
	unsigned every; /* seconds between runs of everything; 0: none */
	int starter;    /* the write end of a pipe: who ran sendmail -bd reads it; -1: nobody */
	/* private */
	struct pidfh *pidfile;
	int64_t next_run, next_ping, alarm; /* milliseconds, monotonic; INT64_MAX: never */
	char status[80];
};

/*
 * First thing. Warnings of the log go to the starter, or to standard error, as well, until
 * service_ready().
 */
void service_begin(struct service *s, unsigned every, int starter);

/* Its path: the setting; where that is empty SERVICE_PIDFILE beside the socket. */
void service_pidfile(char path[SERVICE_PATH], const char *setting, const char *socket);

/*
 * Be the only one with this pidfile, and write it; its directory is made where it is missing, in a
 * directory that is there. 0: also where the file cannot be written, which the log says. -1:
 * another one runs, which the log says too.
 */
int service_lock(struct service *s, const char *pidfile);

/* Every socket listens. Also after service_reloading(). */
void service_ready(struct service *s);

void service_reloading(void);

/* Words for a person, as systemctl status shows them; sent when they are others than before. */
void service_status(struct service *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * Once in each turn of the loop: say that we live, where that is wanted. Whether everything is to
 * be tried now, since the interval is over. A sleep in ppoll() is ended in time by SIGALRM. s may be
 * NULL: no service.
 */
bool service_turn(struct service *s);

/* About to leave; and at the end: the pidfile is removed. */
void service_stopping(void);
void service_end(struct service *s);

/* In a forked child that is not the service: lets go of the pidfile's lock and the rest. */
void service_forget(struct service *s);

#endif
