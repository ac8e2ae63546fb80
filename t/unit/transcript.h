/* SPDX-License-Identifier: ISC */
/*
 * transcript: reads t/transcripts/NAME.txt. A transcript is a head, an empty line, and the
 * dialogue in RFC 5321's notation; "#" begins a comment line.
 *
 *	policy: none | may | encrypt | verify          default: none
 *	chunking: no                                   default: yes
 *	lmtp: yes
 *	implicit: verified | unverified                TLS from the first octet
 *	plain-auth: yes
 *	account: USER PASSWORD
 *	auth: NAMES                                    of mechanisms, as in relay.auth
 *	binding: NAME                                  there is one, of that name
 *	serial: yes                                    the next message only when the last is done
 *	message: <FROM> [size=N] [body=BODY] [ret=RET] [envid=ID] [requiretls=yes] [held=WHAT]
 *	rcpt: <TO> [notify=N] [orcpt=TEXT] -> FATE     of that message
 *	closed: FATE                                   the session ends so; absent: it does not end
 *
 *	WHAT is known of a message that the client holds: "encode" (it must be), "trouble" (nothing,
 *	for good) or "unknown" (nothing yet); absent: it goes as it is
 *	FATE is "STATUS SCOPE text", the text being a part of the outcome's; of a recipient also
 *	"later": it belongs in another transaction
 *
 *	S: the server's line        s: the same, although the client has not written all it has
 *	C: the client's line        C: [message]  the client sends the content
 *	                            C: [bare]     … not dot-stuffed (BDAT)
 *	                            C: [end]      the last octet of that is written
 *	T: verified | unverified    the handshake
 *	X: [reason]                 the connection is lost
 *	B: text                     the content cannot be read to its end
 *	D:                          the content was sent, and what follows it is not written yet
 *
 * \xHH stands for an octet. QUIT is asked for when the transcript has it.
 */
#ifndef TRANSCRIPT_H
#define TRANSCRIPT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mail/smtp_client.h"
#include "net/crypto.h"

#define LINES 200
#define MESSAGES 10
#define RCPTS 8
#define HOST "mx.example[192.0.2.1]:25"

struct fate {
	char *status, *scope, *text;
};

struct message {
	struct envelope envelope;
	struct recipient rcpt[RCPTS];
	struct fate fate[RCPTS];
	struct smtp_transaction t;
	unsigned told[RCPTS], done;
	const char *held;
};

struct script {
	char *text;
	char *line[LINES];
	size_t nlines;
	struct smtp_client_config config;
	struct sasl_account account;
	struct sasl_binding binding;
	struct message message[MESSAGES];
	size_t nmessages;
	struct fate closed;
	bool serial, quits;
};

/* The transcript's head. */

static char *
word(char **s)
{
	char *w;

	while ((w = strsep(s, " ")) != NULL && *w == '\0')
		;
	return w;
}

static struct fate
parse_fate(char *s)
{
	static char nothing[] = "";
	struct fate f;

	f.status = word(&s);
	f.scope = word(&s);
	f.text = s != NULL ? s : nothing;
	return f;
}

/* <ADDRESS> without its brackets. */
static char *
parse_address(char **s)
{
	char *a = word(s);

	a[strlen(a) - 1] = '\0';
	return a + 1;
}

static void
parse_message(struct message *m, char *s)
{
	struct envelope *e = &m->envelope;

	m->held = "";
	*e = (struct envelope){.from = parse_address(&s), .rcpt = m->rcpt, .size = 100};
	for (char *w; (w = word(&s)) != NULL;) {
		char *value = strchr(w, '=') + 1;

		if (strcmp(w, "requiretls=yes") == 0)
			e->requiretls = true;
		else if (strncmp(w, "size=", 5) == 0)
			e->size = strtoull(value, NULL, 10);
		else if (strncmp(w, "body=", 5) == 0)
			e->body = strcmp(value, "SMTPUTF8") == 0 ? BODY_SMTPUTF8 : BODY_8BITMIME;
		else if (strncmp(w, "ret=", 4) == 0)
			e->ret = strcmp(value, "FULL") == 0 ? RET_FULL : RET_HDRS;
		else if (strncmp(w, "held=", 5) == 0)
			m->held = value;
		else
			e->envid = value;
	}
}

static void
parse_rcpt(struct message *m, char *s)
{
	size_t i = m->envelope.nrcpt++;
	char *w;

	m->rcpt[i].address = parse_address(&s);
	while (strcmp(w = word(&s), "->") != 0) {
		if (strncmp(w, "notify=", 7) == 0)
			m->rcpt[i].notify = (unsigned)atoi(w + 7);
		else
			m->rcpt[i].orcpt = strchr(w, '=') + 1;
	}
	m->fate[i] = parse_fate(s);
}

static enum tls_policy
parse_policy(const char *s)
{
	static const char *names[] = {"auto", "none", "may", "encrypt", "verify"};
	size_t i = 1;

	while (strcmp(s, names[i]) != 0)
		i++;
	return (enum tls_policy)i;
}

static void
parse_head(struct script *s, char *line)
{
	char *value = line, *key = strsep(&value, ":");
	struct message *m = s->message + s->nmessages;

	value += strspn(value, " ");
	if (strcmp(key, "policy") == 0) {
		s->config.policy = parse_policy(value);
	} else if (strcmp(key, "chunking") == 0) {
		s->config.chunking = false;
	} else if (strcmp(key, "lmtp") == 0) {
		s->config.lmtp = true;
	} else if (strcmp(key, "implicit") == 0) {
		s->config.implicit_tls = true;
		s->config.tls_verified = strcmp(value, "verified") == 0;
	} else if (strcmp(key, "plain-auth") == 0) {
		s->config.plain_auth = true;
	} else if (strcmp(key, "account") == 0) {
		s->account = (struct sasl_account){
		    .user = word(&value), .password = value, .mechanisms = ""};
		s->config.account = &s->account;
	} else if (strcmp(key, "auth") == 0) {
		s->account.mechanisms = value;
	} else if (strcmp(key, "binding") == 0) {
		s->binding = (struct sasl_binding){value, "binding", 7};
		s->config.binding = &s->binding;
	} else if (strcmp(key, "serial") == 0) {
		s->serial = true;
	} else if (strcmp(key, "message") == 0) {
		parse_message(m, value);
		s->nmessages++;
	} else if (strcmp(key, "rcpt") == 0) {
		parse_rcpt(m - 1, value);
	} else if (strcmp(key, "closed") == 0) {
		s->closed = parse_fate(value);
	}
}

/* Octets behind \x; in place. */
static void
unescape(char *s)
{
	char *d = s;

	for (; *s != '\0'; s++) {
		if (s[0] == '\\' && s[1] == 'x') {
			char hex[3] = {s[2], s[3], '\0'};

			*d++ = (char)strtoul(hex, NULL, 16);
			s += 3;
		} else {
			*d++ = *s;
		}
	}
	*d = '\0';
}

static char *
slurp(const char *path)
{
	FILE *f = fopen(path, "r");
	char *text = calloc(1, 65536);

	if (f == NULL || text == NULL || fread(text, 1, 65535, f) == 0)
		abort();
	fclose(f);
	return text;
}

__attribute__((unused)) static void
load(struct script *s, const char *path)
{
	char *rest, *line;
	bool head = true;

	*s = (struct script){.text = slurp(path)};
	s->config = (struct smtp_client_config){.hostname = "client.example",
	    .host = HOST,
	    .policy = TLS_POLICY_NONE,
	    .chunking = true,
	    .crypto = &crypto_sasl,
	    .nonce = "nonce"};
	rest = s->text;
	while ((line = strsep(&rest, "\n")) != NULL) {
		if (line[0] == '#')
			continue;
		unescape(line);
		if (line[0] == '\0')
			head = false;
		else if (head)
			parse_head(s, line);
		else
			s->line[s->nlines++] = line;
		s->quits = s->quits || strcmp(line, "C: QUIT") == 0;
	}
}

#endif
