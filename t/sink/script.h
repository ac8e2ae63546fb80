/* SPDX-License-Identifier: ISC */
/*
 * script: the rules by which the sink answers otherwise; the grammar is in ../README.
 */
#ifndef SCRIPT_H
#define SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire.h"

enum stage {
	STAGE_CONNECT, /* accepted, nothing said yet, TLS neither */
	STAGE_GREETING,
	STAGE_EHLO,
	STAGE_HELO,
	STAGE_STARTTLS,
	STAGE_TLS,       /* the client's part of the handshake came, or may come */
	STAGE_CHALLENGE, /* each 334 */
	STAGE_AUTH,      /* the verdict */
	STAGE_MAIL,
	STAGE_RCPT,
	STAGE_DATA,
	STAGE_BODY, /* while the message comes in */
	STAGE_DOT,  /* all of it is there */
	STAGE_RSET,
	STAGE_NOOP,
	STAGE_VRFY,
	STAGE_QUIT,
	STAGE_OTHER, /* a command that nobody knows */
	STAGES,
};

struct rule;

struct script {
	struct rule *rules;
	size_t count;
};

/* Add the rules of a file, or one. They end the program with a message when they are wrong. */
void script_load(struct script *s, const char *path);
void script_add(struct script *s, const char *text, const char *where);

/*
 * The first rule for what has just happened, or NULL. each[] has s->count counters of this
 * connection, zero at its start; `arg` is what patterns are compared with.
 */
const struct rule *script_match(
    struct script *s, unsigned *each, enum stage stage, const char *arg, unsigned conn);

/* The text that will be said: the rule's own or, if it (or NULL) has none, `ordinary`. */
const char *script_text(const struct rule *r, const char *ordinary);

/* The code of that, 0 when the rule lets nothing happen. */
int script_code(const struct rule *r, const char *ordinary);

/* For STAGE_BODY: after how many octets it is due. */
uint64_t script_after(const struct rule *r);

/* Do and say it. r may be NULL; so may `ordinary`: nothing is said ordinarily. */
void script_play(const struct rule *r, const char *ordinary, struct wire *w);

const char *script_stage(enum stage stage);

#endif
