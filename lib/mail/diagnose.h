/* SPDX-License-Identifier: ISC */
/*
 * diagnose: what the steps of a probe (sendmail -bv) say, in plain words and with a remedy. Pure.
 *
 * A probe goes the way of a message as far as RCPT, to every address in turn. Its steps come in the
 * order in which they were taken; one PROBE_HOP for each relay or domain and one PROBE_CONNECT for
 * each address begin a new attempt. What counts is the attempt that came furthest.
 */
#ifndef MAIL_DIAGNOSE_H
#define MAIL_DIAGNOSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mail/status.h"

/* In the order of a session. */
enum probe_kind {
	PROBE_HOP, /* which relay, or whose exchangers */
	PROBE_MX,  /* look-up of the exchangers */
	PROBE_HOST,
	PROBE_CONNECT,
	PROBE_PORT, /* another port of a host that does not answer: does that one? */
	PROBE_GREETING,
	PROBE_EHLO,
	PROBE_STARTTLS,
	PROBE_TLS,
	PROBE_AUTH,
	PROBE_MAIL,
	PROBE_RCPT,
	PROBE_RSET,
	PROBE_QUIT,
	PROBE_KINDS
};

/* How a connection failed; of a later step, whether the server was waited for in vain. */
enum probe_fault {
	PROBE_NO_FAULT,
	PROBE_TIMEOUT,     /* no answer at all */
	PROBE_REFUSED,     /* nobody listens, or a firewall says so */
	PROBE_UNREACHABLE, /* no way there */
	PROBE_OTHER_FAULT,
};

#define PROBE_TEXT 1024 /* octets of a step's text, its NUL included */

struct probe_step {
	enum probe_kind kind;
	enum probe_fault fault;
	uint16_t port;         /* from PROBE_CONNECT on */
	int code;              /* of the reply; 0: there was none */
	struct status status;  /* class 2: good */
	uint32_t ms;           /* milliseconds it took */
	char text[PROBE_TEXT]; /* one clean line */
};

/* "look-up", "connect", "EHLO" …: for people, and as the value of "step" in JSON. */
const char *probe_name(enum probe_kind kind);

/* The step at which an outcome of this stage is told. */
enum probe_kind probe_kind(enum stage stage);

struct diagnosis {
	const char *name; /* one word: "ok", "blocked", "password" … */
	int status;       /* exit status, sysexits(3) */
	char text[PROBE_TEXT + 256];
	const char *remedy; /* "": none is needed */
};

/*
 * goal: the step whose good end is what was wanted: PROBE_RCPT, or PROBE_QUIT or PROBE_MX where
 * only the way was tried.
 */
void diagnose(struct diagnosis *d, const struct probe_step *steps, size_t n, enum probe_kind goal);

#endif
