/* SPDX-License-Identifier: ISC */
/*
 * hash: FNV-1a of a text, for tables in memory that are keyed by names which we chose or looked up:
 * who makes them collide slows down his own mail.
 */
#ifndef MAIL_HASH_H
#define MAIL_HASH_H

#include <stdint.h>

uint32_t hash_text(const char *s);

#endif
