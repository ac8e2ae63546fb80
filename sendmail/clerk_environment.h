/* SPDX-License-Identifier: ISC */
/*
 * clerk_environment: what sendmail is given that posts for somebody; clerk.h says what and why.
 */
#ifndef CLERK_ENVIRONMENT_H
#define CLERK_ENVIRONMENT_H

#include <stddef.h>

#include "sys/config.h"

/* carried: n settings of the poster's, "SECTION_KEY=value". For execve(); NULL: out of memory. */
char **clerk_environment(const struct settings *s, char *const *carried, size_t n);

#endif
