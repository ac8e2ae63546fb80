/* SPDX-License-Identifier: ISC */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "sink.h"

enum {
	COMMAND_OCTETS = 1000, /* a command's limit with what MAIL and RCPT may carry */
	AUTH_OCTETS = 12288,   /* RFC 4954 4 */
};

void
session_violation(struct session *s, const char *format, ...)
{
	char text[1024];
	va_list ap;
	va_start(ap, format);
	vsnprintf(text, sizeof text, format, ap);
	va_end(ap);
	store_violation(s->sink->store, s->conn, text);
}

static void __attribute__((format(printf, 2, 3))) event(struct session *s, const char *format, ...)
{
	char text[1024];
	va_list ap;
	va_start(ap, format);
	vsnprintf(text, sizeof text, format, ap);
	va_end(ap);
	store_command(s->sink->store, s->conn, '=', text);
}

int
session_decide(struct session *s, enum stage stage, const char *arg, const char *ordinary)
{
	s->stage = stage;
	s->ordinary = ordinary ? s->reply : NULL;
	snprintf(s->reply, sizeof s->reply, "%s", ordinary ? ordinary : "");
	s->rule = script_match(s->sink->script, s->each, stage, arg, s->conn);
	return script_code(s->rule, ordinary);
}

/* RFC 2920 3.1: after these a client waits for the reply. */
static bool
must_wait(enum stage stage)
{
	switch (stage) {
	case STAGE_MAIL:
	case STAGE_RCPT:
	case STAGE_DOT:
	case STAGE_RSET:
		return false;
	default:
		return true;
	}
}

void
session_say(struct session *s)
{
	/* What comes before these is a ClientHello and OpenSSL's to read. */
	bool ours = s->stage != STAGE_CONNECT && s->stage != STAGE_TLS;
	s->ahead = ours && wire_waiting(&s->wire);
	if (s->ahead && must_wait(s->stage))
		session_violation(s, "did not wait for the reply to %s", script_stage(s->stage));
	else if (s->ahead && !(s->offered & EXT_PIPELINING))
		session_violation(
		    s, "pipelined behind %s, which was not offered", script_stage(s->stage));
	script_play(s->rule, s->ordinary, &s->wire);
}

int
session_answer(struct session *s, enum stage stage, const char *arg, const char *ordinary)
{
	int code = session_decide(s, stage, arg, ordinary);
	session_say(s);
	return s->wire.dead ? 0 : code;
}

/* Octets up to CRLF and nothing else; an end in the middle is noted, but yields no line. */
static ssize_t
read_line(struct session *s, bool *bare, bool *nul)
{
	size_t n = 0;
	for (int c, last = 0; (c = wire_get(&s->wire)) >= 0; last = c) {
		if (last == '\r' && c == '\n')
			return (ssize_t)n - 1;
		*bare |= c == '\n' || last == '\r';
		*nul |= c == '\0';
		if (n < LINE_LEN - 1)
			s->line[n++] = (char)c;
	}
	if (n > 0)
		session_violation(s, "the connection ended in the middle of a line");
	return -1;
}

int
session_line(struct session *s)
{
	bool bare = false, nul = false;
	s->pipelined = s->ahead;
	ssize_t n = read_line(s, &bare, &nul);
	if (n < 0)
		return -1;
	s->line[n] = '\0';
	store_command(s->sink->store, s->conn, s->pipelined ? '+' : '-', s->line);
	if (bare)
		session_violation(s, "a bare CR or LF in a command: %s", s->line);
	if (nul)
		session_violation(s, "a NUL in a command: %s", s->line);
	bool auth = s->stage == STAGE_CHALLENGE || strncasecmp(s->line, "AUTH ", 5) == 0;
	if (n + 2 > (auth ? AUTH_OCTETS : COMMAND_OCTETS))
		session_violation(s, "a command of %zd octets", n + 2);
	return (int)n;
}

static void
end_transaction(struct session *s)
{
	if (s->state != STATE_NEW)
		s->state = STATE_GREETED;
	s->wrecked = s->refused = s->eightbit = s->utf8 = false;
	envelope_clear(&s->env);
}

static void
greet(struct session *s, enum stage stage, char *arg, const char *ordinary)
{
	if (*arg == '\0' || strpbrk(arg, " \t"))
		session_violation(s, "%s with \"%s\" for a name", script_stage(stage), arg);
	snprintf(s->helo, sizeof s->helo, "%s", arg);
	if (session_decide(s, stage, arg, ordinary) / 100 == 2) {
		s->state = STATE_GREETED;
		s->offered =
		    stage == STAGE_EHLO ? esmtp_offered(script_text(s->rule, ordinary)) : 0;
	}
	session_say(s);
	end_transaction(s);
}

static void
run_ehlo(struct session *s, char *arg)
{
	char text[2048];
	esmtp_ehlo(s, text, sizeof text, arg);
	greet(s, STAGE_EHLO, arg, text);
}

static void
run_helo(struct session *s, char *arg)
{
	char text[512];
	snprintf(text, sizeof text, "250 %s", s->sink->name);
	greet(s, STAGE_HELO, arg, text);
}

static void
tls_event(struct session *s)
{
	event(s, "%s%s", SSL_get_version(s->wire.ssl),
	    SSL_session_reused(s->wire.ssl) ? " resumed" : "");
}

static void
run_starttls(struct session *s, char *arg)
{
	bool can = (s->offered & EXT_STARTTLS) && !s->wire.ssl;
	if (!can)
		session_violation(s, "STARTTLS was not offered");
	if (session_answer(s, STAGE_STARTTLS, arg, can ? "220 2.0.0 go" : "503 5.5.1 no") != 220)
		return;
	wire_wait(&s->wire);
	session_answer(s, STAGE_TLS, arg, NULL);
	if (!s->sink->ctx || wire_tls(&s->wire, s->sink->ctx) < 0) {
		event(s, "no TLS");
		s->wire.dead = true;
		return;
	}
	tls_event(s);
	s->ahead = false;
	s->state = STATE_NEW;
	s->offered = 0;
	s->user[0] = '\0';
	end_transaction(s);
}

static void
begin_envelope(struct session *s)
{
	envelope_add(&s->env, "conn %u", s->conn);
	envelope_add(&s->env, "msg %u", s->messages + 1);
	envelope_add(&s->env, "helo %s", s->helo);
	if (s->wire.ssl) {
		const char *sni = SSL_get_servername(s->wire.ssl, TLSEXT_NAMETYPE_host_name);
		envelope_add(&s->env, "tls %s %s", SSL_get_version(s->wire.ssl),
		    SSL_get_cipher_name(s->wire.ssl));
		if (sni)
			envelope_add(&s->env, "sni %s", sni);
	}
	if (s->user[0])
		envelope_add(&s->env, "auth %s", s->user);
}

static void
run_mail(struct session *s, char *arg)
{
	char path[LINE_LEN];
	if (s->wrecked)
		session_violation(s, "MAIL behind a refused BDAT without RSET");
	end_transaction(s);
	esmtp_count_mail(s);
	const char *ordinary = esmtp_path(s, STAGE_MAIL, "FROM:<", arg, path);
	if (!ordinary && s->sink->user && !s->user[0])
		ordinary = "530 5.7.0 authentication required";
	if (!ordinary && esmtp_too_big(s, arg))
		ordinary = "552 5.3.4 message too big";
	if (!ordinary)
		ordinary = "250 2.1.0 Ok";
	if (session_answer(s, STAGE_MAIL, path, ordinary) / 100 != 2) {
		s->refused = true;
		return;
	}
	begin_envelope(s);
	envelope_add(&s->env, "mail %s", arg + strlen("FROM:"));
	s->state = STATE_MAIL;
}

static void
run_rcpt(struct session *s, char *arg)
{
	char path[LINE_LEN];
	const char *ordinary = esmtp_path(s, STAGE_RCPT, "TO:<", arg, path);
	if (!ordinary && *path == '\0') {
		session_violation(s, "an empty recipient");
		ordinary = "501 5.1.3 empty";
	}
	if (!ordinary)
		ordinary = "250 2.1.5 Ok";
	esmtp_count_recipient(s, path);
	if (session_answer(s, STAGE_RCPT, path, ordinary) / 100 != 2) {
		s->refused = true;
		return;
	}
	envelope_add(&s->env, "rcpt %s", arg + strlen("TO:"));
	envelope_recipient(&s->env, path);
	s->state = STATE_RCPT;
}

static void
run_data(struct session *s, char *arg)
{
	const char *ordinary = "354 go ahead";
	if (*arg)
		session_violation(s, "DATA %s", arg);
	if (s->env.recipients == 0)
		ordinary = "554 5.5.1 no valid recipients";
	if (session_answer(s, STAGE_DATA, arg, ordinary) == 354)
		data_run(s);
	end_transaction(s);
}

static void
run_bdat(struct session *s, char *arg)
{
	data_bdat(s, arg);
	bool wrecked = s->wrecked;
	end_transaction(s);
	s->wrecked = wrecked;
}

static void
run_rset(struct session *s, char *arg)
{
	end_transaction(s);
	session_answer(s, STAGE_RSET, arg, "250 2.0.0 Ok");
}

static void
run_noop(struct session *s, char *arg)
{
	session_answer(s, STAGE_NOOP, arg, "250 2.0.0 Ok");
}

static void
run_vrfy(struct session *s, char *arg)
{
	session_answer(s, STAGE_VRFY, arg, "252 2.5.0 perhaps");
}

static void
run_quit(struct session *s, char *arg)
{
	s->quit = true;
	session_answer(s, STAGE_QUIT, arg, "221 2.0.0 Bye");
}

static const struct verb {
	const char *name;
	enum stage stage;
	unsigned allowed; /* states */
	void (*run)(struct session *s, char *arg);
} verbs[] = {
    {"EHLO", STAGE_EHLO, STATE_NEW | STATE_GREETED, run_ehlo},
    {"LHLO", STAGE_EHLO, STATE_NEW | STATE_GREETED, run_ehlo},
    {"HELO", STAGE_HELO, STATE_NEW | STATE_GREETED, run_helo},
    {"STARTTLS", STAGE_STARTTLS, STATE_GREETED, run_starttls},
    {"AUTH", STAGE_AUTH, STATE_GREETED, auth_run},
    {"MAIL", STAGE_MAIL, STATE_GREETED, run_mail},
    {"RCPT", STAGE_RCPT, STATE_MAIL | STATE_RCPT, run_rcpt},
    {"DATA", STAGE_DATA, STATE_RCPT, run_data},
    {"BDAT", STAGE_DOT, STATE_ANY, run_bdat},
    {"RSET", STAGE_RSET, STATE_ANY, run_rset},
    {"NOOP", STAGE_NOOP, STATE_ANY, run_noop},
    {"VRFY", STAGE_VRFY, STATE_ANY, run_vrfy},
    {"QUIT", STAGE_QUIT, STATE_ANY, run_quit},
};

/*
 * Out of its place. No violation is a group sent before the client could know that an earlier
 * command of it was refused (RFC 2920 3.1).
 */
static void
misplaced(struct session *s, const struct verb *v, char *arg)
{
	bool excused = s->refused && (s->offered & EXT_PIPELINING) &&
		       (v->stage == STAGE_RCPT || v->stage == STAGE_DATA);
	if (excused && v->stage == STAGE_DATA && s->state == STATE_MAIL) {
		run_data(s, arg);
		return;
	}
	if (!excused)
		session_violation(s, "%s out of its place", v->name);
	session_answer(s, v->stage, arg, "503 5.5.1 bad sequence of commands");
	if (v->stage == STAGE_DATA)
		end_transaction(s);
}

/* LMTP has LHLO and not EHLO and HELO, RFC 2033 4.1. */
static bool
speaks(const struct session *s, const struct verb *v)
{
	if (v->run != run_ehlo && v->run != run_helo)
		return true;
	return (*v->name == 'L') == s->sink->lmtp;
}

static void
command(struct session *s)
{
	char copy[LINE_LEN];
	memcpy(copy, s->line, sizeof copy);
	char *arg = copy + strcspn(copy, " ");
	if (*arg)
		*arg++ = '\0';
	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
		const struct verb *v = &verbs[i];
		if (strcasecmp(copy, v->name) != 0 || !speaks(s, v))
			continue;
		if (s->state & v->allowed)
			v->run(s, arg);
		else
			misplaced(s, v, arg);
		return;
	}
	session_violation(s, "an unknown command: %s", s->line);
	session_answer(s, STAGE_OTHER, s->line, "500 5.5.2 unknown command");
}

static bool
begin(struct session *s)
{
	char greeting[300];
	session_answer(s, STAGE_CONNECT, "", NULL);
	if (s->sink->implicit) {
		session_answer(s, STAGE_TLS, "", NULL);
		if (wire_tls(&s->wire, s->sink->ctx) < 0) {
			event(s, "no TLS");
			return false;
		}
		tls_event(s);
	}
	snprintf(greeting, sizeof greeting, "220 %.255s ESMTP sink", s->sink->name);
	session_answer(s, STAGE_GREETING, "", greeting);
	return !s->wire.dead;
}

void
session_run(const struct sink *sink, int fd, unsigned conn)
{
	struct session *s = calloc(1, sizeof *s);
	if (!s)
		abort();
	s->sink = sink;
	s->conn = conn;
	s->state = STATE_NEW;
	s->each = calloc(sink->script->count + 1, sizeof *s->each);
	wire_open(&s->wire, fd);
	event(s, "connected");
	if (begin(s)) {
		while (!s->quit && !s->wire.dead && session_line(s) >= 0)
			command(s);
	}
	event(s, s->quit ? "closed" : "closed without QUIT");
	wire_close(&s->wire);
	envelope_clear(&s->env);
	free(s->each);
	free(s);
}
