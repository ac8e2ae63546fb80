/* SPDX-License-Identifier: ISC */
#include "options.h"

#include <stdio.h>
#include <string.h>

#include "sys/config.h"

/* How an option takes its value. */
enum takes {
	NOTHING,  /* a flag: more may be bundled behind it */
	VALUE,    /* -fa@b or -f a@b */
	ATTACHED, /* -q or -q30m: only what is attached */
};

/* A handler's complaint is a constant string; NULL: taken. */
typedef const char *handler(struct options *o, const char *value);

static const char *
inert(struct options *o, const char *value)
{
	(void)o;
	(void)value;
	return NULL;
}

static const struct {
	const char *value;
	enum mode mode;
} modes[] = {
    {"m", MODE_POST},
    {"p", MODE_MAILQ},
    {"i", MODE_NEWALIASES},
    {"D", MODE_SERVICE},
    {"P", MODE_SETTINGS},
};

static const char *
set_mode(struct options *o, const char *value)
{
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (strcmp(modes[i].value, value) == 0) {
			o->mode = modes[i].mode;
			return NULL;
		}
	return "there is no such mode here; known are -bm, -bp, -bi, -bD and -bP";
}

static const char *
set_queue_run(struct options *o, const char *value)
{
	/* -bD -q30m in init scripts: the service looks at its queue by itself. */
	if (o->mode == MODE_POST)
		o->mode = MODE_QUEUE_RUN;
	(void)value;
	return NULL;
}

static const char *
set_newaliases(struct options *o, const char *value)
{
	(void)value;
	o->mode = MODE_NEWALIASES;
	return NULL;
}

static const char *
set_dots(struct options *o, const char *value)
{
	(void)value;
	o->dots = true;
	return NULL;
}

static const char *
set_from_header(struct options *o, const char *value)
{
	(void)value;
	o->from_header = true;
	return NULL;
}

static const char *
set_verbose(struct options *o, const char *value)
{
	(void)value;
	o->verbose = true;
	return NULL;
}

static const char *
set_from(struct options *o, const char *value)
{
	o->from = value;
	return NULL;
}

static const char *
set_name(struct options *o, const char *value)
{
	o->name = value;
	return NULL;
}

/* -o and a letter: sendmail's short options. All others than these are inert. */
static const char *
set_short(struct options *o, const char *value)
{
	if (strcmp(value, "i") == 0)
		o->dots = true;
	else if (strcmp(value, "di") == 0)
		o->deliver = DELIVER_FOREGROUND;
	else if (strcmp(value, "db") == 0)
		o->deliver = DELIVER_BACKGROUND;
	else if (strcmp(value, "dq") == 0 || strcmp(value, "dd") == 0)
		o->deliver = DELIVER_QUEUE;
	return NULL;
}

static const struct row {
	char letter;
	enum takes takes;
	handler *handle;
} rows[] = {
    {'A', VALUE, inert}, /* -Ac, -Am: which configuration */
    {'B', VALUE, inert}, /* body type: seen from the message itself */
    {'b', VALUE, set_mode},
    {'C', VALUE, inert}, /* configuration file: never from argv */
    {'c', NOTHING, inert},
    {'D', VALUE, inert},    /* debug file: never from argv */
    {'d', ATTACHED, inert}, /* debug level */
    {'E', ATTACHED, inert},
    {'e', VALUE, inert}, /* error mode: the exit status stays the truth */
    {'F', VALUE, set_name},
    {'f', VALUE, set_from},
    {'G', NOTHING, inert}, /* gateway submission */
    {'h', VALUE, inert},   /* hop count: Received fields are counted */
    {'I', NOTHING, set_newaliases},
    {'i', NOTHING, set_dots},
    {'J', ATTACHED, inert},
    {'L', VALUE, inert}, /* syslog tag */
    {'M', VALUE, inert},
    {'m', NOTHING, inert}, /* "me too" */
    {'N', VALUE, inert},
    {'n', NOTHING, inert}, /* no aliasing */
    {'O', VALUE, inert},   /* long options: never from argv */
    {'o', VALUE, set_short},
    {'p', VALUE, inert}, /* protocol:host */
    {'Q', VALUE, inert},
    {'q', ATTACHED, set_queue_run},
    {'R', VALUE, inert},
    {'r', VALUE, set_from},
    {'S', NOTHING, inert},
    {'s', NOTHING, inert},
    {'T', NOTHING, inert},
    {'t', NOTHING, set_from_header},
    {'U', NOTHING, inert},
    {'V', VALUE, inert},
    {'v', NOTHING, set_verbose},
    {'X', VALUE, inert}, /* traffic log: never from argv */
    {'x', NOTHING, inert},
};

static const struct row *
find(char letter)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].letter == letter)
			return &rows[i];
	return NULL;
}

/* One argument "-xyz"; *next is the argument behind it, or NULL. Whether *next was its value: 1. */
static int
parse_word(struct options *o, const char *word, const char *next, char *error, unsigned size)
{
	for (const char *p = word + 1; *p != '\0'; p++) {
		const struct row *row = find(*p);
		const char *value = p + 1, *wrong;
		int used = 0;

		if (row == NULL) {
			snprintf(error, size, "unknown option -%c", *p);
			return -1;
		}
		if (row->takes == NOTHING) {
			row->handle(o, "");
			continue;
		}
		if (row->takes == VALUE && *value == '\0') {
			if (next == NULL) {
				snprintf(error, size, "option -%c needs a value", *p);
				return -1;
			}
			value = next;
			used = 1;
		}
		if ((wrong = row->handle(o, value)) != NULL) {
			snprintf(error, size, "-%c%s: %s", *p, value, wrong);
			return -1;
		}
		return used;
	}
	return 0;
}

/* The name we were called by: "mailq", "newaliases"; any other posts. */
static void
mode_from_name(struct options *o, const char *argv0)
{
	const char *slash = strrchr(argv0, '/'), *name = slash != NULL ? slash + 1 : argv0;

	if (strcmp(name, "mailq") == 0)
		o->mode = MODE_MAILQ;
	else if (strcmp(name, "newaliases") == 0)
		o->mode = MODE_NEWALIASES;
}

int
options_parse(struct options *o, int argc, char **argv, char *error, unsigned size)
{
	int operands = 0, i;

	*o = (struct options){.deliver = -1};
	if (argc > 0)
		mode_from_name(o, argv[0]);
	o->recipients = argv + (argc > 0);
	for (i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--") == 0)
			break;
		if (argv[i][0] != '-' || argv[i][1] == '\0') {
			o->recipients[operands++] = argv[i];
			continue;
		}
		int used = parse_word(o, argv[i], i + 1 < argc ? argv[i + 1] : NULL, error, size);
		if (used == -1)
			return -1;
		i += used;
	}
	for (i++; i < argc; i++)
		o->recipients[operands++] = argv[i];
	o->nrecipients = operands;
	return 0;
}
