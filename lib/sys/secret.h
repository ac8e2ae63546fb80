/* SPDX-License-Identifier: ISC */
/*
 * secret: the relay's password, from where the settings say it is.
 */
#ifndef SYS_SECRET_H
#define SYS_SECRET_H

#include "mail/route.h"
#include "sys/config.h"

#define SECRET_WAIT 30 /* seconds that password_command may take */

/*
 * Read that of a relay, or with r == NULL of [relay], into dst[SECRET_LEN]: password_file's first
 * line, else password_command's first line of output (split into words, quotes and backslash as in
 * a shell, but no shell runs it), else password. "" when none is set; a URL's own password is not
 * looked at. White space around a line is no part of it; a file or command that gives an empty
 * line, or a control character in it, is an error.
 *
 * The file has to be trusted, see sys/file.h. For the command see sys/command.h.
 *
 * 0, or -1 with a text in `why`: "password_file /x: Permission denied". A file that others can read
 * is used, with a text in `why` and 1 returned, unless it is one of /run/secrets. No line end is added, nor ever the password or
 * the command's arguments. The caller wipes dst.
 */
int secret_read(char dst[SECRET_LEN], const struct settings *s, const struct settings_relay *r,
    struct buf *why);

#endif
