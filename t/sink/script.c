/* SPDX-License-Identifier: ISC */
#include "script.h"

#include <ctype.h>
#include <err.h>
#include <fnmatch.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "action.h"

enum { ACTIONS_MAX = 16 };

struct range {
	unsigned long from, to; /* inclusive */
};

struct rule {
	enum stage stage;
	char *pattern; /* NULL: anything */
	struct range count, each, conn;
	unsigned long after;
	unsigned long seen; /* under `lock` */
	struct action actions[ACTIONS_MAX];
	size_t n;
};

static const char *const stages[STAGES] = {
    [STAGE_CONNECT] = "connect",
    [STAGE_GREETING] = "greeting",
    [STAGE_EHLO] = "ehlo",
    [STAGE_HELO] = "helo",
    [STAGE_STARTTLS] = "starttls",
    [STAGE_TLS] = "tls",
    [STAGE_CHALLENGE] = "challenge",
    [STAGE_AUTH] = "auth",
    [STAGE_MAIL] = "mail",
    [STAGE_RCPT] = "rcpt",
    [STAGE_DATA] = "data",
    [STAGE_BODY] = "body",
    [STAGE_DOT] = "dot",
    [STAGE_RSET] = "rset",
    [STAGE_NOOP] = "noop",
    [STAGE_VRFY] = "vrfy",
    [STAGE_QUIT] = "quit",
    [STAGE_OTHER] = "other",
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

const char *
script_stage(enum stage stage)
{
	return stages[stage];
}

/* Reading rules. */

struct reader {
	const char *where; /* for messages */
	const char *at;
};

static void __attribute__((noreturn)) wrong(const struct reader *r, const char *what)
{
	errx(EX_USAGE, "%s: %s, before \"%s\"", r->where, what, r->at);
}

static void
skip(struct reader *r)
{
	r->at += strspn(r->at, " \t");
}

/* The next word without taking it: its length. */
static size_t
peek(struct reader *r)
{
	skip(r);
	return strcspn(r->at, " \t;");
}

static bool
is_word(struct reader *r, const char *word)
{
	return peek(r) == strlen(word) && strncmp(r->at, word, strlen(word)) == 0;
}

static bool
take(struct reader *r, const char *word)
{
	if (!is_word(r, word))
		return false;
	r->at += strlen(word);
	return true;
}

static const struct verb *
find_verb(struct reader *r)
{
	for (const struct verb *v = verbs; v->name; v++) {
		if (is_word(r, v->name))
			return v;
	}
	return NULL;
}

static unsigned long
number(struct reader *r)
{
	char *end;
	skip(r);
	if (!isdigit((unsigned char)*r->at))
		wrong(r, "a number is missing");
	unsigned long n = strtoul(r->at, &end, 10);
	r->at = end;
	return n;
}

/* "3", "3-5", "3-" */
static struct range
range(struct reader *r)
{
	struct range g;
	g.from = g.to = number(r);
	if (*r->at == '-') {
		r->at++;
		g.to = isdigit((unsigned char)*r->at) ? number(r) : ULONG_MAX;
	}
	return g;
}

/* "200ms", "2s", "2": milliseconds. */
static unsigned long
duration(struct reader *r)
{
	unsigned long n = number(r);
	if (take(r, "ms"))
		return n;
	take(r, "s");
	return n * 1000;
}

static int
hex(struct reader *r)
{
	char digits[3] = "";
	for (int i = 0; i < 2; i++) {
		if (!isxdigit((unsigned char)*r->at))
			wrong(r, "\\x wants two digits");
		digits[i] = *r->at++;
	}
	return (int)strtoul(digits, NULL, 16);
}

static int
escape(struct reader *r)
{
	static const char from[] = "rnt0", to[] = "\r\n\t\0";
	const char *p = *r->at ? strchr(from, *r->at) : NULL;
	if (*r->at == '\0')
		wrong(r, "\\ at the end");
	int c = *r->at++;
	if (c == 'x')
		return hex(r);
	return p ? to[p - from] : c;
}

/* Up to a semicolon or the end; or "quoted", then the quotes end it. */
static void
text(struct reader *r, struct action *a)
{
	skip(r);
	char *p = a->text = malloc(strlen(r->at) + 1);
	if (!p)
		err(EX_OSERR, NULL);
	bool quoted = *r->at == '"';
	r->at += quoted;
	while (*r->at && *r->at != (quoted ? '"' : ';')) {
		int c = *r->at++;
		*p++ = (char)(c == '\\' ? escape(r) : c);
	}
	if (quoted && *r->at++ != '"')
		wrong(r, "the quotes do not end");
	while (!quoted && p > a->text && p[-1] == ' ')
		p--;
	*p = '\0';
	a->length = (size_t)(p - a->text);
}

static void
action(struct reader *r, struct action *a)
{
	a->verb = find_verb(r);
	if (!a->verb)
		wrong(r, "an action is missing");
	r->at += strlen(a->verb->name);
	if (a->verb->takes == TAKES_TIME)
		a->number = duration(r);
	if (a->verb->takes == TAKES_NUMBER_TEXT)
		a->number = number(r);
	if (a->verb->takes == TAKES_TEXT || a->verb->takes == TAKES_NUMBER_TEXT)
		text(r, a);
	skip(r);
	if (*r->at && *r->at != ';')
		wrong(r, "more than the action takes");
}

static void
conditions(struct reader *r, struct rule *rule)
{
	for (;;) {
		if (take(r, "count"))
			rule->count = range(r);
		else if (take(r, "each"))
			rule->each = range(r);
		else if (take(r, "conn"))
			rule->conn = range(r);
		else if (take(r, "after"))
			rule->after = number(r);
		else
			return;
	}
}

static void
stage(struct reader *r, struct rule *rule)
{
	for (rule->stage = 0; rule->stage < STAGES; rule->stage++) {
		if (take(r, stages[rule->stage]))
			return;
	}
	wrong(r, "a stage is missing");
}

void
script_add(struct script *s, const char *line, const char *where)
{
	static const struct range always = {0, ULONG_MAX};
	struct reader r = {where, line};
	skip(&r);
	if (*r.at == '\0' || *r.at == '#')
		return;
	s->rules = reallocarray(s->rules, s->count + 1, sizeof *s->rules);
	if (!s->rules)
		err(EX_OSERR, NULL);
	struct rule *rule = &s->rules[s->count++];
	*rule = (struct rule){.count = always, .each = always, .conn = always};
	conditions(&r, rule);
	stage(&r, rule);
	conditions(&r, rule);
	if (!find_verb(&r)) {
		rule->pattern = strndup(r.at, peek(&r));
		r.at += strlen(rule->pattern);
	}
	do {
		if (rule->n == ACTIONS_MAX)
			wrong(&r, "too many actions");
		r.at += *r.at == ';';
		action(&r, &rule->actions[rule->n++]);
	} while (*r.at == ';');
}

void
script_load(struct script *s, const char *path)
{
	char *line = NULL, where[256];
	size_t size = 0;
	unsigned n = 0;
	FILE *f = fopen(path, "r");
	if (!f)
		err(EX_NOINPUT, "%s", path);
	while (getline(&line, &size, f) > 0) {
		line[strcspn(line, "\n")] = '\0';
		snprintf(where, sizeof where, "%s:%u", path, ++n);
		script_add(s, line, where);
	}
	free(line);
	fclose(f);
}

/* Using them. */

static bool
within(struct range g, unsigned long n)
{
	return n >= g.from && n <= g.to;
}

const struct rule *
script_match(struct script *s, unsigned *each, enum stage stage, const char *arg, unsigned conn)
{
	struct rule *found = NULL;
	pthread_mutex_lock(&lock);
	for (size_t i = 0; i < s->count; i++) {
		struct rule *r = &s->rules[i];
		if (r->stage != stage || !within(r->conn, conn))
			continue;
		if (r->pattern && fnmatch(r->pattern, arg, FNM_CASEFOLD) != 0)
			continue;
		r->seen++;
		each[i]++;
		if (!found && within(r->count, r->seen) && within(r->each, each[i]))
			found = r;
	}
	pthread_mutex_unlock(&lock);
	return found;
}

const char *
script_text(const struct rule *r, const char *ordinary)
{
	const char *said = NULL;
	enum says how = SAYS_NOTHING;
	for (size_t i = 0; r && i < r->n; i++) {
		const struct action *a = &r->actions[i];
		if (a->verb->says == SAYS_OWN)
			said = a->text;
		if (a->verb->says != SAYS_NOTHING && how != SAYS_OWN && how != SAYS_ORDINARY)
			how = a->verb->says;
	}
	if (said)
		return said;
	return how == SAYS_END ? NULL : ordinary;
}

/* The code on the last line that is not empty. */
int
script_code(const struct rule *r, const char *ordinary)
{
	const char *said = script_text(r, ordinary);
	char code[4] = "";
	for (const char *p = said; p && *p; p += strcspn(p, "\n"), p += *p == '\n') {
		if (*p != '\r' && *p != '\n')
			snprintf(code, sizeof code, "%.3s", p);
	}
	return strspn(code, "0123456789") == 3 ? atoi(code) : 0;
}

uint64_t
script_after(const struct rule *r)
{
	return r->after;
}

void
script_play(const struct rule *r, const char *ordinary, struct wire *w)
{
	static const struct action plain;
	bool said = false;
	for (size_t i = 0; r && i < r->n; i++) {
		const struct action *a = &r->actions[i];
		a->verb->run(a, ordinary, w);
		said |= a->verb->says != SAYS_NOTHING;
	}
	if (!said)
		action_ordinary(&plain, ordinary, w);
	w->dribble = 0;
}
