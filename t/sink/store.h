/* SPDX-License-Identifier: ISC */
/*
 * store: what the sink leaves in its directory, for tests to look at. All calls are safe between
 * threads, and do nothing when there is no directory.
 *
 *	NNNN.eml       a message as it came, dots unstuffed, CRLF line ends
 *	NNNN.env       its envelope; appears last, so who sees it finds all of NNNN.eml
 *	commands.log   every command: "CONN MARK LINE"; mark + pipelined, - not, = an event
 *	connections    how many there were, as a number
 *	violations     what a client did wrong; not there when it did nothing wrong
 *	cert.pem       the certificate, with -t or -T
 */
#ifndef STORE_H
#define STORE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct store;

/* The envelope as it will stand in NNNN.env. */
struct envelope_text {
	char *text;
	size_t length;
	char **recipient; /* those that were accepted, bare */
	unsigned recipients;
};

/* NULL dir: nothing is written. quiet: nothing on stdout either. */
struct store *store_open(const char *dir, bool quiet);

/* The number of a new connection; they go on where an earlier sink in that directory ended. */
unsigned store_connection(struct store *s);

void store_command(struct store *s, unsigned conn, char mark, const char *line);
void store_violation(struct store *s, unsigned conn, const char *text);

/* A file for a message that is coming in, or NULL. */
FILE *store_begin(struct store *s, unsigned conn);

/* Forget it. */
void store_abandon(struct store *s, unsigned conn, FILE *f);

/* Keep it: its number. */
unsigned store_commit(struct store *s, unsigned conn, FILE *f, const struct envelope_text *env);

/* Messages kept since store_open(). */
unsigned long store_messages(struct store *s);

/* A line more in an envelope; what is not printable comes out as \xHH. */
void envelope_add(struct envelope_text *e, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void envelope_recipient(struct envelope_text *e, const char *path);
void envelope_clear(struct envelope_text *e);

#endif
