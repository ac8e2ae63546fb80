/* SPDX-License-Identifier: ISC */
/*
 * alias: aliases(5), the file that says who reads the mail of this machine's names: its parser, and
 * what becomes of the recipients of a message. Pure: the caller reads the files.
 *
 *	# a comment has a line of its own
 *	root: alice@example.org, bob,
 *		:include:/etc/admins
 *	bob: \bob, bob@example.net
 *	*: root
 *
 * A line that begins with white space continues the one before, comments and empty lines between
 * them notwithstanding. A name is bare and its ASCII case does not count; quotes are taken off it.
 * Of a name that is there twice, the first counts. "*", or "default", stands for every name that
 * has no line of its own. A value is one of these, in quotes or not:
 *
 *	a@b, <a@b>, name      an address as in a header (mail/address.h), but no group
 *	\name                 the same, and no alias is applied to it
 *	:include:/path        the values in that file, in lines, with comments
 *	/dev/null             nobody: mail is dropped
 *	|program, /path       refused: nothing is delivered but over the network
 *
 * Aliases apply to local addresses: bare, at `domain`, at `hostname` or at localhost. A value that
 * is local is looked up again, unless it is the name it stands under; "*" applies to bare names and
 * those at localhost only, so that "root: alice@example.org" means what it says. Each name and file
 * is expanded once, breadth first.
 *
 * Mistakes are lines in `errors`: "FILE:LINE: name: what is wrong", clean for a terminal; when the
 * buffer is full, the rest of them is only counted. They never stop the rest of the file from
 * counting.
 */
#ifndef MAIL_ALIAS_H
#define MAIL_ALIAS_H

#include <stdbool.h>
#include <stddef.h>

#include "mail/buf.h"

#define ALIAS_FILE_MAX (1024U * 1024) /* octets of a file; the caller's to enforce */
#define ALIAS_DEPTH 64U               /* names that lead from one to the next */
#define ALIAS_INCLUDES 16U            /* files on behalf of one recipient */

struct alias_entry;
struct alias_value;

/* A file, parsed; includes join it when they are read. All is private but `mistakes`. */
struct aliases {
	size_t mistakes;
	int error;       /* 0 or ENOMEM */
	struct buf pool; /* every string, NUL-terminated; others are offsets into it */
	struct alias_entry *entry;
	size_t nentries;
	size_t nnames; /* entry[0 .. nnames) are names, sorted; include files follow */
	struct alias_value *value;
	size_t nvalues;
};

/*
 * Parse text[len]; `file` is what errors call it. What is wrong with a line as a whole is told
 * here, what is wrong with a value when it is met. errors: or NULL. 0, or -1 with errno ENOMEM;
 * alias_free() also then.
 */
int alias_parse(
    struct aliases *a, const char *text, size_t len, const char *file, struct buf *errors);

void alias_free(struct aliases *a);

/* Where aliases apply, and how include files are had. */
struct alias_place {
	const char *domain;   /* completes bare names; "" or NULL: hostname does */
	const char *hostname; /* "" or NULL: none */
	/* Append the file to `text`, which has its maximum. 0, or -1 with *why in words. */
	int (*include)(void *arg, const char *path, struct buf *text, const char **why);
	void *arg;
};

/* Whether aliases apply to an address. */
bool alias_local(const struct alias_place *place, const char *address);

struct alias_result {
	char *address; /* complete */
	size_t origin; /* index of the recipient that it came from first */
};

/*
 * nobody: how many recipients lead nowhere, each named in `errors`; these are not those that lead
 * to /dev/null.
 */
struct alias_results {
	struct alias_result *result;
	size_t n;
	size_t nobody;
};

/*
 * What becomes of recipient[0 .. n): in their order, each address once (address_equal()); those
 * that no alias applies to stay as they are. In n log n of all that is met. 0, or -1 with errno
 * ENOMEM, or E2BIG for more than ENVELOPE_RCPT_MAX; alias_results_free() also then.
 */
int alias_expand(struct aliases *a, const struct alias_place *place, const char *const *recipient,
    size_t n, struct alias_results *results, struct buf *errors);

void alias_results_free(struct alias_results *results);

/*
 * Expand every name, for its mistakes only, which add to a->mistakes: values, include files, loops.
 * 0, or -1 with errno ENOMEM.
 */
int alias_check(struct aliases *a, const struct alias_place *place, struct buf *errors);

#endif
