/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/session_impl.h"

#define FIT_TURN (512U * 1024) /* octets looked at in a turn */

/* It is known, or (why) will not be. What MIME does not let us encode goes as it is. */
static void
release(struct session *s, const char *why)
{
	struct session_mail *mail = s->fitting;
	bool encoded = why == NULL && recode_planned(mail->recode);
	struct outcome o;

	s->fitting = NULL;
	if (!encoded) {
		free(mail->recode);
		mail->recode = NULL;
	}
	if (why != NULL)
		o = status_trouble(
		    STAGE_BODY, SCOPE_MESSAGE, STATUS(4, 3, 0), "cannot send the message: %s", why);
	smtp_client_release(s->client, &mail->transaction, encoded, why != NULL ? &o : NULL);
}

void
session_fit_begin(struct session *s, struct session_mail *mail)
{
	s->fitting = mail;
	s->fit_at = 0;
	mail->recode = malloc(sizeof(*mail->recode));
	if (mail->recode == NULL) {
		release(s, "out of memory");
		return;
	}
	recode_init(mail->recode, RECODE_7BIT);
	mail->recode->break_dkim = true; /* better read than verified */
}

/* Octets of it: how many; 0 at its end; -1 with errno. */
static ssize_t
look(struct session *s)
{
	const struct session_mail *mail = s->fitting;
	uint64_t left = mail->transaction.envelope->size - s->fit_at;
	char piece[CONTENT_PIECE];
	ssize_t n;

	if (left == 0)
		return 0;
	do
		n = pread(mail->fd, piece, left < sizeof(piece) ? (size_t)left : sizeof(piece),
		    (off_t)(mail->offset + s->fit_at));
	while (n == -1 && errno == EINTR);
	if (n == 0) /* it got shorter */
		errno = ENODATA;
	if (n <= 0)
		return -1;
	recode_plan(mail->recode, piece, (size_t)n);
	s->fit_at += (uint64_t)n;
	return n;
}

void
session_fit_turn(struct session *s)
{
	ssize_t n = 1;

	for (uint64_t end = s->fit_at + FIT_TURN; n > 0 && s->fit_at < end;)
		n = look(s);
	s->moved = s->now; /* the server is not to blame for the time this takes */
	if (n <= 0)
		release(s, n == -1 ? strerror(errno) : NULL);
}

void
session_fit_forget(struct session *s, struct session_mail *mail)
{
	if (s->fitting == mail)
		s->fitting = NULL;
	free(mail->recode);
	mail->recode = NULL;
}
