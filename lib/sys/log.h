/* SPDX-License-Identifier: ISC */
/*
 * log: lines for people and for pflogsumm, in Postfix's form, facility mail.
 *
 * Where to, setting log.to: "syslog"; "stderr"; a file, appended to; "auto": syslog where
 * /dev/log is, else stderr when the program is a service (log_open's `service`), else nowhere:
 * callers such as getmail and Trac take any text on stderr as failure.
 * On stderr and in a file a line reads "Nov 23 16:13:05 host pillarbox/flush[124]: …".
 * A failure to log never fails anything else. Text is cleaned on the way.
 *
 * With log.format = json each line is an object, see log_json.h; syslog gets it as the text.
 */
#ifndef SYS_LOG_H
#define SYS_LOG_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "mail/envelope.h"
#include "mail/status.h"
#include "sys/config.h"

/*
 * program: "sendmail", "flush", … , borrowed for as long as lines are written. to: the setting.
 * format: FORMAT_PLAIN or FORMAT_JSON.
 * hostname: for stderr and files; "" takes gethostname(). A file is opened with the
 * first line, without following a symbolic link; where it cannot be, its lines go where "auto"
 * sends them, the first of them saying so. Before log_open() lines go nowhere.
 */
void log_open(const char *program, const char *to, int format, const char *hostname, bool service);

/* One line. log_warn() begins it with "warning: ", as Postfix does and pflogsumm counts. */
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * Each warning is also a line on this descriptor, which stays the caller's; -1: no more. Standard
 * error does not get it twice.
 */
void log_copy_warnings(int fd);

/*
 * Give back the descriptors, before they are closed behind the log's back and their numbers go to
 * others; the next line opens them again.
 */
void log_close(void);

/*
 * Where lines go to a file: open it now, as who may; the descriptor, which stays the log's, or -1.
 * And for who may not: take over one that another process opened; -1: none was.
 */
int log_ready(void);
void log_use(int fd);

/* What the line of a recipient says; the form is an API, see log_delivery(). */
struct log_delivery {
	pid_t pid; /* of smtp, whose tag the line carries; 0: our own tag */
	struct queue_id id;
	const char *from; /* of the envelope; only in JSON */
	const char *to;
	const char *orig_to; /* NULL, or what an alias or rewriting changed it from */
	const char *relay;   /* "host[address]:port" or "none" */
	double delay;        /* seconds since arrival */
	double delays[4];    /* before flush, waiting, connecting, sending */
	const char *tls;     /* "" or what the connection was protected by */
	const struct outcome *outcome;
	bool expired; /* given up for its age */
};

/*
 * The one line per recipient and attempt:
 *
 *	pillarbox/smtp[125]: ID: to=<r@x>, relay=mx.x[192.0.2.1]:25, delay=0.5,
 *	    delays=0.1/0/0.2/0.2, dsn=2.0.0, status=sent (250 2.0.0 Ok)
 *
 * in one line; status is sent, deferred, bounced or expired; ", orig_to=<…>" follows to; ", tls=…"
 * ends the line when it is not empty: pflogsumm knows nothing between delays and status. Times have two significant digits, as Postfix's:
 * 0.02, 5.1, 352.
 */
void log_delivery(const struct log_delivery *d);

#endif
