/* SPDX-License-Identifier: ISC */
/*
 * options: the sendmail command line. One table in options.c has a row for every letter: how it
 * takes its value and what it does. No option opens, chooses or runs anything: argv is what the
 * attacker of a web application reaches.
 *
 * Options may follow operands; "--" ends them; flags may be bundled (-ti). An option that lacks
 * its value, or an unknown letter, is a usage error.
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>

#include "mail/envelope.h"

enum mode {
	MODE_POST,       /* -bm: read a message */
	MODE_SERVE,      /* -bs: SMTP on standard input and output */
	MODE_VERIFY,     /* -bv: how addresses resolve */
	MODE_MAILQ,      /* -bp, called as mailq */
	MODE_NEWALIASES, /* -bi, -I, called as newaliases */
	MODE_SERVICE,    /* -bD: the flusher, in the foreground */
	MODE_DAEMON,     /* -bd: the same in the background */
	MODE_SETTINGS,   /* -bP */
	MODE_QUEUE_RUN,  /* -q, called as runq */
	MODE_HOSTSTAT,   /* called as hoststat or purgestat */
};

/* What -qI, -qR and -qS select by. */
enum select {
	SELECT_ALL,
	SELECT_ID,
	SELECT_RECIPIENT,
	SELECT_SENDER,
};

struct options {
	enum mode mode;
	bool dots;            /* -i, -oi: a line holding only "." is data */
	bool from_header;     /* -t */
	bool no_aliases;      /* -n */
	bool verbose;         /* -v */
	bool json;            /* --json, with -bv: objects, a line each */
	bool smtputf8;        /* -U, -O SMTPUTF8: a header that is not ASCII asks for SMTPUTF8 */
	bool requiretls;      /* -O REQUIRETLS */
	const char *from;     /* -f, -r; NULL: not given */
	const char *name;     /* -F; NULL: not given */
	int deliver;          /* -od?: one of DELIVER_*, or -1 */
	unsigned notify;      /* -N: NOTIFY_* bits; 0: not given */
	enum ret ret;         /* -R */
	const char *envid;    /* -V; NULL: not given */
	unsigned hops;        /* -h: Received fields to be taken as there already */
	const char *tag;      /* -L: in place of "sendmail" in the log; NULL: not given */
	const char *protocol; /* -p protocol:host, for Received; NULL: not given */
	enum select select;   /* -q: which messages, … */
	bool select_others;   /* … or all but those (-q!R…), … */
	const char *selected; /* … by a part of their ID, a recipient or the sender */
	unsigned every;       /* -q15m: seconds between runs of a service; 0: none */
	char **recipients;    /* operands; points into argv */
	int nrecipients;
};

/*
 * Parse; argv is permuted so that the operands stand together. 0; or -1 with one line in
 * error[size] that says what is wrong and what to do (exit 64).
 */
int options_parse(struct options *o, int argc, char **argv, char *error, unsigned size);

#endif
