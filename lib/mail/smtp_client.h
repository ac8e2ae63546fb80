/* SPDX-License-Identifier: ISC */
/*
 * smtp_client: the client's side of an SMTP session (RFC 5321), without I/O.
 *
 * Octets from the server go in, octets for the server and events come out; the clock, the
 * socket and TLS are the caller's. The caller's loop:
 *
 *	octets came      smtp_client_input(c, data, len)
 *	socket writable  smtp_client_output(c, &w), and then
 *	                 w.len > 0: write w.data, smtp_client_wrote() for what the kernel took
 *	                 w.body: read and write the content of that message, w.bare or dot-stuffed
 *	                 without the dot; smtp_client_body_done() when all of it is read, and
 *	                 what smtp_client_output() then has may go into the same write;
 *	                 smtp_client_body_written() when the kernel took the last octet of it
 *	each time        while (smtp_client_event(c, &ev)) …
 *	poll timeout     smtp_client_timeout(c) milliseconds since the last progress
 *	timed out, EOF   smtp_client_lost(c, …); events follow
 *
 * Every reply is matched to the command it answers by a queue of what was sent. A reply to nothing
 * asked, or to what was not yet written, ends the session; one that comes while the message is
 * being sent counts only when it refuses it.
 *
 * With DATA one transaction is under way at a time, and the next may be given while the message of
 * the last is sent or its final dot unanswered: with PIPELINING its MAIL, RCPT and DATA ride with
 * the dot, so a message costs one round trip.
 *
 * With CHUNKING and PIPELINING a transaction is one flight: MAIL, RCPT…, BDAT size LAST and the
 * octets. (RFC 3030 2 has the replies to RCPT collected first, 4.2 shows BDAT pipelined; Postfix
 * and Exim take it so.) Transactions follow each other without waiting for replies, SMTP_IN_DOUBT of them and
 * SMTP_IN_DOUBT_SIZE octets at most: so much may arrive twice when the line drops. RFC 3030 lets a
 * server refuse BDAT only after it took all octets, and those of a message refused at MAIL or RCPT
 * would be sent for nothing: one of more than SMTP_FLIGHT octets waits for these replies, which is
 * one round trip for many. It goes as one chunk all the same; its size is known, and smaller ones
 * would only ask for replies in between. What was promised is sent, though the transaction fail
 * meanwhile. The state after a refused BDAT is "indeterminate" (RFC 3030 2), so RSET goes before
 * the MAIL that follows a BDAT without its reply, and each transaction stands for itself.
 * No window of TCP can lock up both sides (RFC 2920 3.1) as long as the caller reads whenever
 * there is something to read, writable or not; commands unanswered are bounded besides.
 *
 * The legal order (each step a row of the table in smtp_states.c: what it is doing in words, its
 * stage, its timeout, what it sends, what it does with the reply):
 *
 *	greeting -> EHLO (-> HELO) or LHLO -> [STARTTLS -> handshake -> EHLO or LHLO] -> [AUTH]
 *	         -> ready
 *	ready    -> MAIL -> RCPT… -> DATA -> body -> dot -> ready
 *	                 |    \-> BDAT, octets -> ready
 *	                 \-> RSET when it fails half way -> ready
 *	ready    -> QUIT
 *
 * Too many recipients: those that a server turns away with 452 after it accepted others of the
 * transaction (RFC 5321 4.5.3.1.10), and those beyond LIMITS RCPTMAX and RCPTDOMAINMAX (RFC 9422),
 * get an event with `later`: they belong in another transaction, now. Each transaction settles one
 * recipient at least for good, so that comes to an end. After MAILMAX transactions the session
 * says QUIT by itself.
 *
 * LMTP (RFC 2033) differs in two things: it begins with LHLO, without a HELO to fall back to; and
 * after the dot there is a reply for each recipient that was accepted, in their order, which is
 * that one's alone. It keeps to DATA: how many replies there are to a BDAT of which all recipients
 * were refused, RFC 2033 4.3 does not say. When the line drops between the replies, who has none may
 * get the message twice, and the others have their fate.
 */
#ifndef MAIL_SMTP_CLIENT_H
#define MAIL_SMTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mail/envelope.h"
#include "mail/route.h"
#include "mail/sasl.h"
#include "mail/status.h"

#define SMTP_IN_DOUBT 8                  /* transactions sent and unanswered, at most */
#define SMTP_IN_DOUBT_SIZE (256U * 1024) /* octets of theirs, at which no other follows */
#define SMTP_FLIGHT (64U * 1024) /* octets of a message that goes before the replies to RCPT */

typedef void smtp_trace(void *arg, enum stage stage, int code, const char *text);

/* Who says a line of the dialogue; SMTP_NOTE: neither, it is about the session (net/session.h). */
enum smtp_side {
	SMTP_CLIENT,
	SMTP_SERVER,
	SMTP_NOTE,
};

struct smtp_transaction;
typedef void smtp_said(
    void *arg, const struct smtp_transaction *t, enum smtp_side side, const char *text);

/* What a session needs to know; borrowed for its life. */
struct smtp_client_config {
	const char *hostname;               /* for EHLO: FQDN or address literal */
	const char *host;                   /* "name[address]:port" of the server, for texts */
	enum tls_policy policy;             /* NONE, MAY, ENCRYPT or VERIFY; never AUTO */
	bool chunking;                      /* BDAT instead of DATA where the server has it */
	bool lmtp;                          /* RFC 2033 instead of SMTP, see below */
	bool implicit_tls;                  /* TLS came before the greeting */
	bool tls_verified;                  /* … and it was verified (implicit TLS only) */
	bool plain_auth;                    /* the one exception: AUTH without TLS (loopback) */
	const struct sasl_account *account; /* NULL: none */
	const struct sasl_crypto *crypto;   /* with an account, as is: */
	const char *nonce;                  /* see struct sasl_facts */
	/* Of the TLS connection; NULL: none. The caller fills it before smtp_client_secured(). */
	const struct sasl_binding *binding;
	/*
	 * Told of every reply and of what the caller knows to tell (net/session.h); NULL: nobody. The
	 * text is clean and without secrets; code 0: not a reply.
	 */
	smtp_trace *trace;
	void *trace_arg;
	/*
	 * Told of every line, before it goes and as it comes; NULL: nobody. The text is clean and without
	 * secrets. t: whose message it is about; NULL: nobody's, or one's that has its fate already.
	 */
	smtp_said *said;
	void *said_arg;
};

/* A message to be sent: which recipients of which envelope. The caller's, and neither freed nor
 * changed before its SMTP_EVENT_DONE. What is private need not be initialised. */
struct smtp_transaction {
	const struct envelope *envelope;
	const uint32_t *rcpt; /* indexes into envelope->rcpt; NULL: its first nrcpt */
	size_t nrcpt;
	void *owner; /* the caller's */
	bool probe;  /* nothing is sent: MAIL, RCPT and RSET only */
	bool held;   /* smtp_client_begin() set it: see smtp_client_release() */
	/* private */
	bool encoded;                     /* what is sent is not what envelope->size counts */
	size_t at;                        /* the next recipient to be named to the server */
	size_t valid, answered, accepted; /* recipients: that can be named, … (LMTP: of the
					     accepted, those whose fate is open) */
	size_t told;                      /* those before it have had their event */
	bool mail_sent, data_sent, body;  /* body: the 354 came */
	bool bdat;                        /* data_sent: by BDAT */
	bool doomed;                      /* it failed, but BDAT promised octets still to be sent */
	bool utf8;                        /* needs SMTPUTF8 */
	struct outcome outcome;           /* of those whose fate is not their own */
	unsigned char *state;             /* per recipient */
	struct smtp_transaction *next;
};

enum smtp_event_type {
	SMTP_EVENT_STARTTLS, /* do the handshake now, then smtp_client_secured(); write nothing
				before */
	SMTP_EVENT_READY,    /* the session is open: transactions are welcome */
	SMTP_EVENT_RCPT,     /* a recipient's fate is known: transaction, rcpt, later, outcome */
	SMTP_EVENT_DONE,     /* the transaction is over: every recipient had its SMTP_EVENT_RCPT */
	SMTP_EVENT_CLOSED, /* the session is over: outcome says why (class 2 after QUIT); close it.
			    * Every transaction given has had its SMTP_EVENT_DONE before. When its
			    * scope is SCOPE_DESTINATION, no other message will fare better now. */
};

struct smtp_event {
	enum smtp_event_type type;
	struct smtp_transaction *transaction;
	size_t rcpt; /* index into transaction->rcpt */
	bool later;  /* RCPT: not its fate yet, see above; the outcome is why */
	struct outcome outcome;
};

/* What is to be written next. */
struct smtp_output {
	const char *data;
	size_t len;
	struct smtp_transaction *body; /* when len is 0: this message's content; NULL: nothing */
	bool bare;                     /* … as it is, envelope->size octets; false: dot-stuffed */
};

struct smtp_client;

/* NULL: out of memory. The session begins with waiting for the greeting. */
struct smtp_client *smtp_client_new(const struct smtp_client_config *config);
void smtp_client_free(struct smtp_client *c);

void smtp_client_input(struct smtp_client *c, const char *data, size_t len);
void smtp_client_output(struct smtp_client *c, struct smtp_output *w);
void smtp_client_wrote(struct smtp_client *c, size_t n);
void smtp_client_body_done(struct smtp_client *c);
void smtp_client_body_written(struct smtp_client *c);
/* The content could not be read to its end: the session ends without a dot (SCOPE_MESSAGE). */
void smtp_client_body_failed(struct smtp_client *c, const struct outcome *o);
bool smtp_client_event(struct smtp_client *c, struct smtp_event *ev);

/* After SMTP_EVENT_STARTTLS: the handshake succeeded; verified: chain and name are right. */
void smtp_client_secured(struct smtp_client *c, bool verified);

/*
 * Whether a transaction may be given now. One at a time; with PIPELINING one more from the moment
 * the last one's message may be sent (its 354 came): its commands go out behind that one's final
 * dot; and with CHUNKING as well, as many as the bounds above allow, each once the octets of the
 * last are read.
 */
bool smtp_client_room(const struct smtp_client *c);

/* Only when there is room. What cannot be sent (size, addresses) is failed here; events follow. */
void smtp_client_begin(struct smtp_client *c, struct smtp_transaction *t);

/*
 * A transaction is `held` before its MAIL when its content is 8-bit and the server has no 8BITMIME
 * (RFC 6152 3): the caller finds out whether the content has to be encoded, which takes its time,
 * and lets it go. encoded: the caller will send it so, and SIZE is left out. trouble: it could not
 * be found out, and the transaction fails with this; else NULL.
 */
void smtp_client_release(
    struct smtp_client *c, struct smtp_transaction *t, bool encoded, const struct outcome *trouble);

/* Whether the server takes DSN parameters (RFC 3461), and so reports itself what was asked for. */
bool smtp_client_dsn(const struct smtp_client *c);

/* The session is open, no transaction is under way and nothing is unanswered. */
bool smtp_client_idle(const struct smtp_client *c);

/* Say goodbye when what is under way is over. */
void smtp_client_quit(struct smtp_client *c);

/*
 * The connection is gone (EOF, reset, timeout, failed handshake): settles everything, as deferred.
 * o->text says what happened but not where: "lost connection with HOST" (so when it is ""),
 * "conversation with HOST timed out"; " while sending RCPT TO" is put behind it, or, when a final
 * dot was written, that the message may arrive twice. During the handshake, and with STAGE_TLS, it
 * stands alone. o->status is taken; class and, but for STAGE_TLS, stage are set here; so is the
 * scope, to SCOPE_MESSAGE, where it was SCOPE_DESTINATION but a message was on its way to the
 * server or the session was idle.
 * While waiting for the reply to QUIT this is a good end.
 */
void smtp_client_lost(struct smtp_client *c, const struct outcome *o);

/* Milliseconds allowed for what is being waited for now (RFC 5321 4.5.3.2); 0: no limit. */
int smtp_client_timeout(const struct smtp_client *c);

/* What it is doing, in words ("waiting for the greeting"), and as a stage. */
const char *smtp_client_doing(const struct smtp_client *c);
enum stage smtp_client_stage(const struct smtp_client *c);

#endif
