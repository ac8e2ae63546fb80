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

enum mode {
	MODE_POST,       /* -bm: read a message */
	MODE_MAILQ,      /* -bp, called as mailq */
	MODE_NEWALIASES, /* -bi, -I, called as newaliases */
	MODE_SERVICE,    /* -bD: the flusher, in the foreground */
	MODE_SETTINGS,   /* -bP */
	MODE_QUEUE_RUN,  /* -q */
};

struct options {
	enum mode mode;
	bool dots;         /* -i, -oi: a line holding only "." is data */
	bool from_header;  /* -t */
	bool verbose;      /* -v */
	const char *from;  /* -f, -r; NULL: not given */
	const char *name;  /* -F; NULL: not given */
	int deliver;       /* -od?: one of DELIVER_*, or -1 */
	char **recipients; /* operands; points into argv */
	int nrecipients;
};

/*
 * Parse; argv is permuted so that the operands stand together. 0; or -1 with one line in
 * error[size] that says what is wrong and what to do (exit 64).
 */
int options_parse(struct options *o, int argc, char **argv, char *error, unsigned size);

#endif
