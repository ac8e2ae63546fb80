/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "net/session_impl.h"

#define SENDFILE_MAX (1024U * 1024)

static bool
out_empty(const struct session *s)
{
	return s->outat == s->out.len;
}

/* The base64 of a password passes here before the session is ready, and leaves no trace. */
static void
clear_out(struct session *s)
{
	if (s->ready)
		buf_clear(&s->out);
	else
		buf_wipe(&s->out);
	s->outat = s->outbody = 0;
	s->tail = false;
}

static void
wrote(struct session *s, size_t n)
{
	size_t body = n < s->outbody ? n : s->outbody;

	s->moved = s->now;
	s->outbody -= body;
	s->sent += body;
	s->outat += n;
	if (s->tail && s->outbody == 0) {
		smtp_client_body_written(s->client);
		s->tail = false;
	}
	if (n > body)
		smtp_client_wrote(s->client, n - body);
	if (out_empty(s))
		clear_out(s);
	session_note_step(s);
}

static void
add_commands(struct session *s)
{
	struct smtp_output w;

	smtp_client_output(s->client, &w);
	buf_add(&s->out, w.data, w.len);
	if (s->out.error != 0) /* else it would wait for the reply to what is not sent */
		session_lacks_memory(s);
}

/* Take mail, where there is room and no message in the way. */
static void
pull(struct session *s)
{
	struct smtp_output w;
	struct session_mail *mail;

	if (s->ready && !s->quitting && s->now >= s->began + SESSION_LIFE)
		session_quit(s);
	while (!s->quitting && s->mail == NULL && s->fitting == NULL &&
	       smtp_client_room(s->client)) {
		smtp_client_output(s->client, &w);
		if (w.body != NULL || (mail = s->config.next(s->config.owner)) == NULL)
			return;
		if (smtp_client_idle(s->client))
			s->moved = s->step = s->now;
		smtp_client_begin(s->client, &mail->transaction);
		if (mail->transaction.held)
			session_fit_begin(s, mail);
	}
}

static void
body_failed(struct session *s, const char *why)
{
	struct outcome o = status_trouble(
	    STAGE_BODY, SCOPE_MESSAGE, STATUS(4, 3, 0), "cannot send the message: %s", why);

	s->damaged = true;
	s->mail = NULL;
	clear_out(s);
	smtp_client_body_failed(s->client, &o);
}

static void
start_body(struct session *s, const struct smtp_output *w)
{
	const struct envelope *e = w->body->envelope;
	bool raw;

	s->mail = session_mail_of(w->body);
	raw = s->mail->trusted && (w->bare || !e->dots);
	content_start(
	    &s->content, s->mail->fd, s->mail->offset, e->size, raw, s->mail->recode);
	s->content.bare = w->bare;
}

/* The next piece of the message; behind the last one the dot and what may follow it. */
static void
add_body(struct session *s)
{
	const char *why;
	int more = content_read(&s->content, &s->out, &why);

	if (more == -1) {
		body_failed(s, why);
		return;
	}
	s->outbody = s->out.len;
	if (more == 1)
		return;
	s->mail = NULL;
	s->tail = true;
	smtp_client_body_done(s->client);
	pull(s);
	add_commands(s);
}

/* Straight from the file to the socket, where nothing needs to be looked at. */
static ssize_t
send_file(struct session *s)
{
	uint64_t len =
	    s->mail != NULL && s->stream.tls == NULL ? content_skippable(&s->content) : 0;
	ssize_t n;

	if (len == 0)
		return 0;
	n = stream_sendfile(&s->stream, s->mail->fd, s->content.at,
	    len < SENDFILE_MAX ? (size_t)len : SENDFILE_MAX);
	if (n == 0)
		body_failed(s, "the spool file is too short");
	if (n > 0) {
		content_skip(&s->content, (uint64_t)n);
		s->sent += (uint64_t)n;
		s->moved = s->now;
	}
	return n;
}

/* As much as goes in one write; false: nothing to do. */
static bool
fill(struct session *s)
{
	struct smtp_output w;

	pull(s);
	smtp_client_output(s->client, &w);
	if (w.body != NULL && s->mail == NULL)
		start_body(s, &w);
	if (w.body != NULL)
		add_body(s);
	else
		add_commands(s);
	return !out_empty(s);
}

/* Its last words may say why: they count before the loss does. */
static void
write_failed(struct session *s, int error)
{
	for (int i = 0; i < SESSION_TURNS && session_read_some(s);)
		i++;
	session_broken(s, error);
}

static bool
write_some(struct session *s)
{
	ssize_t n = out_empty(s) ? send_file(s) : 0;

	if (n == 0) {
		if (out_empty(s) && !fill(s))
			return false;
		n = stream_write(&s->stream, s->out.data + s->outat, s->out.len - s->outat);
		if (n > 0)
			wrote(s, (size_t)n);
	}
	if (n == -1 && errno == EAGAIN)
		s->out_wants = stream_wants(&s->stream);
	else if (n == -1)
		write_failed(s, errno);
	return n > 0;
}

void
session_write(struct session *s, int64_t now)
{
	s->now = now;
	s->out_wants = POLLOUT;
	if (s->fitting != NULL)
		session_fit_turn(s);
	for (int i = 0; i < SESSION_TURNS && s->phase == PHASE_TALK && write_some(s);)
		i++;
}
