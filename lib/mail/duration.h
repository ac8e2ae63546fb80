/* SPDX-License-Identifier: ISC */
/*
 * duration: "90" or "90s", "5m", "2h", "5d" as seconds.
 */
#ifndef MAIL_DURATION_H
#define MAIL_DURATION_H

#include <stddef.h>

#define DURATION_MAX (10U * 365 * 86400) /* seconds: ten years */

/* Parse s[len], the whole of it. 0, or -1 with *why a constant string; *seconds is then untouched. */
int duration_parse(unsigned *seconds, const char *s, size_t len, const char **why);

#endif
