/* SPDX-License-Identifier: ISC */
/*
 * serve: sendmail -bs, an SMTP session on standard input and output (mail/smtp_server.h is the
 * dialogue). Each message takes the same way into the spool as one that is posted.
 *
 *	the caller waits for us     replies are out, each batch by one write
 *	250 to a message            it is durable
 *	DATA cut off by the end     nothing of it is queued
 *
 * Without input for SERVE_TIMEOUT seconds it ends by 421. What a caller does wrong is told to him
 * by replies alone; on stderr there is nothing. The log has a line for each message that was
 * accepted and each command that was refused, in Postfix's form:
 *
 *	ID: helo=<NAME>, proto=ESMTP, nrcpt=N
 *	NOQUEUE: reject: VERB from local: REPLY; WHAT proto=ESMTP helo=<NAME>
 *	timeout after VERB from local, lost connection after VERB from local
 *
 * WHAT is the whole command with MAIL and RCPT, and of a message from=<…> nrcpt=N; of any other
 * command nothing: it may be an AUTH with a password, though none is offered.
 */
#ifndef SERVE_H
#define SERVE_H

#include "options.h"
#include "spool/spool.h"
#include "sys/config.h"

#define SERVE_TIMEOUT 300 /* RFC 5321 4.5.3.2.7 */

/*
 * trigger: called when mail was committed and no more input is there, and at the end; NULL: nobody.
 * A sysexits status: EX_OK after QUIT, and at an end of input or a timeout between messages,
 * whatever became of them; EX_TEMPFAIL when a message was cut off; EX_IOERR when replies could not
 * be written; EX_OSERR.
 */
int serve(const struct options *o, const struct settings *s, struct spool *sp,
    void (*trigger)(struct spool *sp, const struct settings *s));

#endif
