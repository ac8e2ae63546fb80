/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "mail/smtp_server_impl.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static bool
visible(const char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s <= 0x20 || (unsigned char)*s >= 0x7f)
			return false;
	return true;
}

/* Callers' names are often no domains ("my_host", "[unix]"); it is only logged. */
static bool
hello(struct smtp_server *s, const char *name)
{
	if (!visible(name) || strlen(name) >= sizeof(s->helo)) {
		smtp_refuse(s, "501 5.5.4 That is no host name");
		return false;
	}
	s->at = AT_READY;
	smtp_reset(s); /* RFC 5321 4.1.4 */
	snprintf(s->helo, sizeof(s->helo), "%s", name);
	return true;
}

static void
do_helo(struct smtp_server *s, char *arg)
{
	if (!hello(s, arg))
		return;
	s->extended = false;
	buf_addf(&s->replies, "250 %s\r\n", s->config.hostname);
}

static void
do_ehlo(struct smtp_server *s, char *arg)
{
	if (!hello(s, arg))
		return;
	s->extended = true;
	buf_addf(&s->replies,
	    "250-%s\r\n"
	    "250-PIPELINING\r\n"
	    "250-SIZE %llu\r\n"
	    "250-8BITMIME\r\n"
	    "250-SMTPUTF8\r\n"
	    "250-DSN\r\n"
	    "250-ENHANCEDSTATUSCODES\r\n"
	    "250 CHUNKING\r\n",
	    s->config.hostname, (unsigned long long)s->config.size);
}

static void
do_mail(struct smtp_server *s, char *arg)
{
	const char *bad = smtp_parse_mail(s, arg);

	if (bad != NULL) {
		smtp_reset(s);
		smtp_refuse(s, bad);
		return;
	}
	s->at = AT_MAIL;
	smtp_reply(s, "250 2.1.0 Ok");
}

static void
do_rcpt(struct smtp_server *s, char *arg)
{
	const char *bad = smtp_parse_rcpt(s, arg);

	if (bad != NULL) {
		smtp_refuse(s, bad);
		return;
	}
	s->at = AT_RCPT;
	smtp_reply(s, "250 2.1.5 Ok");
}

static void
do_data(struct smtp_server *s, char *arg)
{
	(void)arg;
	smtp_begin(s);
	s->input = INPUT_DATA;
	s->place = PLACE_START;
	smtp_reply(s, "354 End data with <CR><LF>.<CR><LF>");
}

/*
 * Allowed in every state: whether it is refused or not, its octets follow, and must not be taken
 * for commands (RFC 3030 2). Where their number cannot be read there is no going on.
 */
static void
do_bdat(struct smtp_server *s, char *arg)
{
	const char *size = strsep(&arg, " "), *last = arg != NULL ? arg : "";

	s->last = strcasecmp(last, "LAST") == 0;
	if (!smtp_parse_size(size, &s->chunk) || s->chunk == UINT64_MAX ||
	    (*last != '\0' && !s->last)) {
		smtp_refuse(s, "421 4.5.4 Syntax: BDAT octets [LAST]; closing the connection");
		return;
	}
	s->chunk_size = s->chunk;
	s->input = INPUT_CHUNK;
	if (s->at == AT_RCPT) {
		s->at = AT_CHUNK;
		smtp_begin(s);
	} else if (s->at != AT_CHUNK) {
		smtp_skip(s, smtp_out_of_order(s));
	}
}

static void
do_rset(struct smtp_server *s, char *arg)
{
	(void)arg;
	smtp_reset(s);
	smtp_reply(s, "250 2.0.0 Ok");
}

static void
do_noop(struct smtp_server *s, char *arg)
{
	(void)arg;
	smtp_reply(s, "250 2.0.0 Ok");
}

static void
do_vrfy(struct smtp_server *s, char *arg)
{
	(void)arg;
	smtp_reply(
	    s, "252 2.0.0 Cannot verify here, but will take a message and try to deliver it");
}

static void do_help(struct smtp_server *s, char *arg);

static void
do_quit(struct smtp_server *s, char *arg)
{
	(void)arg;
	smtp_reset(s);
	smtp_reply(s, "221 2.0.0 Bye");
	s->input = INPUT_CLOSED;
}

static void
do_nothing(struct smtp_server *s, char *arg)
{
	(void)arg;
	smtp_refuse(s, "502 5.5.1 Not implemented here");
}

/* What a browser or a proxy was made to say to this port. */
static void
do_http(struct smtp_server *s, char *arg)
{
	(void)arg;
	smtp_refuse(s, "421 4.7.0 This is SMTP, not HTTP; closing the connection");
}

enum argument {
	NONE,
	SOME,
	ANY,
};

#define ALWAYS (AT_START | AT_READY | AT_MAIL | AT_RCPT | AT_CHUNK | AT_BROKEN)

/*
 * The legal order:
 *
 *	EHLO or HELO -> ready
 *	ready -> MAIL -> RCPT… -> DATA -> content -> ready
 *	                       -> BDAT… -> BDAT n LAST -> ready
 *	                            \-> broken -> RSET -> ready
 *	RSET, EHLO and HELO lead to ready from anywhere; QUIT ends
 */
static const struct verb {
	const char *name;
	unsigned at; /* where it is allowed */
	enum argument argument;
	void (*run)(struct smtp_server *s, char *arg);
	const char *syntax;
} verbs[] = {
    /* clang-format off */
    {"EHLO", ALWAYS, SOME, do_ehlo, "501 5.5.4 Syntax: EHLO hostname"},
    {"HELO", ALWAYS, SOME, do_helo, "501 5.5.4 Syntax: HELO hostname"},
    {"MAIL", AT_READY, SOME, do_mail, "501 5.5.4 Syntax: MAIL FROM:<address> [parameters]"},
    {"RCPT", AT_MAIL | AT_RCPT, SOME, do_rcpt, "501 5.5.4 Syntax: RCPT TO:<address> [parameters]"},
    {"DATA", AT_RCPT, NONE, do_data, "501 5.5.4 Syntax: DATA"},
    {"BDAT", ALWAYS, ANY, do_bdat, ""},
    {"RSET", ALWAYS, NONE, do_rset, "501 5.5.4 Syntax: RSET"},
    {"NOOP", ALWAYS, ANY, do_noop, ""},
    {"VRFY", ALWAYS, SOME, do_vrfy, "501 5.5.4 Syntax: VRFY address"},
    {"HELP", ALWAYS, ANY, do_help, ""},
    {"QUIT", ALWAYS, NONE, do_quit, "501 5.5.4 Syntax: QUIT"},
    {"EXPN", ALWAYS, ANY, do_nothing, ""},
    {"ETRN", ALWAYS, ANY, do_nothing, ""},
    {"TURN", ALWAYS, ANY, do_nothing, ""},
    {"AUTH", ALWAYS, ANY, do_nothing, ""},
    {"STARTTLS", ALWAYS, ANY, do_nothing, ""},
    {"GET", ALWAYS, ANY, do_http, ""},
    {"PUT", ALWAYS, ANY, do_http, ""},
    {"POST", ALWAYS, ANY, do_http, ""},
    {"CONNECT", ALWAYS, ANY, do_http, ""},
    /* clang-format on */
};

static void
do_help(struct smtp_server *s, char *arg)
{
	(void)arg;
	buf_adds(&s->replies, "214-2.0.0");
	for (const struct verb *v = verbs; v < verbs + COUNT(verbs); v++)
		if (v->run != do_nothing && v->run != do_http)
			buf_addf(&s->replies, " %s", v->name);
	buf_adds(&s->replies, "\r\n214 2.0.0 Pillarbox: see sendmail(8)\r\n");
}

const char *
smtp_out_of_order(const struct smtp_server *s)
{
	switch (s->at) {
	case AT_START:
		return "503 5.5.1 EHLO or HELO first";
	case AT_READY:
		return "503 5.5.1 MAIL first";
	case AT_MAIL:
		return "503 5.5.1 RCPT first; no recipient so far";
	case AT_RCPT:
		return "503 5.5.1 A message is under way: RCPT, DATA, BDAT or RSET";
	case AT_CHUNK:
		return "503 5.5.1 A message is under way: BDAT or RSET";
	case AT_BROKEN:
		break;
	}
	return "503 5.5.1 RSET first: a chunk was refused";
}

/* No command at all. Where it is rather a message, its lines must not be obeyed. */
static void
refuse_unknown(struct smtp_server *s, const char *text)
{
	size_t verb = strcspn(s->line, " ");

	if (s->wary || memchr(s->line, ':', verb) != NULL)
		smtp_refuse(s,
		    "421 4.7.0 A message comes where a command should be; closing the connection");
	else
		smtp_refuse(s, text);
}

static const struct verb *
find(const char *name)
{
	for (const struct verb *v = verbs; v < verbs + COUNT(verbs); v++)
		if (strcasecmp(v->name, name) == 0)
			return v;
	return NULL;
}

static void
run(struct smtp_server *s, const struct verb *v, char *arg)
{
	s->wary = false;
	s->doing = s->verb = v->name;
	if ((v->argument == SOME && *arg == '\0') || (v->argument == NONE && *arg != '\0'))
		smtp_refuse(s, v->syntax);
	else if ((v->at & s->at) == 0)
		smtp_refuse(s, smtp_out_of_order(s));
	else
		v->run(s, arg);
	s->wary = v->run == do_data && s->refused;
}

static bool
has_controls(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f)
			return true;
	return false;
}

void
smtp_command(struct smtp_server *s)
{
	char line[SMTP_SERVER_LINE + 1], *arg = line; /* s->line stays whole, for the log */
	const struct verb *v;

	while (s->len > 0 && s->line[s->len - 1] == ' ')
		s->line[--s->len] = '\0';
	if (has_controls(s->line, s->len)) {
		refuse_unknown(s, "500 5.5.2 Control characters in a command");
		return;
	}
	memcpy(line, s->line, s->len + 1);
	v = find(strsep(&arg, " "));
	if (v == NULL)
		refuse_unknown(s, "500 5.5.1 Unknown command");
	else
		run(s, v, arg != NULL ? arg + strspn(arg, " ") : line + s->len);
}
