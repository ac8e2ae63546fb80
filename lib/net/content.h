/* SPDX-License-Identifier: ISC */
/*
 * content: the content of a message on its way from a spool file to a server.
 *
 * A spool file is what its owner says it is, and owners share connections: one that holds
 * CRLF.CRLF or a bare LF in the middle would end its message early and speak SMTP in the name of
 * the next one. So the octets of a file that somebody else owns are checked and dot-stuffed as they
 * pass, whatever the envelope says. `raw` (the owner is who we are, and the envelope says that no
 * line begins with a dot) passes them on unseen. Either way the last two must be CRLF. A plan
 * (pass 1 of mail/recode.h) makes this pass 2: what goes out is encoded, then stuffed.
 */
#ifndef NET_CONTENT_H
#define NET_CONTENT_H

#include <stdbool.h>
#include <stdint.h>

#include "mail/buf.h"
#include "mail/recode.h"

#define CONTENT_PIECE 16384U      /* octets of the file in one piece, at most */
#define CONTENT_OUT (128U * 1024) /* what becomes of them, stuffed or encoded, at most */

struct content {
	int fd;
	uint64_t at, left; /* octets of the file: the next one, those to come */
	bool raw;
	struct recode *recode; /* NULL: as it is */
	bool bare; /* false at first; true: not dot-stuffed, for BDAT, which counts octets */
	/* private */
	bool bol;
	char last; /* octet that went out; LF at first */
};

/*
 * The message is octets [at, at + size) of fd. fd and recode (NULL: none, or a plan of this
 * message) stay the caller's.
 */
void content_start(
    struct content *b, int fd, uint64_t at, uint64_t size, bool raw, struct recode *recode);

/*
 * Append the next piece. 1: there is more; 0: that was the last; -1 with *why: the file cannot be
 * read, is too short, or is not wire form.
 */
int content_read(struct content *b, struct buf *out, const char **why);

/* Octets that may be taken straight from the file, and then must be reported by content_skip(). The
 * last piece never is among them. */
uint64_t content_skippable(const struct content *b);
void content_skip(struct content *b, uint64_t n);

#endif
