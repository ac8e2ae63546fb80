/* SPDX-License-Identifier: ISC */
/*
 * Extensions, and what stands behind MAIL and RCPT.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "sink.h"

static const struct {
	const char *name;
	unsigned bit;
} extensions[] = {
    {"PIPELINING", EXT_PIPELINING},
    {"SIZE", EXT_SIZE},
    {"8BITMIME", EXT_8BITMIME},
    {"SMTPUTF8", EXT_SMTPUTF8},
    {"DSN", EXT_DSN},
    {"ENHANCEDSTATUSCODES", EXT_ENHANCEDSTATUSCODES},
    {"STARTTLS", EXT_STARTTLS},
    {"AUTH", EXT_AUTH},
    {"CHUNKING", EXT_CHUNKING},
    {"LIMITS", EXT_LIMITS},
    {"REQUIRETLS", EXT_REQUIRETLS},
};

enum { EXTENSIONS = sizeof extensions / sizeof extensions[0] };

/* What may stand behind the path of MAIL and RCPT. */
static const struct {
	enum stage stage;
	const char *name;
	unsigned needs;
} parameters[] = {
    {STAGE_MAIL, "SIZE", EXT_SIZE},
    {STAGE_MAIL, "BODY", EXT_8BITMIME},
    {STAGE_MAIL, "SMTPUTF8", EXT_SMTPUTF8},
    {STAGE_MAIL, "RET", EXT_DSN},
    {STAGE_MAIL, "ENVID", EXT_DSN},
    {STAGE_MAIL, "AUTH", EXT_AUTH},
    {STAGE_MAIL, "REQUIRETLS", EXT_REQUIRETLS},
    {STAGE_RCPT, "NOTIFY", EXT_DSN},
    {STAGE_RCPT, "ORCPT", EXT_DSN},
};

unsigned
esmtp_extension(const char *name)
{
	for (size_t i = 0; i < EXTENSIONS; i++) {
		if (strcasecmp(name, extensions[i].name) == 0)
			return extensions[i].bit;
	}
	return 0;
}

unsigned
esmtp_offered(const char *reply)
{
	char word[64];
	unsigned all = 0;
	for (const char *p = strchr(reply, '\n'); p; p = strchr(p, '\n')) {
		p++;
		if (strlen(p) > 4 && sscanf(p + 4, "%63[^ \r\n]", word) == 1)
			all |= esmtp_extension(word);
	}
	return all;
}

void
esmtp_ehlo(const struct session *s, char *text, size_t size, const char *arg)
{
	const struct sink *k = s->sink;
	unsigned have = EXT_PIPELINING | EXT_SIZE | EXT_8BITMIME | EXT_SMTPUTF8 | EXT_DSN |
			EXT_ENHANCEDSTATUSCODES;
	have |= k->starttls && !s->wire.ssl ? EXT_STARTTLS : 0;
	have |= k->user && (s->wire.ssl || k->auth_in_clear) ? EXT_AUTH : 0;
	have |= k->extra | (k->limits ? EXT_LIMITS : 0);
	have &= ~(k->left_out | (s->wire.ssl ? 0 : EXT_REQUIRETLS)); /* RFC 8689 2 */
	size_t n = (size_t)snprintf(text, size, "250-%s greets %.255s", k->name, arg);
	char *last = text;
	for (size_t i = 0; i < EXTENSIONS && n < size; i++) {
		if (!(have & extensions[i].bit))
			continue;
		last = text + n + 1;
		n += (size_t)snprintf(text + n, size - n, "\n250-%s", extensions[i].name);
		if (extensions[i].bit == EXT_SIZE)
			n += (size_t)snprintf(
			    text + n, size - n, " %llu", (unsigned long long)k->size_limit);
		if (extensions[i].bit == EXT_AUTH)
			n += (size_t)snprintf(text + n, size - n, " %s", k->mechanisms);
		if (extensions[i].bit == EXT_LIMITS)
			n += (size_t)snprintf(text + n, size - n, " %s", k->limits);
	}
	last[3] = ' ';
}

/* What LIMITS says of `name`; UINT_MAX when it says nothing. */
static unsigned
limit(const struct session *s, const char *name)
{
	const char *p = s->offered & EXT_LIMITS ? strstr(s->sink->limits, name) : NULL;
	return p ? (unsigned)strtoul(p + strlen(name), NULL, 10) : UINT_MAX;
}

void
esmtp_count_mail(struct session *s)
{
	if (s->mails++ >= limit(s, "MAILMAX="))
		session_violation(s, "more than MAILMAX transactions");
}

static const char *
domain(const char *path)
{
	const char *at = strrchr(path, '@');
	return at ? at + 1 : "";
}

void
esmtp_count_recipient(struct session *s, const char *path)
{
	const struct envelope_text *e = &s->env;
	unsigned domains = 1;
	if (e->recipients >= limit(s, "RCPTMAX="))
		session_violation(s, "more than RCPTMAX recipients");
	for (unsigned i = 0; i < e->recipients; i++) {
		bool first = strcasecmp(domain(e->recipient[i]), domain(path)) != 0;
		for (unsigned j = 0; j < i && first; j++)
			first = strcasecmp(domain(e->recipient[i]), domain(e->recipient[j])) != 0;
		domains += first;
	}
	if (domains > limit(s, "RCPTDOMAINMAX="))
		session_violation(s, "more than RCPTDOMAINMAX domains");
}

/* One "NAME=value" behind the path. */
static bool
parameter(struct session *s, enum stage stage, const char *p)
{
	size_t n = strcspn(p, "=");
	for (size_t i = 0; i < sizeof parameters / sizeof parameters[0]; i++) {
		if (parameters[i].stage != stage || strlen(parameters[i].name) != n ||
		    strncasecmp(parameters[i].name, p, n) != 0)
			continue;
		if (!(s->offered & parameters[i].needs))
			session_violation(s, "%s was not offered", parameters[i].name);
		if (strcasecmp(p, "BODY=8BITMIME") == 0)
			s->eightbit = true;
		if (strcasecmp(p, "SMTPUTF8") == 0)
			s->utf8 = true;
		return true;
	}
	session_violation(s, "an unknown parameter: %s", p);
	return false;
}

const char *
esmtp_path(struct session *s, enum stage stage, const char *prefix, const char *arg, char *path)
{
	char copy[LINE_LEN], *rest = NULL;
	size_t n = strlen(prefix);
	bool known = true, eightbit = false;
	*path = '\0';
	for (const char *p = arg; *p; p++)
		eightbit |= (unsigned char)*p > 0x7f;
	/* The ">" that ends the path: the first outside of quotes. */
	const char *end = arg + n;
	for (bool quoted = false; *end && (quoted || *end != '>'); end++) {
		if (*end == '\\' && end[1])
			end++;
		else if (*end == '"')
			quoted = !quoted;
	}
	if (strncasecmp(arg, prefix, n) != 0 || *end != '>' || (end[1] && end[1] != ' ')) {
		session_violation(s, "wrong syntax: %s %s", script_stage(stage), arg);
		return "501 5.5.4 syntax";
	}
	memcpy(path, arg + n, (size_t)(end - arg) - n);
	path[(size_t)(end - arg) - n] = '\0';
	snprintf(copy, sizeof copy, "%s", end + 1);
	for (char *p = strtok_r(copy, " ", &rest); p; p = strtok_r(NULL, " ", &rest))
		known &= parameter(s, stage, p);
	if (eightbit && !s->utf8)
		session_violation(s, "8-bit octets in %s without SMTPUTF8", script_stage(stage));
	return known ? NULL : "555 5.5.4 unknown parameter";
}

bool
esmtp_too_big(const struct session *s, const char *arg)
{
	const char *p = strcasestr(arg, "> ");
	p = p ? strcasestr(p, " SIZE=") : NULL;
	return p && s->sink->size_limit > 0 && strtoull(p + 6, NULL, 10) > s->sink->size_limit;
}
