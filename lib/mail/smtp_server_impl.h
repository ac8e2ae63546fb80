/* SPDX-License-Identifier: ISC */
/*
 * smtp_server_impl: what the files of the server dialogue share; nobody else includes it.
 *
 *	smtp_server.c         octets into lines and content; replies
 *	smtp_server_verbs.c   the table of verbs
 *	smtp_server_params.c  the grammar of MAIL's and RCPT's arguments
 */
#ifndef MAIL_SMTP_SERVER_IMPL_H
#define MAIL_SMTP_SERVER_IMPL_H

#include "mail/address.h"
#include "mail/smtp_server.h"

#define SMTP_UNKNOWN "UNKNOWN" /* the verb of what is none */

/* How far the client has come. Bits, so that a verb can name several. */
enum smtp_server_at {
	AT_START = 1,  /* connected */
	AT_READY = 2,  /* EHLO or HELO; no transaction */
	AT_MAIL = 4,   /* MAIL */
	AT_RCPT = 8,   /* at least one recipient */
	AT_CHUNK = 16, /* some BDAT, not the last */
	AT_BROKEN = 32 /* a BDAT was refused: RFC 3030 4.2 wants RSET */
};

/* What the next octet belongs to. */
enum smtp_server_input {
	INPUT_COMMAND,
	INPUT_SKIP, /* the rest of a line that cannot be a command */
	INPUT_DATA,
	INPUT_CHUNK,
	INPUT_ANSWER, /* nothing: the caller owes the fate of a message */
	INPUT_CLOSED,
};

/* Where in a line DATA is. */
enum smtp_server_place {
	PLACE_MIDDLE,
	PLACE_CR,
	PLACE_START,  /* behind CRLF */
	PLACE_DOT,    /* … and a dot, held back */
	PLACE_DOT_CR, /* … and a CR, held back */
};

struct smtp_server {
	struct smtp_server_config config;
	enum smtp_server_at at;
	enum smtp_server_input input;
	enum smtp_server_event_type event; /* what a command brought about */

	char line[SMTP_SERVER_LINE + 1];
	size_t len;
	bool overlong;      /* the line being skipped has not been answered yet */
	bool first, lf_too; /* no line has ended yet; the first ended with a bare LF */

	enum smtp_server_place place;
	uint64_t chunk, chunk_size; /* octets to come, and in all */
	bool last;                  /* it is the last chunk */
	uint64_t size;              /* octets of content so far */
	bool begun;                 /* the caller has a message that has not ended */
	bool skip;                  /* content is refused already, by verdict */
	char verdict[SMTP_SERVER_REPLY];

	bool wary; /* DATA was refused: a content may come all the same */
	unsigned errors;
	bool extended, utf8;
	const char *doing; /* the last command of the table, … */
	const char *verb;  /* … and of all */
	char helo[256];
	struct envelope envelope;
	size_t head; /* octets that the recipients take in a spool file, at most */
	struct buf replies;
	bool refused;
	char refusal[SMTP_SERVER_REPLY]; /* the last reply that was one */
};

/* A reply of one line: code, text; cleaned, cut. smtp_refuse() counts mistakes: those of 5.5.x. */
void smtp_reply(struct smtp_server *s, const char *text);
void smtp_refuse(struct smtp_server *s, const char *text);

/* The transaction is over; what had begun is abandoned. */
void smtp_reset(struct smtp_server *s);

/* The envelope is complete: content follows. */
void smtp_begin(struct smtp_server *s);

/* The content that follows is skipped and then answered so. */
void smtp_skip(struct smtp_server *s, const char *verdict);

/* A whole command in s->line. */
void smtp_command(struct smtp_server *s);

/* Why a command is out of place now: a reply. */
const char *smtp_out_of_order(const struct smtp_server *s);

/* "FROM:<address> parameters" into the envelope. NULL, or a reply. */
const char *smtp_parse_mail(struct smtp_server *s, char *arg);

/* The same for "TO:<address> parameters": a recipient more. */
const char *smtp_parse_rcpt(struct smtp_server *s, char *arg);

/* Digits alone, 20 at most (RFC 1870 4, RFC 3030 2); what does not fit is UINT64_MAX. */
bool smtp_parse_size(const char *text, uint64_t *n);

#endif
