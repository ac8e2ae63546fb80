/* SPDX-License-Identifier: ISC */
#include "net/session.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/crypto.h"
#include "net/session_impl.h"

#define READ_SIZE 16384U
#define OUT_MAX (CONTENT_OUT + 256U * 1024) /* a piece of a message and commands behind it */
#define STEP_TIMEOUTS 4                     /* how often a step's timeout makes its upper bound */

/* The end, when there is a client to be told, and when there is none. */
static void
lost(struct session *s, struct outcome o)
{
	if (s->client != NULL) {
		smtp_client_lost(s->client, &o);
		return;
	}
	s->outcome = o;
	s->tell = true;
	s->phase = PHASE_OVER;
}

void
session_lacks_memory(struct session *s)
{
	lost(s, status_trouble(STAGE_CONNECT, SCOPE_DESTINATION, STATUS(4, 3, 0), "out of memory"));
}

void
session_failed(struct session *s, const char *why)
{
	bool proxy = session_without_proxy(s);

	lost(s, status_trouble(STAGE_CONNECT, SCOPE_DESTINATION, STATUS(4, 4, 1),
		    "connect to %s: %s%s", s->name, proxy ? "the proxy: " : "", why));
}

/* With TLS 1.3 the server's refusal comes after what is the end of the handshake for us. */
static void
lost_tls(struct session *s)
{
	lost(s, status_trouble(STAGE_TLS, SCOPE_DESTINATION, STATUS(4, 7, 5),
		    "TLS handshake with %s: %s", s->name, stream_why(&s->stream)));
}

/* An end without an announcement gets the client's own words. */
void
session_broken(struct session *s, int error)
{
	if (error == ECONNRESET || error == EPIPE)
		lost(s, (struct outcome){.scope = SCOPE_DESTINATION});
	else if (error == EPROTO && !s->ready)
		lost_tls(s);
	else
		lost(s, status_trouble(STAGE_CONNECT, SCOPE_DESTINATION, STATUS(4, 4, 2),
			    "lost connection with %s (%s)", s->name, stream_why(&s->stream)));
}

static void
set_names(struct session *s, const struct session_config *config)
{
	char address[INET_TEXT];

	snprintf(s->host, sizeof(s->host), "%s", config->host);
	snprintf(s->hostname, sizeof(s->hostname), "%s", config->hostname);
	inet_print(address, &config->address);
	if (config->address.len == 0)
		snprintf(address, sizeof(address), "proxy");
	if (inet_is_path(&config->address))
		snprintf(s->name, sizeof(s->name), "%s[%.108s]", s->host, address);
	else
		snprintf(s->name, sizeof(s->name), "%s[%.46s]:%u", s->host, address,
		    inet_port(&config->address));
	snprintf(s->tls, sizeof(s->tls), "plain");
}

struct session *
session_new(const struct session_config *config, int64_t now)
{
	bool through = config->proxy.address.len != 0;
	struct session *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->config = *config;
	s->out = (struct buf)BUF_INIT(OUT_MAX);
	s->out_wants = POLLOUT;
	s->now = s->began = s->moved = s->step = now;
	set_names(s, config);
	if (stream_connect(&s->stream, through ? &config->proxy.address : &config->address,
		config->source) == -1)
		session_failed(s, stream_why(&s->stream));
	return s;
}

void
session_free(struct session *s)
{
	if (s == NULL)
		return;
	smtp_client_free(s->client);
	stream_close(&s->stream);
	buf_wipe(&s->out);
	free(s);
}

int
session_fd(const struct session *s)
{
	return s->stream.fd;
}

const char *
session_name(const struct session *s)
{
	return s->name;
}

const char *
session_tls(const struct session *s)
{
	return s->tls;
}

bool
session_dsn(const struct session *s)
{
	return s->client != NULL && smtp_client_dsn(s->client);
}

bool
session_lmtp(const struct session *s)
{
	return s->config.lmtp;
}

enum stage
session_stage(const struct session *s)
{
	if (s->phase == PHASE_TLS)
		return STAGE_TLS;
	return s->client != NULL ? smtp_client_stage(s->client) : STAGE_CONNECT;
}

int
session_error(const struct session *s)
{
	return s->stream.error;
}

bool
session_damaged(const struct session *s)
{
	return s->damaged;
}

static void
enter(struct session *s, enum phase phase)
{
	s->phase = phase;
	s->moved = s->step = s->now;
}

static void
set_client_config(struct session *s)
{
	const struct session_config *config = &s->config;

	s->client_config = (struct smtp_client_config){
	    .hostname = s->hostname,
	    .host = s->name,
	    .policy = config->policy,
	    .chunking = config->chunking,
	    .lmtp = config->lmtp,
	    .implicit_tls = config->implicit_tls,
	    .tls_verified = config->implicit_tls && tls_verified(s->stream.tls),
	    .plain_auth = config->plain_auth,
	    .account = config->account,
	    .crypto = &crypto_sasl,
	    .nonce = s->nonce,
	    .binding = &s->binding,
	    .trace = config->trace,
	    .trace_arg = config->trace_arg,
	    .said = config->said,
	    .said_arg = config->said_arg,
	};
}

static void
start_talk(struct session *s)
{
	const struct session_config *config = &s->config;
	struct inet local;
	char literal[INET_TEXT];

	/* RFC 5321 4.1.1.1: a host without a name of its own gives its address */
	if (strchr(s->hostname, '.') == NULL && s->hostname[0] != '[' &&
	    stream_local(&s->stream, &local) == 0) {
		inet_print_literal(literal, &local);
		snprintf(s->hostname, sizeof(s->hostname), "%s", literal);
	}
	if (config->account != NULL && crypto_nonce(s->nonce) == -1) {
		session_lacks_memory(s);
		return;
	}
	set_client_config(s);
	s->client = smtp_client_new(&s->client_config);
	if (s->client == NULL)
		session_lacks_memory(s);
	else
		enter(s, PHASE_TALK);
}

static void
start_tls(struct session *s)
{
	const struct tls_peer peer = {
	    .name = s->name,
	    .host = s->config.identity != NULL ? s->config.identity : s->host,
	    .also = s->config.also,
	    .verify = s->config.policy == TLS_POLICY_VERIFY,
	    .pinned = s->config.pinned,
	    .tlsa = s->config.tlsa,
	};

	if (stream_secure(&s->stream, s->config.tls, &peer) == -1)
		session_lacks_memory(s);
	else
		enter(s, PHASE_TLS);
}

void
session_connected(struct session *s)
{
	s->reached = true;
	if (s->config.trace != NULL)
		s->config.trace(s->config.trace_arg, STAGE_CONNECT, 0, s->name);
	if (s->config.implicit_tls)
		start_tls(s);
	else
		start_talk(s);
}

static void
go_on_connecting(struct session *s)
{
	if (stream_connected(&s->stream) == -1) {
		if (errno != EAGAIN)
			session_failed(s, stream_why(&s->stream));
	} else if (s->config.proxy.address.len != 0)
		session_proxy_start(s);
	else
		session_connected(s);
}

static void
trace_tls(const struct session *s)
{
	char certificate[448], text[sizeof(s->tls) + sizeof(certificate) + 2];

	if (s->config.trace == NULL)
		return;
	tls_show_certificate(s->stream.tls, certificate, sizeof(certificate));
	snprintf(text, sizeof(text), "%s; %s", s->tls, certificate);
	s->config.trace(s->config.trace_arg, STAGE_TLS, 0, text);
}

static void
go_on_securing(struct session *s)
{
	if (stream_handshake(&s->stream) == -1) {
		if (errno != EAGAIN)
			lost_tls(s);
		return;
	}
	tls_describe(s->stream.tls, s->tls, sizeof(s->tls));
	tls_binding(s->stream.tls, &s->binding);
	trace_tls(s);
	if (s->config.said != NULL)
		s->config.said(s->config.said_arg, NULL, SMTP_NOTE, s->tls);
	if (s->client == NULL) {
		start_talk(s);
		return;
	}
	enter(s, PHASE_TALK);
	smtp_client_secured(s->client, tls_verified(s->stream.tls));
}

void
session_note_step(struct session *s)
{
	const char *doing = smtp_client_doing(s->client);

	if (doing == s->doing)
		return;
	s->doing = doing;
	s->step = s->now;
	s->sent = 0;
}

/* False: nothing to read now, or never again. */
bool
session_read_some(struct session *s)
{
	char data[READ_SIZE];
	ssize_t n = stream_read(&s->stream, data, sizeof(data));

	if (n > 0) {
		s->moved = s->now;
		smtp_client_input(s->client, data, (size_t)n);
		session_note_step(s);
	} else if (n == 0)
		lost(s, (struct outcome){.scope = SCOPE_DESTINATION});
	else if (errno != EAGAIN)
		session_broken(s, errno);
	return n > 0;
}

static void
timed_out(struct session *s)
{
	if (s->phase == PHASE_CONNECT || s->phase == PHASE_PROXY) {
		s->stream.error = ETIMEDOUT;
		session_failed(s, stream_why(&s->stream));
	} else if (s->phase == PHASE_TALK && smtp_client_timeout(s->client) == 0)
		smtp_client_quit(s->client);
	else if (s->phase == PHASE_TALK && smtp_client_stage(s->client) == STAGE_BODY &&
		 s->now < s->moved + smtp_client_timeout(s->client))
		lost(s, status_trouble(STAGE_BODY, SCOPE_DESTINATION, STATUS(4, 4, 2),
			    "%s takes less than %d octets a second", s->name, SESSION_RATE));
	else if (s->phase == PHASE_TLS)
		lost(s, status_trouble(STAGE_TLS, SCOPE_DESTINATION, STATUS(4, 4, 2),
			    "TLS handshake with %s timed out", s->name));
	else
		lost(s, status_trouble(STAGE_CONNECT, SCOPE_DESTINATION, STATUS(4, 4, 2),
			    "conversation with %s timed out", s->name));
}

void
session_read(struct session *s, short revents, int64_t now)
{
	s->now = now;
	if (s->phase == PHASE_CONNECT && revents != 0)
		go_on_connecting(s);
	else if (s->phase == PHASE_PROXY && revents != 0)
		session_proxy_go_on(s);
	else if (s->phase == PHASE_TLS && revents != 0)
		go_on_securing(s);
	else if (s->phase == PHASE_TALK && (revents & ~POLLOUT) != 0)
		for (int i = 0;
		     i < SESSION_TURNS && session_read_some(s) && stream_pending(&s->stream);)
			i++;
	if (s->phase != PHASE_OVER && s->now >= session_deadline(s))
		timed_out(s);
}

/* What the loop needs. */

short
session_wants(const struct session *s)
{
	struct smtp_output w;

	if (s->phase != PHASE_TALK)
		return s->phase == PHASE_CONNECT ? POLLOUT : stream_wants(&s->stream);
	smtp_client_output(s->client, &w);
	if (s->outat == s->out.len && w.len == 0 && w.body == NULL && s->fitting == NULL)
		return POLLIN;
	return (short)(POLLIN | s->out_wants);
}

static int64_t
earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Of the step it is at. */
static int64_t
step_deadline(const struct session *s)
{
	int timeout;

	if (s->phase == PHASE_CONNECT || s->phase == PHASE_PROXY)
		return s->began + s->config.connect_timeout;
	if (s->phase == PHASE_TLS)
		return s->step + SESSION_HANDSHAKE;
	timeout = smtp_client_timeout(s->client);
	if (timeout == 0)
		return s->moved + SESSION_IDLE;
	if (smtp_client_stage(s->client) == STAGE_BODY)
		return earlier(s->moved + timeout,
		    s->step + SESSION_GRACE + (int64_t)(s->sent * 1000 / SESSION_RATE));
	return earlier(s->moved + timeout, s->step + (int64_t)timeout * STEP_TIMEOUTS);
}

int64_t
session_deadline(const struct session *s)
{
	if (s->phase == PHASE_OVER)
		return s->now;
	return s->ready ? step_deadline(s) : earlier(step_deadline(s), s->began + SESSION_OPENING);
}

void
session_quit(struct session *s)
{
	s->quitting = true;
	if (s->ready)
		smtp_client_quit(s->client);
	else
		lost(s, status_trouble(
			    STAGE_CONNECT, SCOPE_DESTINATION, STATUS(4, 3, 2), "told to stop"));
}

static bool
own_event(struct session *s, struct smtp_event *ev)
{
	if (!s->tell)
		return false;
	s->tell = false;
	*ev = (struct smtp_event){.type = SMTP_EVENT_CLOSED, .outcome = s->outcome};
	return true;
}

bool
session_event(struct session *s, struct smtp_event *ev)
{
	if (s->client == NULL)
		return own_event(s, ev);
	while (smtp_client_event(s->client, ev)) {
		if (ev->type == SMTP_EVENT_STARTTLS) {
			start_tls(s);
			continue;
		}
		if (ev->type == SMTP_EVENT_READY)
			s->ready = true;
		if (ev->type == SMTP_EVENT_DONE)
			session_fit_forget(s, session_mail_of(ev->transaction));
		if (ev->type == SMTP_EVENT_CLOSED)
			s->phase = PHASE_OVER;
		return true;
	}
	return false;
}
