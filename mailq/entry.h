/* SPDX-License-Identifier: ISC */
/*
 * entry: a file of the queue, as it is listed, counted, or worked on: a message, or what lies where
 * one should be. Its texts are those of the spool file: text_clean() before they are shown.
 */
#ifndef MAILQ_ENTRY_H
#define MAILQ_ENTRY_H

#include "mail/address.h"
#include "spool/claim.h"

/* In which way it waits; the names are those of --state, of -j's queue_name, and of -m's state. */
enum label {
	LABEL_INCOMING, /* never tried */
	LABEL_ACTIVE,   /* somebody works on it: as a rule it is being delivered */
	LABEL_DEFERRED, /* tried; waits for the next attempt */
	LABEL_HOLD,     /* waits for a person */
	LABEL_FAILED,   /* neither delivered nor returned; waits for a person */
	LABEL_DAMAGED,  /* no message of this owner's: it is left alone */
	LABELS,
};
const char *label_name(enum label label);

/* The states of the spool that are looked into; tmp/ is nobody's business but the injector's. */
#define ENTRY_STATES 4
extern const enum spool_state entry_states[ENTRY_STATES];

struct entry {
	struct claim
	    claim; /* id, state, spool; what else is there unless it is LABEL_DAMAGED: then why */
	enum label label;
	uint64_t octets;  /* of the message; damaged: of the file */
	uint64_t arrived; /* microseconds since 1970; damaged: the file's time */
};

/*
 * Open one by its ID (CLAIM_LOOK), in `state` or, if it has moved, wherever it is. CLAIM_OK also
 * when it is damaged; CLAIM_GONE; or CLAIM_ERROR, with spool->error. The caller ends with
 * claim_close() whatever the result.
 */
enum claim_result entry_open(
    struct entry *e, struct spool *sp, enum spool_state state, const char *id);

/* Whether somebody still has to do something about a recipient. */
bool entry_concerns(const struct entry *e, const struct recipient *r);

/* The envelope sender, cleaned; "MAILER-DAEMON" is the null one, "" that of a damaged file. */
void entry_sender(char dst[ADDRESS_MAX + 1], const struct entry *e);

/* Postfix's marks behind the ID: '*' active, '!' hold and failed, ' '. */
char entry_mark(const struct entry *e);

/* Seconds since 1970 of the next attempt, which may be past: it is due. False: there will be none. */
bool entry_next(const struct entry *e, int64_t *when);

/* The recipient that was tried last among those that wait; NULL: none was. */
const struct recipient *entry_last(const struct entry *e);

/* Attempts so far: of the recipient that had most and still waits. */
unsigned entry_attempts(const struct entry *e);

#endif
