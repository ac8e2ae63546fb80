/* SPDX-License-Identifier: ISC */
/*
 * recode_impl: what the files of recode.h share among themselves.
 *
 *	recode.c       the calls of recode.h; chunks to lines, lines to parts
 *	recode_plan.c  pass 1: what was seen of a part -> what to do with it
 *	recode_run.c   pass 2: doing it
 */
#ifndef MAIL_RECODE_IMPL_H
#define MAIL_RECODE_IMPL_H

#include "mail/recode.h"

#define RECODE_ACTION 0x0f /* a plan is an action … */
#define RECODE_CHARSET 0xf0

/* What to do with a part. */
enum recode_action {
	RECODE_KEEP,
	RECODE_QP,
	RECODE_BASE64,
	RECODE_QP_AGAIN,
	RECODE_BASE64_AGAIN,
	RECODE_LABEL, /* "7bit", no more */
};

enum recode_charset { /* … and what a Content-Type that is to be added says */
	RECODE_ASCII = 0x00,
	RECODE_UTF8 = 0x10,
	RECODE_ALIEN = 0x20,
};

/* A line, or of a long one the first MIME_LINE octets, and then what comes. */
struct recode_piece {
	const char *data;
	size_t len;
	bool first, last;
};

bool recode_eightbit(const char *data, size_t len);

void recode_plan_header_over(struct recode *r);
void recode_plan_part_over(struct recode *r);
void recode_plan_piece(struct recode *r, const struct recode_piece *p);

/* ended: by the end of the message, not by a delimiter. */
void recode_run_header_over(struct recode *r);
void recode_run_part_over(struct recode *r, bool ended);
void recode_run_piece(struct recode *r, const struct recode_piece *p);

#endif
