/* SPDX-License-Identifier: ISC */
#include "inject.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "complain.h"
#include "intake.h" /* with sendmail's options, not mailq's */

#define PIECE (64U * 1024)

static const struct options by_header = {.dots = true, .from_header = true, .deliver = -1};
static const struct options by_envelope = {.dots = true, .no_aliases = true, .deliver = -1};

static int
fail(char why[INJECT_WHY], int status, const char *text)
{
	snprintf(why, INJECT_WHY, "%s", text);
	return status;
}

/* What is wrong with a file is not how the command was used. */
static int
fail_intake(const struct intake *i, int status, char why[INJECT_WHY])
{
	if (status == EX_USAGE)
		return fail(why, EX_DATAERR, "no recipients in the header (To, Cc, Bcc)");
	return fail(why, status, intake_error(i));
}

static int
copy_envelope(struct envelope *to, const char *from, const struct envelope *e)
{
	if ((to->from = strdup(from)) == NULL)
		return -1;
	for (size_t i = 0; i < e->nrcpt; i++)
		if (envelope_add(to, e->rcpt[i].address) == -1)
			return -1;
	return 0;
}

/* The message from its beginning, as far as it is wanted. */
static int
push(const struct inject *m, struct intake *i, bool all, char why[INJECT_WHY])
{
	static char piece[PIECE];
	uint64_t at = m->offset;
	ssize_t n;
	int r;

	while (all || !intake_known(i)) {
		if ((n = pread(m->fd, piece, sizeof(piece), (off_t)at)) == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return fail(why, EX_TEMPFAIL, strerror(errno));
		if (n == 0)
			break;
		if ((r = intake_push(i, piece, (size_t)n)) != EX_OK)
			return fail_intake(i, r, why);
		at += (uint64_t)n;
	}
	return EX_OK;
}

static int
begin(struct intake *i, struct envelope *e, char why[INJECT_WHY])
{
	int r = intake_begin(i, e);

	return r == EX_OK ? EX_OK : fail_intake(i, r, why);
}

static int
look(struct inject *m, struct intake *i, char why[INJECT_WHY])
{
	char own[ADDRESS_MAX + 1];
	const struct envelope *found;
	struct envelope e = {0};
	const char *from;
	int r;

	if (names_sender(intake_names(i), own) == -1)
		return fail(why, EX_CONFIG, "mail.domain is no domain");
	if ((e.from = strdup(own)) == NULL)
		return fail(why, EX_OSERR, "out of memory");
	intake_look(i);
	if ((r = begin(i, &e, why)) != EX_OK || (r = push(m, i, false, why)) != EX_OK)
		return r;
	if ((r = intake_finish(i)) != EX_OK)
		return fail_intake(i, r, why);
	found = intake_envelope(i, &from);
	if (copy_envelope(&m->envelope, from != NULL ? from : own, found) == -1)
		return fail(why, EX_OSERR, "out of memory");
	return EX_OK;
}

int
inject_look(struct inject *m, const struct settings *s, char why[INJECT_WHY])
{
	struct intake *i;
	int r;

	if (m->whole)
		return m->envelope.nrcpt > 0 ? EX_OK : fail(why, EX_DATAERR, "no recipient waits");
	complain_as("mailq");
	if ((i = intake_new(&by_header, s, NULL, NULL)) == NULL)
		return fail(why, EX_OSERR, "out of memory");
	r = look(m, i, why);
	intake_free(i);
	return r;
}

static int
hold(const struct inject *m, struct intake *i, struct queue_id *id, char why[INJECT_WHY])
{
	const struct envelope none = {0};
	struct envelope e = {0};
	int r = EX_OK;

	intake_hold(i, *id);
	if (copy_envelope(&e, m->envelope.from, m->whole ? &m->envelope : &none) == -1)
		r = fail(why, EX_OSERR, "out of memory");
	if (r == EX_OK && (r = begin(i, &e, why)) == EX_OK &&
	    (r = push(m, i, true, why)) == EX_OK && (r = intake_commit(i, id)) != EX_OK)
		r = fail_intake(i, r, why);
	envelope_free(&e);
	return r;
}

int
inject_hold(const struct inject *m, const struct settings *s, struct spool *sp, struct queue_id *id,
    char why[INJECT_WHY])
{
	struct intake *i = intake_new(m->whole ? &by_envelope : &by_header, s, sp, NULL);
	int r;

	if (i == NULL)
		return fail(why, EX_OSERR, "out of memory");
	r = hold(m, i, id, why);
	intake_free(i);
	return r;
}
