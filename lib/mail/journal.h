/* SPDX-License-Identifier: ISC */
/*
 * journal: what happened to each recipient, appended to the spool file behind the message.
 *
 *	"@" time SP recipient SP status SP text LF
 *
 * time: seconds since 1970; recipient: its index in the envelope, from 0; text: one clean
 * line. status is an enhanced status code (2 delivered, 4 deferred, 5 failed), or a word:
 *
 *	told      the outcome has been reported to the sender, or is not for us to report; text is
 *	          the report's queue ID or why there is none
 *
 * A recipient's state is that of its last line; 2 and 5 are final. Whatever is not of this form
 * is ignored: a torn last line (no LF: the append was cut off; the next one begins with a LF to
 * close it off), zeros that a power cut left, words of a later version. To ignore a line costs a
 * second delivery at worst, never a lost one.
 */
#ifndef MAIL_JOURNAL_H
#define MAIL_JOURNAL_H

#include "mail/envelope.h"

/* One line. now: seconds since 1970. text is cleaned on the way. */
void journal_add(struct buf *out, int64_t now, size_t recipient, const struct outcome *o);
void journal_add_told(struct buf *out, int64_t now, size_t recipient, const char *text);

/* Fold data[len] into e->rcpt. The texts are borrowed from `data`. */
void journal_fold(struct envelope *e, const char *data, size_t len);

/* Each line in turn. *at starts as 0; false at the end. */
struct journal_line {
	int64_t when;
	size_t recipient;
	const char *status; /* the status or word … */
	size_t statuslen;
	const char *text;
	size_t textlen;
};
bool journal_next(struct journal_line *line, const char *data, size_t len, size_t *at);

#endif
