/* SPDX-License-Identifier: ISC */
/*
 * parcel: a post on its way through the socket, queue.post_socket, for those who cannot write to the
 * spool. A connection of SOCK_SEQPACKET is one post:
 *
 *	injector (remote.c)                         flusher (reception.c, clerk.c)
 *	                                    <-      READY: somebody is there for it
 *	head, with descriptors 0, 1 and 2   ->
 *	the strings, in pieces              ->
 *	                                    <-      TAKEN: it is being posted
 *	                                    <-      DONE: the exit status
 *
 * or BUSY in place of READY: come again. A connection that ends before DONE: not posted. Who posts
 * keeps it open until then, and a post whose connection ends is broken off.
 *
 * The strings are settings ("MAIL_DOMAIN=example.org"), then the command line without its first
 * word, each with its NUL. Of settings only those of parcel_carries() travel, none of which names a
 * file: files are the flusher's, which may be another system's.
 */
#ifndef PARCEL_H
#define PARCEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mail/buf.h"

#define PARCEL_MAGIC "pillarbox post 1"
#define PARCEL_FDS 3
#define PARCEL_OCTETS (2U * 1024 * 1024) /* of all strings; what the kernel gives a command line */
#define PARCEL_STRINGS 65536U
#define PARCEL_PIECE (64U * 1024) /* octets of a packet */
#define PARCEL_TEXT 512           /* of an answer, with its NUL */

struct parcel_head {
	char magic[sizeof(PARCEL_MAGIC) - 1];
	uint32_t settings, words; /* how many strings */
	uint32_t octets;          /* of all of them */
};

enum parcel_kind {
	PARCEL_BUSY, /* text says with what */
	PARCEL_READY,
	PARCEL_TAKEN,
	PARCEL_DONE, /* status; where it is not 0 text says why, or is empty: stderr has it */
};

struct parcel_answer {
	uint8_t kind;
	uint8_t status; /* sysexits */
	char text[PARCEL_TEXT];
};

/* Whether a setting of the poster's counts in place of the flusher's. */
bool parcel_carries(const char *section, const char *key);

/* "SECTION_KEY=value" and its NUL. */
void parcel_add_setting(struct buf *b, const char *section, const char *key, const char *value);

bool parcel_head_valid(const struct parcel_head *h);

/*
 * Cut a parcel's strings apart into `strings`, of h->settings + h->words + 1 pointers, a NULL last.
 * False: data[len] is not what the head says, or a setting is none of those that travel.
 */
bool parcel_cut(const struct parcel_head *h, char *data, size_t len, char **strings);

/* 0, or -1 with errno. Does not block. */
int parcel_answer(int conn, enum parcel_kind kind, int status, const char *text);

/* Take one; text has its NUL. 1; 0: the connection ended; -1 with errno. */
int parcel_listen(int conn, struct parcel_answer *a);

#endif
