/* SPDX-License-Identifier: ISC */
/*
 * submission_impl: what submission.c has of submission_rewrite.c, where address fields are edited, and
 * of submission_recipients.c.
 */
#ifndef MAIL_SUBMISSION_IMPL_H
#define MAIL_SUBMISSION_IMPL_H

#include "mail/submission.h"

/*
 * A field with addresses, without its CRLF, appended: bare names completed, addresses replaced by
 * the rules of the facts, every other octet as it was. The value of a From that was replaced is
 * kept in s->original, completed.
 */
void submission_addresses(struct submission *s, const struct header_field *f, struct buf *out);

/*
 * What is kept of the From, if anything, as a field: Reply-To, or X-Original-From where the message
 * has a Reply-To of its own or keep says so.
 */
void submission_keep(const struct submission *s, bool has_reply_to, struct buf *out);

/* A Return-Path: s->return_path, if it is the first. */
void submission_return_path(struct submission *s, const struct header_field *f);

#endif
