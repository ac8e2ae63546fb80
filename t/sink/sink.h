/* SPDX-License-Identifier: ISC */
/*
 * The sink: the tests' own SMTP server. Its options and grammar are in sink.c and ../README.
 *
 *	sink.c      main: options, sockets, a thread a connection
 *	session.c   the dialogue: verbs, states, what is a violation
 *	esmtp.c     extensions and parameters
 *	auth.c      the AUTH exchange;  scram.c  of SCRAM
 *	data.c      the message after DATA
 *	script.c    the rules by which it answers otherwise: reading and finding them
 *	action.c    what they do
 *	store.c     what is left in the directory
 *	wire.c      octets in and out, with TLS or without
 *	tls.c       the certificate made on the spot
 */
#ifndef SINK_H
#define SINK_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "script.h"
#include "store.h"
#include "wire.h"

/* Extensions, bits. */
enum extension {
	EXT_PIPELINING = 1,
	EXT_SIZE = 2,
	EXT_8BITMIME = 4,
	EXT_SMTPUTF8 = 8,
	EXT_DSN = 16,
	EXT_ENHANCEDSTATUSCODES = 32,
	EXT_STARTTLS = 64,
	EXT_AUTH = 128,
	EXT_CHUNKING = 256,
	EXT_LIMITS = 512,
	EXT_REQUIRETLS = 1024,
};

/* What the options say; nobody writes to it once the first connection came. */
struct sink {
	const char *name;            /* in the greeting and the certificate */
	const char *user, *password; /* NULL: no AUTH */
	const char *mechanisms;      /* as offered: "PLAIN LOGIN" */
	bool auth_in_clear;          /* AUTH is offered without TLS too */
	bool starttls, implicit;     /* TLS by STARTTLS; from the first octet */
	bool lmtp;                   /* RFC 2033 instead of SMTP */
	const char *client_ca;       /* clients must have a certificate of it; NULL: need not */
	int newest;                  /* of TLS; 0: what OpenSSL has */
	unsigned left_out;           /* extensions not to offer */
	unsigned extra;              /* … to offer, of those that are not by themselves */
	const char *limits;          /* as offered behind LIMITS: "MAILMAX=3 RCPTMAX=9" */
	uint64_t size_limit;         /* 0: none */
	SSL_CTX *ctx;                /* NULL: no TLS */
	struct script *script;
	struct store *store;
};

enum state {
	STATE_NEW = 1, /* neither EHLO nor HELO yet, or not again since STARTTLS */
	STATE_GREETED = 2,
	STATE_MAIL = 4, /* MAIL was accepted */
	STATE_RCPT = 8, /* and a recipient */
	STATE_ANY = 15,
};

enum { LINE_LEN = 16 * 1024 };

struct session {
	const struct sink *sink;
	struct wire wire;
	unsigned conn, messages;
	enum state state;
	unsigned offered; /* extensions in the last reply to EHLO */
	bool quit;
	bool pipelined;      /* this command came before the reply to the one before */
	bool ahead;          /* and so will the next */
	bool refused;        /* something in this transaction was refused */
	bool wrecked;        /* a BDAT was, and RSET did not come yet */
	unsigned mails;      /* MAIL commands that were accepted */
	bool eightbit, utf8; /* BODY=8BITMIME, SMTPUTF8 */
	char helo[256];
	char user[256]; /* "": no AUTH yet */
	struct envelope_text env;
	const struct rule *rule; /* what decide() found */
	const char *ordinary;
	enum stage stage;
	unsigned *each;   /* a counter a rule */
	char reply[2048]; /* what `ordinary` points to */
	char line[LINE_LEN];
};

/* The whole of a connection. fd is closed. */
void session_run(const struct sink *sink, int fd, unsigned conn);

/*
 * A command line without its CRLF into s->line, NUL-terminated. -1 at the end of the connection.
 * Whatever is wrong with it is recorded.
 */
int session_line(struct session *s);

/*
 * What to say at a stage: the ordinary reply (no CRLF; may have several lines), or the script's.
 * The code that the client will see, 0 for none. session_say() then says it; session_answer() is
 * both.
 */
int session_decide(struct session *s, enum stage stage, const char *arg, const char *ordinary);
void session_say(struct session *s);
int session_answer(struct session *s, enum stage stage, const char *arg, const char *ordinary);

/* Record that the client broke a rule. */
void session_violation(struct session *s, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The bit of an extension, 0 when there is none of that name. */
unsigned esmtp_extension(const char *name);

/* The reply to EHLO arg; and which extensions a reply, perhaps a script's, offers. */
void esmtp_ehlo(const struct session *s, char *text, size_t size, const char *arg);
unsigned esmtp_offered(const char *reply);

/*
 * "FROM:<path> PARAMETERS". The path without its brackets into path[LINE_LEN], the parameters
 * checked. The reply when it is wrong, else NULL.
 */
const char *esmtp_path(
    struct session *s, enum stage stage, const char *prefix, const char *arg, char *path);

/* Whether SIZE= in MAIL's argument is over the limit. */
bool esmtp_too_big(const struct session *s, const char *arg);

/* AUTH and what follows it, `arg` is the mechanism and the initial response. */
void auth_run(struct session *s, char *arg);

/* Mechanisms: what the client says first (initial: with AUTH, or NULL), or to a challenge, is
 * decoded in s->line; its length, or -1 when the exchange is over. */
int auth_first(struct session *s, char *initial, const char *mechanism);
int auth_challenge(struct session *s, const char *text, const char *mechanism);
void auth_verdict(struct session *s, const char *mechanism, bool right);
void scram_run(struct session *s, const char *mechanism, char *initial);

/* From behind the 354 to the reply to the dot. */
void data_run(struct session *s);

/* "BDAT size LAST", the octets, the reply. */
void data_bdat(struct session *s, char *arg);

/* LIMITS (RFC 9422): record what MAIL, and RCPT with this path, exceed. */
void esmtp_count_mail(struct session *s);
void esmtp_count_recipient(struct session *s, const char *path);

/*
 * A context with a certificate for `name`, localhost and the loopback addresses: from `keep` when
 * that file is there, with the chain behind it, else made and, if keep is not NULL, written there
 * with its key. The certificate alone is written to `cert` (NULL: not). Ends the program when that
 * fails.
 */
SSL_CTX *tls_context(const struct sink *sink, const char *keep, const char *cert);

/* The version of TLS of this name ("1.1"), 0 when there is none. */
int tls_version(const char *name);

/* base64 to octets in place, NUL-terminated. Length, or -1. */
int tls_unbase64(char *text);

#endif
