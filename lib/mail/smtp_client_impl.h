/* SPDX-License-Identifier: ISC */
/*
 * smtp_client_impl: what the files of the client's dialogue share among themselves.
 *
 *	smtp_client.c   the calls of smtp_client.h; replies matched to what was asked
 *	smtp_end.c      the ways a session ends
 *	smtp_states.c   the table of steps; opening and closing a session
 *	smtp_auth.c     AUTH
 *	smtp_said.c     the dialogue as a person may see it
 *	smtp_mail.c     transactions: who can be sent to; MAIL, RCPT
 *	smtp_content.c  … DATA, the final dot
 *	smtp_settle.c   … their fates, as events
 */
#ifndef MAIL_SMTP_CLIENT_IMPL_H
#define MAIL_SMTP_CLIENT_IMPL_H

#include "mail/buf.h"
#include "mail/reply.h"
#include "mail/smtp_client.h"
#include "mail/smtp_ehlo.h"

#define SMTP_ASKED 100       /* commands unanswered at most */
#define SMTP_WINDOW 8192     /* octets of them, so that no server's buffers fill up: RFC 2920 3.1 */
#define SMTP_AUTH_LINE 12288 /* octets of an AUTH line with its end, RFC 4954 4 */
#define SMTP_SENT (32 * 1024) /* octets of all responses of AUTH; a password has SECRET_LEN */
#define SMTP_OUT (128 * 1024) /* octets of output waiting */

/* What the session is doing; most steps are commands that wait for their replies. */
enum smtp_step {
	STEP_GREETING,
	STEP_EHLO,
	STEP_HELO,
	STEP_LHLO, /* LMTP's EHLO */
	STEP_STARTTLS,
	STEP_TLS, /* the handshake, which is the caller's */
	STEP_AUTH,
	STEP_RESPONSE, /* to a challenge */
	STEP_CANCEL,   /* … that cannot be answered */
	STEP_READY,
	STEP_MAIL,
	STEP_RCPT,
	STEP_DATA,
	STEP_BDAT,
	STEP_BODY,
	STEP_DOT,
	STEP_VOID, /* a dot alone: DATA was granted although nobody is to get the message */
	STEP_RSET,
	STEP_QUIT,
	STEP_CLOSED,
};

/* A command that was sent, or will be, and has no reply yet. */
struct smtp_asked {
	enum smtp_step step;
	struct smtp_transaction *t; /* NULL: none, or settled without this reply */
	size_t rcpt;                /* index into t->rcpt */
	uint64_t end; /* octets of output up to its end, since the session began; of BDAT: up to
			 the end of the message, which counts for one; UINT64_MAX: not read yet */
};

struct smtp_row {
	const char *doing; /* "lost connection with … while " */
	enum stage stage;
	int timeout;                                                     /* milliseconds */
	void (*send)(struct smtp_client *c, const struct smtp_asked *a); /* append the command */
	void (*reply)(struct smtp_client *c, const struct smtp_asked *a);
};

extern const struct smtp_row smtp_rows[]; /* by enum smtp_step */

/* Of a recipient, in smtp_transaction.state. */
enum {
	RCPT_OPEN,
	RCPT_TAKEN,    /* accepted */
	RCPT_TOLD,     /* has a fate of its own, and the event is queued */
	RCPT_LATER,    /* beyond what the server takes at once */
	RCPT_NO_MAIL,  /* not an address: fails */
	RCPT_NO_ASCII, /* needs SMTPUTF8, which is not offered: fails */
};

/* A recipient whose fate is its own, on its way to the caller. */
struct smtp_told {
	struct smtp_transaction *t;
	size_t rcpt;
	bool later;
	struct outcome outcome;
};

struct smtp_client {
	const struct smtp_client_config *config;
	struct smtp_ehlo ehlo;
	struct sasl sasl;
	struct sasl_facts facts;
	unsigned tries; /* of AUTH */

	bool tls, verified;
	bool plain;     /* STARTTLS was refused and is not needed */
	bool handshake; /* between the 220 to STARTTLS and smtp_client_secured() */
	bool ready, quitting, closed;
	bool open;  /* the server has a transaction that nothing ended for sure */
	unsigned mails; /* transactions that the server was asked for */
	bool dying; /* ends, because of `why`, when what was sent before is answered */

	/* input */
	char line[REPLY_LINE + 1]; /* the line so far; one more for its CR */
	size_t linelen;
	struct reply reply;
	const char *text; /* behind the code of the last line of the reply, uncleaned */
	size_t textlen;
	uint64_t mark; /* octets written when the reply began */

	/* output */
	struct buf out;
	struct buf secret;             /* a base64 response, until it is in `out` */
	struct buf sent;               /* all of them, each with a NUL behind it */
	bool hush;                     /* `out` holds one: overwrite it when it is written */
	uint64_t queued, written;      /* octets of output since the session began, … */
	uint64_t answered;             /* … and those whose commands have replies */
	struct smtp_transaction *body; /* the message to be sent now */
	bool tail;                     /* the end of one that BDAT sends is not written yet */

	/* commands without reply, oldest first: a ring */
	struct smtp_asked asked[SMTP_ASKED];
	size_t head, nasked;

	/* transactions: under way, and settled with events to come */
	struct smtp_transaction *first, *settled, **settled_end;

	/* events to come, in the order of the caller's interest */
	bool tell_starttls, tell_ready, tell_closed;
	struct smtp_told *told;
	size_t told_at, ntold, told_cap;
	struct outcome why; /* it was closed */
};

/* smtp_client.c */

/* Append a step's command to the output and expect its reply. */
void smtp_ask(struct smtp_client *c, enum smtp_step step, struct smtp_transaction *t, size_t rcpt);
/* Whether another command may be sent before the replies to those under way. */
bool smtp_may_ask(const struct smtp_client *c);
/* The last command that has no reply; NULL: none. */
const struct smtp_asked *smtp_newest(const struct smtp_client *c);
/* What it is doing now, and whose that is (NULL: nobody's). */
enum smtp_step smtp_now(const struct smtp_client *c);
struct smtp_transaction *smtp_whose(const struct smtp_client *c);

/* smtp_end.c */

/* The session is over, and everything under way gets this outcome. */
void smtp_end(struct smtp_client *c, const struct outcome *o);
/* … because the last reply, to `a`, says so. */
void smtp_end_judged(struct smtp_client *c, const struct smtp_asked *a);
/* … because that reply makes no sense there. */
void smtp_end_unexpected(struct smtp_client *c, const struct smtp_asked *a);
/* … because the server does not speak SMTP: it "sent <what>". */
void smtp_end_protocol(struct smtp_client *c, const struct smtp_asked *a, const char *what);

/* smtp_states.c */

/* Authenticated, or no need to. */
void smtp_ready(struct smtp_client *c);

/* smtp_auth.c */

void smtp_auth(struct smtp_client *c);
void smtp_auth_send(struct smtp_client *c, const struct smtp_asked *a);
void smtp_auth_respond(struct smtp_client *c, const struct smtp_asked *a);
void smtp_auth_reply(struct smtp_client *c, const struct smtp_asked *a);
void smtp_auth_cancelled(struct smtp_client *c, const struct smtp_asked *a);
/* Take what AUTH sent out of a text of the server's, which may quote it. */
void smtp_auth_hide(const struct smtp_client *c, char *text, size_t *len);

/* smtp_said.c: lines without their ends; the reply's while it is not yet matched to what was asked. */
void smtp_said_command(
    const struct smtp_client *c, const struct smtp_asked *a, const char *line, size_t len);
void smtp_said_line(const struct smtp_client *c, const char *line, size_t len);

/* smtp_mail.c */

/* Send what may be sent now. */
void smtp_advance(struct smtp_client *c);
void smtp_mail_send(struct smtp_client *c, const struct smtp_asked *a);
void smtp_mail_reply(struct smtp_client *c, const struct smtp_asked *a);
void smtp_rcpt_send(struct smtp_client *c, const struct smtp_asked *a);
void smtp_rcpt_reply(struct smtp_client *c, const struct smtp_asked *a);
void smtp_rset_reply(struct smtp_client *c, const struct smtp_asked *a);

/* smtp_content.c */

void smtp_data_send(struct smtp_client *c, const struct smtp_asked *a);
void smtp_data_reply(struct smtp_client *c, const struct smtp_asked *a);
void smtp_dot_send(struct smtp_client *c, const struct smtp_asked *a);
void smtp_dot_reply(struct smtp_client *c, const struct smtp_asked *a);
void smtp_void_reply(struct smtp_client *c, const struct smtp_asked *a);
/* Whether the content goes by BDAT: octets that are counted beforehand, so not encoded ones. */
bool smtp_bdat(const struct smtp_client *c, const struct smtp_transaction *t);
void smtp_bdat_send(struct smtp_client *c, const struct smtp_asked *a);
void smtp_bdat_reply(struct smtp_client *c, const struct smtp_asked *a);
/* The content of c->body is read: BDAT's reply is due when it is written. */
void smtp_bdat_done(struct smtp_client *c);
/* LMTP: whether the reply that is there is not the last one to this command. */
bool smtp_more_replies(const struct smtp_client *c, const struct smtp_asked *a);

/* smtp_settle.c */

const struct recipient *smtp_recipient(const struct smtp_transaction *t, size_t i);
/* A recipient has a fate of its own, or goes `later`: tell the caller. Out of memory, the session
 * ends. */
void smtp_tell(struct smtp_client *c, struct smtp_transaction *t, size_t rcpt, bool later,
    const struct outcome *o);
/*
 * A transaction's fate is known: of all recipients that had no event yet. Its events come when the
 * octets that a BDAT promised are sent.
 */
void smtp_settle(struct smtp_client *c, struct smtp_transaction *t, const struct outcome *o);
/* … because the last reply, to `a`, says so. */
void smtp_settle_judged(struct smtp_client *c, const struct smtp_asked *a);

#endif
