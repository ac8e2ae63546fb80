/* SPDX-License-Identifier: ISC */
/*
 * smtp_server: the server's side of an SMTP session (RFC 5321), without I/O: octets from the
 * client are pushed, events come back, replies collect in a buffer. The caller's loop:
 *
 *	write smtp_server_replies(s) and clear it           the greeting is in it from the start
 *	read octets; until they are used up and the event is SERVER_MORE:
 *		used = smtp_server_push(s, data, len, &ev)
 *		act on ev
 *	again
 *
 * so pipelined commands are answered by one write, and nothing read is left unanswered when the
 * caller waits.
 *
 * Offered: PIPELINING, SIZE, 8BITMIME, SMTPUTF8, DSN, ENHANCEDSTATUSCODES, CHUNKING. Its verbs,
 * when each is allowed, and the legal order are a table in smtp_server_verbs.c.
 *
 * End of a line, end of data (SMTP smuggling, 2023):
 * - Only CRLF.CRLF ends DATA, whatever a command ended with. "\n.\n", "\n.\r\n", "\r.\r" are
 * content. What the content's bare CRs and LFs become is settled after that, by mail/lines.h.
 * - A dot is taken off where it follows CRLF, and nowhere else.
 * - Commands end with CRLF. A session whose first line ends with a bare LF (printf 'EHLO x\n')
 *   may end all its commands so; in any other a bare LF is an error, and what follows it up to the
 *   next CRLF is no command, so that a LF in an address cannot become one.
 * - A header where a command should be ("Subject: x"), anything unknown right after a refused DATA,
 *   and HTTP end the session: somebody sends a message without looking at replies, and its lines
 *   must not be obeyed.
 *
 * Otherwise lenient in three things only: blanks around an address, at the end of a line, and
 * between parameters. SMTP_SERVER_ERRORS mistakes end the session; an accepted message forgives
 * them.
 */
#ifndef MAIL_SMTP_SERVER_H
#define MAIL_SMTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mail/buf.h"
#include "mail/envelope.h"

#define SMTP_SERVER_LINE 2048 /* octets of a command, its end included; RFC 5321 wants 512 */
#define SMTP_SERVER_REPLY 512 /* octets of a reply line, CRLF included, 4.5.3.1.5 */
#define SMTP_SERVER_ERRORS 20

/* Strings are borrowed for the session's life. */
struct smtp_server_config {
	const char *hostname; /* in the greeting */
	const char *domain;   /* completes bare names */
	uint64_t size;        /* octets of a message at most */
	const char *local;    /* completes bare recipients; NULL: domain */
};

enum smtp_server_event_type {
	SERVER_MORE,    /* nothing to do; when all is used up: write the replies, read more */
	SERVER_REFUSED, /* a command was refused: data is the command, reply the reply; for the log
			 */
	SERVER_BEGIN,   /* a message begins: smtp_server_envelope() is complete */
	SERVER_DATA,    /* data is a piece of its content: dots unstuffed, otherwise as it came */
	SERVER_END,     /* its content is complete: commit it, then smtp_server_answer() */
	SERVER_RESET,   /* what began is not going to end: abandon it */
	SERVER_QUIT,    /* the session is over: write the replies, close */
};

struct smtp_server_event {
	enum smtp_server_event_type type;
	const char *data; /* borrowed until the next call; NUL-terminated when it is a command */
	size_t len;
	/* SERVER_REFUSED: data is the line (an AUTH that is not offered has a password in it) */
	const char *verb;  /* "MAIL" …; "UNKNOWN" */
	const char *reply; /* without CRLF; borrowed until the next call */
};

struct smtp_server;

/* NULL: out of memory. */
struct smtp_server *smtp_server_new(const struct smtp_server_config *config);
void smtp_server_free(struct smtp_server *s);

/*
 * Returns how many octets of data[len] were used: up to the next event, or fewer. len may be 0.
 * Each call does little: one command, or one piece of content. Not between SERVER_END and its
 * answer.
 */
size_t smtp_server_push(
    struct smtp_server *s, const char *data, size_t len, struct smtp_server_event *ev);

/* To be written and cleared by the caller; out of memory when its error is set. */
struct buf *smtp_server_replies(struct smtp_server *s);

/*
 * At SERVER_BEGIN: from, rcpt with notify and orcpt, ret, envid, body; each recipient once. The
 * caller may take its contents over and leave it zeroed.
 */
struct envelope *smtp_server_envelope(struct smtp_server *s);

/*
 * The fate of the message. After SERVER_END: reply at once; 2xx accepts. Earlier, from SERVER_BEGIN
 * on, to refuse it: the rest of its content is skipped, and this is the reply when it ends (when
 * the chunk ends, with BDAT). text: behind the code, "2.0.0 Ok: queued as …"; it is cleaned, and
 * cut to a line.
 */
void smtp_server_answer(struct smtp_server *s, unsigned code, const char *text);

/* End the session from this side: 421 and text. A message that has begun is the caller's to
 * abandon; SERVER_QUIT is all that comes now. */
void smtp_server_close(struct smtp_server *s, const char *text);

/* Between SERVER_BEGIN and the answer: the end of the input would cut a message off. */
bool smtp_server_in_message(const struct smtp_server *s);

/* What came last, in a word, for "lost connection after …": CONNECT, EHLO, MAIL, RCPT, DATA, BDAT.
 */
const char *smtp_server_doing(const struct smtp_server *s);

/* "SMTP", "ESMTP" or "UTF8SMTP" (RFC 6531 3.7.3), for Received; what the client calls itself, or
 * "". */
const char *smtp_server_protocol(const struct smtp_server *s);
const char *smtp_server_helo(const struct smtp_server *s);

#endif
