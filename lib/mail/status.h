/* SPDX-License-Identifier: ISC */
/*
 * status: what became of a recipient, and the only place that decides between
 * "later" and "never".
 *
 * A struct status is an enhanced status code (RFC 3463). Class 2: delivered, 4: deferred,
 * 5: failed for good. It goes by value.
 */
#ifndef MAIL_STATUS_H
#define MAIL_STATUS_H

#include <stdbool.h>
#include <stddef.h>

struct status {
	unsigned char class;    /* 2, 4, 5; 0: none yet */
	unsigned short subject; /* 0 to 999 */
	unsigned short detail;  /* 0 to 999 */
};

#define STATUS(c, s, d) ((struct status){(c), (s), (d)})

/* Longest text of a status ("5.999.999") with its NUL. */
#define STATUS_LEN 12

/*
 * Parse an enhanced status code at the start of `s` (RFC 2034: class "." subject "." detail,
 * then a space or the end). Returns its length in octets, 0 when there is none; *st is then
 * untouched.
 */
size_t status_parse(struct status *st, const char *s);

/* Print into dst[STATUS_LEN]; returns dst. */
char *status_print(char dst[STATUS_LEN], struct status st);

/* How far a delivery had come when its fate was decided. In the order of a session. */
enum stage {
	STAGE_CONFIG,   /* settings or secrets are unusable */
	STAGE_LOOKUP,   /* DNS */
	STAGE_CONNECT,  /* TCP */
	STAGE_GREETING, /* the 220 */
	STAGE_EHLO,
	STAGE_STARTTLS, /* the reply to STARTTLS */
	STAGE_TLS,      /* handshake and verification */
	STAGE_AUTH,
	STAGE_MAIL,
	STAGE_RCPT,
	STAGE_DATA, /* the reply to DATA */
	STAGE_BODY, /* while the message is sent: before the final dot was written */
	STAGE_BDAT, /* the reply to BDAT and the message behind it (RFC 3030) */
	STAGE_DOT,  /* the reply to the final dot */
	STAGE_RSET,
	STAGE_QUIT,
};

/* The stage in words for "(in reply to … )": "RCPT TO command", "end of DATA command" … */
const char *stage_words(enum stage stage);

/* How much of the queue an outcome speaks of. */
enum scope {
	SCOPE_RECIPIENT,   /* this recipient alone */
	SCOPE_MESSAGE,     /* every recipient of this message at this destination */
	SCOPE_DESTINATION, /* every message for this destination: it is the site, not the mail */
};

#define OUTCOME_TEXT 512 /* octets of text at most, its NUL included */

/*
 * The fate of a recipient, by value. `text` is one clean line (printable, UTF-8 as is),
 * made by the functions below or by text_clean(); never a format.
 */
struct outcome {
	struct status status;
	enum scope scope;
	enum stage stage;
	char text[OUTCOME_TEXT];
};

struct reply;

/*
 * Judge a reply that ends a stage badly, or (class 2) well.
 *
 * The policy, in one table in status.c:
 * - before MAIL nothing is permanent: a 5xx greeting, EHLO, STARTTLS or AUTH reply is the site's
 *   trouble, 4xx for the mail, scope destination (RFC 5321 4.2.5 leaves that to the client);
 * - 421 at any stage: scope destination, deferred;
 * - RCPT 452 and 552 mean too many recipients: deferred (RFC 5321 4.5.3.1.10);
 * - 503 (bad sequence) and 530 (log in first) to MAIL, RCPT or DATA are no verdict on the mail:
 *   deferred; nor is any of 500 to 504 to BDAT, from a server that does not know what it offers;
 * - otherwise the first digit decides; MAIL and DATA and the dot speak of the message, RCPT of
 *   the recipient.
 * The enhanced status code is the server's when its class agrees with the reply's first digit (its
 * class is then the one judged: 535 5.7.8 to AUTH is 4.7.8), else one made from the stage and code.
 *
 * host: "name[address]" of the server, for the text, which is in Postfix's form:
 * "host NAME[ADDR] said: 550 5.1.1 … (in reply to RCPT TO command)", for a greeting "host
 * NAME[ADDR] refused to talk to me: 554 …"; for class 2 the bare reply, "250 2.0.0 Ok: queued as
 * X".
 */
struct outcome status_judge(enum stage stage, const struct reply *reply, const char *host);

/*
 * Trouble without a reply: lost connection, timeout, protocol error, refused certificate.
 * Always class 4. `fmt` gives the text.
 */
struct outcome status_trouble(enum stage stage, enum scope scope, struct status st, const char *fmt,
    ...) __attribute__((format(printf, 4, 5)));

/*
 * Whether a reply to a message says that the server is given too much: 4.4.5 (congestion) or any
 * 4.7.x (policy: that is where rate limits are, and greylisting).
 */
bool status_throttled(const struct outcome *o);

/* The same as a failure for good: what no later attempt can change. */
struct outcome status_final(struct outcome o);

/*
 * One line out of foreign text: C0, DEL and C1 controls, Unicode's line ends and turns of direction,
 * and bytes that are not UTF-8 become '?', CR LF sequences a space; cut to `size` - 1 octets at a character's boundary. Every foreign
 * string passes here before it is logged, stored or shown.
 */
void text_clean(char *dst, size_t size, const char *src, size_t len);

#endif
