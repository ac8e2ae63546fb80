/* SPDX-License-Identifier: ISC */
/*
 * program: finding and starting our other programs.
 *
 * They are found next to the running one (<prefix>/sbin/sendmail -> <prefix>/libexec/pillarbox/
 * flush), so that an installation can be staged or moved, else at the place given at build time.
 */
#ifndef SYS_PROGRAM_H
#define SYS_PROGRAM_H

#include <stddef.h>

/* The names: */
#define PROGRAM_FLUSH "flush"
#define PROGRAM_SMTP "smtp"
#define PROGRAM_MAILQ "mailq"
#define PROGRAM_SENDMAIL "sendmail"

/* Path of a program, one of the names above, into dst[size]. 0, or -1 with "" when it does not fit.
 */
int program_path(char *dst, size_t size, const char *name);

/*
 * First thing in main: descriptors 0 to 2 are open (on /dev/null where they were closed), SIGPIPE
 * is ignored, SIGCHLD is not, no signal is blocked, umask 077.
 */
void program_begin(void);

/*
 * Of the environment only our settings, and what a service and the commands that it runs need:
 * PATH, HOME, CREDENTIALS_DIRECTORY, a service manager's variables, and TZ where it names no file.
 */
void program_keep_settings(void);

/* Of the environment all but our settings, which may be secrets. */
void program_drop_settings(void);

/* Close all descriptors from 3 on but `keep` (-1: none), the log's too: it opens its own again. */
void program_close(int keep);

/*
 * Cut loose from the caller, in a forked child: own session, working directory unchanged,
 * descriptors 0 to 2 on /dev/null, all others closed but `keep` (-1: none), which is not one of
 * those three. No signal is ignored any more but SIGPIPE.
 */
void program_detach(int keep);

#endif
