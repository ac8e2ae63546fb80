/* SPDX-License-Identifier: ISC */
/*
 * session: the dialogue of mail/smtp_client.h over a connection: connects, moves octets, does the
 * handshake, streams messages, keeps the deadlines.
 *
 *	s = session_new(…)
 *	poll session_fd(s) for session_wants(s) until session_deadline(s); then
 *	session_read(s, revents, now), all of session_event(), session_write(s, now), all of
 *	session_event()
 *
 * A session asks for mail itself, by config.next(), when it has room for it: behind the last octet
 * of a message it wants the next one, so that its commands ride with that in one packet. It reads
 * whenever there is something to read, so a server that waits for us to do so never waits long.
 * What a session wrote counts as written when the kernel has it, and not before.
 *
 * Deadlines (CLOCK_MONOTONIC): config.connect_timeout for the connection; the step's own (RFC 5321
 * 4.5.3.2) since something last moved; four times that for a step as a whole, so that a server
 * which sends an octet a minute gets no further; and for messages SESSION_RATE on average, once
 * SESSION_GRACE is over. A session with nothing to do says QUIT after SESSION_IDLE.
 *
 * The session as a whole: SESSION_OPENING from its start until mail could be sent, however many
 * steps a server makes of it; and SESSION_LIFE after its start it takes no more mail. What is under
 * way then is bounded by its steps (all RCPTs together are one) and its size.
 */
#ifndef NET_SESSION_H
#define NET_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "mail/smtp_client.h"
#include "net/inet.h"
#include "net/tls.h"

#define SESSION_IDLE 5000       /* milliseconds */
#define SESSION_HANDSHAKE 60000 /* milliseconds */
#define SESSION_RATE 1024       /* octets per second */
#define SESSION_GRACE 300000    /* milliseconds */
#define SESSION_OPENING 600000  /* milliseconds */
#define SESSION_LIFE 3600000    /* milliseconds */
#define SESSION_NAME (HOST_LEN + INET_TEXT)

/* A message to send: its transaction, whose `owner` is the caller's, and where its content is. */
struct session_mail {
	struct smtp_transaction transaction;
	int fd;          /* the spool file */
	uint64_t offset; /* of the content, envelope->size octets */
	bool trusted;    /* nobody but ourselves wrote the file: see net/content.h */
	/* private; NULL at first */
	struct recode *recode; /* how it is encoded for a server without 8BITMIME */
};

/* A SOCKS5 proxy; len of its address 0: none. */
struct session_proxy {
	struct inet address;
	const char *user, *password; /* user "": none */
};

struct session_config {
	const char *hostname; /* ours, for EHLO; without a dot: the socket's address instead */
	const char *host;     /* the server's, as configured or from MX; copied */
	struct inet address;  /* len 0: the proxy is to look `host` up; the port counts */
	struct session_proxy proxy;
	const struct inet *source; /* where the connection comes from; NULL: the system's choice */
	enum tls_policy policy;    /* NONE, MAY, ENCRYPT or VERIFY */
	bool chunking, lmtp;       /* see smtp_client_config */
	bool implicit_tls;
	/* See struct tls_peer. The names and `tlsa` must last until the session is ready. */
	const char *identity; /* its `host`; NULL: the host above */
	const char *also;
	bool pinned;
	const struct tlsa_set *tlsa;
	bool plain_auth; /* see smtp_client_config */
	const struct sasl_account *account;
	struct tls_context *tls;  /* needed unless the policy is NONE */
	unsigned connect_timeout; /* milliseconds */
	/* See smtp_client_config; told besides of the connection, and of TLS with its certificate.
	 */
	smtp_trace *trace;
	void *trace_arg;
	/* The same, and what TLS there is, as SMTP_NOTE. */
	smtp_said *said;
	void *said_arg;
	/* The next message for this session, or NULL. It is the session's until SMTP_EVENT_DONE. */
	struct session_mail *(*next)(void *owner);
	void *owner;
};

struct session;

/* Start connecting. The pointers in `config` are borrowed. NULL: out of memory. */
struct session *session_new(const struct session_config *config, int64_t now);
void session_free(struct session *s);

int session_fd(const struct session *s);
short session_wants(const struct session *s);
/* When session_read() must be called at the latest, with no revents. */
int64_t session_deadline(const struct session *s);

void session_read(struct session *s, short revents, int64_t now);
void session_write(struct session *s, int64_t now);

/*
 * The next event, as in mail/smtp_client.h but for SMTP_EVENT_STARTTLS, which never comes out.
 * After SMTP_EVENT_CLOSED, which also tells of a connection that never was: session_free().
 */
bool session_event(struct session *s, struct smtp_event *ev);

/* Take no more mail; QUIT when what is under way is over. */
void session_quit(struct session *s);

/* There was a connection; there was none to the proxy. */
bool session_reached(const struct session *s);
bool session_without_proxy(const struct session *s);

/* "host[address]:port", or "host[/path]" of a Unix socket, "host[proxy]:port" when a proxy looked
 * it up; and "plain" or what tls_describe() says.
 */
const char *session_name(const struct session *s);
const char *session_tls(const struct session *s);
/* The server takes DSN parameters; and it is the last one, by LMTP. */
bool session_dsn(const struct session *s);
bool session_lmtp(const struct session *s);

/* What it is at; not once it is over. */
enum stage session_stage(const struct session *s);

/* The errno of a connection that failed; 0: none did. */
int session_error(const struct session *s);

/* It ended because a spool file was bad: that says nothing of the server. */
bool session_damaged(const struct session *s);

#endif
