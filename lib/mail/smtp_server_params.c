/* SPDX-License-Identifier: ISC */
/*
 * Arguments of MAIL and RCPT: RFC 5321 4.1.2, SIZE RFC 1870, BODY RFC 6152, SMTPUTF8 RFC 6531, RET,
 * ENVID, NOTIFY and ORCPT RFC 3461, AUTH RFC 4954.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "mail/smtp_server_impl.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define ENVID_MAX 100 /* octets of xtext, RFC 3461 4.4 */
#define ORCPT_MAX 500 /* RFC 3461 4.2 */
#define AUTH_MAX 500  /* RFC 4954 5 */

#define NO_MEMORY "451 4.3.0 Out of memory, try again later"
#define TOO_MANY "452 4.5.3 Too many recipients; send the message to the others separately"

/* What a command's parameters are gathered in. */
struct params {
	struct smtp_server *s;
	struct envelope *envelope; /* MAIL */
	struct recipient rcpt;     /* RCPT */
	bool utf8;
};

/* NULL: taken; or a reply. value: "" where there is none, see `values`. */
typedef const char *param_handler(struct params *p, const char *value);

bool
smtp_parse_size(const char *text, uint64_t *n)
{
	size_t digits = strspn(text, "0123456789");

	*n = 0;
	if (digits == 0 || digits > 20 || text[digits] != '\0')
		return false;
	for (; *text != '\0'; text++)
		if (__builtin_mul_overflow(*n, 10, n) ||
		    __builtin_add_overflow(*n, (uint64_t)(*text - '0'), n)) {
			*n = UINT64_MAX;
			break;
		}
	return true;
}

/*
 * xtext, RFC 3461 4: visible ASCII without "+" and "=", and "+" with two upper-case digits for any
 * octet; but what is decoded must be printable, or a report would carry a line break.
 */
static bool
xtext(const char *s, size_t max)
{
	size_t n = strlen(s);

	for (; *s != '\0'; s++) {
		static const char hex[] = "0123456789ABCDEF";
		if (*s == '+') {
			if (s[1] < '2' || s[1] > '7' || strspn(s + 1, hex) < 2 ||
			    (s[1] == '7' && s[2] == 'F'))
				return false;
			s += 2;
		} else if ((unsigned char)*s <= 0x20 || (unsigned char)*s >= 0x7f || *s == '=') {
			return false;
		}
	}
	return n > 0 && n <= max;
}

static const char *
take_size(struct params *p, const char *value)
{
	uint64_t n;

	if (!smtp_parse_size(value, &n))
		return "501 5.5.4 SIZE is a number of octets";
	return n > p->s->config.size ? "552 5.3.4 The message is larger than this server takes"
				     : NULL;
}

static const char *
take_body(struct params *p, const char *value)
{
	if (strcasecmp(value, "8BITMIME") == 0) {
		if (p->envelope->body == BODY_7BIT)
			p->envelope->body = BODY_8BITMIME;
		return NULL;
	}
	return strcasecmp(value, "7BIT") == 0 ? NULL : "501 5.5.4 BODY is 7BIT or 8BITMIME";
}

static const char *
take_smtputf8(struct params *p, const char *value)
{
	(void)value;
	p->utf8 = true;
	p->envelope->body = BODY_SMTPUTF8;
	return NULL;
}

static const char *
take_ret(struct params *p, const char *value)
{
	if (strcasecmp(value, "FULL") == 0)
		p->envelope->ret = RET_FULL;
	else if (strcasecmp(value, "HDRS") == 0)
		p->envelope->ret = RET_HDRS;
	else
		return "501 5.5.4 RET is FULL or HDRS";
	return NULL;
}

static const char *
take_envid(struct params *p, const char *value)
{
	if (!xtext(value, ENVID_MAX))
		return "501 5.5.4 ENVID is xtext of at most 100 octets";
	return (p->envelope->envid = strdup(value)) != NULL ? NULL : NO_MEMORY;
}

/* Who was authenticated elsewhere: nobody is here, so it is not believed (RFC 4954 5). */
static const char *
take_auth(struct params *p, const char *value)
{
	(void)p;
	return strcmp(value, "<>") == 0 || xtext(value, AUTH_MAX) ? NULL
								  : "501 5.5.4 AUTH is xtext or <>";
}

static const char *
take_notify(struct params *p, const char *value)
{
	static const struct {
		const char *name;
		unsigned bit;
	} names[] = {
	    {"NEVER", NOTIFY_NEVER},
	    {"SUCCESS", NOTIFY_SUCCESS},
	    {"FAILURE", NOTIFY_FAILURE},
	    {"DELAY", NOTIFY_DELAY},
	};
	static const char bad[] = "501 5.5.4 NOTIFY is NEVER, or some of SUCCESS,FAILURE,DELAY";
	unsigned bits = 0;

	for (;;) {
		size_t n = strcspn(value, ","), i = 0;
		while (i < COUNT(names) &&
		       (strlen(names[i].name) != n || strncasecmp(names[i].name, value, n) != 0))
			i++;
		if (i == COUNT(names))
			return bad;
		bits |= names[i].bit;
		if (value[n] == '\0')
			break;
		value += n + 1;
	}
	p->rcpt.notify = bits;
	return (bits & NOTIFY_NEVER) != 0 && bits != NOTIFY_NEVER ? bad : NULL;
}

/* addr-type ";" xtext */
static const char *
take_orcpt(struct params *p, const char *value)
{
	const char *semicolon = strchr(value, ';'), *c = value;

	while (c != semicolon && address_atext(*c) && (unsigned char)*c < 0x80)
		c++;
	if (semicolon == NULL || c != semicolon || c == value || !xtext(semicolon + 1, ORCPT_MAX) ||
	    strlen(value) > ORCPT_MAX)
		return "501 5.5.4 ORCPT is type;xtext of at most 500 octets";
	return (p->rcpt.orcpt = strdup(value)) != NULL ? NULL : NO_MEMORY;
}

static const struct param {
	const char *name;
	bool value; /* it has one, or must not */
	param_handler *take;
} mail_params[] =
    {
	{"SIZE", true, take_size},
	{"BODY", true, take_body},
	{"SMTPUTF8", false, take_smtputf8},
	{"RET", true, take_ret},
	{"ENVID", true, take_envid},
	{"AUTH", true, take_auth},
	{NULL, false, NULL},
},
  rcpt_params[] = {
      {"NOTIFY", true, take_notify},
      {"ORCPT", true, take_orcpt},
      {NULL, false, NULL},
};

static const char *
take_params(const struct param *table, struct params *p, char *arg)
{
	unsigned seen = 0;
	char *value;

	while ((value = strsep(&arg, " ")) != NULL) {
		const char *name = strsep(&value, "="), *bad;
		const struct param *row = table;
		if (*name == '\0' && value == NULL)
			continue;
		while (row->name != NULL && strcasecmp(row->name, name) != 0)
			row++;
		if (row->name == NULL)
			return "555 5.5.4 Unknown parameter";
		if ((seen & 1U << (row - table)) != 0)
			return "501 5.5.4 A parameter is given twice";
		if (row->value != (value != NULL))
			return row->value ? "501 5.5.4 A parameter lacks its value"
					  : "501 5.5.4 A parameter has a value but takes none";
		seen |= 1U << (row - table);
		if ((bad = row->take(p, value != NULL ? value : "")) != NULL)
			return bad;
	}
	return NULL;
}

/* "@relay,@relay:" is allowed and means nothing (RFC 5321 C). NULL: it is none. */
static char *
skip_route(char *s)
{
	size_t n;

	if (*s != '@')
		return s;
	n = strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.@,");
	return s[n] == ':' && s[n + 1] != '>' ? s + n + 1 : NULL;
}

/*
 * `prefix` "<" [route] mailbox ">" at *arg; mailbox is what stands between. *arg moves on to the
 * parameters. False: not even that.
 */
static bool
take_path(char **arg, const char *prefix, char **mailbox)
{
	size_t n = strlen(prefix);
	char *s = *arg, *end;

	if (strncasecmp(s, prefix, n) != 0)
		return false;
	s += n + strspn(s + n, " ");
	if (*s++ != '<' || (s = skip_route(s)) == NULL)
		return false;
	/* A quoted local-part may hold ">". */
	end = strchr(s + address_local(s), '>');
	if (end == NULL || (end[1] != ' ' && end[1] != '\0'))
		return false;
	*end = '\0';
	*arg = end + 1;
	*mailbox = s;
	return true;
}

const char *
smtp_parse_mail(struct smtp_server *s, char *arg)
{
	struct params p = {.s = s, .envelope = &s->envelope};
	char from[ADDRESS_MAX + 1] = "", *mailbox;
	const char *bad;

	if (!take_path(&arg, "FROM:", &mailbox))
		return "501 5.5.4 Syntax: MAIL FROM:<address> [parameters]";
	if (*mailbox != '\0' && address_qualify(from, mailbox, s->config.domain) == -1)
		return "501 5.1.7 Bad sender address";
	if ((bad = take_params(mail_params, &p, arg)) != NULL)
		return bad;
	if (address_utf8(from) && !p.utf8)
		return "553 5.6.7 The address needs SMTPUTF8";
	s->utf8 = p.utf8;
	return (s->envelope.from = strdup(from)) != NULL ? NULL : NO_MEMORY;
}

/* All that a head in the spool says of a recipient must fit, too. */
static const char *
add_recipient(struct smtp_server *s, const char *address, struct recipient *r)
{
	struct envelope *e = &s->envelope;
	size_t head = s->head + strlen(address) + (r->orcpt != NULL ? strlen(r->orcpt) : 0) +
		      sizeof("rcpt <> NOTIFY=SUCCESS,FAILURE,DELAY ORCPT=\n");

	if (head > ENVELOPE_HEAD_MAX - SMTP_SERVER_LINE)
		return TOO_MANY;
	if (envelope_add(e, address) == -1)
		return errno == E2BIG ? TOO_MANY : NO_MEMORY;
	s->head = head;
	e->rcpt[e->nrcpt - 1].notify = r->notify;
	e->rcpt[e->nrcpt - 1].orcpt = r->orcpt;
	r->orcpt = NULL;
	return NULL;
}

const char *
smtp_parse_rcpt(struct smtp_server *s, char *arg)
{
	struct params p = {.s = s};
	char to[ADDRESS_MAX + 1], *mailbox;
	const char *bad;

	if (!take_path(&arg, "TO:", &mailbox))
		return "501 5.5.4 Syntax: RCPT TO:<address> [parameters]";
	if (address_qualify(
		to, mailbox, s->config.local != NULL ? s->config.local : s->config.domain) == -1)
		return "501 5.1.3 Bad recipient address";
	if (address_utf8(to) && !s->utf8)
		return "553 5.6.7 The address needs SMTPUTF8";
	if ((bad = take_params(rcpt_params, &p, arg)) == NULL)
		bad = add_recipient(s, to, &p.rcpt);
	free(p.rcpt.orcpt);
	return bad;
}
