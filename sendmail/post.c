/* SPDX-License-Identifier: ISC */
#include "post.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "complain.h"
#include "intake.h"
#include "mail/address.h"
#include "mail/submission.h"
#include "remote.h"

#define CHUNK (64U * 1024) /* octets read at a time */

struct post {
	const struct options *options;
	struct intake *intake;
	struct envelope envelope; /* of the command line */
	struct buf list;          /* its recipients, NUL-terminated one behind the other */
};

/* A line break in an argument is somebody's attempt at more than an address. */
static bool
has_controls(const char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return true;
	return false;
}

/* -f: a mailbox, "" or "<>" for the null reverse-path. */
static int
given_sender(const struct names *names, const char *from, char address[ADDRESS_MAX + 1])
{
	struct address_parser parser;
	struct address a;

	address[0] = '\0';
	if (*from == '\0' || strcmp(from, "<>") == 0)
		return EX_OK;
	address_start(&parser, from, strlen(from));
	if (has_controls(from) || address_next(&parser, &a) != ADDRESS_ONE ||
	    address_qualify(address, a.mailbox, names->domain) == -1)
		return complain(EX_DATAERR, "bad sender address: %s", from);
	return EX_OK;
}

static int
set_sender(struct post *p)
{
	struct names *names = intake_names(p->intake);
	char address[ADDRESS_MAX + 1];
	int r = EX_OK;

	if (p->options->from != NULL)
		r = given_sender(names, p->options->from, address);
	else if (names_sender(names, address) == -1)
		r = complain(EX_CONFIG, "mail.domain is no domain: %s", names->domain);
	if (r == EX_OK && (p->envelope.from = strdup(address)) == NULL)
		r = complain(EX_OSERR, "out of memory");
	return r;
}

static int
bad_recipient(struct post *p, const char *text, size_t len)
{
	char clean[ADDRESS_MAX + 1];
	int r;

	text_clean(clean, sizeof(clean), text, len);
	if ((r = intake_bad_recipient(p->intake, len > 0 ? clean : "<>")) != EX_OK)
		return complain(r, "%s", intake_error(p->intake));
	return EX_OK;
}

static int
add_recipient(struct post *p, const char *mailbox)
{
	char qualified[ADDRESS_MAX + 1];

	if (address_qualify(qualified, mailbox, INTAKE_LOCAL) == -1)
		return bad_recipient(p, mailbox, strlen(mailbox));
	buf_add(&p->list, qualified, strlen(qualified) + 1);
	return EX_OK;
}

/* Each operand is an address list: cron's MAILTO may hold several. */
static int
add_list(struct post *p, const char *list)
{
	struct address_parser parser;
	struct address a;
	enum address_event ev;
	int r = EX_OK;

	if (has_controls(list))
		return bad_recipient(p, list, strlen(list));
	address_start(&parser, list, strlen(list));
	while (r == EX_OK && (ev = address_next(&parser, &a)) != ADDRESS_END)
		r = ev == ADDRESS_ONE ? add_recipient(p, a.mailbox)
				      : bad_recipient(p, list + a.start, a.end - a.start);
	return r;
}

/* All that were named, each once. */
static int
set_recipients(struct post *p)
{
	int r = EX_OK;

	for (int i = 0; i < p->options->nrecipients && r == EX_OK; i++)
		r = add_list(p, p->options->recipients[i]);
	if (r != EX_OK)
		return r;
	if (p->list.error == 0 && submission_recipients(&p->envelope, &p->list) == 0)
		return EX_OK;
	return p->list.error != ENOMEM && errno == E2BIG
		   ? complain(EX_DATAERR, "more than %u recipients", ENVELOPE_RCPT_MAX)
		   : complain(EX_OSERR, "out of memory");
}

/* A read error is not the end of the message: what came so far is a part. */
static int
read_input(struct post *p, int input)
{
	static char chunk[CHUNK];
	ssize_t n;
	int r;

	while (!intake_done(p->intake)) {
		if ((n = read(input, chunk, sizeof(chunk))) == -1) {
			if (errno == EINTR)
				continue;
			return complain(EX_TEMPFAIL,
			    "cannot read the message from standard input: %s; nothing was queued",
			    strerror(errno));
		}
		if (n == 0)
			break;
		if ((r = intake_push(p->intake, chunk, (size_t)n)) != EX_OK)
			return complain(r, "%s", intake_error(p->intake));
	}
	return EX_OK;
}

/* Whoever ends us from now on, the message is safe: the caller is not to post it again. */
static void
leave_well(int sig)
{
	(void)sig;
	_exit(EX_OK);
}

/*
 * A clerk that ends us by SIGTERM goes by our status. Others who do that can see for themselves,
 * and are spared the calls.
 */
static int
commit(struct post *p, struct queue_id *id)
{
	sigset_t term;
	int r;

	if (!remote_received())
		return intake_commit(p->intake, id);
	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, NULL);
	if ((r = intake_commit(p->intake, id)) == EX_OK)
		signal(SIGTERM, leave_well);
	sigprocmask(SIG_UNBLOCK, &term, NULL);
	return r;
}

static int
run(struct post *p, int input, struct queue_id *id)
{
	int r;

	if ((r = set_sender(p)) != EX_OK || (r = set_recipients(p)) != EX_OK)
		return r;
	if ((r = intake_begin(p->intake, &p->envelope)) != EX_OK)
		return intake_unwritable(p->intake) ? -1
						    : complain(r, "%s", intake_error(p->intake));
	if ((r = read_input(p, input)) != EX_OK)
		return r;
	if ((r = commit(p, id)) != EX_OK)
		return complain(r, "%s", intake_error(p->intake));
	return EX_OK;
}

int
post(const struct options *o, const struct settings *s, struct spool *sp, int input,
    struct queue_id *id)
{
	struct post p = {.options = o,
	    .intake = intake_new(o, s, sp, NULL),
	    .list = BUF_INIT(ENVELOPE_HEAD_MAX)};
	int r;

	if (p.intake == NULL)
		return complain(EX_OSERR, "out of memory");
	r = run(&p, input, id);
	intake_free(p.intake);
	envelope_free(&p.envelope);
	buf_free(&p.list);
	return r;
}
