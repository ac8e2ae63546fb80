/* SPDX-License-Identifier: ISC */
/*
 * journal: what happened to each recipient, appended to the spool file behind the message.
 *
 *	"@" time SP recipient SP status SP text LF
 *
 * time: seconds since 1970; recipient: its index in the envelope, from 0; text: one clean
 * line. status is an enhanced status code (2 delivered, 4 deferred, 5 failed), or a word:
 *
 *	waits     the recipient was not tried, since its destination is out; text is the status that
 *	          has been reported of that, and its text: "4.4.1 connect to ..."
 *	age       how many seconds of its lifetime the message has used up at this time, where that
 *	          is not what the clock says (see mail/retry.h); the recipient means nothing
 *	told      the outcome has been reported to the sender, or is not for us to report; text is
 *	          the report's queue ID or why there is none
 *	warned    the sender has been told that it waits; text is that report's queue ID
 *	copied    it failed with nobody to tell, and the postmaster has got a copy, or this is that
 *	          copy; text is the copy's queue ID
 *	released  a person wants it tried again though it failed: as if it had been deferred with
 *	          what it failed of; text is who
 *
 * A recipient's state is that of its last line; 2 is final, and 5 but for "released". Whatever is not of this form
 * is ignored: a torn last line (no LF: the append was cut off; the next one begins with a LF to
 * close it off), zeros that a power cut left, words of a later version. To ignore a line costs a
 * second delivery at worst, never a lost one.
 */
#ifndef MAIL_JOURNAL_H
#define MAIL_JOURNAL_H

#include "mail/envelope.h"

/* One line. now: seconds since 1970. text is cleaned on the way. */
void journal_add(struct buf *out, int64_t now, size_t recipient, const struct outcome *o);

/* One with a word. */
enum journal_word {
	JOURNAL_TOLD,
	JOURNAL_WARNED,
	JOURNAL_COPIED,
	JOURNAL_RELEASED,
};
void journal_add_word(
    struct buf *out, int64_t now, size_t recipient, enum journal_word word, const char *text);

void journal_add_waits(struct buf *out, int64_t now, size_t recipient, const struct outcome *o);
void journal_add_age(struct buf *out, const struct retry_age *age);

/* Fold data[len] into e->rcpt and e->age. The texts are borrowed from `data`. */
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
