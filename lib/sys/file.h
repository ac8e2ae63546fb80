/* SPDX-License-Identifier: ISC */
/*
 * file: reading a small file that has to be trusted: settings, passwords, aliases.
 *
 * Trusted is a regular file that belongs to root or to the real uid and that nobody else may
 * write. The check is of the open descriptor, so what was checked is what is read.
 */
#ifndef SYS_FILE_H
#define SYS_FILE_H

#include <stddef.h>
#include <sys/types.h>

#include "mail/buf.h"

/*
 * Append the whole file to `out`, whose maximum bounds its size. 0, or -1 with errno and *why, a
 * text that says what is wrong: the system's words, or one of our own with errno EPERM (not
 * trusted: owner), EACCES (not trusted: writable by others), EINVAL (no regular file) or EFBIG.
 * mode: NULL, or takes the permissions.
 */
int file_load(struct buf *out, const char *path, mode_t *mode, const char **why);

/*
 * The first line of a trusted file into dst[size], without its line end and white space around it.
 * As above; also EINVAL for a control character, EMSGSIZE when it does not fit. dst is "" then.
 */
int file_line(char *dst, size_t size, const char *path, mode_t *mode, const char **why);

/* The same of what was read already. */
int file_first_line(char *dst, size_t size, const struct buf *content, const char **why);

#endif
