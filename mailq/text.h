/* SPDX-License-Identifier: ISC */
/*
 * text: ages and sizes for people, short enough for columns.
 */
#ifndef MAILQ_TEXT_H
#define MAILQ_TEXT_H

#include <stdint.h>

#define TEXT_AGE 24 /* octets, the NUL included */
#define TEXT_SIZE 24

/* "0s", "59s", "5m", "3h", "2d", "12w": rounded down; what is in the future is "0s". Returns dst. */
char *text_age(char dst[TEXT_AGE], int64_t seconds);

/* "0", "999", "1.2K", "34K", "5.6M": in units of 1024 octets, rounded up. Returns dst. */
char *text_size(char dst[TEXT_SIZE], uint64_t octets);

#endif
