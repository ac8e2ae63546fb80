/* SPDX-License-Identifier: ISC */
/*
 * queue_id: the name of a message in the spool, in the log and in mailq.
 *
 * 12 characters of Crockford's base 32 (no I, L, O, U): 50 bits of time in units of four
 * microseconds, then 9 random bits. So IDs sort by arrival, and until the year 2112 the
 * first character is an upper-case hexadecimal digit, as scripts that count
 * `mailq | grep -c '^[A-F0-9]'` expect.
 */
#ifndef MAIL_QUEUE_ID_H
#define MAIL_QUEUE_ID_H

#include <stdbool.h>
#include <stdint.h>

#define QUEUE_ID_LEN 12

struct queue_id {
	char s[QUEUE_ID_LEN + 1];
};

/* usec: wall clock, microseconds since 1970. random: any value, its low 9 bits are used. */
struct queue_id queue_id_make(uint64_t usec, uint32_t random);

/* The ID whose number is `n` more. */
struct queue_id queue_id_add(struct queue_id id, uint32_t n);

/* Whether a string (a file name, an argument) is a queue ID, and nothing else. */
bool queue_id_valid(const char *s);

#endif
