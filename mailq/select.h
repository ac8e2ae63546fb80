/* SPDX-License-Identifier: ISC */
/*
 * select: which entries are meant, for listing and steering alike: by ID and by what they are. All
 * that is given must fit; nothing given fits everything.
 *
 * Addresses and destinations are compared without regard to case, whole, or as a pattern of the
 * shell's where they have one of *?[ ("*@example.org"). A reason is a part of the text. Those of a
 * recipient (address, destination, reason) must fit one and the same that still waits. Damaged
 * files have no sender and no recipient.
 */
#ifndef MAILQ_SELECT_H
#define MAILQ_SELECT_H

#include "entry.h"

struct selection {
	const char *sender; /* NULL: any; "", "<>" and "MAILER-DAEMON": the null one */
	const char *recipient;
	const char *destination; /* the domain of a recipient */
	const char *reason;      /* of the last attempt */
	bool aged;               /* `older` is given: */
	int64_t older;           /* seconds since arrival, at least */
	unsigned states;         /* bits 1 << enum label; 0: any */
	char **ids;              /* valid ones; points into argv */
	unsigned nids;           /* 0: any */
};

/* Whether anything is given. */
bool select_some(const struct selection *s);

/* The states of a list with commas, names of enum label; NULL, or a complaint: a constant string. */
const char *select_parse_states(struct selection *s, const char *list);

/* "90", "90s", "5m", "2h", "5d", "1w": seconds. NULL, or a complaint. */
const char *select_parse_age(int64_t *seconds, const char *text);

/* now: seconds since 1970. IDs are not looked at: whoever walks opens those only. */
bool select_entry(const struct selection *s, const struct entry *e, int64_t now);

#endif
