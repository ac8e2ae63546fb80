/* SPDX-License-Identifier: ISC */
/*
 * intake_impl: what intake.c and intake_recipients.c share.
 */
#ifndef INTAKE_IMPL_H
#define INTAKE_IMPL_H

#include "intake.h"
#include "mail/header.h"
#include "mail/lines.h"
#include "mail/submission.h"
#include "spool/draft.h"

/* How large this message may be, and whose word that is. */
struct intake_room {
	uint64_t octets; /* UINT64_MAX: as large as it likes */
	bool of_owner;   /* what the owner has left, not queue.message_size */
	uint64_t used;   /* of_owner: what is in the spool */
};

struct intake {
	const struct options *options;
	const struct settings *settings;
	struct names names;
	struct draft draft;
	struct envelope envelope;
	struct lines lines;
	struct header header;
	struct submission submission;
	struct submission_facts facts;
	bool in_body;
	bool held;       /* facts.id was chosen, see intake_hold() */
	bool look;       /* see intake_look() */
	bool unwritable; /* no file could be made in the spool */
	bool discard;    /* aliases send it to nobody */
	struct buf
	    wire; /* settled lines of the header that are not scanned yet; of the body, all */
	struct buf head;   /* the header as it goes out, until its end is seen */
	struct buf bad;    /* recipients that are none, NUL-terminated one behind the other */
	char protocol[65]; /* of -p */
	struct intake_room room;
	const char *reply; /* how SMTP says what went wrong; NULL: as the status says */
	char error[1024];
};

/* Note what went wrong; the status is given back. */
int intake_fail(struct intake *i, int status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
int intake_fail_spool(struct intake *i);
int intake_fail_memory(struct intake *i);

/*
 * Who gets it, now that the header is known: aliases, completion, DSN options, and those that are
 * no address. i->discard is set where nobody is left.
 */
int intake_settle_recipients(struct intake *i);

/* Behind the header, which is made from the sender as it was. The null reverse-path stays one. */
int intake_rewrite_sender(struct intake *i);

/* Before a message begins: whether its owner may have one more. i->room is set. */
int intake_limit(struct intake *i);

/* While it is written: whether there was room for it. */
int intake_check_room(struct intake *i);

/*
 * Lines longer than RFC 5322 allows: the message is written once more, with the parts that have
 * them encoded (mail/recode.h). Refused at delivery they would come back hours later.
 */
int intake_recode(struct intake *i);

#endif
