/* SPDX-License-Identifier: ISC */
/*
 * dsn_impl: what the files of dsn share.
 */
#ifndef MAIL_DSN_IMPL_H
#define MAIL_DSN_IMPL_H

#include "mail/dsn.h"

#define DSN_LINE 78 /* columns of a line that can be broken, RFC 5322 2.1.1 */

/* Who said what of a recipient; clean. */
struct dsn_said {
	struct status status;    /* of the last attempt, also where time was over then */
	bool expired;            /* time was over */
	char host[256];          /* the server that said it; "": the words are ours */
	char text[OUTCOME_TEXT]; /* its reply, or our words */
};
void dsn_said(struct dsn_said *said, const struct recipient *r);

/* Whether part 2 is message/global-delivery-status. */
bool dsn_global(const struct envelope *e, enum dsn_kind kind);

/* The value of Action, RFC 3464 2.3.3. */
const char *dsn_action(enum dsn_kind kind, const struct recipient *r);

/* An ORCPT in UTF-8, without its type. The value is that of a header field, clean. */
void dsn_original_recipient(struct buf *out, const char *orcpt);

/* Part 1 and part 2 with their headers. */
void dsn_human(struct buf *out, const struct envelope *e, const struct dsn_facts *facts);
void dsn_status(struct buf *out, const struct envelope *e, const struct dsn_facts *facts);

/* What it probably means, in a sentence or two; and what to do, "" for nothing. Never NULL. */
struct dsn_meaning {
	const char *what, *advice;
};
struct dsn_meaning dsn_explain(const struct dsn_said *said);

#endif
