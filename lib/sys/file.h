/* SPDX-License-Identifier: ISC */
/*
 * file: reading a small file that has to be trusted: settings, passwords, aliases.
 *
 * Trusted is a regular file that belongs to root or to the real uid and that nobody else may
 * write. The check is of the open descriptor, so what was checked is what is read. Below
 * /run/secrets, a directory of root's that nobody else may write, owner and mode do not count: a
 * container engine put the file there, and it has those that it had on the host.
 */
#ifndef SYS_FILE_H
#define SYS_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "mail/buf.h"

#define FILE_GIVEN "/run/secrets"

/* Whether the path is one below FILE_GIVEN, as above. */
bool file_given(const char *path);

/* Whether an errno is not of what somebody did to a file, but of what the system cannot do now. */
bool file_error_passes(int error);

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
