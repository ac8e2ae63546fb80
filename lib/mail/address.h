/* SPDX-License-Identifier: ISC */
/*
 * address: address lists of header fields and of argv (RFC 5322 3.4 with the obsolete
 * forms of 4.4), and the grammar of an envelope address.
 *
 * Understood: addr-spec, "Name <a@b>", groups, comments nested to ADDRESS_NEST, quoted
 * local-parts, route-addr (<@relay:a@b>, the route is dropped), domain literals, UTF-8
 * (RFC 6532), empty list members, and bare login names ("root", "root (Cron Daemon)").
 * Iterative and linear in the length of the text.
 */
#ifndef MAIL_ADDRESS_H
#define MAIL_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

#include "mail/buf.h"

#define ADDRESS_MAX 320  /* octets of an envelope address: 64 + "@" + 255 */
#define ADDRESS_NEST 100 /* comments in comments */

/*
 * One mailbox of a list, with where it stands in the text, so that a field can be edited
 * without touching anything else: the addr-spec is text[start .. end).
 */
struct address {
	char mailbox[ADDRESS_MAX + 1]; /* comments and white space taken out; no "@" for a bare
					* name; quotes of a local-part only where they must be */
	size_t start, end;
};

enum address_event {
	ADDRESS_END, /* the list is done */
	ADDRESS_ONE, /* *a holds the next mailbox */
	ADDRESS_BAD, /* the next member is not an address; its text is text[start .. end) of *a,
		      * empty for "<>"; parsing goes on behind it. What has no end (a quote, a
		      * comment, a bracket) takes the rest of the text with it. */
};

/* An iterator over text[len]; borrows the text. */
struct address_parser {
	const char *text;
	size_t len;
	size_t at;
};

void address_start(struct address_parser *p, const char *text, size_t len);
enum address_event address_next(struct address_parser *p, struct address *a);

/*
 * Whether a string may stand between < and > of a MAIL or RCPT command and in a spool file:
 * local-part@domain with a positive grammar (atoms and dots, or a quoted string without spaces;
 * domain: letters, digits, hyphens, underscores and dots, a literal in brackets, or UTF-8),
 * ADDRESS_MAX octets at most and 255 in the domain, no octet <= 0x20 and no 0x7f, valid UTF-8
 * without C1 controls. A local-part may be longer than RFC 5321's 64 octets (SRS, VERP and reply
 * addresses are), have consecutive or trailing dots, but no leading one.
 */
bool address_valid(const char *address);

/*
 * Complete a mailbox: a bare name gets "@domain". The result is address_valid() or the call
 * fails. 0, or -1.
 */
int address_qualify(char dst[ADDRESS_MAX + 1], const char *mailbox, const char *domain);

/* Whether it has an octet above 0x7f: it needs SMTPUTF8 (RFC 6531). */
bool address_utf8(const char *address);

/*
 * Whether two addresses are the same: the domain regardless of ASCII case, the local-part exactly.
 * address_compare() is the order that goes with it, for sorting: domains first.
 */
bool address_equal(const char *a, const char *b);
int address_compare(const char *a, const char *b);

/* The pieces of the grammar: octets of the local-part at the start of a string, 0 when there is
 * none; and whether an octet may stand in an atom (RFC 5322 3.2.3, RFC 6532 3.2). */
size_t address_local(const char *s);
bool address_atext(char c);

#endif
