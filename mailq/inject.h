/* SPDX-License-Identifier: ISC */
/*
 * inject: a message from a file elsewhere into the spool, as `sendmail -t` takes one from standard
 * input (sendmail/intake.h), but on hold.
 *
 * Its recipients are those of the header, its sender that of a Return-Path, or the caller; unless the
 * envelope came with it (`whole`), and then the message needs no alias.
 */
#ifndef MAILQ_INJECT_H
#define MAILQ_INJECT_H

#include "mail/envelope.h"
#include "spool/spool.h"
#include "sys/config.h"

#define INJECT_WHY 1024

struct inject {
	int fd;          /* borrowed */
	uint64_t offset; /* of the message in the file */
	bool whole;      /* the envelope is known */
	struct envelope envelope;
};

/*
 * Look who it is from and for: m->envelope. EX_OK; or another status of sysexits, and `why` says what
 * is wrong with it. Nothing is written.
 */
int inject_look(struct inject *m, const struct settings *s, char why[INJECT_WHY]);

/* EX_OK: it is in the spool, durably and on hold, as `id`; "" when aliases send it to nobody. */
int inject_hold(const struct inject *m, const struct settings *s, struct spool *sp,
    struct queue_id *id, char why[INJECT_WHY]);

#endif
