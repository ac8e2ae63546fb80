/* SPDX-License-Identifier: ISC */
/*
 * options: mailq's command line. One table in options.c has a row for every option: letter, long
 * name, value, help, and what it does. The manual page has each (t/0003-manual.t); --help prints
 * them.
 *
 * Called as postqueue it must be told what to do (-p, -j, -f …), as Postfix's must.
 */
#ifndef MAILQ_OPTIONS_H
#define MAILQ_OPTIONS_H

#include "select.h"

struct act;

/* From which age and number of messages on something is wrong; -1: from none. */
struct level {
	int64_t age; /* seconds */
	int64_t count;
};

/* What is to be steered, apart from what the selection says. */
struct target {
	bool some;    /* there is an act that wants it */
	bool all;     /* ALL */
	bool input;   /* "-": IDs from standard input */
	char **ids;   /* of options, operands, and standard input */
	unsigned nids;
};

struct options {
	const struct act *act; /* what is done */
	bool help;             /* --help: that only */
	bool flush;            /* -f: that only */
	bool plain;            /* -p: Postfix's form, on a terminal too */
	bool verbose;          /* -v */
	bool openmetrics;      /* --openmetrics: -m to its letter */
	bool levels;           /* one of these two is given: */
	struct level warning;  /* -w */
	struct level critical; /* -c */
	bool watch;            /* --watch */
	bool import;           /* --import: that only */
	const char *dir;       /* of --export and --import */
	struct selection selection;
	struct target target; /* what -d and the like were given */
	bool ask;             /* the act is asked about where it is for ALL, on a terminal */
	bool yes;             /* -y: it is not */
	bool dry_run;         /* --dry-run: say what would be done */
	const char *c;        /* -c: an ID to print, or with --check a level */
};

/*
 * Parse. argv is permuted. 0; or -1 with one line in error[size] that says what is wrong (exit 64).
 */
int options_parse(struct options *o, int argc, char **argv, char *error, size_t size);

/* What --help prints. */
void options_help(void);

#endif
