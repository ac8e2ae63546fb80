/* SPDX-License-Identifier: ISC */
/*
 * complain: one clear line on stderr, and the exit status that goes with it.
 */
#ifndef COMPLAIN_H
#define COMPLAIN_H

/*
 * "sendmail: …" on stderr and in the log, cleaned, as one write. Returns `status` (sysexits), so
 * that a function can end with `return complain(EX_DATAERR, …)`.
 */
int complain(int status, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Who says it, "sendmail" at first; borrowed. */
void complain_as(const char *program);

/* The same without a status: something is wrong, but the work goes on. */
void warn_user(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
