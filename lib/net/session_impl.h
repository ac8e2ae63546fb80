/* SPDX-License-Identifier: ISC */
/*
 * session_impl: what the files of a session share among themselves.
 *
 *	session.c      its life: connecting, the handshake, reading, deadlines, the end
 *	session_proxy.c  the way through a proxy
 *	session_out.c  writing: commands and messages, gathered
 *	session_fit.c  8-bit messages for servers without 8BITMIME
 */
#ifndef NET_SESSION_IMPL_H
#define NET_SESSION_IMPL_H

#include "mail/buf.h"
#include "mail/socks.h"
#include "net/content.h"
#include "net/session.h"
#include "net/stream.h"

#define SESSION_TURNS 16 /* reads or writes in a row, before others have theirs */

enum phase {
	PHASE_CONNECT,
	PHASE_PROXY, /* connected to it, and it connects */
	PHASE_TLS,   /* the handshake */
	PHASE_TALK,
	PHASE_OVER,
};

struct session {
	struct session_config config;
	struct smtp_client_config client_config;
	struct smtp_client *client; /* NULL until there is a connection (and implicit TLS) */
	struct stream stream;
	enum phase phase;
	bool ready, quitting, damaged;
	bool reached, proxied; /* connected; connected to the proxy */
	struct socks socks;
	bool tell; /* `outcome` is to be told, for want of a client to do it */
	struct outcome outcome;
	char host[HOST_LEN], hostname[HOST_LEN], name[SESSION_NAME], tls[96];
	char nonce[SASL_NONCE]; /* with an account */
	struct sasl_binding binding;

	/*
	 * What is being written. The first `outbody` octets behind `outat` are of a message; the
	 * others are commands, which the client holds as well until smtp_client_wrote().
	 */
	struct buf out;
	size_t outat, outbody;
	short out_wants;           /* to poll for, when there is output */
	struct session_mail *mail; /* whose content is being read; NULL: none */
	bool tail;                 /* `out` holds the end of a content */
	struct content content;

	/* whether this one must be encoded is being found out; NULL: none */
	struct session_mail *fitting;
	uint64_t fit_at; /* octets of it that were looked at */

	int64_t now, began;
	int64_t moved;     /* when octets last came or went */
	const char *doing; /* the step, … */
	int64_t step;      /* … since when, … */
	uint64_t sent;     /* … and octets of a message written since then */
};

/* There will be no connection; there is one. */
void session_failed(struct session *s, const char *why);
void session_connected(struct session *s);

/* session_proxy.c: the connection to the proxy is there; it goes on. */
void session_proxy_start(struct session *s);
void session_proxy_go_on(struct session *s);

/* The connection failed, with this errno. */
void session_broken(struct session *s, int error);

/* It cannot go on for want of memory: what is under way in it is tried again. */
void session_lacks_memory(struct session *s);

/* Read once. False: nothing to read now, or never again. */
bool session_read_some(struct session *s);

/* To be called when something came or went: a new step begins its time. */
void session_note_step(struct session *s);

/* The first member is the transaction; the client knows nothing of what is around it. */
static inline struct session_mail *
session_mail_of(struct smtp_transaction *t)
{
	return (struct session_mail *)(void *)t;
}

/*
 * A message that the client holds (smtp_client_release()): whether it has to be encoded takes
 * reading all of it, and 100 MB at once would keep the other sessions waiting. So it is read a bit
 * each turn, and then released.
 */
void session_fit_begin(struct session *s, struct session_mail *mail);
void session_fit_turn(struct session *s);
/* It is over. */
void session_fit_forget(struct session *s, struct session_mail *mail);

#endif
