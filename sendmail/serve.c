/* SPDX-License-Identifier: ISC */
#include "serve.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "intake.h"
#include "mail/address.h"
#include "mail/smtp_server.h"
#include "sys/clock.h"
#include "sys/host.h"
#include "sys/log.h"

#define CHUNK (64U * 1024)        /* octets read at a time */
#define REPLIES_HELD (16U * 1024) /* octets of replies that may wait for the end of a batch */

struct serve {
	const struct options *options;
	const struct settings *settings;
	struct spool *spool;
	void (*trigger)(struct spool *sp, const struct settings *s);
	struct smtp_server *server;
	char *chunk;                /* of input; CHUNK octets */
	struct intake *intake;      /* the message under way, or NULL */
	char from[ADDRESS_MAX + 1]; /* of it, … */
	size_t nrcpt;               /* … 0 when its fate was told; for the log */
	bool committed;             /* something is in the spool of which nobody was told */
	bool over;
	int status;
};

/* How a failed intake is told to the client. */
static const struct {
	int status;
	unsigned code;
	const char *dsn;
} verdicts[] = {
    {EX_DATAERR, 554, "5.6.0"},
    {EX_USAGE, 554, "5.5.1"},
    {EX_NOUSER, 554, "5.1.1"},      /* an alias that leads to nobody */
    {EX_UNAVAILABLE, 554, "5.4.6"}, /* a mail loop */
    {EX_CONFIG, 451, "4.3.5"},
};

static void
refuse_message(struct serve *v, int status, const char *why)
{
	char text[SMTP_SERVER_REPLY];
	unsigned code = 451;
	const char *dsn = "4.3.0";

	const char *reply = v->intake != NULL ? intake_reply(v->intake) : NULL;

	for (size_t i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++)
		if (verdicts[i].status == status) {
			code = verdicts[i].code;
			dsn = verdicts[i].dsn;
		}
	if (reply != NULL) {
		code = (unsigned)strtoul(reply, NULL, 10);
		dsn = reply + 4;
	}
	snprintf(text, sizeof(text), "%s %s", dsn, why);
	smtp_server_answer(v->server, code, text);
	intake_free(v->intake);
	v->intake = NULL;
}

static void
abandon(struct serve *v)
{
	intake_free(v->intake);
	v->intake = NULL;
}

static void
begin_message(struct serve *v)
{
	struct envelope *e = smtp_server_envelope(v->server);
	int r;

	snprintf(v->from, sizeof(v->from), "%s", e->from);
	v->nrcpt = e->nrcpt;
	v->intake = intake_new(v->options, v->settings, v->spool, smtp_server_protocol(v->server));
	if (v->intake == NULL)
		refuse_message(v, EX_OSERR, "out of memory; the message was not queued");
	else if ((r = intake_begin(v->intake, e)) != EX_OK)
		refuse_message(v, r, intake_error(v->intake));
}

static void
take_content(struct serve *v, const char *data, size_t len)
{
	int r = intake_push(v->intake, data, len);

	if (r != EX_OK)
		refuse_message(v, r, intake_error(v->intake));
}

static void
end_message(struct serve *v)
{
	char text[QUEUE_ID_LEN + 64];
	struct queue_id id;
	int r;

	/* The reply has its room before there is anything to be told; without it the session ends. */
	if (buf_reserve(smtp_server_replies(v->server), SMTP_SERVER_REPLY) == NULL) {
		abandon(v);
		return;
	}
	if ((r = intake_commit(v->intake, &id)) != EX_OK) {
		refuse_message(v, r, intake_error(v->intake));
		return;
	}
	if (id.s[0] == '\0') {
		smtp_server_answer(v->server, 250, "2.0.0 Ok: discarded");
		abandon(v);
		v->nrcpt = 0;
		return;
	}
	log_info("%s: helo=<%s>, proto=%s, nrcpt=%zu", id.s, smtp_server_helo(v->server),
	    smtp_server_protocol(v->server), v->nrcpt);
	snprintf(text, sizeof(text), "2.0.0 Ok: queued as %s", id.s);
	smtp_server_answer(v->server, 250, text);
	abandon(v);
	v->nrcpt = 0;
	v->committed = true;
}

static void
log_refusal(struct serve *v, const struct smtp_server_event *ev)
{
	char what[ADDRESS_MAX + 64] = "";

	if (strcmp(ev->verb, "MAIL") == 0 || strcmp(ev->verb, "RCPT") == 0)
		snprintf(what, sizeof(what), "\"%s\" ", ev->data);
	else if (v->nrcpt > 0)
		snprintf(what, sizeof(what), "from=<%s> nrcpt=%zu ", v->from, v->nrcpt);
	if (!smtp_server_in_message(v->server))
		v->nrcpt = 0;
	log_info("NOQUEUE: reject: %s from local: %s; %sproto=%s helo=<%s>", ev->verb, ev->reply,
	    what, smtp_server_protocol(v->server), smtp_server_helo(v->server));
}

static void
act(struct serve *v, const struct smtp_server_event *ev)
{
	switch (ev->type) {
	case SERVER_MORE:
		break;
	case SERVER_REFUSED:
		log_refusal(v, ev);
		break;
	case SERVER_BEGIN:
		begin_message(v);
		break;
	case SERVER_DATA:
		take_content(v, ev->data, ev->len);
		break;
	case SERVER_END:
		end_message(v);
		break;
	case SERVER_RESET:
		abandon(v);
		if (!smtp_server_in_message(v->server)) /* else its refusal is still to come */
			v->nrcpt = 0;
		break;
	case SERVER_QUIT:
		v->over = true;
		break;
	}
}

/* EX_OK when fd is ready, EX_TEMPFAIL when time is up. A descriptor that is broken is ready. */
static int
wait_for(int fd, short events)
{
	int64_t deadline = clock_monotonic() + SERVE_TIMEOUT * 1000;

	for (;;) {
		struct pollfd p = {.fd = fd, .events = events};
		int64_t left = deadline - clock_monotonic();
		int n = poll(&p, 1, left > 0 ? (int)left : 0);
		if (n > 0)
			return EX_OK;
		if (n == 0)
			return EX_TEMPFAIL;
		if (errno != EINTR && errno != EAGAIN)
			return EX_OSERR;
	}
}

/* PIPE_BUF octets can be written without blocking where poll() says so, whatever it is. */
static bool
write_all(const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n;
		if (wait_for(STDOUT_FILENO, POLLOUT) == EX_TEMPFAIL)
			return false;
		n = write(STDOUT_FILENO, data, len < PIPE_BUF ? len : PIPE_BUF);
		if (n == -1 && errno != EINTR && errno != EAGAIN)
			return false;
		if (n > 0) {
			data += n;
			len -= (size_t)n;
		}
	}
	return true;
}

static void
write_replies(struct serve *v)
{
	struct buf *r = smtp_server_replies(v->server);

	if (r->error != 0 || !write_all(buf_str(r), r->len)) {
		v->status = r->error != 0 ? EX_OSERR : EX_IOERR;
		v->over = true;
	}
	buf_clear(r);
}

static void
take_input(struct serve *v, const char *data, size_t len)
{
	const struct buf *replies = smtp_server_replies(v->server);
	struct smtp_server_event ev;
	size_t at = 0;

	do {
		at += smtp_server_push(v->server, data + at, len - at, &ev);
		act(v, &ev);
		if (replies->len > REPLIES_HELD || replies->error != 0)
			write_replies(v);
	} while (!v->over && (ev.type != SERVER_MORE || at < len));
}

static void
tell(struct serve *v)
{
	if (v->committed && v->trigger != NULL)
		v->trigger(v->spool, v->settings);
	v->committed = false;
}

/* The session ends, and not by QUIT. */
static void
cut_off(struct serve *v, const char *what)
{
	log_info("%s after %s from local", what, smtp_server_doing(v->server));
	if (smtp_server_in_message(v->server))
		v->status = EX_TEMPFAIL;
	v->over = true;
}

/* Replies are out before it waits, and so is news of what was committed. */
static void
read_input(struct serve *v)
{
	struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};
	ssize_t n;

	if (poll(&p, 1, 0) == 0) {
		tell(v);
		if (wait_for(STDIN_FILENO, POLLIN) == EX_TEMPFAIL) {
			cut_off(v, "timeout");
			smtp_server_close(
			    v->server, "4.4.2 Nothing came for too long, closing the connection");
			return;
		}
	}
	n = read(STDIN_FILENO, v->chunk, CHUNK);
	if (n > 0)
		take_input(v, v->chunk, (size_t)n);
	else if (n == 0 || (errno != EINTR && errno != EAGAIN))
		cut_off(v, "lost connection");
}

int
serve(const struct options *o, const struct settings *s, struct spool *sp,
    void (*trigger)(struct spool *sp, const struct settings *s))
{
	struct serve v = {
	    .options = o, .settings = s, .spool = sp, .trigger = trigger, .status = EX_OK};
	char hostname[HOST_LEN], domain[HOST_LEN];
	const struct smtp_server_config config = {hostname, domain,
	    s->queue_message_size != 0 ? s->queue_message_size : ENVELOPE_SIZE_MAX, INTAKE_LOCAL};

	host_name(hostname, s->mail_hostname);
	host_domain(domain, s->mail_domain, hostname);
	if ((v.chunk = malloc(CHUNK)) == NULL || (v.server = smtp_server_new(&config)) == NULL) {
		free(v.chunk);
		return EX_OSERR;
	}
	write_replies(&v);
	while (!v.over) {
		read_input(&v);
		write_replies(&v);
	}
	abandon(&v);
	tell(&v);
	smtp_server_free(v.server);
	free(v.chunk);
	return v.status;
}
