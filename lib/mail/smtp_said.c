/* SPDX-License-Identifier: ISC */
/*
 * The dialogue for people to read: what AUTH says is left out, and so is what the server quotes of it.
 */
#include <string.h>

#include "mail/smtp_client_impl.h"

#define SECRET "***" /* in its place */

static bool
is_auth(enum smtp_step step)
{
	return smtp_rows[step].stage == STAGE_AUTH;
}

/* "AUTH PLAIN c2VjcmV0" up to its second blank; of a response nothing. */
static size_t
public_part(enum smtp_step step, const char *line, size_t len)
{
	const char *blank = step == STEP_AUTH ? memchr(line, ' ', len) : NULL;

	if (blank != NULL)
		blank = memchr(blank + 1, ' ', len - (size_t)(blank + 1 - line));
	if (step == STEP_AUTH)
		return blank != NULL ? (size_t)(blank + 1 - line) : len;
	return step == STEP_RESPONSE ? 0 : len;
}

/* The first `clear` octets of a line; a star for each of what the rest is would tell its length. */
static void
say(const struct smtp_client *c, const struct smtp_transaction *t, enum smtp_side side,
    const char *line, size_t clear, bool more)
{
	char text[REPLY_TEXT + sizeof(SECRET)];
	size_t n;

	text_clean(text, REPLY_TEXT, line, clear);
	n = strlen(text);
	if (side == SMTP_SERVER)
		smtp_auth_hide(c, text, &n);
	if (more)
		memcpy(text + n, SECRET, sizeof(SECRET));
	c->config->said(c->config->said_arg, t, side, text);
}

void
smtp_said_command(
    const struct smtp_client *c, const struct smtp_asked *a, const char *line, size_t len)
{
	size_t n = public_part(a->step, line, len);

	if (c->config->said != NULL)
		say(c, a->t, SMTP_CLIENT, line, n, n < len);
}

void
smtp_said_line(const struct smtp_client *c, const char *line, size_t len)
{
	const struct smtp_asked *a = c->nasked > 0 ? &c->asked[c->head] : NULL;
	bool challenge = a != NULL && is_auth(a->step) && len > 4 && memcmp(line, "334", 3) == 0;

	if (c->config->said != NULL)
		say(c, smtp_whose(c), SMTP_SERVER, line, challenge ? 4 : len, challenge);
}
