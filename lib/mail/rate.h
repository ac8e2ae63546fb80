/* SPDX-License-Identifier: ISC */
/*
 * rate: at most so many messages in so much time. Pure: the clock is an argument, in milliseconds
 * that never go back.
 *
 * What was sent is counted in slots, RATE_SLOTS to an interval, so that no stretch of the length of
 * the interval, wherever it begins, has more than the limit: a bucket that refills evenly would
 * allow nearly twice as many in its first interval, which is not what a provider's quota means.
 * After a quiet time all of them may go at once; what was sent counts for up to a slot longer than
 * it must.
 */
#ifndef MAIL_RATE_H
#define MAIL_RATE_H

#include <stdbool.h>
#include <stdint.h>

#define RATE_SLOTS 20

/* "100/1h": messages 0: no limit. */
struct rate {
	uint32_t messages;
	int64_t interval; /* milliseconds */
};

/* What was sent in the last interval; all zero: nothing. */
struct rate_window {
	int64_t slot;                  /* number of the newest slot since the clock's beginning */
	uint32_t sent[RATE_SLOTS + 1]; /* by number modulo their count */
};

/*
 * Parse "MESSAGES/TIME": TIME is a number with s, m, h or d; the number may be left out: "10/s". ""
 * is no limit. 0, or -1 with *why a constant string.
 */
int rate_parse(struct rate *r, const char *text, const char **why);

/* Milliseconds until another message may be begun; 0: now. */
int64_t rate_wait(const struct rate *r, const struct rate_window *w, int64_t now);

/* One was begun. */
void rate_take(const struct rate *r, struct rate_window *w, int64_t now);

/* One that was begun came to nothing: the latest one is not counted. */
void rate_return(struct rate_window *w);

/* Whether nothing is counted any more. */
bool rate_idle(const struct rate *r, const struct rate_window *w, int64_t now);

#endif
