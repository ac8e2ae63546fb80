/* SPDX-License-Identifier: ISC */
/*
 * aliases: the aliases file, read from disk. Its language and where it applies: mail/alias.h.
 *
 * The file and the files that it includes are read as the caller, and have to be trusted, see
 * sys/file.h. A file that is missing is none, and so is the path "". Include files have to be
 * there.
 */
#ifndef ALIASES_H
#define ALIASES_H

#include "mail/buf.h"
#include "mail/envelope.h"

/*
 * Replace the recipients of `e` that aliases apply to. When there is none, the file is not even
 * opened. What comes of a recipient has its NOTIFY, for no report of the expansion itself is made,
 * and its ORCPT; where that was not given, the ORCPT is the address as it was (RFC 3461 5.2.1,
 * 5.2.7), so that the log can tell it.
 *
 * EX_OK; no recipient may be left then: all mail for /dev/null. Otherwise `e` is as it was:
 *	EX_DATAERR      a recipient leads to nobody, or there are too many
 *	EX_CONFIG       the file is not trusted, or too large
 *	EX_TEMPFAIL     it cannot be read
 *	EX_OSERR        out of memory
 * Mistakes are lines in `errors`; with EX_OK as well, where they stopped nothing.
 */
int aliases_apply(const char *path, const char *domain, const char *hostname, struct envelope *e,
    struct buf *errors);

/*
 * newaliases, -bi: what is wrong with the file, a line each on stderr. EX_OK and silence when it is
 * fine; EX_DATAERR for mistakes in it; otherwise as above.
 */
int aliases_check(const char *path, const char *domain, const char *hostname);

/* Each line of `errors` to the user and the log. */
void aliases_report(const struct buf *errors);

#endif
