/* SPDX-License-Identifier: ISC */
/*
 * reply: SMTP replies (RFC 5321 4.2), a line pushed at a time.
 *
 *	reply  = *( code "-" [text] CRLF ) code [ SP text ] CRLF
 *	code   = three digits, the first 2 to 5; the same on each line
 *
 * What does not follow this is REPLY_BAD and the session is over: a server that breaks
 * the grammar cannot be trusted about what it accepted. Limits: a line of REPLY_LINE
 * octets, REPLY_LINES lines. Pure; owns no memory beyond the struct.
 */
#ifndef MAIL_REPLY_H
#define MAIL_REPLY_H

#include "mail/status.h"

#define REPLY_LINE 4096  /* octets of a line without its end; RFC 5321 says 512, servers differ */
#define REPLY_LINES 1000 /* lines of one reply */
#define REPLY_TEXT 1024  /* octets of text that are kept, NUL included */

struct reply {
	int code;             /* 0 until the first line */
	struct status status; /* the enhanced status code of its first line; class 0: none */
	unsigned lines;
	size_t len;            /* of text */
	char text[REPLY_TEXT]; /* "250-first 250 second" lines joined as Postfix does:
				* "550 5.1.1 first line second line"; cleaned */
};

enum reply_event {
	REPLY_MORE, /* a continuation line was taken */
	REPLY_DONE, /* the reply is whole */
	REPLY_BAD,  /* not SMTP */
};

void reply_init(struct reply *r);

/* line: without CR LF, any octets. */
enum reply_event reply_push(struct reply *r, const char *line, size_t len);

/* The text of a line behind its code and separator (for EHLO's list); "" when short. */
const char *reply_line_text(const char *line, size_t len, size_t *textlen);

#endif
