/* SPDX-License-Identifier: ISC */
/*
 * recode: make a message fit for transport by encoding what does not fit (RFC 2045), in two passes
 * over the same text and in constant memory; a struct recode is 22 KB and owns nothing.
 *
 *	recode_init(&r, RECODE_LONG);
 *	for each chunk: recode_plan(&r, data, len);
 *	if (recode_planned(&r)) {
 *		recode_start(&r);
 *		for each chunk of the same text: recode_run(&r, data, len, &out);
 *		recode_end(&r, &out);
 *	}
 *
 * Text is the wire form of a whole message, header and body, cut into chunks in any way; the output
 * does not depend on the cuts. `out` needs room for 16 n + 8 KB per chunk of n octets (hostile
 * messages of many tiny parts; others 4 n + 8 KB), and out.error is the caller's to look at. When
 * there is nothing to do, a run copies.
 *
 *	RECODE_LONG  no line has more than 998 octets afterwards (RFC 5322 2.1.1)
 *	RECODE_7BIT  no octet above 0x7f is left in the body, but for facts.eightbit_left
 *
 * A part (in multiparts and message/rfc822, mime.h) that does not fit becomes quoted-printable, or
 * base64 where more than a third of it would have to be escaped, with its
 * Content-Transfer-Encoding replaced or added. A message (or part) without Content-Type gets
 * text/plain in us-ascii, utf-8, or unknown-8bit (RFC 1428). What is quoted-printable already
 * is broken softly, what is base64 is refolded to 76 columns. RECODE_7BIT turns the labels "8bit"
 * and "binary" of what is 7-bit afterwards to "7bit", so that no multipart promises less than its
 * parts. All else stays as it is, octet for octet.
 *
 * Where MIME forbids encoding (multipart/signed, message/partial …, encodings that we do not know,
 * parts beyond the limits of mime.h), and between parts:
 *	long lines are folded (fold.h), and facts.folded says so
 *	8-bit text between parts, which no reader shows, gets "?" for each octet; facts.replaced
 *	8-bit content stays: facts.eightbit_left. The message cannot go to a 7-bit server.
 * Long lines of headers are folded (fold.h). 8-bit octets in headers stay: facts.eightbit_header;
 * that is SMTPUTF8's matter.
 *
 * A DKIM-Signature in the message's header covers the body as it stands, so the whole message is
 * treated as signed, unless break_dkim is set: to fold invalidates the signature just as to encode,
 * and encoding at least keeps the content.
 */
#ifndef MAIL_RECODE_H
#define MAIL_RECODE_H

#include <stdbool.h>
#include <stdint.h>

#include "mail/b64.h"
#include "mail/buf.h"
#include "mail/fold.h"
#include "mail/mime.h"
#include "mail/qp.h"

enum recode_purpose { /* also both, or'ed */
	RECODE_LONG = 1,
	RECODE_7BIT = 2,
};

/* True after recode_planned(), each only ever from false to true; header_cut after recode_end(). */
struct recode_facts {
	bool folded;          /* content lines are cut where they may not be encoded */
	bool replaced;        /* 8-bit octets between parts become "?" */
	bool eightbit_left;   /* 8-bit content that may not be encoded stays */
	bool eightbit_header; /* 8-bit octets in the message's header, or a part's */
	bool dkim;            /* there is a DKIM-Signature; when a run is needed it breaks */
	bool header_cut;      /* a header line was cut where it had no white space */
};

/* What was seen of the content that is open: a part's, or what stands before or behind parts. */
struct recode_text {
	bool line;     /* longer than 998 octets */
	bool eightbit; /* an octet above 0x7f */
	bool alien;    /* not UTF-8 */
	unsigned held; /* octets of an unfinished character */
	char character[4];
	uint64_t octets, escapes; /* escapes: those that quoted-printable must encode */
};

struct recode {
	bool break_dkim; /* set it between recode_init() and the first recode_plan() */
	struct recode_facts facts;
	/* private */
	unsigned purpose;
	bool needed;
	struct mime mime;
	uint8_t plan[MIME_PARTS + 1]; /* by part: enum recode_action, charset; recode_impl.h */
	/* the line that is open */
	enum mime_event kind;
	bool cr;    /* a CR whose meaning is open */
	bool going; /* its first MIME_LINE octets are through */
	size_t n;   /* octets held of it */
	char line[MIME_LINE];
	/* pass 1 */
	struct recode_text text;
	struct {
		bool header;    /* 8-bit octets in the part's own header */
		bool body;      /* it cannot be labelled 7bit */
	} wide[MIME_DEPTH + 1]; /* by depth */
	/* pass 2 */
	struct buf *out; /* NULL in pass 1 */
	bool labelled;   /* the open header has its new Content-Transfer-Encoding */
	bool seam;       /* an encoded part's header is over, its empty line has not come */
	bool bare;       /* … a message/rfc822's is, and nothing has come */
	bool folding;    /* the open line is a long one */
	struct fold fold;
	struct qp qp;
	struct b64 b64;
};

void recode_init(struct recode *r, unsigned purpose);
void recode_plan(struct recode *r, const char *data, size_t len);

/* The message is over. Whether a run would change anything. */
bool recode_planned(struct recode *r);

void recode_start(struct recode *r);
void recode_run(struct recode *r, const char *data, size_t len, struct buf *out);

/* The message is over again. A last line without CRLF gets one, if anything was to be done. */
void recode_end(struct recode *r, struct buf *out);

#endif
